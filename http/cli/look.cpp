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

void tell_entry(session& with, const std::string& name, const listed& entry) {
  auto record = entry.all;
  record["name"] = name;
  with.out.record(record);
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

struct checked_path {
  std::optional<file_path> path;
  remote_info info;
  answer got;
  exit_code code = exit_code::done;
};

checked_path look_at(session& with, const std::string& given) {
  checked_path out;
  auto path = parse_remote(given);
  if (!path) {
    with.out.complain(usage_failure(path.failure().detail));
    out.code = exit_code::usage;
    return out;
  }
  auto done = ask(with, head_of(*path, freshness_fields(with.asked)), shown(*path));
  out.code = done.code;
  if (!done.got) return out;
  out.path = *path;
  out.got = std::move(*done.got);
  out.info = read_head(out.got);
  return out;
}

exit_code list_one(session& with, const std::string& given, bool titled) {
  const auto at = look_at(with, given);
  if (!at.path) return at.code;
  if (!at.info.is_directory) {
    auto entry = entry_of(with, *at.path);
    if (!entry)
      entry = listed{*at.path,
                     false,
                     at.info.size,
                     at.info.etag,
                     "",
                     "",
                     {{"type", "file"}, {"size", at.info.size}, {"etag", at.info.etag}}};
    tell_entry(with, given, *entry);
    return exit_code::done;
  }
  if (titled) with.out.line(with.out.name(given) + ":");
  return list_all(with, *at.path, with.asked.recursive, [&](const listed& entry) {
    tell_entry(with, titled && with.out.as_json() ? shown(*at.path) + "/" + entry.name.text() : entry.name.text(),
               entry);
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

exit_code stat_one(session& with, const std::string& given) {
  const auto at = look_at(with, given);
  if (!at.path) return at.code;
  const auto& got = at.got;
  json record{{"path", shown(*at.path)}, {"type", at.info.is_directory ? "directory" : "file"}};
  say(with, "path", shown(*at.path));
  say(with, "type", record["type"]);
  auto etag = at.info.etag, modified = got.field("last-modified");
  if (at.info.is_directory) {
    const auto entry = entry_of(with, *at.path);
    etag = entry ? entry->etag : "";
    modified = entry ? entry->modified : "";
  } else {
    record["size"] = at.info.size;
    say(with, "size", with_commas(at.info.size) + " (" + in_bytes(at.info.size) + ")");
    record["sha256"] = at.info.digest ? json(hexadecimal(*at.info.digest)) : json(nullptr);
    if (at.info.digest) say(with, "sha256", hexadecimal(*at.info.digest));
  }
  record["etag"] = etag.empty() ? json(nullptr) : json(etag);
  record["modified"] = modified.empty() ? json(nullptr) : json(modified);
  say(with, "etag", etag);
  say(with, "modified", modified);
  json metadata = json::object();
  for (const auto& [name, value] : got.fields) {
    const bool known =
        name == "content-encoding" || name == "kaiku-expires" || (name == "content-type" && !at.info.is_directory);
    if (known) {
      record[name == "kaiku-expires" ? "expires" : name] = value;
      say(with, name == "kaiku-expires" ? "expires" : name.c_str(), value);
    }
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
exit_code for_each(session& with, exit_code (*one)(session&, const std::string&)) {
  auto code = exit_code::done;
  for (const auto& given : with.asked.paths) {
    const auto now = one(with, given);
    if (now == exit_code::interrupted) return now;
    if (now != exit_code::done) code = with.asked.paths.size() > 1 ? exit_code::some_failed : now;
  }
  return code;
}

}  // namespace

exit_code run_ls(session& with) {
  const auto paths = paths_or_root(with.asked);
  auto code = exit_code::done;
  for (const auto& given : paths) {
    const auto now = list_one(with, given, paths.size() > 1);
    if (now == exit_code::interrupted) return now;
    if (now != exit_code::done) code = paths.size() > 1 ? exit_code::some_failed : now;
  }
  return code;
}

exit_code run_tree(session& with) {
  const auto given = paths_or_root(with.asked).front();
  const auto at = look_at(with, given);
  if (!at.path) return at.code;
  branch top;
  std::size_t known = 0;
  bool all = true;
  if (!at.info.is_directory) {
    with.out.complain({exit_code::refused, shown(*at.path) + " is a file; tree draws directories", {}});
    return exit_code::refused;
  }
  const auto code = list_all(with, *at.path, true, [&](const listed& entry) {
    const auto names = entry.name.names();
    if (names.size() > with.asked.depth) return true;
    all = known++ < limits::tree_entries;
    if (!all) return false;
    auto record = entry.all;
    record["name"] = entry.name.text();
    with.out.record(record);
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
                     shown(*at.path) + " has more than " + with_commas(limits::tree_entries) +
                         " entries below it; the rest is left out. Name a directory further down, or use ls -r",
                     {}});
  return exit_code::failed;
}

exit_code run_stat(session& with) {
  return for_each(with, stat_one);
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
