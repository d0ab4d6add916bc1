#pragma once

/// Purpose: what stands in the store: one file or directory, and pages of a listing, read and checked. A name that the
/// store could not hold is not believed. Thread: the process's only one.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kaiku/cli/digest.hpp"
#include "kaiku/cli/session.hpp"
#include "kaiku/core/path.hpp"

namespace kaiku::cli {

/// A path as the user gave it: `a/b`, `/a/b/`. Errors: `invalid_path`, with the path.
result<file_path> parse_remote(const std::string& given);
/// All of a command's, before anything is asked for or changed. Errors: `invalid_path`, of the first that can't be.
result<std::vector<file_path>> parse_all(const std::vector<std::string>& given);
/// Says that the command line makes no sense.
exit_code refuse(session& with, const std::string& why);
/// `/a/b`
std::string shown(const file_path& path);
/// `path` with another name, or several, below it. Errors: `invalid_path`, when it gets too long.
result<file_path> below(const file_path& path, std::string_view name);

/// Why two sources can't both go to `target`: the second would replace the first.
std::string same_target(const std::string& one, const std::string& other, const std::string& target);

struct remote_info {
  bool is_directory = false;
  std::uint64_t size = 0;
  std::string etag;
  std::optional<sha256> digest;
};
/// A question about one path, and what its answer says.
request head_of(const file_path& path, const field_list& fields = {});
remote_info read_head(const answer& of);

struct listed {
  file_path name;  ///< below the directory; with `recursive` several names
  bool is_directory = false;
  std::uint64_t size = 0;
  std::string etag, modified;
  json all;  ///< the entry as the server gave it
};

/// One directory, page by page.
class listing : public std::enable_shared_from_this<listing> {
 public:
  struct page {
    std::optional<failure> failed;
    int code = 0;  ///< the answer's
    std::vector<listed> entries;
    std::vector<failure> refused;  ///< entries that can't be
    bool more = false;             ///< `next` gives another page
  };
  using then = std::function<void(page)>;

  /// `net` outlives it.
  static std::shared_ptr<listing> make(courier& net, file_path directory, bool recursive, field_list fields,
                                       std::string prefix = {}, std::size_t page_size = 1000);
  /// Asks for the next page; not before the one before was given.
  void next(then with);

 private:
  listing(courier& net, file_path directory, bool recursive, field_list fields, std::string prefix,
          std::size_t page_size)
      : net_(net),
        directory_(std::move(directory)),
        recursive_(recursive),
        fields_(std::move(fields)),
        prefix_(std::move(prefix)),
        page_size_(page_size) {}
  page read(const answer& got);

  courier& net_;
  file_path directory_;
  bool recursive_;
  field_list fields_;
  std::string prefix_;
  std::size_t page_size_;
  std::string after_;
};

}  // namespace kaiku::cli
