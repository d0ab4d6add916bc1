#include "http/described.hpp"

#include <algorithm>
#include <cctype>
#include <regex>

#include <nlohmann/json.hpp>

namespace kaiku::test {

described_interface::described_interface(const std::string& document) {
  const auto parsed = nlohmann::json::parse(document);
  for (const auto& [path, item] : parsed.at("paths").items()) {
    auto pattern =
        path == "/files/{path}" ? "/files(/.*)?" : std::regex_replace(path, std::regex("\\{[^}]*\\}"), "[^/]+");
    auto& methods = paths_[pattern];
    for (const auto& [method, operation] : item.items()) {
      if (method == "parameters") continue;
      for (const auto& answer : operation.at("responses").items()) methods[method].insert(std::stoi(answer.key()));
    }
  }
}

bool described_interface::tells(const std::string& method, const std::string& target, int status) const {
  std::string name = method;
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  const auto path = target.substr(0, target.find('?'));
  for (const auto& [pattern, methods] : paths_) {
    if (!std::regex_match(path, std::regex(pattern))) continue;
    const auto known = methods.find(name);
    return known == methods.end() || known->second.contains(status);
  }
  return true;
}

}  // namespace kaiku::test
