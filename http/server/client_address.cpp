#include "kaiku/http/server/client_address.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "kaiku/core/invariant.hpp"
#include "kaiku/http/server/exchange.hpp"

namespace kaiku {
namespace {

namespace ip = boost::asio::ip;

ip_address plain(const ip_address& x) {
  if (x.is_v6() && x.to_v6().is_v4_mapped()) return ip::make_address_v4(ip::v4_mapped, x.to_v6());
  return x;
}

std::optional<ip_address> parse_address(std::string_view text) {
  boost::system::error_code failed;
  const auto out = ip::make_address(std::string(text), failed);
  if (failed) return std::nullopt;
  return plain(out);
}

template <std::size_t size>
bool same_bits(const std::array<unsigned char, size>& a, const std::array<unsigned char, size>& b, unsigned count) {
  const auto whole = count / 8, rest = count % 8;
  if (!std::equal(a.begin(), a.begin() + whole, b.begin())) return false;
  return rest == 0 || (a.at(whole) ^ b.at(whole)) >> (8 - rest) == 0;
}

/// `1.2.3.4`, `1.2.3.4:80`, `[::1]`, `[::1]:80`, and, as X-Forwarded-For has it, `::1`.
std::optional<ip_address> parse_node(std::string_view text) {
  if (text.starts_with('[')) return parse_address(text.substr(1, text.find(']') - 1));
  const auto colon = text.find(':');
  const bool has_port = colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos;
  return parse_address(has_port ? text.substr(0, colon) : text);
}

/// `for=` of one element of Forwarded.
std::string_view for_of(std::string_view element) {
  while (!element.empty()) {
    const auto end = std::min(element.find(';'), element.size());
    auto pair = without_space(element.substr(0, end));
    element.remove_prefix(std::min(end + 1, element.size()));
    const auto equals = std::min(pair.find('='), pair.size());
    if (!same_token(pair.substr(0, equals), "for")) continue;
    pair.remove_prefix(std::min(equals + 1, pair.size()));
    if (pair.size() >= 2 && pair.starts_with('"') && pair.ends_with('"')) pair = pair.substr(1, pair.size() - 2);
    return pair;
  }
  return {};
}

ip_address counted_as(const ip_address& who) {
  const auto x = plain(who);
  if (x.is_v4()) return x;
  auto bytes = x.to_v6().to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
  return ip::address_v6(bytes);
}

}  // namespace

result<network> network::parse(std::string_view text) {
  const error wrong{errc::bad_request, "\"" + std::string(text) + "\" is no address, and no network like 10.0.0.0/8"};
  const auto slash = std::min(text.find('/'), text.size());
  const auto base = parse_address(text.substr(0, slash));
  if (!base) return wrong;
  network out;
  out.base_ = *base;
  out.prefix_ = base->is_v4() ? 32 : 128;
  if (slash == text.size()) return out;
  unsigned prefix = 0;
  const auto* end = text.data() + text.size();
  const auto read = std::from_chars(text.data() + slash + 1, end, prefix);
  if (read.ec != std::errc{} || read.ptr != end || prefix > out.prefix_) return wrong;
  out.prefix_ = prefix;
  return out;
}

bool network::contains(const ip_address& who) const {
  const auto x = plain(who);
  if (x.is_v4() != base_.is_v4()) return false;
  if (x.is_v4()) return same_bits(x.to_v4().to_bytes(), base_.to_v4().to_bytes(), prefix_);
  return same_bits(x.to_v6().to_bytes(), base_.to_v6().to_bytes(), prefix_);
}

ip_address client_of(const request& in, const ip_address& peer, const std::vector<network>& trusted, bool standard) {
  const auto is_trusted = [&](const ip_address& x) {
    return std::any_of(trusted.begin(), trusted.end(), [&](const network& one) { return one.contains(x); });
  };
  auto nearest = plain(peer);
  auto hops = in.header(standard ? "Forwarded" : "X-Forwarded-For");
  while (hops && !hops->empty() && is_trusted(nearest)) {
    const auto comma = hops->rfind(',');
    const auto last = without_space(comma == std::string_view::npos ? *hops : hops->substr(comma + 1));
    hops = comma == std::string_view::npos ? std::string_view{} : hops->substr(0, comma);
    const auto next = parse_node(standard ? for_of(last) : last);
    if (!next) break;
    nearest = *next;
  }
  return nearest;
}

bool address_counter::enter(const ip_address& who, std::size_t most) {
  std::lock_guard guard{mutex_};
  auto& count = counts_[counted_as(who)];
  if (count >= most) return false;
  ++count;
  return true;
}

void address_counter::leave(const ip_address& who) {
  std::lock_guard guard{mutex_};
  const auto found = counts_.find(counted_as(who));
  INVARIANT(found != counts_.end(), "who leaves has entered");
  if (--found->second == 0) counts_.erase(found);
}

}  // namespace kaiku
