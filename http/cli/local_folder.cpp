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
    if (is_leftover(entry->d_name)) found.emplace_back(entry->d_name);
  ::closedir(listing);
  return found;
}

}  // namespace

open_folder::open_folder(descriptor file, bool is_new) : file_(std::move(file)) {
  if (is_new) leftovers_.emplace();
}

const std::vector<std::string>& open_folder::leftovers() const {
  if (!leftovers_) leftovers_ = leftovers_in(file_.get());
  return *leftovers_;
}

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
  out.top_ = std::make_shared<const open_folder>(std::move(top), false);
  return out;
}

result<local_folder::step> local_folder::enter(const std::shared_ptr<const open_folder>& from, const std::string& name,
                                               const std::string& as_shown) const {
  const bool is_new = ::mkdirat(from->get(), name.c_str(), 0777) == 0;
  if (!is_new && errno != EEXIST) return {errc::io_error, as_shown + " can't be made: " + system_words(errno)};
  descriptor next(::openat(from->get(), name.c_str(), folder_flags | O_NOFOLLOW));
  if (!next)
    return {errc::io_error,
            as_shown + " can't be entered: " +
                (errno == ELOOP || errno == ENOTDIR ? "it is a file or a symbolic link, which is not followed"
                                                    : system_words(errno))};
  return step{name, std::make_shared<const open_folder>(std::move(next), is_new)};
}

result<std::shared_ptr<const open_folder>> local_folder::folder(const file_path& below) {
  const auto names = below.names();
  std::size_t known = 0;
  while (known < way_.size() && known < names.size() && way_[known].name == names[known]) ++known;
  way_.resize(known);
  std::string so_far = path_;
  for (std::size_t i = 0; i < names.size(); ++i) {
    so_far.append("/").append(names[i]);
    if (i < known) continue;
    auto next = enter(way_.empty() ? top_ : way_.back().folder, std::string(names[i]), so_far);
    if (!next) return next.failure();
    way_.push_back(std::move(next).value());
  }
  return way_.empty() ? top_ : way_.back().folder;
}

std::string local_folder::name_of(const file_path& below) const {
  return below.is_root() ? path_ : path_ + "/" + below.text();
}

}  // namespace kaiku::cli
