#include "kaiku/node/access_command.hpp"

#include <sys/stat.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "kaiku/core/wall_clock.hpp"
#include "kaiku/http/access/rules.hpp"
#include "kaiku/http/access/signed_url.hpp"
#include "kaiku/http/api/http_date.hpp"
#include "kaiku/node/options.hpp"

namespace kaiku {
namespace {

using nlohmann::ordered_json;

constexpr std::int64_t second_ms = 1000, day_ms = 24 * 60 * 60 * second_ms;

struct token_request {
  std::string name, file;
  std::vector<std::string> scopes, paths;
  std::int64_t days = 0;
};

struct url_request {
  std::string file, key, method = "GET", path;
  std::int64_t seconds = 3600;
};

/// With nothing in between: a node that reads the file meanwhile sees the old or the new one.
status replace_file(const std::filesystem::path& file, const std::string& text) {
  const auto fresh = std::filesystem::path(file.string() + ".new");
  {
    ::umask(0077);
    std::error_code ignored;
    std::filesystem::remove(fresh, ignored);
    std::ofstream out(fresh, std::ios::binary);
    out << text << std::flush;
    if (!out) return {errc::io_error, fresh.string() + " can't be written"};
  }
  struct stat before {};
  if (::stat(file.c_str(), &before) == 0) {
    // Who could read it before can read it now.
    const bool kept = ::chmod(fresh.c_str(), before.st_mode & 0777) == 0 &&
                      (::chown(fresh.c_str(), before.st_uid, before.st_gid) == 0 || ::geteuid() != 0);
    if (!kept) return {errc::io_error, fresh.string() + " can't be given the rights of " + file.string()};
  }
  std::error_code failed;
  std::filesystem::rename(fresh, file, failed);
  if (failed) return {errc::io_error, file.string() + " can't be replaced: " + failed.message()};
  return success();
}

ordered_json entry_of(const new_token& token, const token_request& asked) {
  ordered_json out{{"id", token.id}, {"name", asked.name}, {"hash", token.hash.text()}, {"scopes", asked.scopes}};
  if (!asked.paths.empty()) out["paths"] = asked.paths;
  if (asked.days != 0) out["expires"] = format_rfc3339({wall_clock().value + asked.days * day_ms});
  return out;
}

/// The file with one more token; checked as a node checks it before it takes the old one's place.
status add_to_file(const std::filesystem::path& file, const ordered_json& entry) {
  ordered_json document = ordered_json::object();
  if (std::filesystem::exists(file)) {
    if (auto good = access_rules::load(file); !good) return good.failure();
    std::ifstream in(file, std::ios::binary);
    document = ordered_json::parse(in);
  }
  document["tokens"].push_back(entry);
  return replace_file(file, document.dump(2) + "\n");
}

int fail(const std::string& why, int code) {
  std::fprintf(stderr, "kaikud: %s\n", why.c_str());
  return code;
}

int make(const token_request& asked) {
  for (const auto& one : asked.scopes)
    if (auto known = parse_scope(one); !known) return fail(known.failure().detail, usage_exit_code);
  for (const auto& one : asked.paths)
    if (!one.starts_with('/') || !file_path::parse(one))
      return fail("\"" + one + "\" is no path that begins with /", usage_exit_code);
  const auto token = make_token();
  const auto entry = entry_of(token, asked);
  if (asked.file.empty()) {
    std::printf("%s\n", entry.dump(2).c_str());
    std::fprintf(stderr, "The token, shown this once: %s\nAdd the entry above to \"tokens\" of --auth-file.\n",
                 token.text.c_str());
    return 0;
  }
  if (auto added = add_to_file(asked.file, entry); !added) return fail(added.failure().detail, 1);
  std::printf("%s\n", token.text.c_str());
  return 0;
}

int sign(const url_request& asked) {
  auto rules = access_rules::load(asked.file);
  if (!rules) return fail(rules.failure().detail, 1);
  const auto key = (*rules)->url_keys.find(asked.key);
  if (key == (*rules)->url_keys.end()) return fail(asked.file + " has no url_keys with the id " + asked.key, 1);
  auto path = file_path::parse(asked.path);
  if (!path) return fail(path.failure().detail, usage_exit_code);
  if (asked.method != "GET" && asked.method != "PUT") return fail("--method is GET or PUT", usage_exit_code);
  const auto expires = static_cast<std::uint64_t>(wall_clock().value / second_ms + asked.seconds);
  std::printf("/files/%s?key=%s&expires=%llu&signature=%s\n", percent_encode_path(path->text()).c_str(),
              asked.key.c_str(), static_cast<unsigned long long>(expires),
              sign_url(key->second.secret, asked.method, *path, expires).c_str());
  return 0;
}

}  // namespace

std::optional<int> run_access_command(int argc, const char* const* argv) {
  if (argc < 2 || (std::string_view{argv[1]} != "token" && std::string_view{argv[1]} != "url")) return std::nullopt;
  CLI::App app("kaikud: access control");
  app.require_subcommand(1);
  token_request token;
  auto* tokens = app.add_subcommand("token", "tokens for --auth-file");
  tokens->require_subcommand(1);
  auto* fresh = tokens->add_subcommand("new", "make one: with --file it is added there and printed");
  fresh->add_option("--name", token.name, "what it is for; stands in the audit log")->required();
  fresh->add_option("--scope", token.scopes, "read, write, metrics or admin; repeated")->required();
  fresh->add_option("--path", token.paths, "only this path and what is below; repeated (default: all)");
  fresh->add_option("--days", token.days, "how long it is good (default: for ever)")->check(CLI::Range(1, 36'500));
  fresh->add_option("--file", token.file, "the file of --auth-file");
  url_request url;
  auto* urls = app.add_subcommand("url", "URLs that carry leave for one request");
  urls->require_subcommand(1);
  auto* signing = urls->add_subcommand("sign", "print one");
  signing->add_option("--file", url.file, "the file of --auth-file")->required();
  signing->add_option("--key", url.key, "id of one of its url_keys")->required();
  signing->add_option("--method", url.method, "GET or PUT (default: GET)");
  signing->add_option("--path", url.path, "the file")->required();
  signing->add_option("--seconds", url.seconds, "how long it is good (default: 3600)")
      ->check(CLI::Range(1, 366 * 24 * 3600));
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    const CLI::App* of = &app;
    for (auto chosen = of->get_subcommands(); !chosen.empty(); chosen = of->get_subcommands()) of = chosen.front();
    std::fputs(of->help().c_str(), stdout);
    return 0;
  } catch (const CLI::ParseError& e) {
    return fail(e.what(), usage_exit_code);
  }
  return fresh->parsed() ? make(token) : sign(url);
}

}  // namespace kaiku
