#pragma once

/// Purpose: the place on this machine below which names from a server become files. No name leads out of it: each is
/// opened below its folder, and no symbolic link is followed.
/// Owner: the descriptor of the folder. Thread: one at a time.

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kaiku/cli/descriptor.hpp"
#include "kaiku/core/error.hpp"
#include "kaiku/core/path.hpp"

namespace kaiku::cli {

/// One that is open.
struct open_folder {
  descriptor file;
  /// What attempts to download have left in it (`partial_file`), as of when it was opened.
  std::vector<std::string> leftovers;
};

class local_folder {
 public:
  /// Opens it; `make` makes it, and those above it, when it is missing. The path itself is the user's and may lead
  /// through links. Errors: `io_error`.
  static result<local_folder> open(const std::filesystem::path& where, bool make);

  /// The folder at `below`, made when it is missing, and those between. Errors: `io_error`, which names it.
  result<std::shared_ptr<const open_folder>> folder(const file_path& below);
  /// As a person would name it.
  std::string name_of(const file_path& below) const;

 private:
  std::string path_;
  std::shared_ptr<const open_folder> top_;
  file_path last_;  ///< most files lie beside the one before
  std::shared_ptr<const open_folder> last_folder_;
};

/// What names of leftovers begin with.
inline constexpr std::string_view leftover_prefix = ".kaiku-";
/// What the system says about `errno`.
std::string system_words(int number);

}  // namespace kaiku::cli
