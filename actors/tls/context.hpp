#pragma once

/// Purpose: which TLS this node speaks: versions, ciphers, and whose certificates it takes, as an OpenSSL context.
/// Owner: whoever holds the context; connections hold it too. Thread: any.

#include <cstdint>
#include <memory>
#include <string>

#include "kaiku/core/error.hpp"

struct ssl_ctx_st;

namespace kaiku {

/// OpenSSL's SSL_CTX.
using tls_context = std::shared_ptr<ssl_ctx_st>;

enum class tls_use : std::uint8_t {
  clients,  ///< the server's side of HTTPS: TLS 1.2 and 1.3, `http/1.1` alone
  links,    ///< both sides of a link between members: TLS 1.3 alone, and both show a certificate
};

/// PEM files.
struct tls_files {
  std::string certificate;  ///< the node's own, then those between it and its authority
  std::string key;          ///< without a passphrase; others may not read it (`read_secret`)
  /// Who signs what the other side shows, and, behind it, lists of what it has taken back; empty: it is asked for
  /// nothing.
  std::string authority;
  bool optional = false;  ///< with `authority`: who shows nothing is let in, too

  friend bool operator==(const tls_files&, const tls_files&) = default;
};

/// Errors: `bad_request`, naming the file: it can't be read, is not what it should be, or the key is another's.
result<tls_context> make_tls_context(tls_use use, const tls_files& files);

}  // namespace kaiku
