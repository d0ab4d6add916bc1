#pragma once

/// Purpose: from `host:port` to addresses. Names are looked up in a thread of their own: the system's resolver blocks,
/// for many seconds when its servers are away, and Asio has one thread for all names.
/// Thread: any.

#include <utility>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

namespace kaiku {

struct host_port {
  std::string host;  ///< without the brackets of an IPv6 address
  std::uint16_t port = 0;
};

std::optional<host_port> split_address(const std::string& text);
/// One endpoint when the host is an address, none when it is a name.
std::vector<boost::asio::ip::tcp::endpoint> numeric_endpoint(const host_port& where);
/// Calls `done` from another thread, some time, once; with nothing when the name is not known.
void resolve_elsewhere(host_port where, std::function<void(std::vector<boost::asio::ip::tcp::endpoint>)> done);

}  // namespace kaiku
