#include "support/store_contents.hpp"

#include "kaiku/core/invariant.hpp"
#include "kaiku/core/limits.hpp"

namespace kaiku::test {
namespace {

void describe(const store& disk, const file_path& at, std::vector<std::string>& out) {
  std::string after;
  for (bool more = true; more;) {
    auto page = disk.list(at, after, limits::listing_page);
    INVARIANT(page.ok(), "a directory can be listed");
    more = page->more;
    for (const auto& [name, info] : page->entries) {
      after = name;
      auto path = file_path::parse(at.text() + "/" + name);
      INVARIANT(path.ok(), "what is stored has a legal path");
      out.push_back(path->text() + " inode=" + to_string(info.inode) + " version=" + to_string(info.version.in_term) +
                    "." + to_string(info.version.index) + " modified=" + std::to_string(info.modified.value) +
                    " created=" + std::to_string(info.created.value) + " type=" + info.properties.content_type);
      if (info.is_directory()) {
        describe(disk, *path, out);
      } else {
        out.back() +=
            " digest=" + to_string(info.content.sha256) + " bytes=" + to_string(sha256(bytes_at(disk, path->text())));
      }
    }
  }
}

}  // namespace

std::vector<std::string> describe_tree(const store& disk) {
  std::vector<std::string> lines;
  describe(disk, {}, lines);
  return lines;
}

std::vector<log_entry> whole_log(const store& disk) {
  std::vector<log_entry> log;
  for (auto more = disk.read_log({1}, limits::append_batch_bytes); !more.empty();
       more = disk.read_log(log.back().at.index.next(), limits::append_batch_bytes))
    log.insert(log.end(), more.begin(), more.end());
  return log;
}

std::string bytes_at(const store& disk, std::string_view path) {
  auto where = file_path::parse(path);
  INVARIANT(where.ok(), "tests use legal paths");
  auto info = disk.stat(*where);
  if (!info) return "(" + std::string(to_string(info.failure().code)) + ")";
  if (info->is_directory()) return "(directory)";
  auto opened = disk.open_content(info->content);
  if (!opened) return "(" + std::string(to_string(opened.failure().code)) + ")";
  if (!opened->file) return opened->bytes;
  std::string bytes(opened->size.value, '\0');
  const auto read = opened->file->read(0, bytes);
  return read.ok() ? bytes : "(" + std::string(to_string(read.failure().code)) + ")";
}

}  // namespace kaiku::test
