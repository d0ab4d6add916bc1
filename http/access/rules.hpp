#pragma once

/// Purpose: what the file of `--auth-file` says: who may what. Format: docs/security.md.
/// Lifecycle: read whole, checked whole, then never changed; another file is another value. Thread: any.

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kaiku/core/ids.hpp"
#include "kaiku/http/access/identity.hpp"
#include "kaiku/http/access/jwt.hpp"
#include "kaiku/http/access/token.hpp"

namespace kaiku {

struct known_token {
  token_hash hash;
  identity who;
  std::optional<unix_time_ms> until;
};

/// Signs URLs; what a URL may is in the URL.
struct url_key {
  std::string secret;
  std::vector<file_path> below;  ///< as in `identity`
};

struct access_rules {
  /// Reads and checks the file and the key files that it names (relative ones beside it). Errors: `bad_request`,
  /// `io_error`, each with a line for a person.
  /// `read`, if given, is told every file that was looked at, also when it fails.
  static result<std::shared_ptr<const access_rules>> load(const std::filesystem::path& file,
                                                          std::vector<std::filesystem::path>* read = nullptr);

  std::map<std::string, known_token, std::less<>> tokens;  ///< by id
  std::vector<jwt_issuer> issuers;
  std::map<std::string, url_key, std::less<>> url_keys;  ///< by id
};

}  // namespace kaiku
