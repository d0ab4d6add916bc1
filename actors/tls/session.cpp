#include "kaiku/tls/session.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

#include <sys/socket.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "kaiku/tls/certificate.hpp"

namespace kaiku {

/// The socket as OpenSSL sees it. Its own way would raise SIGPIPE.
struct socket_bio {
  static tls_session::socket_end& end_of(BIO* bio) { return *static_cast<tls_session::socket_end*>(BIO_get_data(bio)); }
  static bool is_temporary(int code) { return code == EAGAIN || code == EWOULDBLOCK || code == EINTR; }

  static int write(BIO* bio, const char* from, int size) {
    BIO_clear_retry_flags(bio);
    const auto sent = ::send(end_of(bio).descriptor, from, static_cast<std::size_t>(size), MSG_NOSIGNAL);
    if (sent < 0) end_of(bio).problem = errno;
    if (sent < 0 && is_temporary(errno)) BIO_set_retry_write(bio);
    return static_cast<int>(sent);
  }
  static int read(BIO* bio, char* to, int most) {
    BIO_clear_retry_flags(bio);
    const auto got = ::recv(end_of(bio).descriptor, to, static_cast<std::size_t>(most), 0);
    if (got < 0) end_of(bio).problem = errno;
    if (got < 0 && is_temporary(errno)) BIO_set_retry_read(bio);
    if (got == 0) end_of(bio).ended = true;
    return static_cast<int>(got);
  }
  static long control(BIO* bio, int command, long, void*) {
    if (command == BIO_CTRL_EOF) return end_of(bio).ended ? 1 : 0;
    return command == BIO_CTRL_FLUSH ? 1 : 0;  // nothing is held back
  }

  static const BIO_METHOD* method() {
    static const BIO_METHOD* const made = [] {
      auto* out = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "kaiku socket");
      INVARIANT(out != nullptr, "OpenSSL has memory");
      BIO_meth_set_write(out, write);
      BIO_meth_set_read(out, read);
      BIO_meth_set_ctrl(out, control);
      return out;
    }();
    return made;
  }
};

namespace {

struct certificate_deleter {
  void operator()(X509* x) const { X509_free(x); }
};
using certificate = std::unique_ptr<X509, certificate_deleter>;

certificate shown_by_peer(const SSL* ssl) {
  return certificate{SSL_get_peer_certificate(ssl)};
}

int clamped(std::size_t size) {
  return static_cast<int>(std::min<std::size_t>(size, std::numeric_limits<int>::max()));
}

/// An alert that the other side has sent is a reason, too, in this range.
constexpr int first_alert = SSL_AD_REASON_OFFSET, last_alert = first_alert + 255;

}  // namespace

void tls_session::ssl_deleter::operator()(ssl_st* x) const {
  SSL_free(x);
}

tls_session::tls_session(const tls_context& with, tls_role role, int socket, std::uint64_t records_each_key)
    : end_{socket}, ssl_(SSL_new(with.get())), records_each_key_(records_each_key) {
  auto* bio = BIO_new(socket_bio::method());
  INVARIANT(ssl_ && bio != nullptr, "OpenSSL has memory");
  BIO_set_data(bio, &end_);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  if (role == tls_role::server)
    SSL_set_accept_state(ssl_.get());
  else
    SSL_set_connect_state(ssl_.get());
}

tls_session::~tls_session() = default;

tls_session::outcome tls_session::handshake() {
  ERR_clear_error();
  const int done = SSL_do_handshake(ssl_.get());
  if (done == 1) return {};
  auto out = judge(done);
  if (out.now == step::ended) {
    is_broken_ = true;
    failure_ = "the connection ended in the TLS handshake";
    out.now = step::failed;
  }
  return out;
}

tls_session::outcome tls_session::read(char* to, std::size_t most) {
  if (is_broken_) return {step::failed};
  ERR_clear_error();
  const int got = SSL_read(ssl_.get(), to, clamped(most));
  return got > 0 ? outcome{step::done, static_cast<std::size_t>(got)} : judge(got);
}

tls_session::outcome tls_session::write(const char* from, std::size_t size) {
  if (is_broken_) return {step::failed};
  ERR_clear_error();
  const int sent = SSL_write(ssl_.get(), from, clamped(size));
  if (sent <= 0) return judge(sent);
  if (++records_ >= records_each_key_) renew_key();
  return {step::done, static_cast<std::size_t>(sent)};
}

/// Said with the next record. TLS 1.2 has no such thing; its connections are clients' and short.
void tls_session::renew_key() {
  records_ = 0;
  if (SSL_version(ssl_.get()) >= TLS1_3_VERSION) SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_NOT_REQUESTED);
}

void tls_session::finish() {
  if (is_broken_ || SSL_is_init_finished(ssl_.get()) == 0) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
}

std::size_t tls_session::pending() const {
  return static_cast<std::size_t>(SSL_pending(ssl_.get()));
}

tls_session::outcome tls_session::judge(int returned) {
  const int code = SSL_get_error(ssl_.get(), returned);
  if (code == SSL_ERROR_WANT_READ) return {step::wants_read};
  if (code == SSL_ERROR_WANT_WRITE) return {step::wants_write};
  const bool said_nothing = code == SSL_ERROR_SYSCALL && end_.ended && ERR_peek_error() == 0;
  if (code == SSL_ERROR_ZERO_RETURN || said_nothing) return {step::ended};
  is_broken_ = true;
  lost_socket_ = code == SSL_ERROR_SYSCALL && ERR_peek_error() == 0;
  if (lost_socket_)
    failure_ = std::strerror(end_.problem);
  else
    explain();
  return {step::failed};
}

void tls_session::explain() {
  const auto code = ERR_peek_error();
  // Other libraries of OpenSSL give the same numbers to other reasons.
  const int reason = ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0;
  const auto* text = ERR_reason_error_string(code);
  const auto verified = SSL_get_verify_result(ssl_.get());
  was_plain_http_ = reason == SSL_R_HTTP_REQUEST;
  if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED)
    failure_ = std::string("its certificate is refused: ") + X509_verify_cert_error_string(verified);
  else if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
    failure_ = "it shows no certificate";
  else if (reason == SSL_R_WRONG_VERSION_NUMBER || was_plain_http_)
    failure_ = "it does not speak TLS";
  else if (reason == SSL_R_UNSUPPORTED_PROTOCOL)
    failure_ = "it speaks no version of TLS that is allowed here";
  else if (reason > first_alert && reason <= last_alert)
    failure_ = std::string("it ends TLS: ") + (text == nullptr ? "alert" : text);
  else
    failure_ = std::string("TLS failed: ") + (text == nullptr ? "no reason is known" : text);
}

bool tls_session::is_peer(const std::string& name) const {
  const auto shown = shown_by_peer(ssl_.get());
  return shown && is_for(*shown, name);
}

std::string tls_session::peer_names() const {
  const auto shown = shown_by_peer(ssl_.get());
  return shown ? names_in(*shown) : "nobody";
}

}  // namespace kaiku
