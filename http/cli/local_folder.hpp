#pragma once

/// Purpose: the place on this machine below which names from a server become files. No name leads out of it: each is
/// opened below its folder, and no symbolic link is followed.
/// Owner: the descriptors of the folders. Thread: one at a time.

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kaiku/cli/descriptor.hpp"
#include "kaiku/core/error.hpp"
#include "kaiku/core/path.hpp"

namespace kaiku::cli {

/// One that is open.
class open_folder {
 public:
  /// `is_new`: it was just made, and nothing is in it.
  open_folder(descriptor file, bool is_new);

  int get() const { return file_.get(); }
  /// What attempts to download have left in it (`partial_file`), as of the first time that somebody asks.
  const std::vector<std::string>& leftovers() const;

 private:
  descriptor file_;
  mutable std::optional<std::vector<std::string>> leftovers_;
};

class local_folder {
 public:
  /// Opens it; `make` makes it, and those above it, when it is missing. The path itself is the user's and may lead
  /// through links. Errors: `io_error`.
  static result<local_folder> open(const std::filesystem::path& where, bool make);

  /// The folder at `below`, made when it is missing, and those between. Those on the way to the last one stay open:
  /// whoever goes name by name, as listings do, opens each once. Errors: `io_error`, which names it.
  result<std::shared_ptr<const open_folder>> folder(const file_path& below);
  /// As a person would name it.
  std::string name_of(const file_path& below) const;

 private:
  struct step {
    std::string name;
    std::shared_ptr<const open_folder> folder;
  };

  result<step> enter(const std::shared_ptr<const open_folder>& from, const std::string& name,
                     const std::string& as_shown) const;

  std::string path_;
  std::shared_ptr<const open_folder> top_;
  std::vector<step> way_;  ///< from the top to the last one, without the top
};

/// What names of leftovers begin and end with.
inline constexpr std::string_view leftover_prefix = ".kaiku-", leftover_suffix = ".part";
inline bool is_leftover(std::string_view name) {
  return name.starts_with(leftover_prefix) && name.ends_with(leftover_suffix);
}
/// What the system says about `errno`.
std::string system_words(int number);

}  // namespace kaiku::cli
