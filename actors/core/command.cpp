#include "kaiku/core/command.hpp"

#include <algorithm>
#include <set>

#include "kaiku/core/codec.hpp"
#include "kaiku/core/decimal.hpp"
#include "kaiku/core/limits.hpp"

namespace kaiku {
namespace {

// First byte of an encoded command. Never renumbered: they stand in logs.
enum class tag : std::uint8_t {
  no_operation = 1,
  set_members,
  put_file,
  make_directory,
  remove_path,
  move_path,
  copy_path,
  change_properties,
  remove_expired
};

encoder begin(tag which) {
  encoder out;
  out.u8(static_cast<std::uint8_t>(which));
  return out;
}

void write_member(encoder& out, const member& x) {
  out.text(x.id.name).bytes(x.disk.bytes).text(x.peer_address);
}

void write_time(encoder& out, unix_time_ms x) {
  out.u64(static_cast<std::uint64_t>(x.value));
}

std::string end(encoder& out, const std::optional<request_key>& key) {
  out.u8(key.has_value());
  if (key) out.bytes(key->key.bytes).bytes(key->fingerprint.bytes);
  return out.take();
}

struct encode_visitor {
  std::string operator()(const no_operation&) const { return begin(tag::no_operation).take(); }

  std::string operator()(const set_members& x) const {
    auto out = begin(tag::set_members);
    out.bytes(x.cluster.bytes).varint(x.voters.size());
    for (const auto& voter : x.voters) write_member(out, voter);
    out.varint(x.learners.size());
    for (const auto& learner : x.learners) write_member(out, learner);
    return out.take();
  }

  std::string operator()(const put_file& x) const {
    auto out = begin(tag::put_file);
    out.text(x.path.text()).bytes(x.content.sha256.bytes).varint(x.content.size.value);
    write(out, x.properties);
    write_time(out, x.modified);
    out.u8(x.make_parents);
    return end(out, x.key);
  }

  std::string operator()(const make_directory& x) const {
    auto out = begin(tag::make_directory);
    out.text(x.path.text());
    write_time(out, x.modified);
    out.u8(x.make_parents);
    return end(out, x.key);
  }

  std::string operator()(const remove_path& x) const {
    auto out = begin(tag::remove_path);
    out.text(x.path.text()).u8(x.recursive).u8(x.directory_only);
    write_time(out, x.modified);
    return end(out, x.key);
  }

  std::string operator()(const move_path& x) const { return transfer(tag::move_path, x); }
  std::string operator()(const copy_path& x) const { return transfer(tag::copy_path, x); }

  std::string operator()(const change_properties& x) const {
    auto out = begin(tag::change_properties);
    out.text(x.path.text());
    write(out, x.patch);
    write_time(out, x.modified);
    return end(out, x.key);
  }

  std::string operator()(const remove_expired& x) const {
    auto out = begin(tag::remove_expired);
    write_time(out, x.modified);
    return out.take();
  }

 private:
  template <class Transfer>
  static std::string transfer(tag which, const Transfer& x) {
    auto out = begin(which);
    out.text(x.from.text()).text(x.to.text()).u8(x.overwrite).u8(x.make_parents);
    write_time(out, x.modified);
    return end(out, x.key);
  }
};

bool read_flag(decoder& in) {
  auto byte = in.u8();
  if (byte > 1) in.fail();
  return byte == 1;
}

file_path read_path(decoder& in) {
  auto text = in.text(limits::path_bytes);
  auto path = file_path::parse(text);
  // `parse` forgives a leading or trailing slash; `encode` never writes one.
  if (!path.ok() || path->text() != text) {
    in.fail();
    return {};
  }
  return *path;
}

unix_time_ms read_time(decoder& in) {
  return {static_cast<std::int64_t>(in.u64())};
}

std::vector<member> read_member_list(decoder& in) {
  std::vector<member> all;
  const auto count = in.varint();
  if (count > limits::members) in.fail();
  for (std::uint64_t i = 0; in.ok() && i < count; ++i) {
    member one;
    one.id.name = in.text(limits::name_bytes);
    in.bytes(one.disk.bytes);
    one.peer_address = in.text(limits::address_bytes);
    if (!is_valid_node_name(one.id.name)) in.fail();
    all.push_back(std::move(one));
  }
  return all;
}

set_members read_members(decoder& in) {
  set_members x;
  in.bytes(x.cluster.bytes);
  x.voters = read_member_list(in);
  x.learners = read_member_list(in);
  if (x.voters.empty()) in.fail();
  return x;
}

std::optional<request_key> read_key(decoder& in) {
  if (!read_flag(in)) return std::nullopt;
  request_key x;
  in.bytes(x.key.bytes);
  in.bytes(x.fingerprint.bytes);
  return x;
}

put_file read_put(decoder& in) {
  put_file x;
  x.path = read_path(in);
  in.bytes(x.content.sha256.bytes);
  x.content.size.value = in.varint();
  x.properties = read_properties(in);
  x.modified = read_time(in);
  x.make_parents = read_flag(in);
  x.key = read_key(in);
  if (x.path.is_root()) in.fail();
  return x;
}

make_directory read_make(decoder& in) {
  make_directory x;
  x.path = read_path(in);
  x.modified = read_time(in);
  x.make_parents = read_flag(in);
  x.key = read_key(in);
  return x;
}

remove_path read_remove(decoder& in) {
  remove_path x;
  x.path = read_path(in);
  x.recursive = read_flag(in);
  x.directory_only = read_flag(in);
  x.modified = read_time(in);
  x.key = read_key(in);
  return x;
}

template <class Transfer>
Transfer read_transfer(decoder& in) {
  Transfer x;
  x.from = read_path(in);
  x.to = read_path(in);
  x.overwrite = read_flag(in);
  x.make_parents = read_flag(in);
  x.modified = read_time(in);
  x.key = read_key(in);
  return x;
}

change_properties read_change(decoder& in) {
  change_properties x;
  x.path = read_path(in);
  x.patch = read_properties_patch(in);
  x.modified = read_time(in);
  x.key = read_key(in);
  return x;
}

template <class T>
constexpr bool has_time = requires(T x) {
  x.modified;
};
template <class Properties>
void resolve_ttl(Properties& x, unix_time_ms now) {
  if (!x.ttl) return;
  x.expires = unix_time_ms{now.value + x.ttl->count()};
  x.ttl.reset();
}

template <class T>
constexpr bool has_key = requires(T x) {
  x.key;
};

}  // namespace

std::optional<content_ref> content_of(const command& x) {
  if (const auto* put = std::get_if<put_file>(&x)) return put->content;
  return std::nullopt;
}

std::optional<unix_time_ms> time_of(const command& x) {
  const auto time = [](const auto& one) -> std::optional<unix_time_ms> {
    if constexpr (has_time<decltype(one)>) return one.modified;
    return std::nullopt;
  };
  return std::visit(time, x);
}

void set_time(command& x, unix_time_ms time) {
  const auto date = [&](auto& one) {
    if constexpr (has_time<decltype(one)>) one.modified = time;
  };
  std::visit(date, x);
  if (auto* put = std::get_if<put_file>(&x)) resolve_ttl(put->properties, time);
  if (auto* changed = std::get_if<change_properties>(&x)) resolve_ttl(changed->patch, time);
}

const request_key* key_of(const command& x) {
  const auto key = [](const auto& one) -> const request_key* {
    if constexpr (has_key<decltype(one)>) return one.key ? &*one.key : nullptr;
    return nullptr;
  };
  return std::visit(key, x);
}

byte_count work_of(const command& x) {
  // Each name may be a directory to make.
  const auto names = [](const file_path& path) {
    return byte_count{limits::proposal_overhead_bytes * (1 + path.names().size())};
  };
  if (const auto* put = std::get_if<put_file>(&x)) return names(put->path);
  if (const auto* made = std::get_if<make_directory>(&x)) return names(made->path);
  if (const auto* moved = std::get_if<move_path>(&x)) return names(moved->to);
  if (std::holds_alternative<copy_path>(x)) return {limits::copy_bytes};
  if (std::holds_alternative<remove_expired>(x)) return {limits::expired_batch * limits::proposal_overhead_bytes};
  return {limits::proposal_overhead_bytes};
}

std::string encode(const command& x) {
  return std::visit(encode_visitor{}, x);
}

result<command> decode_command(std::string_view bytes) {
  decoder in{bytes};
  command decoded;
  switch (static_cast<tag>(in.u8())) {
    case tag::no_operation: decoded = no_operation{}; break;
    case tag::set_members: decoded = read_members(in); break;
    case tag::put_file: decoded = read_put(in); break;
    case tag::make_directory: decoded = read_make(in); break;
    case tag::remove_path: decoded = read_remove(in); break;
    case tag::move_path: decoded = read_transfer<move_path>(in); break;
    case tag::copy_path: decoded = read_transfer<copy_path>(in); break;
    case tag::change_properties: decoded = read_change(in); break;
    case tag::remove_expired: decoded = remove_expired{read_time(in)}; break;
    default: in.fail();
  }
  if (!in.done()) return {errc::corrupt, "a log entry does not decode to a command"};
  return decoded;
}

std::string file_info::etag() const {
  return '"' + write_version(version) + '-' + to_string(content.sha256).substr(0, 16) + '"';
}

std::string_view to_string(durability x) {
  switch (x) {
    case durability::leader: return "leader";
    case durability::majority: return "majority";
    case durability::all: return "all";
  }
  return "unknown";
}

std::optional<durability> parse_durability(std::string_view text) {
  if (text == "leader") return durability::leader;
  if (text == "majority") return durability::majority;
  if (text == "all") return durability::all;
  return std::nullopt;
}

std::string_view to_string(write_status::fate x) {
  switch (x) {
    case write_status::fate::unknown: return "unknown";
    case write_status::fate::leader: return "leader";
    case write_status::fate::majority: return "majority";
    case write_status::fate::all: return "all";
    case write_status::fate::set_aside: return "set_aside";
  }
  return "unknown";
}

cluster_tag tag_of(const cluster_id& x) {
  cluster_tag tag;
  std::copy_n(x.bytes.begin(), tag.bytes.size(), tag.bytes.begin());
  return tag;
}

std::string to_string(const write_token& x) {
  return to_hex(x.cluster.bytes.data(), x.cluster.bytes.size()) + '.' + write_version(x.at);
}

std::optional<write_token> parse_write_token(std::string_view text) {
  write_token x;
  const auto hex = 2 * x.cluster.bytes.size();
  if (text.size() <= hex || text[hex] != '.' || !from_hex(text.substr(0, hex), x.cluster.bytes.data(), hex / 2))
    return std::nullopt;
  if (!read_version(text.substr(hex + 1), x.at)) return std::nullopt;
  // One write has one token: no leading zeros, no capitals.
  if (to_string(x) != text || x.at.index.value == 0) return std::nullopt;
  return x;
}

bool is_legal(const set_members& x) {
  std::set<node_id> names;
  for (const auto* list : {&x.voters, &x.learners})
    for (const auto& one : *list) {
      const auto& address = one.peer_address;
      const bool is_shown =
          std::all_of(address.begin(), address.end(), [](char c) { return static_cast<unsigned char>(c) >= ' '; });
      const bool is_good = is_valid_node_name(one.id.name) && address.size() <= limits::address_bytes && is_shown;
      if (!is_good || !names.insert(one.id).second) return false;
    }
  return x.cluster.known() && !x.voters.empty() && names.size() <= limits::members;
}

status check_precondition(const precondition& when, const file_info* there) {
  if (when.empty()) return success();
  const auto tag = there == nullptr ? std::string{} : there->etag();
  const auto is_among = [&](const std::vector<std::string>& tags) {
    return std::find(tags.begin(), tags.end(), tag) != tags.end();
  };
  if (when.if_match_any && there == nullptr) {
    return {errc::precondition_failed, "If-Match: *, but nothing is there"};
  }
  if (!when.if_match.empty() && (there == nullptr || !is_among(when.if_match))) {
    return {errc::precondition_failed, there == nullptr ? "If-Match, but nothing is there" : "what is there is " + tag};
  }
  const bool matched = when.if_match_any || !when.if_match.empty();
  constexpr std::int64_t second_ms = 1000;
  if (!matched && when.if_unmodified_since && there != nullptr &&
      there->modified.value / second_ms > when.if_unmodified_since->value / second_ms) {
    return {errc::precondition_failed, "what is there was modified since"};
  }
  if (there != nullptr && (when.if_none_match_any || is_among(when.if_none_match))) {
    return {errc::precondition_failed, "what is there is " + tag};
  }
  return success();
}

}  // namespace kaiku
