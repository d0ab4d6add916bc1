#include "kaiku/storage/snapshot_piece.hpp"

#include "kaiku/core/codec.hpp"
#include "kaiku/storage/content_store.hpp"

namespace kaiku {
namespace {

constexpr std::uint8_t piece_version = 3;
constexpr std::size_t any_size = SIZE_MAX;
constexpr std::size_t inode_key_bytes = 8;

std::string cursor_at(piece_part part, std::string_view key) {
  return encoder{}.u8(static_cast<std::uint8_t>(part)).raw(key).take();
}

std::string encode_record(piece_part part, std::string_view key, std::string_view value) {
  return encoder{}.u8(static_cast<std::uint8_t>(part)).text(key).text(value).take();
}

/// Inodes of later entries are not made yet: one of theirs would be made a second time.
bool is_made(inode_id inode, log_position at) {
  return inode.value > 0 && inode.value / limits::inodes_per_entry <= at.index.value;
}

bool is_name(std::string_view text) {
  const auto path = file_path::parse(text);
  return path.ok() && path->text() == text && path->name() == text && !path->is_root();
}

std::optional<std::uint64_t> read_number(std::string_view bytes) {
  decoder in{bytes};
  const auto x = in.u64();
  if (!in.done()) return std::nullopt;
  return x;
}

bool is_sound_dentry_key(std::string_view key, log_position at) {
  const auto parent = read_number(key.substr(0, inode_key_bytes));
  return parent && is_made({*parent}, at) && is_name(key.substr(inode_key_bytes));
}

bool is_sound_dentry(std::string_view key, std::string_view value, log_position at) {
  const auto leads_to = format::decode_dentry(value);
  return is_sound_dentry_key(key, at) && leads_to && is_made(leads_to->inode, at);
}

/// Whether the record may stand in a state at `at`; `before` is the one in front of it.
bool is_sound(const piece_record& x, const piece_record& before, log_position at) {
  switch (x.part) {
    case piece_part::members: {
      const auto members = format::decode_members(x.value);
      return x.key.empty() && members && members->since <= at.index &&
             is_legal({members->cluster, members->voters, members->learners});
    }
    case piece_part::terms: {
      const auto first = read_number(x.key), in_term = read_number(x.value);
      return first && in_term && *first > 0 && *first <= at.index.value && *in_term > 0 && *in_term <= at.in_term.value;
    }
    case piece_part::orphans: {
      constexpr std::size_t index_bytes = 8;
      const auto removed_by = read_number(x.key.substr(0, index_bytes));
      const auto directory = removed_by ? read_number(x.key.substr(index_bytes)) : std::nullopt;
      return directory && *removed_by <= at.index.value && is_made({*directory}, at) && x.value.empty();
    }
    case piece_part::requests: return format::is_request(x.key, x.value, at);
    case piece_part::expiries: {
      const auto expires = read_number(x.key.substr(0, inode_key_bytes));
      const auto file = expires ? read_number(x.key.substr(inode_key_bytes)) : std::nullopt;
      return file && *expires <= INT64_MAX && is_made({*file}, at) && is_sound_dentry_key(x.value, at);
    }
    case piece_part::dentries: return is_sound_dentry(x.key, x.value, at);
    case piece_part::inodes: {
      const auto inode = read_number(x.key);
      const auto info = format::decode_inode({}, x.value);
      return inode && is_made({*inode}, at) && info && info->info.version.index <= at.index;
    }
    case piece_part::content: {
      if (before.part != piece_part::inodes) return false;
      const content_ref what{sha256(x.value), {x.value.size()}};
      return what.is_small() && x.key == format::key(what.sha256) && format::content_of_inode(before.value) == what;
    }
    case piece_part::end: return x.key.empty() && x.value.empty();
  }
  return false;
}

/// Whether each record may stand there, and each but content follows the one before it.
bool is_sound(const read_piece& piece) {
  std::string cursor{piece.after};
  const piece_record none;
  const piece_record* before = &none;
  for (const auto& x : piece.records) {
    if (!is_sound(x, *before, piece.at)) return false;
    if (x.part != piece_part::content) {
      auto next = cursor_at(x.part, x.key);
      if (next <= cursor) return false;
      cursor = std::move(next);
    }
    before = &x;
  }
  return !piece.records.empty();
}

}  // namespace

std::string read_piece::cursor() const {
  for (auto it = records.rbegin(); it != records.rend(); ++it) {
    if (it->part != piece_part::content) return cursor_at(it->part, it->key);
  }
  return std::string{after};
}

result<read_piece> decode_piece(std::string_view bytes) {
  digest told;
  decoder front{bytes.substr(0, std::min(bytes.size(), told.bytes.size()))};
  front.bytes(told.bytes);
  if (!front.done() || sha256(bytes.substr(told.bytes.size())) != told) {
    return {errc::corrupt, "a piece of a snapshot does not match its digest"};
  }
  decoder in{bytes.substr(told.bytes.size())};
  read_piece x;
  if (in.u8() != piece_version) in.fail();
  x.at.in_term = {in.u64()};
  x.at.index = {in.u64()};
  x.after = in.text(any_size);
  while (in.ok() && !in.done()) {
    piece_record record;
    record.part = static_cast<piece_part>(in.u8());
    if (record.part < piece_part::members || record.part > piece_part::end) in.fail();
    record.key = in.text(any_size);
    record.value = in.text(any_size);
    x.records.push_back(record);
  }
  if (!in.done() || !is_sound(x)) return {errc::corrupt, "a piece of a snapshot does not decode"};
  return x;
}

piece_writer::piece_writer(const kaiku::snapshot& from, const view& state, log_position at, std::string_view after,
                           std::size_t max_bytes)
    : from_(from), state_(state), at_(at), after_(after), max_bytes_(max_bytes), cursor_(after) {}

std::string piece_writer::write() {
  done_ = write_members() && write_family(piece_part::terms, family::terms) &&
          write_family(piece_part::orphans, family::orphans) && write_family(piece_part::requests, family::requests) &&
          write_family(piece_part::expiries, family::expiries) &&
          write_family(piece_part::dentries, family::dentries) && write_family(piece_part::inodes, family::inodes);
  if (done_) {
    cursor_ = cursor_at(piece_part::end, {});
    records_ += encode_record(piece_part::end, {}, {});
  }
  encoder out;
  out.u8(piece_version).u64(at_.in_term.value).u64(at_.index.value).text(after_).raw(records_);
  auto body = out.take();
  const auto name = sha256(body);
  return encoder{}.bytes(name.bytes).raw(body).take();
}

bool piece_writer::write_members() {
  if (!after_.empty()) return true;
  const auto members = state_.get(family::meta, format::members_key);
  return !members || add(piece_part::members, {}, *members);
}

bool piece_writer::write_family(piece_part part, family where) {
  const auto passed = cursor_at(part, {});
  if (after_.substr(0, 1) > passed) return true;  // an earlier piece had all of it
  const auto from = after_.starts_with(passed) ? after_.substr(1) : std::string{};
  auto it = state_.scan(where);
  it->Seek(from);
  if (!from.empty() && it->Valid() && it->key() == from) it->Next();
  for (; it->Valid(); it->Next()) {
    if (!add(part, as_view(it->key()), as_view(it->value()))) return false;
  }
  state_.check_scan(*it);
  return true;
}

bool piece_writer::add(piece_part part, std::string_view key, std::string_view value) {
  auto record = encode_record(part, key, value);
  if (part == piece_part::inodes) record += small_content(value);
  if (!records_.empty() && records_.size() + record.size() > max_bytes_) return false;
  records_ += record;
  cursor_ = cursor_at(part, key);
  return true;
}

std::string piece_writer::small_content(std::string_view inode) {
  const auto what = format::content_of_inode(inode);
  if (!what || !what->is_small() || sent_.contains(what->sha256)) return {};
  // What can't be read is left out: the receiver asks for it by itself, and that tells the scrub.
  const auto bytes = from_.content(what->sha256);
  if (!bytes || sha256(*bytes) != what->sha256) return {};
  sent_.insert(what->sha256);
  return encode_record(piece_part::content, format::key(what->sha256), *bytes);
}

}  // namespace kaiku
