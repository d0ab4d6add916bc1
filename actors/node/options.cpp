#include "kaiku/node/options.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <set>

#include "kaiku/node/option_reader.hpp"
#include "kaiku/node/option_sources.hpp"
#include "kaiku/secrets/secret_file.hpp"

namespace kaiku {
namespace {

using reader = option_reader;

/// `name=host:port,...` as given; sorted by name.
result<std::vector<initial_member>> parse_cluster(std::string_view text) {
  std::vector<initial_member> members;
  std::set<std::string> addresses;
  while (!text.empty()) {
    std::string_view item = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), item.size() + 1));
    if (auto first = item.find_first_not_of(' '); first != std::string_view::npos) item.remove_prefix(first);
    auto equals = item.find('=');
    if (equals == std::string_view::npos) return usage("\"" + std::string(item) + "\" is not name=host:port");
    std::string name(item.substr(0, equals));
    if (!is_valid_node_name(name)) return usage("\"" + name + "\" is not a member name (a-z 0-9 - . up to 63)");
    auto peers = parse_endpoint(item.substr(equals + 1));
    if (!peers) return usage(name + ": " + peers.failure().detail);
    if (is_any_address(*peers)) return usage(name + ": nobody can connect to " + to_string(*peers));
    auto same_name = [&](const initial_member& other) { return other.id.name == name; };
    if (std::any_of(members.begin(), members.end(), same_name)) return usage(name + " stands there twice");
    if (!addresses.insert(to_string(*peers)).second) return usage("two members at " + to_string(*peers));
    members.push_back({node_id{std::move(name)}, std::move(*peers)});
  }
  if (members.empty()) return usage("names no member");
  if (members.size() > limits::members) {
    return usage(std::to_string(members.size()) + " members; at most " + std::to_string(limits::members));
  }
  std::sort(members.begin(), members.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return members;
}

/// `host:port,...` as given.
result<std::vector<endpoint>> parse_join(std::string_view text) {
  std::vector<endpoint> addresses;
  while (!text.empty()) {
    std::string_view item = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), item.size() + 1));
    if (auto first = item.find_first_not_of(' '); first != std::string_view::npos) item.remove_prefix(first);
    auto address = parse_endpoint(item);
    if (!address) return address.failure();
    if (is_any_address(*address)) return usage("nobody can connect to " + to_string(*address));
    if (std::find(addresses.begin(), addresses.end(), *address) == addresses.end()) addresses.push_back(*address);
  }
  if (addresses.empty()) return usage("names no address");
  if (addresses.size() > limits::members)
    return usage(std::to_string(addresses.size()) + " addresses; at most " + std::to_string(limits::members));
  return addresses;
}

/// It has to fit a handshake frame.
result<std::string> read_one_secret(const std::string& file) {
  return read_secret(file, limits::link_frame_bytes);
}

void read_times(reader& read, options& into) {
  read.duration("election-timeout-ms", into.election_timeout, limits::election_timeout_min_ms,
                limits::election_timeout_max_ms, "");
  auto timeout = static_cast<std::uint32_t>(into.election_timeout.count());
  into.heartbeat_interval = milliseconds{std::min(limits::heartbeat_interval_ms, timeout / 6)};
  read.duration("heartbeat-ms", into.heartbeat_interval, limits::heartbeat_interval_min_ms, timeout / 3,
                " (a third of the election timeout)");
}

void read_care(reader& read, options& into) {
  constexpr auto any = std::uint64_t{1} << 50;
  read.number("scrub-rate", into.scrub_rate, 1024, any);
  read.number("scrub-interval-hours", into.scrub_interval, 0, limits::scrub_interval_max_hours);
  read.number("set-aside-days", into.set_aside_age, 1, limits::set_aside_max_days, 24);
  read.number("set-aside-bytes", into.set_aside_bytes, 0, any);
  read.number("remove-dead-minutes", into.remove_dead_after, 0, limits::remove_dead_max_minutes);
}

/// As browsers send it: `https://host` or `https://host:port`; or `*`.
bool is_origin(std::string_view text) {
  if (text == "*") return true;
  const auto scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos || scheme_end == 0 || scheme_end + 3 == text.size()) return false;
  return text.find_first_of(" \t/?#@,\"", scheme_end + 3) == std::string_view::npos;
}

result<std::vector<std::string>> parse_origins(std::string_view text) {
  std::vector<std::string> origins;
  while (!text.empty()) {
    const auto item = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), item.size() + 1));
    if (!is_origin(item))
      return usage("\"" + std::string(item) + "\" is not an origin such as https://www.example, nor *");
    origins.emplace_back(item);
  }
  if (origins.size() > limits::http_cors_origins)
    return usage(std::to_string(origins.size()) + " origins; at most " + std::to_string(limits::http_cors_origins));
  return origins;
}

result<std::vector<network>> parse_networks(const std::string& text) {
  std::vector<network> out;
  std::istringstream names(text);
  for (std::string one; std::getline(names, one, ',');) {
    auto known = network::parse(one);
    if (!known) return known.failure();
    out.push_back(*known);
  }
  if (out.size() > limits::http_trusted_networks)
    return usage(std::to_string(out.size()) + " networks; at most " + std::to_string(limits::http_trusted_networks));
  return out;
}

void read_client_side(reader& read, http_settings& into) {
  constexpr std::uint32_t hour = 3'600'000;
  read.value("cors-origin", into.cors_origins, parse_origins);
  read.choice<follower_writes, 2>("follower-writes", into.writes,
                                  {{{"forward", follower_writes::forward}, {"redirect", follower_writes::redirect}}});
  read.number("http-connections", into.max_connections, 1, 1'000'000);
  read.number("http-requests", into.max_requests, 1, 1'000'000);
  read.number("http-connections-each", into.max_connections_each, 0, 1'000'000);
  read.number("http-requests-each", into.max_requests_each, 0, 1'000'000);
  read.value("http-trusted-proxy", into.trusted_proxies, parse_networks);
  read.choice<forwarded_field, 2>(
      "http-forwarded-field", into.forwarded,
      {{{"x-forwarded-for", forwarded_field::x_forwarded_for}, {"forwarded", forwarded_field::forwarded}}});
  read.number("http-body-bytes", into.max_body_bytes, 0, std::uint64_t{1} << 50);
  read.number("http-body-rate", into.min_body_rate, 0, std::uint64_t{1} << 30);
  read.number("http-header-bytes", into.max_header_bytes, 1024, limits::http_header_most_bytes);
  read.number("http-header-fields", into.max_header_fields, 8, 10'000);
  read.number("http-ranges", into.max_ranges, 1, 1000);
  read.number("http-listing-page", into.max_listing_page, 1, 10'000);
  read.duration("http-header-timeout-ms", into.header_timeout, 100, hour, "");
  read.duration("http-idle-timeout-ms", into.idle_timeout, 100, hour, "");
  read.duration("http-body-stall-ms", into.body_stall_timeout, 100, limits::http_body_stall_most_ms, "");
}

void read_redis(reader& read, options& into) {
  read.value("redis", into.redis, [](const std::string& text) -> result<std::optional<redis_address>> {
    auto address = parse_redis_address(text);
    if (!address) return address.failure();
    return std::optional{std::move(address).value()};
  });
  const auto* place = read.place("redis");
  if (into.redis && !into.redis->password.empty() && place != nullptr && place->starts_with("--"))
    into.warnings.emplace_back(
        "the password in --redis can be read by every user of this machine in the list of processes; "
        "give --redis-password-file");
  std::string password;
  read.value("redis-password-file", password, read_one_secret);
  if (into.redis && !password.empty()) into.redis->password = std::move(password);
}

void read_kubernetes(reader& read, options& into) {
  bool labels = false;
  kubernetes::settings given;
  read.flag("kubernetes-labels", labels);
  read.value("kubernetes-api", given.api, kubernetes::parse_api);
  read.value("kubernetes-pod", given.pod, kubernetes::parse_pod);
  read.value("kubernetes-service-account", given.service_account,
             [](const std::string& text) -> result<std::filesystem::path> {
               if (text.empty()) return usage("names no directory");
               return std::filesystem::path(text);
             });
  if (labels) into.kubernetes = std::move(given);
}

result<std::string> file_name(const std::string& text) {
  if (text.empty()) return usage("names no file");
  return text;
}

/// Certificate and key stand together.
std::optional<tls_files> read_tls(reader& read, const std::string& prefix, const std::string& authority) {
  tls_files files;
  read.value(prefix + "-cert", files.certificate, file_name);
  read.value(prefix + "-key", files.key, file_name);
  read.value(authority, files.authority, file_name);
  if (files == tls_files{}) return std::nullopt;
  return files;
}

void read_security(reader& read, options& into) {
  read.value("peer-secret-file", into.peer_secret, read_one_secret);
  into.peer_tls = read_tls(read, "peer-tls", "peer-tls-ca");
  into.http_tls = read_tls(read, "http-tls", "http-tls-client-ca");
  bool optional = false;
  read.flag("http-tls-client-optional", optional);
  if (into.http_tls) into.http_tls->optional = optional;
  read.flag("insecure", into.insecure);
  read.flag("core-dumps", into.core_dumps);
}

void read_texts(reader& read, options& into) {
  read.value("name", into.name, [](const std::string& text) -> result<node_id> {
    if (is_valid_node_name(text)) return node_id{text};
    return usage("\"" + text + "\" is not a member name: 1 to 63 of a-z 0-9 - . beginning with a letter or digit");
  });
  read.value("data", into.data, [](const std::string& text) -> result<std::filesystem::path> {
    if (text.empty()) return usage("names no directory");
    return std::filesystem::path(text);
  });
  read.value("http", into.http, parse_endpoint);
  read.value("peers", into.peers, parse_endpoint);
  read.value("advertise-http", into.advertise_http, parse_endpoint);
  read.value("advertise-peers", into.advertise_peers, parse_endpoint);
  read.value("cluster", into.cluster, parse_cluster);
  read.value("join", into.join, parse_join);
  read.choice<durability, 3>(
      "durability", into.default_durability,
      {{{"leader", durability::leader}, {"majority", durability::majority}, {"all", durability::all}}});
  read.value("auth-file", into.auth_file, [](const std::string& text) -> result<std::filesystem::path> {
    if (text.empty()) return usage("names no file");
    return std::filesystem::path(text);
  });
  read.choice<log_level, 5>("log-level", into.level,
                            {{{"trace", log_level::trace},
                              {"debug", log_level::debug},
                              {"info", log_level::info},
                              {"warn", log_level::warn},
                              {"error", log_level::error}}});
  read.choice<log_format, 2>("log-format", into.format, {{{"text", log_format::text}, {"json", log_format::json}}});
}

/// What others are told when nobody says: what it listens on, unless that is "every address".
endpoint reachable(const endpoint& listens, const std::string& host_name) {
  return is_any_address(listens) ? endpoint{host_name, listens.port} : listens;
}

/// Fills in who this node is, where it is reached and who the members are. Gives a complaint or nothing.
std::optional<error> complete(options& x, const reader& read, const std::string& host_name) {
  if (!read.has("name")) {
    std::string name = host_name;
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c); });
    if (!is_valid_node_name(name)) return usage("the host name \"" + host_name + "\" is no member name: give --name");
    x.name = node_id{name};
  }
  if (!x.cluster.empty() && !x.join.empty()) {
    return usage(
        "--join and --cluster exclude each other: a node joins a cluster that is there, or is among the first "
        "members of a new one");
  }
  auto own = std::find_if(x.cluster.begin(), x.cluster.end(), [&](const auto& member) { return member.id == x.name; });
  bool listed = own != x.cluster.end();
  if (!x.cluster.empty() && !listed) return usage("--cluster does not name this node, \"" + x.name.name + "\"");

  std::string host = listed ? own->peers.host : host_name;
  if (!read.has("advertise-http")) x.advertise_http = reachable(x.http, host);
  if (!read.has("advertise-peers")) x.advertise_peers = listed ? own->peers : reachable(x.peers, host);
  for (const endpoint& told : {x.advertise_http, x.advertise_peers}) {
    if (is_any_address(told)) return usage("nobody can connect to the advertised address " + to_string(told));
  }
  if (listed && own->peers != x.advertise_peers) {
    return usage("--advertise-peers is " + to_string(x.advertise_peers) + " but --cluster says " + x.name.name + "=" +
                 to_string(own->peers));
  }
  if (!listed && x.join.empty()) x.cluster = {{x.name, x.advertise_peers}};
  return std::nullopt;
}

std::optional<error> check_redis(const options& x, const reader& read) {
  if (read.has("redis-password-file") && !x.redis) return usage("--redis-password-file goes with --redis");
  return std::nullopt;
}

std::optional<error> complete_kubernetes(options& x, const reader& read, const surroundings& around) {
  if (!x.kubernetes) return std::nullopt;
  auto done = kubernetes::complete(*x.kubernetes, around.environment, around.host_name);
  if (done) return std::nullopt;
  return usage(*read.place("kubernetes-labels") + ": " + done.failure().detail);
}

std::optional<error> check_tls(const options& x, const reader& read) {
  const auto& peers = x.peer_tls;
  if (peers && (peers->certificate.empty() || peers->key.empty() || peers->authority.empty()))
    return usage("--peer-tls-cert, --peer-tls-key and --peer-tls-ca go together");
  if (peers && !x.peer_secret.empty())
    return usage("--peer-tls-cert and --peer-secret-file exclude each other: a certificate proves more");
  const auto& clients = x.http_tls;
  if (clients && (clients->certificate.empty() || clients->key.empty()))
    return usage("--http-tls-cert and --http-tls-key go together");
  if (read.has("http-tls-client-optional") && (!clients || clients->authority.empty()))
    return usage("--http-tls-client-optional goes with --http-tls-client-ca");
  return std::nullopt;
}

/// Nobody but who has a certificate that this node's operators have signed.
bool keeps_strangers_out(const std::optional<tls_files>& x) {
  return x && !x->authority.empty() && !x->optional;
}

std::optional<error> check_exposure(const options& x) {
  if (x.http == x.peers) return usage("--http and --peers are both " + to_string(x.http));
  if (x.insecure) return std::nullopt;
  if (!is_loopback(x.http) && x.auth_file.empty() && !keeps_strangers_out(x.http_tls)) {
    return usage("--http " + to_string(x.http) +
                 " is reachable from other machines and anybody there could read and "
                 "change every file; give --auth-file, or --insecure if the network keeps strangers out");
  }
  if (!is_loopback(x.peers) && x.peer_secret.empty() && !keeps_strangers_out(x.peer_tls)) {
    return usage(
        "--peers " + to_string(x.peers) +
        " is reachable from other machines and anybody there could pose as a "
        "member; give --peer-tls-cert or --peer-secret-file, or --insecure if the network keeps strangers out");
  }
  return std::nullopt;
}

void warn_of_exposure(options& x) {
  const bool told_of_proxy = !x.client_side.trusted_proxies.empty();
  if (is_loopback(x.http) || x.auth_file.empty() || x.http_tls || told_of_proxy) return;
  x.warnings.push_back("clients send their tokens to --http " + to_string(x.http) +
                       " in clear text; give --http-tls-cert and --http-tls-key, or name the proxy in front that "
                       "speaks TLS with --http-trusted-proxy");
}

}  // namespace

surroundings real_surroundings() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);  // on failure it stays empty, and --name is asked for
  auto environment = [](const std::string& variable) -> std::optional<std::string> {
    const char* text = std::getenv(variable.c_str());
    return text == nullptr ? std::nullopt : std::optional<std::string>(text);
  };
  return {environment, name.data()};
}

result<parse_outcome> parse_options(int argc, const char* const* argv, const surroundings& around) {
  auto gathered = gather_options(argc, argv, around);
  if (!gathered) return gathered.failure();
  if (auto* answer = std::get_if<answer_and_exit>(&*gathered)) return parse_outcome(std::move(*answer));
  reader read(std::get<sourced_options>(*gathered));
  options parsed;
  read_texts(read, parsed);
  read_security(read, parsed);
  read_times(read, parsed);
  read_care(read, parsed);
  read_redis(read, parsed);
  read_kubernetes(read, parsed);
  read_client_side(read, parsed.client_side);
  if (read.complaint()) return *read.complaint();
  if (auto complaint = complete(parsed, read, around.host_name)) return *complaint;
  if (auto complaint = check_redis(parsed, read)) return *complaint;
  if (auto complaint = complete_kubernetes(parsed, read, around)) return *complaint;
  if (auto complaint = check_tls(parsed, read)) return *complaint;
  if (auto complaint = check_exposure(parsed)) return *complaint;
  warn_of_exposure(parsed);
  return parse_outcome(std::move(parsed));
}

}  // namespace kaiku
