#include "kaiku/tls/context.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "kaiku/core/content.hpp"
#include "kaiku/core/invariant.hpp"
#include "kaiku/core/limits.hpp"
#include "kaiku/secrets/secret_file.hpp"

namespace kaiku {
namespace {

/// Mozilla's intermediate list, version 5.7, but for finite-field Diffie-Hellman: whoever has TLS 1.2 with these
/// ciphers has elliptic curves, and a stranger could make this node compute for milliseconds.
constexpr const char* tls12_ciphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* tls13_ciphers = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* groups = "X25519:P-256:P-384";

struct bio_deleter {
  void operator()(BIO* x) const { BIO_free(x); }
};
struct key_deleter {
  void operator()(EVP_PKEY* x) const { EVP_PKEY_free(x); }
};

error complaint(std::string detail) {
  return {errc::bad_request, std::move(detail)};
}

/// `file`, and why OpenSSL does not like it.
error complaint(const std::string& file, const std::string& what) {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  return complaint(file + " " + what + (reason == nullptr ? "" : std::string(" (") + reason + ")"));
}

/// OpenSSL says of a file that is not there no more than that it could not be read.
status check_readable(const std::string& file) {
  // A pipe without a writer would hold the start up.
  const unique_fd opened{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  struct stat found {};
  if (!opened || ::fstat(opened.get(), &found) != 0) return complaint(file + ": " + std::strerror(errno));
  return S_ISREG(found.st_mode) ? success() : complaint(file + " is not a file");
}

/// There is nobody to ask for one.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

status load_own(SSL_CTX& into, const tls_files& files) {
  if (auto readable = check_readable(files.certificate); !readable) return readable;
  const auto secret = read_secret(files.key, limits::key_file_bytes);
  if (!secret) return secret.failure();
  if (SSL_CTX_use_certificate_chain_file(&into, files.certificate.c_str()) != 1)
    return complaint(files.certificate, "holds no certificate that can be used");
  const std::unique_ptr<BIO, bio_deleter> in{BIO_new_mem_buf(secret->data(), static_cast<int>(secret->size()))};
  const std::unique_ptr<EVP_PKEY, key_deleter> key{
      in ? PEM_read_bio_PrivateKey(in.get(), nullptr, no_passphrase, nullptr) : nullptr};
  if (!key) return complaint(files.key, "holds no private key, or one with a passphrase");
  if (SSL_CTX_use_PrivateKey(&into, key.get()) != 1 || SSL_CTX_check_private_key(&into) != 1)
    return complaint("the key in " + files.key + " does not belong to the certificate in " + files.certificate);
  return success();
}

/// Lists of certificates that their authority has taken back.
bool holds_revocations(X509_STORE& store) {
  const auto* const all = X509_STORE_get0_objects(&store);
  for (int i = 0; i < sk_X509_OBJECT_num(all); ++i)
    if (X509_OBJECT_get_type(sk_X509_OBJECT_value(all, i)) == X509_LU_CRL) return true;
  return false;
}

status load_authority(SSL_CTX& into, const tls_files& files) {
  if (auto readable = check_readable(files.authority); !readable) return readable;
  if (SSL_CTX_load_verify_locations(&into, files.authority.c_str(), nullptr) != 1)
    return complaint(files.authority, "holds no certificate of an authority");
  // A browser offers its user the certificates that these have signed.
  SSL_CTX_set_client_CA_list(&into, SSL_load_client_CA_file(files.authority.c_str()));
  auto* const rules = SSL_CTX_get0_param(&into);
  // The authority may be one that another has signed: nobody beside it and above it is believed.
  X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN);
  if (holds_revocations(*SSL_CTX_get_cert_store(&into))) X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_CRL_CHECK);
  // A session that is taken up again shows no certificate, and one may have run out since.
  SSL_CTX_set_options(&into, SSL_OP_NO_TICKET);
  if (SSL_CTX_set_num_tickets(&into, 0) != 1) return complaint(files.authority, "can't be used");
  SSL_CTX_set_verify(&into, SSL_VERIFY_PEER | (files.optional ? 0 : SSL_VERIFY_FAIL_IF_NO_PEER_CERT), nullptr);
  return success();
}

/// A client that offers protocols and not this one is refused (RFC 7301, 3.2).
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                    unsigned offered_size, void*) {
  static constexpr unsigned char known[] = "\x08http/1.1";
  const int chosen =
      SSL_select_next_proto(const_cast<unsigned char**>(out), out_size, known, sizeof known - 1, offered, offered_size);
  return chosen == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

bool set_policy(SSL_CTX& of, tls_use use) {
  SSL_CTX_set_options(&of, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
#ifdef SSL_OP_IGNORE_UNEXPECTED_EOF
  // Many clients close without a word; what was cut off shows in HTTP's and CAF's own framing.
  SSL_CTX_set_options(&of, SSL_OP_IGNORE_UNEXPECTED_EOF);
#endif
  SSL_CTX_set_mode(&of, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // Tickets hold what a session needs: nothing piles up here. Where a certificate is asked for, there are none.
  SSL_CTX_set_session_cache_mode(&of, SSL_SESS_CACHE_OFF);
  const bool common =
      SSL_CTX_set_min_proto_version(&of, use == tls_use::links ? TLS1_3_VERSION : TLS1_2_VERSION) == 1 &&
      SSL_CTX_set_cipher_list(&of, tls12_ciphers) == 1 && SSL_CTX_set_ciphersuites(&of, tls13_ciphers) == 1 &&
      SSL_CTX_set1_groups_list(&of, groups) == 1;
  if (use == tls_use::links) return common;
  SSL_CTX_set_mode(&of, SSL_MODE_RELEASE_BUFFERS);  // most connections are idle
  SSL_CTX_set_alpn_select_cb(&of, choose_protocol, nullptr);
  return common;
}

}  // namespace

result<tls_context> make_tls_context(tls_use use, const tls_files& files) {
  INVARIANT(use == tls_use::clients || !files.authority.empty(), "both sides of a link show a certificate");
  ERR_clear_error();
  tls_context made{SSL_CTX_new(TLS_method()), SSL_CTX_free};
  INVARIANT(made && set_policy(*made, use), "OpenSSL knows these versions, ciphers and groups");
  if (auto loaded = load_own(*made, files); !loaded) return loaded.failure();
  if (files.authority.empty()) return made;
  if (auto loaded = load_authority(*made, files); !loaded) return loaded.failure();
  return made;
}

}  // namespace kaiku
