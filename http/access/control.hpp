#pragma once

/// Purpose: tells who asks, by the newest rules that could be read.
/// Owner: the node; shared with the HTTP server. Thread: any.

#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "kaiku/http/access/identity.hpp"
#include "kaiku/http/access/rules.hpp"
#include "kaiku/secrets/file_stamp.hpp"

namespace kaiku {

class access_control {
 public:
  /// Errors: those of `access_rules::load`.
  static result<std::shared_ptr<access_control>> open(std::filesystem::path file);
  explicit access_control(std::shared_ptr<const access_rules> rules) : rules_(std::move(rules)) {}

  /// Reads the file again. What can't be read changes nothing and is an error, as above. Gives true.
  result<bool> reload();
  /// The same if it, or a key that it names, is another file than the last time; else false.
  result<bool> reload_if_changed();

  enum class doubt { none, wrong, expired };
  struct answer {
    std::shared_ptr<const identity> who;  ///< empty: `why` says why not
    doubt why = doubt::none;
  };
  /// A token, our own or a JWT.
  answer check_token(const std::string& token, unix_time_ms now) const;
  /// `method`: what is asked for; `query` is left without the signature. Nobody when it is not signed.
  answer check_url(std::string_view method, const file_path& path, std::string& query, unix_time_ms now) const;

 private:
  std::filesystem::path file_;
  std::mutex reading_;
  std::map<std::filesystem::path, file_stamp> read_;  ///< the file and the keys that it names; guarded by `reading_`
  std::atomic<std::shared_ptr<const access_rules>> rules_;
};

}  // namespace kaiku
