#include "kaiku/cli/addresses.hpp"

#include <algorithm>

#include "kaiku/cli/limits.hpp"

namespace kaiku::cli {
namespace {

result<std::string> parse_one(std::string_view text) {
  const auto refuse = [&](const std::string& why) -> result<std::string> {
    return {errc::bad_request, "\"" + std::string(text) + "\" is no address of a node: " + why};
  };
  std::string url(text);
  if (url.find("://") == std::string::npos) url.insert(0, "http://");
  if (!url.starts_with("http://") && !url.starts_with("https://")) return refuse("it begins with http:// or https://");
  if (url.find_first_of("?#@\\\" \t\r\n") != std::string::npos)
    return refuse("it is a host, a port and perhaps a path, without ?, #, @ or spaces");
  const auto host = url.find("://") + 3;
  while (url.size() > host && url.ends_with('/')) url.pop_back();
  if (url.size() == host) return refuse("it has no host");
  return url;
}

}  // namespace

result<addresses> addresses::parse(std::string_view text) {
  addresses out;
  while (!text.empty()) {
    auto item = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), item.size() + 1));
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    if (item.empty()) continue;
    auto url = parse_one(item);
    if (!url) return url.failure();
    if (std::find(out.urls_.begin(), out.urls_.end(), *url) == out.urls_.end()) out.urls_.push_back(*url);
  }
  if (out.urls_.empty()) return {errc::bad_request, "there is no address of a node in it"};
  if (out.urls_.size() > limits::addresses)
    return {errc::bad_request, "more than " + std::to_string(limits::addresses) + " addresses"};
  return out;
}

std::string origin_of(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  return std::string(url.substr(0, url.find_first_of("/?#", scheme + 3)));
}

}  // namespace kaiku::cli
