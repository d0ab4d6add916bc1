#include "kaiku/link/resolve.hpp"

#include <charconv>
#include <cstring>
#include <thread>

#include <netdb.h>
#include <sys/socket.h>

namespace kaiku {

using boost::asio::ip::tcp;

std::optional<host_port> split_address(const std::string& text) {
  auto colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return std::nullopt;
  host_port out{text.substr(0, colon), 0};
  const char* end = text.data() + text.size();
  auto [rest, failed] = std::from_chars(text.data() + colon + 1, end, out.port);
  if (failed != std::errc{} || rest != end || out.port == 0) return std::nullopt;
  if (out.host.size() > 2 && out.host.front() == '[' && out.host.back() == ']')
    out.host = out.host.substr(1, out.host.size() - 2);
  return out;
}

std::vector<tcp::endpoint> numeric_endpoint(const host_port& where) {
  boost::system::error_code failed;
  auto address = boost::asio::ip::make_address(where.host, failed);
  if (failed) return {};
  return {tcp::endpoint{address, where.port}};
}

void resolve_elsewhere(host_port where, std::function<void(std::vector<tcp::endpoint>)> done) {
  std::thread{[where = std::move(where), done = std::move(done)] {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_ADDRCONFIG;
    addrinfo* all = nullptr;
    std::vector<tcp::endpoint> found;
    if (::getaddrinfo(where.host.c_str(), nullptr, &hints, &all) == 0) {
      for (auto* x = all; x != nullptr; x = x->ai_next) {
        tcp::endpoint endpoint;
        if (x->ai_addrlen > endpoint.capacity()) continue;
        std::memcpy(endpoint.data(), x->ai_addr, x->ai_addrlen);
        endpoint.resize(x->ai_addrlen);
        endpoint.port(where.port);
        found.push_back(endpoint);
      }
      ::freeaddrinfo(all);
    }
    done(std::move(found));
  }}.detach();
}

}  // namespace kaiku
