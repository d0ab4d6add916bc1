#pragma once

/// Purpose: awaits a gateway's callback.
/// The coroutine goes on through its executor, never inside the callback: whoever called back has left its own code by
/// then, and may be destroyed by what follows. The exchange, not the callback, owns the waiting coroutine: a callback
/// that is called or dropped when the server, or even the io_context, is gone touches nothing.
/// Thread: the session's.

#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <memory>

#include "kaiku/http/server/exchange.hpp"

namespace kaiku {

/// Unwinds a session whose server is gone.
struct session_abandoned {};

/// `start` is called with a copyable callback taking a T; gives what it was called with.
template <class T, class Start>
task<T> ask(exchange& ex, Start start) {
  auto executor = co_await boost::asio::this_coro::executor;
  auto initiate = [executor, &start, &ex](auto handler) {
    auto waiting = std::make_shared<decltype(handler)>(std::move(handler));
    ex.waiting = waiting;
    const trace_scope scope{ex.traced ? ex.traced->of : nullptr};
    start([executor, weak = std::weak_ptr(waiting)](T answer) {
      auto resumed = weak.lock();
      if (!resumed) return;
      boost::asio::post(executor, [resumed, answer = std::move(answer)]() mutable { (*resumed)(std::move(answer)); });
    });
  };
  T answer = co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<io_executor>, void(T)>(initiate,
                                                                                                            use_task);
  ex.waiting.reset();
  if (ex.abandoned) throw session_abandoned{};
  co_return answer;
}

}  // namespace kaiku
