// kaiku ls, tree, stat, write-status: what stands in the store.

#include <map>
#include <memory>

#include "kaiku/cli/remote.hpp"
#include "kaiku/cli/text.hpp"

namespace kaiku::cli {
namespace {

std::vector<std::string> paths_or_root(const arguments& asked) {
  return asked.paths.empty() ? std::vector<std::string>{"/"} : asked.paths;
}

/// All pages; `take` gets each entry, and gives false to end it.
exit_code list_all(session& with, const file_path& directory, bool recursive,
                   const std::function<bool(const listed&)>& take) {
  auto pages = listing::make(with.net, directory, recursive, freshness_fields(with.asked));
  auto last = exit_code::done;
  for (bool more = true; more;) {
    std::optional<listing::page> page;
    pages->next([&](listing::page got) { page = std::move(got); });
    if (!with.net.run([&] { return page.has_value(); })) return exit_code::interrupted;
    if (page->failed) {
      with.out.complain(*page->failed);
      return page->failed->code;
    }
    for (const auto& refused : page->refused) {
      with.out.complain(refused);
      last = exit_code::failed;
    }
    for (const auto& entry : page->entries)
      if (!take(entry)) return last;
    more = page->more;
  }
  return last;
}

/// The path of what a listing of `directory` calls `name`.
std::string path_in(const file_path& directory, const file_path& name) {
  return (directory.is_root() ? "" : shown(directory)) + shown(name);
}

/// For programs: as the listing has it, with its whole path.
json entry_record(const std::string& path, const listed& entry) {
  json record{{"path", path}};
  record.update(entry.all);
  record["path"] = path;
  return record;
}

/// `name` is what it is called for people.
void tell_entry(session& with, const std::string& path, const std::string& name, const listed& entry) {
  with.out.record(entry_record(path, entry));
  const auto text = with.out.name(name) + (entry.is_directory ? "/" : "");
  if (!with.asked.details) return with.out.line(text);
  with.out.line(right(entry.is_directory ? "-" : with_commas(entry.size), 15) + "  " +
                padded(with.out.name(entry.modified), 24) + "  " + text);
}

/// The entry of one path in the listing above it; empty when there is none, or no leave to see it.
std::optional<listed> entry_of(session& with, const file_path& path) {
  if (path.is_root()) return std::nullopt;
  auto pages = listing::make(with.net, path.parent(), false, freshness_fields(with.asked), std::string(path.name()), 1);
  std::optional<listing::page> page;
  pages->next([&](listing::page got) { page = std::move(got); });
  if (!with.net.run([&] { return page.has_value(); }) || page->failed || page->entries.empty()) return std::nullopt;
  if (page->entries.front().name.text() != path.name()) return std::nullopt;
  return page->entries.front();
}

/// What stands at a path; empty with `code` when nothing can be said of it, which was told.
struct seen_path {
  std::optional<answer> got;
  remote_info info;
  exit_code code = exit_code::done;
};

seen_path look_at(session& with, const file_path& path) {
  auto done = ask(with, head_of(path, freshness_fields(with.asked)), shown(path));
  seen_path out{std::move(done.got), {}, done.code};
  if (out.got) out.info = read_head(*out.got);
  return out;
}

/// The same as an entry: as the listing above has it, or, when that can't be seen, as far as the answer tells.
listed entry_at(session& with, const file_path& path, const seen_path& at) {
  if (const auto entry = entry_of(with, path); entry && (at.info.is_directory || entry->etag == at.info.etag))
    return *entry;
  listed out{path, at.info.is_directory, at.info.size, {}, {}, {{"name", path.name()}}};
  out.all["type"] = out.is_directory ? "directory" : "file";
  if (out.is_directory) return out;
  out.etag = at.info.etag;
  out.modified = iso_date(at.got->field("last-modified"));
  out.all.update({{"size", out.size},
                  {"etag", out.etag},
                  {"modified", out.modified},
                  {"content_type", at.got->field("content-type")}});
  return out;
}

exit_code list_one(session& with, const std::string& given, const file_path& path, bool titled) {
  const auto at = look_at(with, path);
  if (!at.got) return at.code;
  if (!at.info.is_directory) {
    tell_entry(with, shown(path), given, entry_at(with, path, at));
    return exit_code::done;
  }
  if (titled) with.out.line(with.out.name(given) + ":");
  return list_all(with, path, with.asked.recursive, [&](const listed& entry) {
    tell_entry(with, path_in(path, entry.name), entry.name.text(), entry);
    return true;
  });
}

/// A directory with what is below it.
struct branch {
  bool is_directory = true;
  std::uint64_t size = 0;
  std::map<std::string, branch, std::less<>> below;
};

struct tree_counts {
  std::uint64_t directories = 0, files = 0;
};

void draw(session& with, const branch& of, const std::string& indent, tree_counts& counts) {
  std::size_t left = of.below.size();
  for (const auto& [name, one] : of.below) {
    const bool last = --left == 0;
    ++(one.is_directory ? counts.directories : counts.files);
    with.out.line(indent + (last ? "\u2514\u2500\u2500 " : "\u251c\u2500\u2500 ") + with.out.name(name) +
                  (one.is_directory ? "/" : "  " + in_bytes(one.size)));
    draw(with, one, indent + (last ? "    " : "\u2502   "), counts);
  }
}

void say(session& with, const char* what, const std::string& value) {
  if (!value.empty()) with.out.line(padded(what, 14) + with.out.name(value));
}

/// What is said of a file alone.
void tell_file(session& with, json& record, const answer& got, const remote_info& info, const listed& entry) {
  record["size"] = info.size;
  say(with, "size", with_commas(info.size) + " (" + in_bytes(info.size) + ")");
  record["sha256"] = info.digest ? json(hexadecimal(*info.digest)) : json(nullptr);
  if (info.digest) say(with, "sha256", hexadecimal(*info.digest));
  const auto add = [&](const char* name, const char* label, const std::string& value) {
    if (value.empty()) return;
    record[name] = value;
    say(with, label, value);
  };
  add("content_type", "content type", got.field("content-type"));
  add("content_encoding", "encoding", got.field("content-encoding"));
  const auto expires = text_in(entry.all, "expires");
  add("expires", "expires", expires.empty() ? iso_date(got.field("kaiku-expires")) : expires);
}

exit_code stat_one(session& with, const std::string&, const file_path& path, bool) {
  const auto at = look_at(with, path);
  if (!at.got) return at.code;
  const auto& got = *at.got;
  const auto entry = entry_at(with, path, at);
  json record{{"path", shown(path)}, {"type", at.info.is_directory ? "directory" : "file"}};
  say(with, "path", shown(path));
  say(with, "type", record["type"]);
  if (!at.info.is_directory) tell_file(with, record, got, at.info, entry);
  record["etag"] = entry.etag.empty() ? json(nullptr) : json(entry.etag);
  record["modified"] = entry.modified.empty() ? json(nullptr) : json(entry.modified);
  say(with, "etag", entry.etag);
  say(with, "modified", entry.modified);
  json metadata = json::object();
  for (const auto& [name, value] : got.fields) {
    if (!name.starts_with("kaiku-meta-")) continue;
    metadata[name.substr(11)] = value;
    say(with, "metadata", name.substr(11) + "=" + value);
  }
  record["metadata"] = metadata;
  record["node"] = got.field("kaiku-node");
  record["applied"] = got.field("kaiku-applied");
  record["committed"] = got.field("kaiku-committed");
  say(with, "answered by",
      got.field("kaiku-node") + ", applied " + got.field("kaiku-applied") + ", committed " +
          got.field("kaiku-committed"));
  with.out.record(record);
  return exit_code::done;
}

/// The same for each path; what several end with.
exit_code for_each(session& with, const std::vector<std::string>& given,
                   exit_code (*one)(session&, const std::string& given, const file_path&, bool several)) {
  const auto paths = parse_all(given);
  if (!paths) return refuse(with, paths.failure().detail);
  const bool several = given.size() > 1;
  auto code = exit_code::done;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const auto now = one(with, given[i], (*paths)[i], several);
    if (now == exit_code::interrupted) return now;
    if (now != exit_code::done) code = several ? exit_code::some_failed : now;
  }
  return code;
}

}  // namespace

exit_code run_ls(session& with) {
  return for_each(with, paths_or_root(with.asked), list_one);
}

exit_code run_tree(session& with) {
  const auto given = paths_or_root(with.asked).front();
  const auto path = parse_remote(given);
  if (!path) return refuse(with, path.failure().detail);
  const auto at = look_at(with, *path);
  if (!at.got) return at.code;
  branch top;
  std::size_t known = 0;
  bool all = true;
  if (!at.info.is_directory) {
    with.out.complain({exit_code::refused, shown(*path) + " is a file; tree draws directories", {}});
    return exit_code::refused;
  }
  const auto code = list_all(with, *path, true, [&](const listed& entry) {
    const auto names = entry.name.names();
    if (names.size() > with.asked.depth) return true;
    all = known++ < limits::tree_entries;
    if (!all) return false;
    with.out.record(entry_record(path_in(*path, entry.name), entry));
    if (with.out.as_json()) return true;
    auto* where = &top;
    for (const auto name : names) where = &where->below[std::string(name)];
    where->is_directory = entry.is_directory;
    where->size = entry.size;
    return true;
  });
  if (code != exit_code::done && top.below.empty()) return code;
  with.out.line(with.out.name(given));
  tree_counts counts;
  draw(with, top, "", counts);
  with.out.line("\n" + with_commas(counts.directories) + (counts.directories == 1 ? " directory, " : " directories, ") +
                counted(counts.files, "file"));
  if (all) return code;
  with.out.complain({exit_code::failed,
                     shown(*path) + " has more than " + with_commas(limits::tree_entries) +
                         " entries below it; the rest is left out. Name a directory further down, or use ls -r",
                     {}});
  return exit_code::failed;
}

exit_code run_stat(session& with) {
  return for_each(with, with.asked.paths, stat_one);
}

exit_code run_write_status(session& with) {
  const auto done = ask_document(with, {.target = "/writes/" + query_value(with.asked.id)}, with.asked.id);
  if (!done.got) return done.code;
  const auto& fate = *done.got;
  with.out.record(fate);
  const auto now = text_in(fate, "status");
  const auto holders =
      std::to_string(number_in(fate, "holders")) + " of " + std::to_string(number_in(fate, "voters")) + " voters";
  if (now == "set_aside") {
    const auto kept = text_in(fate, "kept");
    with.out.line("set aside: another leader's write took its place" +
                  (kept.empty() ? "; ask the node that led before for /set-aside"
                                : "; this node keeps it as " + with.out.name(kept)));
    return exit_code::refused;
  }
  if (now == "unknown") {
    with.out.line("unknown: the leader does not have it, and nothing has taken its place yet; ask again");
    return exit_code::unknown;
  }
  with.out.line(with.out.name(now) + ": " + holders + " have it");
  return exit_code::done;
}

}  // namespace kaiku::cli
