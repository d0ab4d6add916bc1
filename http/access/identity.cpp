#include "kaiku/http/access/identity.hpp"

#include <algorithm>
#include <array>

namespace kaiku {
namespace {

constexpr std::array all_scopes{scope::read, scope::write, scope::admin, scope::metrics};

bool is_in(const file_path& path, const file_path& directory) {
  const auto& inner = path.text();
  const auto& outer = directory.text();
  return outer.empty() || (inner.starts_with(outer) && (inner.size() == outer.size() || inner[outer.size()] == '/'));
}

}  // namespace

std::string_view to_string(scope x) {
  switch (x) {
    case scope::read: return "read";
    case scope::write: return "write";
    case scope::admin: return "admin";
    case scope::metrics: return "metrics";
  }
  return "";
}

result<scopes> parse_scope(std::string_view name) {
  for (const auto one : all_scopes)
    if (name == to_string(one)) return scopes{one};
  return {errc::bad_request, "scopes are read, write, admin and metrics, not \"" + std::string(name) + "\""};
}

scopes scopes::of_claim(std::string_view names) {
  scopes out;
  while (!names.empty()) {
    const auto end = std::min(names.find(' '), names.size());
    if (auto known = parse_scope(names.substr(0, end))) out.add(*known);
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return out;
}

bool identity::reaches(const file_path& path) const {
  return below.empty() || may.has(scope::admin) ||
         std::any_of(below.begin(), below.end(), [&](const file_path& one) { return is_in(path, one); });
}

}  // namespace kaiku
