// What travels in the binary for browsers: /assets/{name}, which the listing page loads, and /console/.

#include <vector>

#include "kaiku/http/api/conditions.hpp"
#include "kaiku/http/api/digest_field.hpp"
#include "kaiku/http/api/embedded.hpp"
#include "kaiku/http/api/handlers.hpp"
#include "kaiku/http/api/problem.hpp"

namespace kaiku {
namespace {

/// Names of files, nodes and actors are anybody's. The console inserts them as text; if it ever did not, nothing would
/// run (no script but its own, and no text that becomes one: Trusted Types), and nothing would leave this origin.
constexpr std::string_view console_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

struct tagged_file {
  const embedded_file* file;
  std::string etag;
};

std::vector<tagged_file> tagged(std::span<const embedded_file> files) {
  std::vector<tagged_file> out;
  for (const auto& one : files) out.push_back({&one, "\"" + to_string(sha256_of(one.content)).substr(0, 32) + "\""});
  return out;
}

const tagged_file* find(const std::vector<tagged_file>& all, std::string_view name) {
  for (const auto& one : all)
    if (one.file->name == name) return &one;
  return nullptr;
}

response show(const exchange& ex, const tagged_file* found) {
  if (auto refused = refuse_query(ex)) return std::move(*refused);
  if (found == nullptr) return problem({errc::not_found, "no page loads this"});
  auto verdict = check_read(ex.in, found->etag, std::nullopt);
  if (!verdict) return problem(verdict.failure());
  if (*verdict == read_verdict::failed) return problem({errc::precondition_failed, "the ETag is " + found->etag});
  response out;
  out.add("ETag", found->etag);
  out.add("Cache-Control", "no-cache");
  out.status = *verdict == read_verdict::not_modified ? 304 : 200;
  if (out.status == 304) return out;
  out.add("Content-Type", found->file->type);
  out.add("X-Content-Type-Options", "nosniff");
  out.body = found->file->content;
  return out;
}

}  // namespace

response show_asset(exchange& ex) {
  static const auto all = tagged(asset_files());
  return show(ex, find(all, ex.segment));
}

response show_console(exchange& ex) {
  static const auto all = tagged(console_files());
  constexpr std::string_view folder = "/console/";
  if (!ex.path.starts_with(folder)) {
    response out;
    out.status = 301;
    out.add("Location", folder);
    out.add("Cache-Control", "no-cache");
    return out;
  }
  const auto name = ex.path.substr(folder.size());
  auto out = show(ex, find(all, name.empty() ? "index.html" : name));
  out.add("Content-Security-Policy", console_policy);
  out.add("Referrer-Policy", "no-referrer");
  return out;
}

}  // namespace kaiku
