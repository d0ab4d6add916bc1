#pragma once

/// Purpose: where requests come from: the other end of the connection, or, behind a proxy that is trusted, what that
/// says (RFC 7239; X-Forwarded-For). And how much of the server one address has.
/// Thread: values, and functions of them; `address_counter` from any.

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "kaiku/core/error.hpp"

namespace kaiku {

struct request;

using ip_address = boost::asio::ip::address;

/// Addresses with a common beginning. An IPv4 address in IPv6's clothes counts as what it is.
class network {
 public:
  /// `10.0.0.0/8`, `2001:db8::/32`, or one address. Errors: `bad_request`.
  static result<network> parse(std::string_view text);
  bool contains(const ip_address& x) const;

 private:
  ip_address base_;
  unsigned prefix_ = 0;
};

/// From behind `peer`, when that is trusted: the nearest address that is not, as the field tells it (X-Forwarded-For,
/// or, `standard`, Forwarded). What can't be read ends the search at the proxy that said it.
ip_address client_of(const request& in, const ip_address& peer, const std::vector<network>& trusted, bool standard);

/// An IPv6 client has all of a /64: that counts as one address.
class address_counter {
 public:
  /// False, and nothing is counted, when the address has `most` already.
  bool enter(const ip_address& who, std::size_t most);
  void leave(const ip_address& who);

 private:
  std::mutex mutex_;
  std::map<ip_address, std::size_t> counts_;
};

/// One place among those of an address; given back when it goes.
class address_place {
 public:
  address_place(address_counter& all, const ip_address& who) : all_(all), who_(who) {}
  ~address_place() {
    if (taken_) all_.leave(who_);
  }
  address_place(const address_place&) = delete;
  address_place& operator=(const address_place&) = delete;

  /// False: the address has `most` already. What is taken stays so.
  bool take(std::size_t most) { return taken_ = taken_ || all_.enter(who_, most); }

 private:
  address_counter& all_;
  const ip_address who_;
  bool taken_ = false;
};

}  // namespace kaiku
