#include "kaiku/link/resolve.hpp"

#include <cstring>
#include <thread>

#include <netdb.h>
#include <sys/socket.h>

namespace kaiku {

using boost::asio::ip::tcp;

std::vector<tcp::endpoint> numeric_endpoint(const endpoint& where) {
  boost::system::error_code failed;
  auto address = boost::asio::ip::make_address(where.host, failed);
  if (failed) return {};
  return {tcp::endpoint{address, where.port}};
}

void resolve_elsewhere(endpoint where, std::function<void(std::vector<tcp::endpoint>)> done) {
  std::thread{[where = std::move(where), done = std::move(done)] {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_ADDRCONFIG;
    addrinfo* all = nullptr;
    std::vector<tcp::endpoint> found;
    if (::getaddrinfo(where.host.c_str(), nullptr, &hints, &all) == 0) {
      for (auto* x = all; x != nullptr; x = x->ai_next) {
        tcp::endpoint one;
        if (x->ai_addrlen > one.capacity()) continue;
        std::memcpy(one.data(), x->ai_addr, x->ai_addrlen);
        one.resize(x->ai_addrlen);
        one.port(where.port);
        found.push_back(one);
      }
      ::freeaddrinfo(all);
    }
    done(std::move(found));
  }}.detach();
}

}  // namespace kaiku
