#include "kaiku/storage/snapshot_piece.hpp"

#include "kaiku/core/codec.hpp"
#include "kaiku/storage/content_store.hpp"

namespace kaiku {
namespace {

constexpr std::uint8_t piece_version = 1;
constexpr std::size_t any_size = SIZE_MAX;

std::string cursor_at(piece_part part, std::string_view key) {
  return encoder{}.u8(static_cast<std::uint8_t>(part)).raw(key).take();
}

std::string encode_record(piece_part part, std::string_view key, std::string_view value) {
  return encoder{}.u8(static_cast<std::uint8_t>(part)).text(key).text(value).take();
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
  // What decodes below is what a leader wrote: its keys and values are taken as they are.
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
  if (!in.done()) return {errc::corrupt, "a piece of a snapshot does not decode"};
  return x;
}

piece_writer::piece_writer(const kaiku::snapshot& from, log_position at, std::string_view after, std::size_t max_bytes)
    : from_(from), at_(at), after_(after), max_bytes_(max_bytes), cursor_(after) {}

std::string piece_writer::write() {
  done_ = write_members() && write_family(piece_part::terms, family::terms) &&
          write_family(piece_part::orphans, family::orphans) && write_family(piece_part::dentries, family::dentries) &&
          write_family(piece_part::inodes, family::inodes);
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
  const auto members = from_.get(family::meta, format::members_key);
  return !members || add(piece_part::members, {}, *members);
}

bool piece_writer::write_family(piece_part part, family where) {
  const auto passed = cursor_at(part, {});
  if (after_.substr(0, 1) > passed) return true;  // an earlier piece had all of it
  const auto from = after_.starts_with(passed) ? after_.substr(1) : std::string{};
  auto it = from_.scan(where);
  it->Seek(from);
  if (!from.empty() && it->Valid() && it->key() == from) it->Next();
  for (; it->Valid(); it->Next()) {
    if (!add(part, as_view(it->key()), as_view(it->value()))) return false;
  }
  from_.check_scan(*it);
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
  // Damaged content is left out: the receiver asks for what it lacks.
  const auto bytes = from_.content(what->sha256);
  if (!bytes || sha256(*bytes) != what->sha256) return {};
  sent_.insert(what->sha256);
  return encode_record(piece_part::content, format::key(what->sha256), *bytes);
}

}  // namespace kaiku
