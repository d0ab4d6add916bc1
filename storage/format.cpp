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

std::string write_inode(const file_info& x) {
  encoder out;
  out.u8(static_cast<std::uint8_t>(x.type)).u64(x.version.value).u64(time_bits(x.created)).u64(time_bits(x.modified));
  if (!x.is_directory()) out.bytes(x.content.sha256.bytes).varint(x.content.size.value).text(x.content_type);
  return out.take();
}

std::optional<file_info> decode_inode(inode_id inode, std::string_view bytes) {
  decoder in{bytes};
  file_info x;
  x.inode = inode;
  x.type = read_kind(in);
  x.version = {in.u64()};
  x.created = read_time(in);
  x.modified = read_time(in);
  if (!x.is_directory()) {
    in.bytes(x.content.sha256.bytes);
    x.content.size = {in.varint()};
    x.content_type = in.text(any_size);
  }
  if (!in.done()) return std::nullopt;
  return x;
}

file_info read_inode(inode_id inode, std::string_view bytes) {
  auto x = decode_inode(inode, bytes);
  INVARIANT(x.has_value(), "an inode decodes");
  return *std::move(x);
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
  const auto x = read_inode({}, bytes);
  if (x.is_directory()) return std::nullopt;
  return x.content;
}

}  // namespace kaiku::format
