#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "kaiku/archive/backup.hpp"
#include "kaiku/archive/backup_names.hpp"
#include "kaiku/archive/limits.hpp"
#include "kaiku/core/decimal.hpp"

namespace kaiku {
namespace {

using json = nlohmann::ordered_json;
namespace names = backup_names;

error corrupt(std::string why) {
  return {errc::corrupt, std::move(why)};
}

/// One record of ours; false when it is wrong, or not known.
bool read_record(std::string_view name, const std::string& value, file_info& into) {
  auto& more = into.properties;
  if (name == names::changed_by) return read_version(value, into.version);
  if (name == names::created) return read_decimal(value, into.created.value);
  if (name == names::modified) return read_decimal(value, into.modified.value);
  if (into.is_directory()) return false;
  if (name == names::digest) return from_hex(value, into.content.sha256.bytes.data(), into.content.sha256.bytes.size());
  if (name == names::content_type)
    more.content_type = value;
  else if (name == names::content_encoding)
    more.content_encoding = value;
  else if (name == names::expires)
    return read_decimal(value, more.expires.emplace().value);
  else if (name.starts_with(names::metadata))
    more.metadata.emplace_back(name.substr(names::metadata.size()), value);
  else
    return false;
  return true;
}

result<backup_entry> entry_of(const tar::member& x) {
  const bool is_directory = x.type == tar::kind::directory;
  auto name = std::string_view{x.name};
  if (!name.starts_with(names::files)) return corrupt("'" + x.name + "' is nothing that a backup has");
  name.remove_prefix(names::files.size());
  if (is_directory && !name.empty() && !name.ends_with('/')) return corrupt("'" + x.name + "' is no directory's name");
  if (is_directory && !name.empty()) name.remove_suffix(1);
  auto path = file_path::parse_any_length(name);
  if (!path || path->text() != name || (path->is_root() && !is_directory))
    return corrupt("'" + x.name + "' is no path that the store could have");
  backup_entry out{std::move(*path), {}};
  out.info.type = is_directory ? file_info::kind::directory : file_info::kind::file;
  out.info.content.size = x.size;
  std::set<std::string_view> given;
  for (const auto& [record, value] : x.extended) {
    if (!record.starts_with(names::prefix)) continue;
    const auto own = std::string_view{record}.substr(names::prefix.size());
    if (!given.insert(own).second) return corrupt("/" + out.path.text() + ": " + record + " comes twice");
    if (!read_record(own, value, out.info)) return corrupt("/" + out.path.text() + ": " + record + " makes no sense");
  }
  for (const auto one : {names::changed_by, names::created, names::modified, names::digest})
    if (!given.contains(one) && !(out.info.is_directory() && one == names::digest))
      return corrupt("/" + out.path.text() + " lacks a part of its description");
  if (is_directory && x.size.value != 0) return corrupt("/" + out.path.text() + " is a directory with content");
  if (auto sound = check(out.info.properties); !sound)
    return corrupt("/" + out.path.text() + ": " + sound.failure().detail);
  return out;
}

result<backup_moment> moment_of(const std::string& text) {
  const error none{errc::bad_request, "this is no backup of Kaiku"};
  const auto all = json::parse(text, nullptr, false);
  if (!all.is_object()) return none;
  const auto number = [&](const char* name) -> std::uint64_t {
    return all.contains(name) && all[name].is_number_unsigned() ? all[name].get<std::uint64_t>() : 0;
  };
  const auto word = [&](const char* name) {
    return all.contains(name) && all[name].is_string() ? all[name].get<std::string>() : std::string{};
  };
  if (word("format") != names::format) return none;
  if (number("version") != names::version)
    return {errc::bad_request, "the backup has format " + std::to_string(number("version")) +
                                   "; this version of Kaiku reads format " + std::to_string(names::version) + " only"};
  backup_moment out;
  out.node.name = word("node");
  out.at = {{number("term")}, {number("index")}};
  out.time.value = static_cast<std::int64_t>(number("time_ms"));
  const bool named = from_hex(word("cluster"), out.cluster.bytes.data(), out.cluster.bytes.size());
  const bool placed = out.at.in_term.value > 0 && out.at.index.value > 0 && out.at.index.value < limits::last_index &&
                      out.at.in_term.value < limits::peer_counter;
  if (!named || !placed || !is_valid_node_name(out.node.name))
    return corrupt("the backup does not say what moment it is of");
  return out;
}

}  // namespace

// --- bytes ---------------------------------------------------------------------------------------------------------

status backup_reader::fill(std::span<char> into) {
  while (!into.empty()) {
    const auto got = from_.read(into);
    if (!got) return got.failure();
    if (*got == 0) return corrupt("the archive is cut off");
    into = into.subspan(*got);
  }
  return success();
}

/// Bytes that the digest at the end is also of, noted as they came.
result<std::string> backup_reader::take(std::size_t bytes) {
  std::string out(bytes, '\0');
  if (auto filled = fill(out); !filled) return filled.failure();
  read_ += out;
  return out;
}

/// With its extended header, if there is one in front.
result<std::optional<tar::member>> backup_reader::read_member() {
  read_.clear();
  tar::records extended;
  for (bool described = false;; described = true) {
    const auto block = take(tar::block_bytes);
    if (!block) return block.failure();
    auto head = tar::parse_head(*block);
    if (!head) return head.failure();
    if (!*head) return std::optional<tar::member>{};
    auto& x = **head;
    if (x.type == tar::kind::extended) {
      if (described || x.size.value > archive_limits::records_bytes)
        return corrupt("an extended header of the archive is too long, or one too many");
      const auto text = take(x.size.value + tar::padding(x.size).size());
      if (!text) return text.failure();
      auto parsed = tar::parse_records(std::string_view{*text}.substr(0, x.size.value));
      if (!parsed) return parsed.failure();
      extended = std::move(*parsed);
      continue;
    }
    for (const auto& [name, value] : extended) {
      if (name == "path") x.name = value;
      if (name == "size" && !read_decimal(value, x.size.value)) return corrupt("a size in the archive is no number");
    }
    x.extended = std::move(extended);
    return std::optional{std::move(x)};
  }
}

result<std::string> backup_reader::take_document(std::string_view name) {
  const error none{errc::bad_request, "this is no backup of Kaiku: " + std::string{name} + " does not come first"};
  const auto head = read_member();
  if (!head && head.failure().code == errc::io_error) return head.failure();
  const bool sound = head.ok() && *head && (*head)->name == name && (*head)->type == tar::kind::file &&
                     (*head)->size.value <= archive_limits::document_bytes;
  if (!sound) return none;
  const auto size = (*head)->size;
  auto text = take(size.value + tar::padding(size).size());
  if (!text) return text.failure();
  text->resize(size.value);
  return text;
}

// --- the archive ---------------------------------------------------------------------------------------------------

result<backup_moment> backup_reader::begin() {
  const auto text = take_document(names::manifest);
  if (!text) return text.failure();
  auto moment = moment_of(*text);
  if (!moment) return moment.failure();
  expected_.emplace(*moment);
  expected_->take(read_);
  return moment;
}

result<std::optional<backup_entry>> backup_reader::next() {
  INVARIANT(expected_ && !open_, "an archive is read from its front, and every content to its end");
  const auto head = read_member();
  if (!head) return head.failure();
  if (!*head) return corrupt("the archive ends before all of the backup has come");
  if ((*head)->name == names::end) return read_end(**head);
  auto entry = entry_of(**head);
  if (!entry) return entry.failure();
  expected_->take(read_);
  ++(entry->info.is_directory() ? expected_->totals_.directories : expected_->totals_.files);
  expected_->totals_.bytes.value += entry->info.content.size.value;
  if (!entry->info.is_directory()) {
    open_ = *entry;
    left_ = entry->info.content.size;
    content_ = {};
  }
  return std::optional{std::move(*entry)};
}

/// All of the end follows from what was read.
result<std::optional<backup_entry>> backup_reader::read_end(const tar::member& head) {
  const auto wanted = expected_->write_end();
  if (head.size.value > archive_limits::document_bytes || read_.size() > wanted.size())
    return corrupt("the end of the backup does not decode");
  const auto rest = take(wanted.size() - read_.size());
  if (!rest) return rest.failure();
  if (read_ != wanted) return corrupt("the backup does not match the digest at its end: it is damaged, or incomplete");
  char more = 0;
  const auto behind = from_.read({&more, 1});
  if (!behind) return behind.failure();
  if (*behind != 0) return corrupt("something follows the end of the backup");
  return std::optional<backup_entry>{};
}

result<std::string> backup_reader::read_content() {
  if (!open_) return std::string{};
  if (left_.value > 0) {
    std::string piece(std::min<std::uint64_t>(left_.value, archive_limits::piece_bytes), '\0');
    if (auto filled = fill(piece); !filled)
      return {filled.failure().code, "/" + open_->path.text() + ": " + filled.failure().detail};
    content_.add(piece);
    left_.value -= piece.size();
    return piece;
  }
  const auto entry = *std::exchange(open_, std::nullopt);
  if (content_.so_far() != entry.info.content.sha256)
    return corrupt("/" + entry.path.text() + ": its content does not match its digest");
  read_.clear();
  const auto behind = take(tar::padding(entry.info.content.size).size());
  if (!behind) return behind.failure();
  expected_->take(read_);
  return std::string{};
}

}  // namespace kaiku
