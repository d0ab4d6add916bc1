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

/// One file to fetch; its folder is opened when its turn comes, so that few are open at once.
struct file_order {
  download_order what;
  std::shared_ptr<local_folder> top;
  file_path local;
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
    if (const auto trouble = trouble_with(sources, local); !trouble.empty()) return refuse(trouble);
    for (const auto& source : sources) {
      if (work_.is_stopping()) break;
      if (const auto code = look_at(source, local); code != exit_code::done) return code;
    }
    with_.out.bar().know_all(folders_.empty());
    go_on();
    return work_.run(several_);
  }

 private:
  exit_code refuse(const std::string& why) {
    with_.out.complain(usage_failure(why));
    return exit_code::usage;
  }

  /// Before anything is asked for or made; empty: there is none.
  static std::string trouble_with(const std::vector<std::string>& sources, const std::string& local) {
    std::map<std::string, std::string, std::less<>> by_name;
    for (const auto& source : sources) {
      const auto from = parse_remote(source);
      if (!from) return from.failure().detail;
      const auto [known, is_new] = by_name.emplace(from->name(), source);
      if (!is_new) return same_target(known->second, source, (fs::path(local) / known->first).string());
    }
    return {};
  }

  /// What one source is, and where it goes. Anything but `done` ends the command.
  exit_code look_at(const std::string& given, const std::string& local) {
    auto from = parse_remote(given);
    if (!from) return refuse(from.failure().detail);
    auto fields = freshness_fields(with_.asked);
    fields.emplace_back("Want-Repr-Digest", "sha-256=1");
    const auto got = with_.net.ask(head_of(*from, fields));
    if (!got) return exit_code::interrupted;
    if (!got->good()) {
      const auto why = explain(*got, shown(*from));
      if (!several_) {
        with_.out.complain(why);
        return why.code;
      }
      work_.fail(why);
      return exit_code::done;
    }
    const auto info = read_head(*got);
    const bool ends_open = local.ends_with('/') || local == "." || local == "..";
    if (info.is_directory) return take_folder(*from, local, ends_open);
    std::error_code failed;
    const bool into = ends_open || into_ || fs::is_directory(local, failed);
    return take_file(*from, info, into ? fs::path(local) / std::string(from->name()) : fs::path(local),
                     ends_open || into_);
  }

  exit_code take_folder(const file_path& from, const std::string& local, bool ends_open) {
    if (!with_.asked.recursive)
      return refuse(shown(from) + " is a directory: get -r fetches it with all that is below");
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
    if (!name || name->is_root()) return refuse(local.string() + " is no name for a file");
    items_.push_back({{from, info.size, info.etag, info.digest, {}, {}, local.string()}, top, *name});
    with_.out.bar().expect(1, info.size);
    return exit_code::done;
  }

  bool begin_one() {
    while (!items_.empty()) {
      auto next = std::move(items_.front());
      items_.pop_front();
      auto folder = next.top->folder(next.local.parent());
      if (!folder) {
        work_.fail(local_failure(folder.failure()));
        continue;
      }
      next.what.folder = *folder;
      next.what.name = next.local.name();
      download::make(with_, std::move(next.what), [this](const copied& done) {
        list();
        work_.ended(done);
      })->begin();
      return true;
    }
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
    if (entry.is_directory) {
      if (auto made = in.to->folder(entry.name); !made) work_.fail(local_failure(made.failure()));
      return;
    }
    items_.push_back(
        {{*from, entry.size, entry.etag, std::nullopt, {}, {}, in.to->name_of(entry.name)}, in.to, entry.name});
    with_.out.bar().expect(1, entry.size);
  }

  void go_on() {
    list();
    work_.fill();
  }

  session& with_;
  copy_work work_;
  bool several_ = false, listing_ = false;
  bool into_ = false;  ///< the place here is a directory, whether it is there or not
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
  for (const auto& given : with.asked.paths) {
    auto from = parse_remote(given);
    if (!from) {
      with.out.complain(usage_failure(from.failure().detail));
      return exit_code::usage;
    }
    std::optional<copied> done;
    const auto one = download::make(with, {.from = *from}, [&](copied of) { done = std::move(of); });
    one->begin();
    if (!with.net.run([&] { return done.has_value(); })) return exit_code::interrupted;
    if (!done->failed) continue;
    if (!with.out.nobody_reads()) with.out.complain(*done->failed);
    last = with.asked.paths.size() > 1 ? exit_code::some_failed : done->failed->code;
  }
  return last;
}

}  // namespace kaiku::cli
