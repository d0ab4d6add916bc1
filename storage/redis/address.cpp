#include "kaiku/storage/redis/address.hpp"

#include <charconv>
#include <optional>

#include "kaiku/core/path.hpp"

namespace kaiku {
namespace {

error wrong(const char* why) {
  return {errc::bad_request, why};
}

std::optional<std::uint32_t> number(std::string_view text, std::uint32_t most) {
  std::uint32_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size() || value > most) return std::nullopt;
  return value;
}

/// Redis can be built for more, but then its operator knows.
constexpr std::uint32_t most_databases = 1'000'000;

result<redis_address> parse_unix(std::string_view rest) {
  redis_address out;
  const auto query = rest.find('?');
  out.path = rest.substr(0, query);
  if (!out.path.starts_with('/')) return wrong("unix:// is followed by an absolute path: unix:///run/redis.sock");
  if (query == std::string_view::npos) return out;
  rest.remove_prefix(query + 1);
  const auto database = rest.starts_with("db=") ? number(rest.substr(3), most_databases) : std::nullopt;
  if (!database) return wrong("behind ? stands db=NUMBER");
  out.database = *database;
  return out;
}

status parse_user(std::string_view text, redis_address& into) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return wrong("in front of @ stands user:password or :password");
  auto user = percent_decode(text.substr(0, colon));
  auto password = percent_decode(text.substr(colon + 1));
  if (!user.ok() || !password.ok()) return wrong("user and password are percent-encoded: a % is written %25");
  into.user = *std::move(user);
  into.password = *std::move(password);
  return success();
}

status parse_host(std::string_view text, redis_address& into) {
  auto host = text, port = std::string_view{};
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return wrong("the brackets round the address are not closed");
    host = text.substr(1, end - 1);
    port = text.substr(end + 1);
  } else if (const auto colon = text.find(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon);
  }
  if (host.empty()) return wrong("names no host");
  into.host = host;
  if (port.empty()) return success();
  const auto value = port.starts_with(':') ? number(port.substr(1), UINT16_MAX) : std::nullopt;
  if (!value || *value == 0) return wrong("the port is a number from 1 to 65535");
  into.port = static_cast<std::uint16_t>(*value);
  return success();
}

}  // namespace

std::string redis_address::shown() const {
  const auto suffix = [&](const char* before) { return database == 0 ? "" : before + std::to_string(database); };
  if (host.empty()) return "unix://" + path + suffix("?db=");
  const bool brackets = host.find(':') != std::string::npos;
  return "redis://" + (brackets ? "[" + host + "]" : host) + ":" + std::to_string(port) + suffix("/");
}

result<redis_address> parse_redis_address(std::string_view text) {
  constexpr std::string_view tcp = "redis://", local = "unix://", tls = "rediss://";
  if (text.starts_with(local)) return parse_unix(text.substr(local.size()));
  if (text.starts_with(tls))
    return wrong(
        "rediss:// needs TLS, which the hiredis of this build lacks: use a unix socket, or a TLS proxy beside it");
  if (!text.starts_with(tcp)) return wrong("begins with redis:// or unix://");
  text.remove_prefix(tcp.size());
  redis_address out;
  if (const auto at = text.rfind('@'); at != std::string_view::npos) {
    if (auto read = parse_user(text.substr(0, at), out); !read) return read.failure();
    text.remove_prefix(at + 1);
  }
  const auto slash = text.find('/');
  if (auto read = parse_host(text.substr(0, slash), out); !read) return read.failure();
  if (slash == std::string_view::npos || slash + 1 == text.size()) return out;
  const auto database = number(text.substr(slash + 1), most_databases);
  if (!database) return wrong("behind the host stands /NUMBER of the database");
  out.database = *database;
  return out;
}

}  // namespace kaiku
