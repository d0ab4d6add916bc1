#pragma once

/// Purpose: the coroutine type of the HTTP side: an Asio awaitable on the executor of an io_context, which is cheaper
/// than the type-erased default. Boost 1.74 needs <utility> in front of it. Pitfall with g++ 12: never `co_await`
/// inside a conditional expression, an initializer list or the argument of another call; name the result first. Thread:
/// the I/O thread of the session.

#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace kaiku {

using io_executor = boost::asio::io_context::executor_type;
template <class T>
using task = boost::asio::awaitable<T, io_executor>;
inline constexpr boost::asio::use_awaitable_t<io_executor> use_task{};

}  // namespace kaiku
