#include "kaiku/cli/remote.hpp"

#include <algorithm>
#include <charconv>

namespace kaiku::cli {
namespace {

/// Errors: `invalid_path`; what the server says must be a name that it can have, spelled as it is.
result<listed> read_entry(const json& from, bool recursive) {
  const auto name = text_in(from, "name");
  auto path = file_path::parse(name);
  const bool one = path.ok() && (recursive || path->names().size() == 1);
  if (!one || path->is_root() || path->text() != name)
    return {errc::invalid_path, "the listing has the name \"" + name + "\", which can't be: it is passed over"};
  listed out{*path, text_in(from, "type") == "directory", 0, text_in(from, "etag"), text_in(from, "modified"), from};
  if (const auto size = from.find("size"); size != from.end() && size->is_number_unsigned()) out.size = *size;
  return out;
}

/// Listings go name by name along the paths: `photos/z` is before `photos-2024`.
bool is_behind(std::string one, std::string other) {
  // No name has it, and it is before all that a name can have.
  for (auto* path : {&one, &other}) std::replace(path->begin(), path->end(), '/', '\0');
  return one > other;
}

}  // namespace

result<file_path> parse_remote(const std::string& given) {
  auto path = file_path::parse(given);
  if (!path) return {errc::invalid_path, given + ": " + path.failure().detail};
  return path;
}

result<std::vector<file_path>> parse_all(const std::vector<std::string>& given) {
  std::vector<file_path> out;
  for (const auto& one : given) {
    auto path = parse_remote(one);
    if (!path) return path.failure();
    out.push_back(std::move(*path));
  }
  return out;
}

exit_code refuse(session& with, const std::string& why) {
  with.out.complain(usage_failure(why));
  return exit_code::usage;
}

std::string shown(const file_path& path) {
  return "/" + path.text();
}

result<file_path> below(const file_path& path, std::string_view name) {
  return parse_remote(path.is_root() ? std::string(name) : path.text() + "/" + std::string(name));
}

std::string same_target(const std::string& one, const std::string& other, const std::string& target) {
  return one + " and " + other + " would both become " + target + "; name them one by one";
}

request head_of(const file_path& path, const field_list& fields) {
  return {.method = "HEAD", .target = files_target(path.text()), .fields = fields};
}

remote_info read_head(const answer& of) {
  remote_info out;
  out.etag = of.field("etag");
  out.is_directory = out.etag.starts_with("W/");
  const auto length = of.field("content-length");
  std::from_chars(length.data(), length.data() + length.size(), out.size);
  out.digest = parse_digest_field(of.field("repr-digest"));
  return out;
}

std::shared_ptr<listing> listing::make(courier& net, file_path directory, bool recursive, field_list fields,
                                       std::string prefix, std::size_t page_size) {
  return std::shared_ptr<listing>(
      new listing(net, std::move(directory), recursive, std::move(fields), std::move(prefix), page_size));
}

void listing::next(then with) {
  std::string query = "limit=" + std::to_string(page_size_);
  if (recursive_) query += "&recursive=true";
  if (!prefix_.empty()) query += "&prefix=" + query_value(prefix_);
  if (!after_.empty()) query += "&after=" + query_value(after_);
  auto path = directory_.text();
  if (!path.empty()) path += '/';
  auto fields = fields_;
  fields.emplace_back("Accept", "application/json");
  net_.send({.target = files_target(path, query), .fields = std::move(fields)},
            [self = shared_from_this(), with = std::move(with)](const answer& got) { with(self->read(got)); });
}

listing::page listing::read(const answer& got) {
  page out;
  out.code = got.code;
  if (!got.good() || got.cut_off) {
    out.failed = explain(got, shown(directory_));
    return out;
  }
  const auto document = got.document();
  const auto wrong = [&](const char* why) {
    out.failed =
        failure{exit_code::failed, shown(directory_) + ": " + got.address + " gives a listing that " + why, {}};
    return out;
  };
  if (!document.is_object() || !document.contains("entries") || !document["entries"].is_array())
    return wrong("is none; is it a node of Kaiku?");
  for (const auto& one : document["entries"]) {
    auto entry = read_entry(one, recursive_);
    if (entry)
      out.entries.push_back(std::move(*entry));
    else
      out.refused.push_back({exit_code::failed, shown(directory_) + ": " + entry.failure().detail, {}});
  }
  const auto next = text_in(document, "next");
  if (next.empty()) return out;
  if (!is_behind(next, after_)) return wrong("goes in circles");
  after_ = next;
  out.more = true;
  return out;
}

}  // namespace kaiku::cli
