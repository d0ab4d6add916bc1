#include "kaiku/http/access/control.hpp"

#include <algorithm>

#include "kaiku/http/access/signed_url.hpp"

namespace kaiku {

result<std::shared_ptr<access_control>> access_control::open(std::filesystem::path file) {
  auto out = std::make_shared<access_control>(nullptr);
  out->file_ = std::move(file);
  if (auto read = out->reload(); !read) return read.failure();
  return out;
}

result<bool> access_control::reload() {
  std::lock_guard guard{reading_};
  // In front of the reading: a change meanwhile is seen the next time.
  std::map<std::filesystem::path, file_stamp> before;
  for (const auto& [file, known] : read_) before[file] = file_stamp::of(file);
  before[file_] = file_stamp::of(file_);
  std::vector<std::filesystem::path> read;
  auto rules = access_rules::load(file_, &read);
  read_.clear();
  for (const auto& file : read) {
    const auto seen = before.find(file);
    read_[file] = seen != before.end() ? seen->second : file_stamp::of(file);
  }
  if (!rules) return rules.failure();
  rules_ = std::move(*rules);
  return true;
}

result<bool> access_control::reload_if_changed() {
  {
    std::lock_guard guard{reading_};
    const bool same = std::all_of(read_.begin(), read_.end(),
                                  [](const auto& one) { return file_stamp::of(one.first) == one.second; });
    if (same) return false;
  }
  return reload();
}

access_control::answer access_control::check_token(const std::string& token, unix_time_ms now) const {
  const auto rules = rules_.load();
  if (const auto shown = read_token(token)) {
    const auto known = rules->tokens.find(shown->id);
    if (known == rules->tokens.end() || !known->second.hash.is_of(shown->secret)) return {nullptr, doubt::wrong};
    if (known->second.until && now >= *known->second.until) return {nullptr, doubt::expired};
    return {std::shared_ptr<const identity>{rules, &known->second.who}};
  }
  for (const auto& issuer : rules->issuers)
    if (auto who = issuer.check(token, now)) return {std::make_shared<const identity>(std::move(*who))};
  return {nullptr, doubt::wrong};
}

access_control::answer access_control::check_url(std::string_view method, const file_path& path, std::string& query,
                                                 unix_time_ms now) const {
  auto said = read_signature(query);
  if (!said) return {};
  const auto rules = rules_.load();
  const auto key = rules->url_keys.find(said->key);
  if (key == rules->url_keys.end()) return {nullptr, doubt::wrong};
  // Leave for one path is none for what is below it.
  if (said->rest.find("recursive") != std::string::npos) return {nullptr, doubt::wrong};
  const bool writes = method == "PUT";
  if (!same_secret(sign_url(key->second.secret, writes ? "PUT" : "GET", path, said->expires), said->signature))
    return {nullptr, doubt::wrong};
  if (now.value / 1000 >= static_cast<std::int64_t>(said->expires)) return {nullptr, doubt::expired};
  const identity bound{{}, {}, key->second.below};
  if (!bound.reaches(path)) return {nullptr, doubt::wrong};
  query = std::move(said->rest);
  return {std::make_shared<const identity>(
      identity{"url:" + said->key, scopes{writes ? scope::write : scope::read}, {path}})};
}

}  // namespace kaiku
