#include "kaiku/core/command.hpp"

#include "kaiku/core/codec.hpp"

namespace kaiku {
namespace {

// First byte of an encoded command. Never renumbered: they stand in logs.
enum class tag : std::uint8_t { no_operation = 1, set_members = 2, put_file = 3, make_directory = 4, remove_path = 5 };

constexpr std::size_t max_address_bytes = 300;

encoder begin(tag which) {
  encoder out;
  out.u8(static_cast<std::uint8_t>(which));
  return out;
}

struct encode_visitor {
  std::string operator()(const no_operation&) const { return begin(tag::no_operation).take(); }

  std::string operator()(const set_members& x) const {
    auto out = begin(tag::set_members);
    out.bytes(x.cluster.bytes).varint(x.voters.size());
    for (const auto& voter : x.voters) out.text(voter.id.name).bytes(voter.disk.bytes).text(voter.peer_address);
    return out.take();
  }

  std::string operator()(const put_file& x) const {
    auto out = begin(tag::put_file);
    out.text(x.path.text()).bytes(x.content.sha256.bytes).varint(x.content.size.value).text(x.content_type);
    out.u64(static_cast<std::uint64_t>(x.modified.value)).u8(x.make_parents);
    return out.take();
  }

  std::string operator()(const make_directory& x) const {
    auto out = begin(tag::make_directory);
    out.text(x.path.text()).u64(static_cast<std::uint64_t>(x.modified.value)).u8(x.make_parents);
    return out.take();
  }

  std::string operator()(const remove_path& x) const {
    auto out = begin(tag::remove_path);
    out.text(x.path.text()).u8(x.recursive).u64(static_cast<std::uint64_t>(x.modified.value));
    return out.take();
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

set_members read_members(decoder& in) {
  set_members x;
  in.bytes(x.cluster.bytes);
  auto count = in.varint();
  if (count == 0 || count > limits::members) in.fail();
  for (std::uint64_t i = 0; in.ok() && i < count; ++i) {
    member voter;
    voter.id.name = in.text(limits::name_bytes);
    in.bytes(voter.disk.bytes);
    voter.peer_address = in.text(max_address_bytes);
    if (!is_valid_node_name(voter.id.name)) in.fail();
    x.voters.push_back(std::move(voter));
  }
  return x;
}

put_file read_put(decoder& in) {
  put_file x;
  x.path = read_path(in);
  in.bytes(x.content.sha256.bytes);
  x.content.size.value = in.varint();
  x.content_type = in.text(limits::content_type_bytes);
  x.modified = read_time(in);
  x.make_parents = read_flag(in);
  if (x.path.is_root()) in.fail();
  return x;
}

}  // namespace

std::optional<content_ref> content_of(const command& x) {
  if (const auto* put = std::get_if<put_file>(&x)) return put->content;
  return std::nullopt;
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
    case tag::make_directory: {
      make_directory x;
      x.path = read_path(in);
      x.modified = read_time(in);
      x.make_parents = read_flag(in);
      decoded = std::move(x);
      break;
    }
    case tag::remove_path: {
      remove_path x;
      x.path = read_path(in);
      x.recursive = read_flag(in);
      x.modified = read_time(in);
      decoded = std::move(x);
      break;
    }
    default: in.fail();
  }
  if (!in.done()) return {errc::corrupt, "a log entry does not decode to a command"};
  return decoded;
}

std::string file_info::etag() const {
  return '"' + to_string(version) + '-' + to_string(content.sha256).substr(0, 16) + '"';
}

std::string_view to_string(durability x) {
  return x == durability::leader ? "leader" : "majority";
}

std::optional<durability> parse_durability(std::string_view text) {
  if (text == "leader") return durability::leader;
  if (text == "majority") return durability::majority;
  return std::nullopt;
}

std::string to_string(const write_token& x) {
  return to_string(x.cluster).substr(0, 8) + '.' + to_string(x.at.in_term) + '.' + to_string(x.at.index);
}

}  // namespace kaiku
