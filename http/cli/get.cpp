// kaiku get and kaiku cat: files and directories out of the store.

#include <deque>
#include <filesystem>

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
    for (const auto& source : sources)
      if (const auto code = look_at(source, local); code != exit_code::done) return code;
    with_.out.bar().know_all(folders_.empty());
    go_on();
    return work_.run(several_);
  }

 private:
  exit_code refuse(const std::string& why) {
    with_.out.complain(usage_failure(why));
    return exit_code::usage;
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
    const bool into = ends_open || several_ || fs::is_directory(local, failed);
    return take_file(*from, info, into ? fs::path(local) / std::string(from->name()) : fs::path(local), ends_open);
  }

  exit_code take_folder(const file_path& from, const std::string& local, bool ends_open) {
    if (!with_.asked.recursive)
      return refuse(shown(from) + " is a directory: get -r fetches it with all that is below");
    const bool into = ends_open || with_.asked.paths.size() > 2;
    const auto where = into && !from.is_root() ? fs::path(local) / std::string(from.name()) : fs::path(local);
    auto opened = local_folder::open(where, true);
    if (!opened) {
      with_.out.complain(local_failure(opened.failure()));
      return exit_code::failed;
    }
    folders_.push_back({from, std::make_shared<local_folder>(std::move(opened).value())});
    return exit_code::done;
  }

  exit_code take_file(const file_path& from, const remote_info& info, const fs::path& local, bool make) {
    auto opened = local_folder::open(local.parent_path(), make);
    auto name = file_path::parse(local.filename().string());
    if (!opened || !name || name->is_root()) {
      with_.out.complain(opened ? usage_failure(local.string() + " is no name for a file")
                                : local_failure(opened.failure()));
      return opened ? exit_code::usage : exit_code::failed;
    }
    items_.push_back({{from, info.size, info.etag, info.digest, {}, {}, local.string()},
                      std::make_shared<local_folder>(std::move(opened).value()),
                      *name});
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
  std::deque<folder_order> folders_;
  std::deque<file_order> items_;
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
