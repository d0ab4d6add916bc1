#include "kaiku/storage/format.hpp"

#include "kaiku/core/codec.hpp"

namespace kaiku::format {
namespace {

constexpr std::size_t any_size = SIZE_MAX;

file_info::kind read_kind(decoder& in) {
  auto kind = static_cast<file_info::kind>(in.u8());
  if (kind != file_info::kind::file && kind != file_info::kind::directory) in.fail();
  return kind;
}

unix_time_ms read_time(decoder& in) {
  return {static_cast<std::int64_t>(in.u64())};
}
std::uint64_t time_bits(unix_time_ms x) {
  return static_cast<std::uint64_t>(x.value);
}

bool read_flag(decoder& in) {
  const auto byte = in.u8();
  if (byte > 1) in.fail();
  return byte == 1;
}

// First bytes of the keys of `requests`.
constexpr std::uint8_t by_key = 'k';
constexpr std::uint8_t by_number = 'n';

}  // namespace

std::string key(log_index index) {
  return encoder{}.u64(index.value).take();
}
std::string key(inode_id inode) {
  return encoder{}.u64(inode.value).take();
}
std::string key(log_position at) {
  return encoder{}.u64(at.in_term.value).u64(at.index.value).take();
}
std::string key(const digest& what) {
  return encoder{}.bytes(what.bytes).take();
}
std::string key(inode_id parent, std::string_view name) {
  return encoder{}.u64(parent.value).raw(name).take();
}

std::string key(log_index removed_by, inode_id directory) {
  return encoder{}.u64(removed_by.value).u64(directory.value).take();
}
std::string key(chore kind, const digest& what) {
  return encoder{}.u8(static_cast<std::uint8_t>(kind)).bytes(what.bytes).take();
}
std::string key(unix_time_ms unnamed_since, const digest& what) {
  return encoder{}.u8(static_cast<std::uint8_t>(chore::unnamed)).u64(time_bits(unnamed_since)).bytes(what.bytes).take();
}

std::string key_of_expected(inode_id inode) {
  return encoder{}.u8(static_cast<std::uint8_t>(chore::expected)).u64(inode.value).take();
}

std::string key(unix_time_ms expires, inode_id file) {
  return encoder{}.u64(time_bits(expires)).u64(file.value).take();
}

std::string key_of_request(const digest& key) {
  return encoder{}.u8(by_key).bytes(key.bytes).take();
}
std::string key_of_request(std::uint64_t number) {
  return encoder{}.u8(by_number).u64(number).take();
}

log_index index_of_key(std::string_view bytes) {
  decoder in{bytes};
  log_index index{in.u64()};
  INVARIANT(in.done(), "a key of the log decodes");
  return index;
}

log_position position_of_key(std::string_view bytes) {
  decoder in{bytes};
  log_position at;
  at.in_term = {in.u64()};
  at.index = {in.u64()};
  INVARIANT(in.done(), "a key of set_aside decodes");
  return at;
}

digest digest_of_key(std::string_view bytes) {
  decoder in{bytes};
  digest what;
  in.u8();
  in.bytes(what.bytes);
  INVARIANT(in.done(), "a key of work decodes");
  return what;
}

std::pair<unix_time_ms, digest> unnamed_of_key(std::string_view bytes) {
  decoder in{bytes};
  std::pair<unix_time_ms, digest> x;
  in.u8();
  x.first = read_time(in);
  in.bytes(x.second.bytes);
  INVARIANT(in.done(), "a key of work decodes");
  return x;
}

std::pair<log_index, inode_id> orphan_of_key(std::string_view bytes) {
  decoder in{bytes};
  std::pair<log_index, inode_id> x;
  x.first = {in.u64()};
  x.second = {in.u64()};
  INVARIANT(in.done(), "a key of orphans decodes");
  return x;
}

std::pair<unix_time_ms, inode_id> expiry_of_key(std::string_view bytes) {
  decoder in{bytes};
  std::pair<unix_time_ms, inode_id> x;
  x.first = read_time(in);
  x.second = {in.u64()};
  INVARIANT(in.done(), "a key of expiries decodes");
  return x;
}

inode_id parent_of_key(std::string_view bytes) {
  decoder in{bytes};
  const inode_id parent{in.u64()};
  INVARIANT(in.ok(), "a key of dentries begins with a directory");
  return parent;
}

std::string write_dentry(const dentry& x) {
  return encoder{}.u64(x.inode.value).u8(static_cast<std::uint8_t>(x.type)).take();
}

std::optional<dentry> decode_dentry(std::string_view bytes) {
  decoder in{bytes};
  dentry x;
  x.inode = {in.u64()};
  x.type = read_kind(in);
  if (!in.done()) return std::nullopt;
  return x;
}

dentry read_dentry(std::string_view bytes) {
  const auto x = decode_dentry(bytes);
  INVARIANT(x.has_value(), "a directory entry decodes");
  return *x;
}

std::string inode_begins(file_info::kind type, inode_id parent) {
  encoder out;
  out.u8(static_cast<std::uint8_t>(type));
  if (type == file_info::kind::directory) out.u64(parent.value);
  return out.take();
}

std::string write_inode(const inode_value& x) {
  const auto& info = x.info;
  encoder out;
  out.raw(inode_begins(info.type, x.parent));
  out.u64(info.version.in_term.value)
      .u64(info.version.index.value)
      .u64(time_bits(info.created))
      .u64(time_bits(info.modified));
  if (info.is_directory()) return out.take();
  out.bytes(info.content.sha256.bytes).varint(info.content.size.value);
  write(out, info.properties);
  return out.take();
}

std::optional<inode_value> decode_inode(inode_id inode, std::string_view bytes) {
  decoder in{bytes};
  inode_value x;
  x.info.inode = inode;
  x.info.type = read_kind(in);
  if (x.info.is_directory()) x.parent = {in.u64()};
  x.info.version.in_term = {in.u64()};
  x.info.version.index = {in.u64()};
  x.info.created = read_time(in);
  x.info.modified = read_time(in);
  if (!x.info.is_directory()) {
    in.bytes(x.info.content.sha256.bytes);
    x.info.content.size = {in.varint()};
    x.info.properties = read_properties(in);
  }
  if (!in.done()) return std::nullopt;
  return x;
}

inode_value read_inode(inode_id inode, std::string_view bytes) {
  auto x = decode_inode(inode, bytes);
  INVARIANT(x.has_value(), "an inode decodes");
  return *std::move(x);
}

std::string write_request(const request_value& x) {
  encoder out;
  out.bytes(x.fingerprint.bytes).u64(x.at.in_term.value).u64(x.at.index.value).u8(x.created).u8(x.file.has_value());
  if (!x.file) return out.take();
  auto plain = *x.file;
  plain.properties = {};
  plain.properties.expires = x.file->properties.expires;
  out.u64(plain.inode.value).raw(write_inode({std::move(plain), {}}));
  return out.take();
}

namespace {

std::optional<request_value> decode_request(std::string_view bytes) {
  constexpr std::size_t in_front_of_inode = 32 + 8 + 8 + 1 + 1 + 8;
  decoder in{bytes.substr(0, in_front_of_inode)};
  request_value x;
  in.bytes(x.fingerprint.bytes);
  x.at.in_term = {in.u64()};
  x.at.index = {in.u64()};
  x.created = read_flag(in);
  if (read_flag(in)) {
    const inode_id inode{in.u64()};
    auto file = in.done() ? decode_inode(inode, bytes.substr(in_front_of_inode)) : std::nullopt;
    if (!file) return std::nullopt;
    x.file = std::move(file->info);
  }
  if (!in.done()) return std::nullopt;
  return x;
}

std::optional<request_number> decode_request_number(std::string_view bytes) {
  decoder in{bytes};
  request_number x;
  x.time = read_time(in);
  in.bytes(x.key.bytes);
  if (!in.done()) return std::nullopt;
  return x;
}

std::optional<request_window> decode_request_window(std::string_view bytes) {
  decoder in{bytes};
  request_window x;
  x.first = in.u64();
  x.next = in.u64();
  if (!in.done() || x.first > x.next) return std::nullopt;
  return x;
}

}  // namespace

bool is_request(std::string_view key, std::string_view value, log_position at) {
  if (key == request_window_key) {
    const auto window = decode_request_window(value);
    return window && window->next <= at.index.value;  // an entry has one request at most
  }
  decoder in{key};
  const auto kind = in.u8();
  if (kind == by_number) {
    in.u64();
    return in.done() && decode_request_number(value);
  }
  digest name;
  in.bytes(name.bytes);
  if (kind != by_key || !in.done()) return false;
  const auto x = decode_request(value);
  return x && x->at <= at && x->at.index <= at.index && x->at.index.value > 0;
}

request_value read_request(std::string_view bytes) {
  auto x = decode_request(bytes);
  INVARIANT(x.has_value(), "what a request was answered decodes");
  return *std::move(x);
}

std::string write_request_number(const request_number& x) {
  return encoder{}.u64(time_bits(x.time)).bytes(x.key.bytes).take();
}

request_number read_request_number(std::string_view bytes) {
  const auto x = decode_request_number(bytes);
  INVARIANT(x.has_value(), "the number of a request decodes");
  return *x;
}

std::string write_request_window(const request_window& x) {
  return encoder{}.u64(x.first).u64(x.next).take();
}

request_window read_request_window(std::string_view bytes) {
  const auto x = decode_request_window(bytes);
  INVARIANT(x.has_value(), "the numbers of requests decode");
  return *x;
}

std::string write_log(const log_entry& x) {
  return encoder{}.u64(x.at.in_term.value).raw(x.encoded_command).take();
}

log_value read_log(std::string_view bytes) {
  INVARIANT(bytes.size() > 8, "a log entry has a term and a command");
  decoder in{bytes};
  log_value x;
  x.in_term = {in.u64()};
  x.command = in.raw(bytes.size() - 8);
  return x;
}

std::string write_hard_state(const hard_state& x) {
  encoder out;
  out.u64(x.current.value).text(x.voted_for.name).u64(x.last.in_term.value).u64(x.last.index.value);
  return out.take();
}

hard_state read_hard_state(std::string_view bytes) {
  decoder in{bytes};
  hard_state x;
  x.current = {in.u64()};
  x.voted_for.name = in.text(limits::name_bytes);
  x.last.in_term = {in.u64()};
  x.last.index = {in.u64()};
  INVARIANT(in.done(), "the hard state decodes");
  return x;
}

std::string write_cluster(const cluster_id& x) {
  return encoder{}.bytes(x.bytes).take();
}

std::string write_members(const membership& x) {
  return encoder{}.u64(x.since.value).raw(encode(command{set_members{x.cluster, x.voters, x.learners}})).take();
}

std::optional<membership> decode_members(std::string_view bytes) {
  decoder in{bytes};
  membership x;
  x.since = {in.u64()};
  auto decoded = decode_command(bytes.substr(std::min<std::size_t>(8, bytes.size())));
  if (!decoded || !std::holds_alternative<set_members>(*decoded)) return std::nullopt;
  auto& members = std::get<set_members>(*decoded);
  x.cluster = members.cluster;
  x.voters = std::move(members.voters);
  x.learners = std::move(members.learners);
  return x;
}

membership read_members(std::string_view bytes) {
  auto x = decode_members(bytes);
  INVARIANT(x.has_value(), "the membership decodes");
  return *std::move(x);
}

std::string write_undo(const std::vector<old_value>& x) {
  encoder out;
  for (const auto& old : x) {
    out.u8(static_cast<std::uint8_t>(old.where)).text(old.key).u8(old.value.has_value());
    if (old.value) out.text(*old.value);
  }
  return out.take();
}

std::vector<old_value> read_undo(std::string_view bytes) {
  std::vector<old_value> x;
  decoder in{bytes};
  while (in.ok() && !in.done()) {
    const auto where = in.u8();
    if (where >= families) in.fail();
    old_value old{static_cast<family>(where), std::string{in.text(any_size)}, std::nullopt};
    if (in.u8() != 0) old.value = std::string{in.text(any_size)};
    x.push_back(std::move(old));
  }
  INVARIANT(in.done(), "an undo record decodes");
  return x;
}

std::string write_extent(const log_extent& x) {
  return encoder{}.u64(x.boundary.in_term.value).u64(x.boundary.index.value).u64(x.bytes.value).take();
}

log_extent read_extent(std::string_view bytes) {
  decoder in{bytes};
  log_extent x;
  x.boundary.in_term = {in.u64()};
  x.boundary.index = {in.u64()};
  x.bytes = {in.u64()};
  INVARIANT(in.done(), "the log's extent decodes");
  return x;
}

std::string write_holding(const holding& x) {
  encoder out;
  out.varint(x.size.value).varint(x.names).u8(x.here);
  if (x.names == 0) out.u64(time_bits(x.unnamed_since));
  if (!x.here) out.varint(x.lacked_by.value);
  return out.take();
}

holding read_holding(std::string_view bytes) {
  decoder in{bytes};
  holding x;
  x.size = {in.varint()};
  x.names = in.varint();
  x.here = in.u8() != 0;
  if (x.names == 0) x.unnamed_since = read_time(in);
  if (!x.here) x.lacked_by = {in.varint()};
  INVARIANT(in.done(), "a holding decodes");
  return x;
}

std::string write_set_aside(unix_time_ms since, std::string_view encoded_command) {
  return encoder{}.u64(time_bits(since)).raw(encoded_command).take();
}

set_aside_value read_set_aside(std::string_view bytes) {
  INVARIANT(bytes.size() > 8, "an entry set aside has a time and a command");
  decoder in{bytes};
  set_aside_value x;
  x.since = read_time(in);
  x.command = in.raw(bytes.size() - 8);
  return x;
}

std::string write_term(term x) {
  return encoder{}.u64(x.value).take();
}

term read_term(std::string_view bytes) {
  decoder in{bytes};
  term x{in.u64()};
  INVARIANT(in.done(), "a term decodes");
  return x;
}

std::string write_install(const install_progress& x) {
  return encoder{}.u64(x.at.in_term.value).u64(x.at.index.value).u8(x.complete).raw(x.cursor).take();
}

install_progress read_install(std::string_view bytes) {
  constexpr std::size_t fixed = 17;
  INVARIANT(bytes.size() >= fixed, "the progress of an install decodes");
  decoder in{bytes};
  install_progress x;
  x.at.in_term = {in.u64()};
  x.at.index = {in.u64()};
  x.complete = in.u8() != 0;
  x.cursor = in.raw(bytes.size() - fixed);
  return x;
}

digest read_digest(std::string_view bytes) {
  decoder in{bytes};
  digest what;
  in.bytes(what.bytes);
  INVARIANT(in.done(), "a digest decodes");
  return what;
}

std::optional<content_ref> content_of_inode(std::string_view bytes) {
  const auto x = read_inode({}, bytes).info;
  if (x.is_directory()) return std::nullopt;
  return x.content;
}

}  // namespace kaiku::format
