// kaiku put: files and directories into the store.

#include <algorithm>
#include <deque>
#include <filesystem>
#include <map>

#include "kaiku/cli/local_folder.hpp"
#include "kaiku/cli/upload.hpp"

namespace kaiku::cli {
namespace {

namespace fs = std::filesystem;

/// A directory here whose content goes below `to`.
struct folder_todo {
  fs::path local;
  file_path to;
  bool may_stand = false;  ///< something may be there already
};

/// By name: what stands in a directory of the store.
using standing = std::map<std::string, listed, std::less<>>;

/// Walks directories, a little ahead of what is sent.
class sender {
 public:
  explicit sender(session& with) : with_(with), work_(with, "sent", [this] { return begin_one(); }) {
    const auto& asked = with.asked;
    // Whoever says more than the content wants it recorded; and `all` can't be read off what stands there.
    may_spare_ = !asked.again && !asked.no_overwrite && asked.if_match.empty() && asked.content_type.empty() &&
                 asked.metadata.empty() && asked.ttl_s == 0 && asked.durability != "all";
  }

  exit_code run() {
    const auto& paths = with_.asked.paths;
    const auto to = parse_remote(paths.back());
    if (!to) return refuse(with_, to.failure().detail);
    const bool several = paths.size() > 2 || with_.asked.recursive;
    const bool into = paths.back().ends_with('/') || paths.size() > 2 || to->is_root();
    for (std::size_t i = 0; i + 1 < paths.size(); ++i)
      if (const auto trouble = take(paths[i], *to, into); !trouble.empty()) return refuse(with_, trouble);
    if (with_.out.bar().is_shown()) count_all();
    scan();
    return work_.run(several);
  }

 private:
  /// What `photos`, `./photos/` and `photos/.` are called; empty for what has no name, such as `.`.
  static std::string name_of(const fs::path& given) {
    const auto plain = given.lexically_normal();
    const auto name = plain.has_filename() ? plain.filename() : plain.parent_path().filename();
    return name == "." || name == ".." ? std::string{} : name.string();
  }

  /// One of those named by the user. What makes no sense about it; empty: nothing.
  std::string take(const std::string& given, const file_path& to, bool into) {
    const bool is_stream = given == "-";
    std::error_code failed;
    const bool is_folder = !is_stream && fs::is_directory(given, failed);
    if (is_folder && !with_.asked.recursive) return given + " is a directory: put -r sends it with all that is below";
    if (into && is_stream) return "standard input has no name: give one behind the /";
    const auto name = name_of(given);
    const auto target = into && !name.empty() ? below(to, name) : result<file_path>(to);
    if (!target) return target.failure().detail;
    const auto [known, is_new] = sources_.emplace(*target, given);
    if (!is_new) return same_target(known->second, given, shown(*target));
    if (is_folder)
      folders_.push_back({given, *target, may_spare_});
    else
      items_.push_back({given, *target, may_spare_ && !is_stream, {}});
    return {};
  }

  /// What the bar counts down, before anything is sent.
  void count_all() {
    std::error_code failed;
    for (const auto& item : items_) {
      if (item.local == "-" || fs::is_other(fs::status(item.local, failed)))
        with_.out.bar().expect_stream();
      else
        with_.out.bar().expect(1, size_of(item.local));
    }
    for (const auto& folder : folders_) {
      const auto how = fs::directory_options::skip_permission_denied;
      for (auto at = fs::recursive_directory_iterator(folder.local, how, failed);
           at != fs::recursive_directory_iterator(); at.increment(failed)) {
        if (failed || interrupted()) break;
        std::error_code gone;
        if (!at->is_symlink(gone) && at->is_regular_file(gone)) with_.out.bar().expect(1, size_of(at->path()));
      }
    }
  }
  static std::uint64_t size_of(const fs::path& file) {
    std::error_code failed;
    const auto size = fs::file_size(file, failed);
    return failed ? 0 : size;
  }

  bool begin_one() {
    if (items_.empty()) return false;
    auto next = std::move(items_.front());
    items_.pop_front();
    upload::make(with_, std::move(next), [this](const copied& done) {
      scan();
      work_.ended(done);
    })->begin();
    return true;
  }

  /// Looks into the next directory, unless enough is known for now.
  void scan() {
    if (scanning_ || work_.is_stopping()) return;
    if (folders_.empty()) return work_.nothing_more();
    if (items_.size() >= limits::files_ahead) return;
    scanning_ = true;
    const auto folder = std::move(folders_.front());
    folders_.pop_front();
    // Not from within: a tree of empty directories would be as deep a stack.
    if (!folder.may_stand) return with_.net.later({}, [this, folder] { list_here(folder, {}, false); });
    list_there(folder, listing::make(with_.net, folder.to, false, {{"Kaiku-Consistency", "linearizable"}}),
               std::make_shared<standing>());
  }

  void list_there(const folder_todo& folder, const std::shared_ptr<listing>& pages,
                  const std::shared_ptr<standing>& found) {
    pages->next([this, folder, pages, found](listing::page page) {
      // Nothing is there; or this token may write and not look.
      if (page.failed && (page.code == 404 || page.code == 403)) return list_here(folder, {}, false);
      if (page.failed) {
        scanning_ = false;
        work_.fail(*page.failed);
        return go_on();
      }
      for (auto& entry : page.entries) found->emplace(entry.name.text(), entry);
      if (page.more) return list_there(folder, pages, found);
      list_here(folder, *found, true);
    });
  }

  void list_here(const folder_todo& folder, const standing& there, bool is_there) {
    std::error_code failed;
    std::vector<fs::directory_entry> entries;
    for (auto at = fs::directory_iterator(folder.local, failed); !failed && at != fs::directory_iterator();
         at.increment(failed))
      entries.push_back(*at);
    if (failed) work_.fail({exit_code::failed, folder.local.string() + " can't be read: " + failed.message(), {}});
    std::sort(entries.begin(), entries.end());
    std::deque<folder_todo> deeper;
    bool any = false;
    for (const auto& entry : entries) any = take_entry(folder, entry, there, deeper) || any;
    folders_.insert(folders_.begin(), deeper.begin(), deeper.end());
    if (!any && !failed && !is_there && !folder.to.is_root()) items_.push_back({{}, folder.to});
    scanning_ = false;
    go_on();
  }

  /// False: it is passed over, or can't be stored.
  bool take_entry(const folder_todo& folder, const fs::directory_entry& entry, const standing& there,
                  std::deque<folder_todo>& deeper) {
    std::error_code failed;
    const auto name = entry.path().filename().string();
    const bool is_link = entry.is_symlink(failed), is_folder = entry.is_directory(failed);
    if (is_link || (!is_folder && !entry.is_regular_file(failed))) {
      work_.skipped(entry.path().string(), is_link ? "a symbolic link" : "neither file nor directory");
      return false;
    }
    // What a `get` has begun here.
    if (is_leftover(name)) {
      work_.skipped(entry.path().string(), "a download that has not ended");
      return false;
    }
    auto to = below(folder.to, name);
    if (!to) {
      work_.fail({exit_code::failed, entry.path().string() + " can't be stored: " + to.failure().detail, {}});
      return false;
    }
    const auto known = there.find(name);
    if (is_folder) {
      deeper.push_back({entry.path(), *to, known != there.end() && known->second.is_directory});
      return true;
    }
    const bool same_size =
        known != there.end() && !known->second.is_directory && known->second.size == entry.file_size(failed);
    items_.push_back({entry.path(), *to, same_size, same_size ? known->second.etag : std::string{}});
    return true;
  }

  void go_on() {
    scan();
    work_.fill();
  }

  session& with_;
  copy_work work_;
  bool may_spare_ = false, scanning_ = false;
  std::deque<folder_todo> folders_;
  std::deque<upload_order> items_;
  std::map<file_path, std::string> sources_;  ///< those named by the user, by their targets
};

}  // namespace

exit_code run_put(session& with) {
  return sender(with).run();
}

}  // namespace kaiku::cli
