#include "kaiku/http/api/accept.hpp"

#include <algorithm>

#include "kaiku/http/server/exchange.hpp"

namespace kaiku {
namespace {

/// `0`, `0.5`, `1.000` in thousandths; a malformed weight is as none: 1000 (RFC 9110, 12.4.2).
int weight(std::string_view text) {
  constexpr int full = 1000;
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return full;
  if (text.size() > 1 && text[1] != '.') return full;
  int out = text[0] == '1' ? full : 0, place = 100;
  for (auto digit : text.substr(std::min<std::size_t>(2, text.size()))) {
    if (digit < '0' || digit > '9') return full;
    out += (digit - '0') * place;
    place /= 10;
  }
  return std::min(out, full);
}

/// How well a media range fits: 0 not at all, 3 by its whole name.
int fit(std::string_view range, std::string_view type) {
  if (same_token(range, type)) return 3;
  const auto slash = type.find('/');
  if (range.ends_with("/*") && same_token(range.substr(0, range.size() - 1), type.substr(0, slash + 1))) return 2;
  return range == "*/*" ? 1 : 0;
}

/// The weight of the most exact range that fits; 0 when none does.
int weight_of(std::string_view accept, std::string_view type) {
  int best_fit = 0, out = 0;
  while (!accept.empty()) {
    const auto end = std::min(accept.find(','), accept.size());
    auto one = accept.substr(0, end);
    accept.remove_prefix(std::min(end + 1, accept.size()));
    const auto range_end = std::min(one.find(';'), one.size());
    const int fits = fit(without_space(one.substr(0, range_end)), type);
    int given = 1000;
    for (one.remove_prefix(range_end); !one.empty();) {
      one.remove_prefix(1);
      const auto parameter_end = std::min(one.find(';'), one.size());
      const auto parameter = without_space(one.substr(0, parameter_end));
      if (parameter.size() > 2 && same_token(parameter.substr(0, 2), "q=")) given = weight(parameter.substr(2));
      one.remove_prefix(parameter_end);
    }
    if (fits <= best_fit) continue;
    best_fit = fits;
    out = given;
  }
  return out;
}

}  // namespace

bool prefers_html(const request& in) {
  const auto accept = in.header("Accept");
  return accept && weight_of(*accept, "text/html") > weight_of(*accept, "application/json");
}

}  // namespace kaiku
