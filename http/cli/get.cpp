// kaiku get and kaiku cat: files and directories out of the store.

#include <deque>
#include <filesystem>
#include <map>

#include "kaiku/cli/download.hpp"

namespace kaiku::cli {
namespace {

namespace fs = std::filesystem;

/// One of the user's sources that is a directory, and where it goes.
struct folder_order {
  file_path from;
  std::shared_ptr<local_folder> to;
  std::shared_ptr<listing> pages = {};
};

/// One file to fetch, or a folder; its folder is opened when its turn comes, so that few are open at once.
struct file_order {
  download_order what;
  std::shared_ptr<local_folder> top;
  file_path local;
  bool is_folder = false;  ///< which is made, when the turn comes to it
};

class fetcher {
 public:
  explicit fetcher(session& with) : with_(with), work_(with, "fetched", [this] { return begin_one(); }) {}

  exit_code run() {
    auto sources = with_.asked.paths;
    std::string local = ".";
    if (sources.size() > 1) {
      local = sources.back();
      sources.pop_back();
    }
    several_ = sources.size() > 1 || with_.asked.recursive;
    into_ = sources.size() > 1;
    const auto paths = parse_all(sources);
    if (!paths) return refuse(with_, paths.failure().detail);
    if (const auto trouble = trouble_with(*paths, local); !trouble.empty()) return refuse(with_, trouble);
    for (const auto& from : *paths) {
      if (work_.is_stopping()) break;
      if (const auto code = look_at(from); code != exit_code::done) return code;
    }
    for (const auto& [from, info] : found_)
      if (const auto code = take(from, info, local); code != exit_code::done) return code;
    with_.out.bar().know_all(folders_.empty());
    go_on();
    return work_.run(several_);
  }

 private:
  /// Sources that would become the same file; empty: none.
  static std::string trouble_with(const std::vector<file_path>& sources, const std::string& local) {
    std::map<std::string, file_path, std::less<>> by_name;
    for (const auto& from : sources) {
      const auto [known, is_new] = by_name.emplace(from.name(), from);
      if (!is_new) return same_target(shown(known->second), shown(from), (fs::path(local) / known->first).string());
    }
    return {};
  }

  /// What one source is, before anything is made here. Anything but `done` ends the command.
  exit_code look_at(const file_path& from) {
    auto fields = freshness_fields(with_.asked);
    fields.emplace_back("Want-Repr-Digest", "sha-256=1");
    const auto got = with_.net.ask(head_of(from, fields));
    if (!got) return exit_code::interrupted;
    if (!got->good()) {
      const auto why = explain(*got, shown(from));
      if (!several_) {
        with_.out.complain(why);
        return why.code;
      }
      work_.fail(why);
      return exit_code::done;
    }
    found_.emplace_back(from, read_head(*got));
    if (found_.back().second.is_directory && !with_.asked.recursive)
      return refuse(with_, shown(from) + " is a directory: get -r fetches it with all that is below");
    return exit_code::done;
  }

  /// Where it goes.
  exit_code take(const file_path& from, const remote_info& info, const std::string& local) {
    const bool ends_open = local.ends_with('/') || local == "." || local == "..";
    if (info.is_directory) return take_folder(from, local, ends_open);
    std::error_code failed;
    const bool into = ends_open || into_ || fs::is_directory(local, failed);
    return take_file(from, info, into ? fs::path(local) / std::string(from.name()) : fs::path(local),
                     ends_open || into_);
  }

  exit_code take_folder(const file_path& from, const std::string& local, bool ends_open) {
    const auto where =
        (ends_open || into_) && !from.is_root() ? fs::path(local) / std::string(from.name()) : fs::path(local);
    auto opened = local_folder::open(where, true);
    if (!opened) {
      with_.out.complain(local_failure(opened.failure()));
      return exit_code::failed;
    }
    folders_.push_back({from, std::make_shared<local_folder>(std::move(opened).value())});
    return exit_code::done;
  }

  exit_code take_file(const file_path& from, const remote_info& info, const fs::path& local, bool make) {
    // One for all that go there: a thousand names are not a thousand descriptors.
    auto& top = tops_[local.parent_path()];
    if (!top) {
      auto opened = local_folder::open(local.parent_path(), make);
      if (!opened) {
        with_.out.complain(local_failure(opened.failure()));
        return exit_code::failed;
      }
      top = std::make_shared<local_folder>(std::move(opened).value());
    }
    const auto name = file_path::parse(local.filename().string());
    if (!name || name->is_root() || is_leftover(name->name()))
      return refuse(with_, local.string() + " is no name for a file here");
    items_.push_back({{from, info.size, info.etag, info.digest, {}, {}, local.string()}, top, *name});
    with_.out.bar().expect(1, info.size);
    return exit_code::done;
  }

  bool begin_one() {
    while (!items_.empty()) {
      auto next = std::move(items_.front());
      items_.pop_front();
      auto folder = next.top->folder(next.is_folder ? next.local : next.local.parent());
      if (!folder) {
        work_.fail(local_failure(folder.failure()));
        continue;
      }
      if (next.is_folder) continue;
      next.what.folder = *folder;
      next.what.name = next.local.name();
      download::make(with_, std::move(next.what), [this](const copied& done) {
        list();
        work_.ended(done);
      })->begin();
      return true;
    }
    // Of folders alone no end makes room.
    list();
    return false;
  }

  /// Asks for the next page of the first directory, unless enough is known for now.
  void list() {
    if (listing_ || work_.is_stopping()) return;
    if (folders_.empty()) {
      with_.out.bar().know_all(true);
      return work_.nothing_more();
    }
    if (items_.size() >= limits::files_ahead) return;
    listing_ = true;
    auto& first = folders_.front();
    if (!first.pages) first.pages = listing::make(with_.net, first.from, true, freshness_fields(with_.asked));
    first.pages->next([this](const listing::page& page) {
      listing_ = false;
      const auto folder = folders_.front();
      if (!page.more) folders_.pop_front();
      if (page.failed) work_.fail(*page.failed);
      for (const auto& refused : page.refused) work_.fail(refused);
      for (const auto& entry : page.entries) take_entry(folder, entry);
      go_on();
    });
  }

  void take_entry(const folder_order& in, const listed& entry) {
    auto from = below(in.from, entry.name.text());
    if (!from) return work_.fail(local_failure(from.failure()));
    if (entry.is_directory) return items_.push_back({{*from}, in.to, entry.name, true});
    const auto local = in.to->name_of(entry.name);
    // It would be taken for one of ours, and go with the next download of another.
    if (is_leftover(entry.name.name()))
      return work_.fail({exit_code::failed, shown(*from) + " has a name that downloads have until they end", {}});
    items_.push_back({{*from, entry.size, entry.etag, std::nullopt, {}, {}, local}, in.to, entry.name});
    with_.out.bar().expect(1, entry.size);
  }

  void go_on() {
    list();
    work_.fill();
  }

  session& with_;
  copy_work work_;
  bool several_ = false, listing_ = false;
  bool into_ = false;                                     ///< the place here is a directory, whether it is there or not
  std::vector<std::pair<file_path, remote_info>> found_;  ///< those named by the user
  std::deque<folder_order> folders_;
  std::deque<file_order> items_;
  std::map<fs::path, std::shared_ptr<local_folder>> tops_;  ///< where files go that the user named
};

}  // namespace

exit_code run_get(session& with) {
  if (with.asked.paths.size() == 1 || with.asked.paths.back() != "-") return fetcher(with).run();
  auto as_cat = with.asked;
  as_cat.paths.pop_back();
  session plain{as_cat, with.net, with.out};
  return run_cat(plain);
}

exit_code run_cat(session& with) {
  auto last = exit_code::done;
  const auto paths = parse_all(with.asked.paths);
  if (!paths) return refuse(with, paths.failure().detail);
  for (const auto& from : *paths) {
    std::optional<copied> done;
    const auto one = download::make(with, {.from = from}, [&](copied of) { done = std::move(of); });
    one->begin();
    if (!with.net.run([&] { return done.has_value(); })) return exit_code::interrupted;
    if (!done->failed) continue;
    if (!with.out.nobody_reads()) with.out.complain(*done->failed);
    last = with.asked.paths.size() > 1 ? exit_code::some_failed : done->failed->code;
  }
  return last;
}

}  // namespace kaiku::cli
