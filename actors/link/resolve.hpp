#pragma once

/// Purpose: from a member's `endpoint` to addresses. Names are looked up in a thread of their own: the system's
/// resolver blocks, for many seconds when its servers are away, and Asio has one thread for all names. Thread: any.

#include <utility>

#include <functional>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "kaiku/core/endpoint.hpp"

namespace kaiku {

/// One endpoint when the host is an address, none when it is a name.
std::vector<boost::asio::ip::tcp::endpoint> numeric_endpoint(const endpoint& where);
/// Calls `done` from another thread, some time, once; with nothing when the name is not known.
void resolve_elsewhere(endpoint where, std::function<void(std::vector<boost::asio::ip::tcp::endpoint>)> done);

}  // namespace kaiku
