#include "kaiku/cli/local_folder.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <system_error>

namespace kaiku::cli {
namespace {

constexpr int folder_flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

std::vector<std::string> leftovers_in(int folder) {
  std::vector<std::string> found;
  const int copy = ::openat(folder, ".", folder_flags);
  DIR* listing = copy < 0 ? nullptr : ::fdopendir(copy);
  if (listing == nullptr) return found;
  while (const auto* entry = ::readdir(listing))
    if (std::string_view(entry->d_name).starts_with(leftover_prefix)) found.emplace_back(entry->d_name);
  ::closedir(listing);
  return found;
}

std::shared_ptr<const open_folder> with_leftovers(descriptor folder, bool is_new) {
  auto found = is_new ? std::vector<std::string>{} : leftovers_in(folder.get());
  return std::make_shared<const open_folder>(open_folder{std::move(folder), std::move(found)});
}

}  // namespace

std::string system_words(int number) {
  return std::error_code(number, std::system_category()).message();
}

result<local_folder> local_folder::open(const std::filesystem::path& where, bool make) {
  local_folder out;
  out.path_ = where.empty() ? "." : where.string();
  std::error_code failed;
  if (make) std::filesystem::create_directories(out.path_, failed);
  descriptor top(::open(out.path_.c_str(), folder_flags));
  if (!top) return {errc::io_error, out.path_ + " can't be opened as a directory: " + system_words(errno)};
  out.top_ = with_leftovers(std::move(top), false);
  out.last_folder_ = out.top_;
  return out;
}

result<std::shared_ptr<const open_folder>> local_folder::folder(const file_path& below) {
  if (below == last_) return last_folder_;
  auto at = top_;
  std::string so_far = path_;
  for (const auto part : below.names()) {
    const std::string name(part);
    so_far += "/" + name;
    const bool is_new = ::mkdirat(at->file.get(), name.c_str(), 0777) == 0;
    if (!is_new && errno != EEXIST) return {errc::io_error, so_far + " can't be made: " + system_words(errno)};
    descriptor next(::openat(at->file.get(), name.c_str(), folder_flags | O_NOFOLLOW));
    if (!next)
      return {errc::io_error,
              so_far + " can't be entered: " +
                  (errno == ELOOP || errno == ENOTDIR ? "it is a file or a symbolic link, which is not followed"
                                                      : system_words(errno))};
    at = with_leftovers(std::move(next), is_new);
  }
  last_ = below;
  last_folder_ = at;
  return at;
}

std::string local_folder::name_of(const file_path& below) const {
  return below.is_root() ? path_ : path_ + "/" + below.text();
}

}  // namespace kaiku::cli
