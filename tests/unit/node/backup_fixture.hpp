#pragma once

/// Purpose: archives made and taken apart in memory, and files read; for the tests of backups.

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kaiku/archive/backup.hpp"

namespace kaiku::test {

class text_source final : public byte_source {
 public:
  explicit text_source(std::string_view text) : text_(text) {}
  result<std::size_t> read(std::span<char> into) override {
    // In pieces that end anywhere.
    const auto count = text_.copy(into.data(), std::min<std::size_t>(into.size(), 700));
    text_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view text_;
};

inline std::string content_of_file(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

inline digest digest_of_bytes(std::string_view bytes) {
  running_sum sum;
  sum.add(bytes);
  return sum.so_far();
}

inline file_path path_of(std::string_view text) {
  return file_path::parse_any_length(text).value();
}

struct made_entry {
  backup_entry what;
  std::string content;
};

inline made_entry made_directory(std::string_view where, std::uint64_t index = 7) {
  made_entry out{{path_of(where), {}}, {}};
  out.what.info.version = {{2}, {index}};
  out.what.info.created = {1'700'000'000'123};
  out.what.info.modified = {1'700'000'001'456};
  return out;
}

inline made_entry made_file(std::string_view where, std::string content, std::uint64_t index = 8) {
  auto out = made_directory(where, index);
  out.what.info.type = file_info::kind::file;
  out.what.info.content = {digest_of_bytes(content), {content.size()}};
  out.content = std::move(content);
  return out;
}

inline backup_moment made_moment() {
  backup_moment out;
  out.cluster.bytes[0] = 0xab;
  out.node.name = "n2";
  out.at = {{3}, {40}};
  out.time = {1'700'000'009'000};
  return out;
}

inline std::string write_archive(const std::vector<made_entry>& entries) {
  backup_writer writer(made_moment());
  auto out = writer.begin();
  for (const auto& [what, content] : entries) {
    out += writer.head(what.path, what.info);
    if (what.info.is_directory()) continue;
    out += content;
    out += writer.end_of_content({content.size()});
  }
  return out + writer.end();
}

/// Of all kinds; in the order of a listing.
inline std::vector<made_entry> usual_entries() {
  auto described = made_file("d/described", "text", 31);
  described.what.info.properties = {.content_type = "text/plain; charset=utf-8",
                                    .content_encoding = "gzip",
                                    .metadata = {{"colour", "blue=\xe9"}, {"owner", "somebody"}},
                                    .expires = unix_time_ms{4'000'000'000'123}};
  const std::string deep = "d/" + std::string(200, 'n') + "-\xc3\xa4";
  return {made_directory("", 40),
          made_directory("d", 31),
          described,
          made_file("d/empty", "", 32),
          made_file("d/large", std::string(100'000, 'L'), 33),
          made_file("d/large-again", std::string(100'000, 'L'), 34),
          made_directory(deep, 36),
          made_file(deep + "/small", "small", 36),
          made_directory("empty", 37),
          made_file("top", "small", 40)};
}

}  // namespace kaiku::test
