#include "kaiku/tls/credentials.hpp"

#include <openssl/ssl.h>
#include <spdlog/spdlog.h>

#include "kaiku/core/limits.hpp"
#include "kaiku/core/wall_clock.hpp"
#include "kaiku/tls/certificate.hpp"

namespace kaiku {
namespace {

/// A day: many lists are made anew each week.
constexpr auto list_warning_ms = limits::certificate_warning_ms / 14;

}  // namespace

tls_credentials::tls_credentials(std::string what, tls_use use, tls_files files)
    : what_(std::move(what)), use_(use), files_(std::move(files)) {}

result<std::shared_ptr<tls_credentials>> tls_credentials::load(std::string what, tls_use use, tls_files files) {
  std::shared_ptr<tls_credentials> out{new tls_credentials(std::move(what), use, std::move(files))};
  // In front of reading them, so that a change meanwhile is seen as one.
  out->seen_ = out->look();
  auto made = make_tls_context(use, out->files_);
  if (!made) return {made.failure().code, out->what_ + ": " + made.failure().detail};
  out->current_ = std::move(*made);
  out->tell(out->current_);
  return out;
}

tls_context tls_credentials::context() const {
  const std::lock_guard lock(guard_);
  return current_;
}

unix_time_ms tls_credentials::expires() const {
  const std::lock_guard lock(guard_);
  return kaiku::expires(*SSL_CTX_get0_certificate(current_.get()));
}

void tls_credentials::refresh(bool anyway) {
  const std::lock_guard one_at_a_time(refreshing_);
  auto now = look();
  if (!anyway && now == seen_) return warn_of_expiry();
  auto made = make_tls_context(use_, files_);
  if (!made) {
    const auto& why = made.failure().detail;
    if (anyway || why != complaint_) spdlog::warn("tls: {}: the certificates stay as they were: {}", what_, why);
    complaint_ = why;
    return warn_of_expiry();
  }
  seen_ = std::move(now);
  complaint_.clear();
  tell(*made);
  const std::lock_guard lock(guard_);
  current_ = std::move(*made);
}

std::vector<file_stamp> tls_credentials::look() const {
  std::vector<file_stamp> out;
  for (const auto* file : {&files_.certificate, &files_.key, &files_.authority}) out.push_back(file_stamp::of(*file));
  return out;
}

void tls_credentials::tell(const tls_context& of) {
  const auto& own = *SSL_CTX_get0_certificate(of.get());
  told_ = expiry::far;
  if (auto why = out_of_time(own)) {
    spdlog::warn("tls: {}: the certificate in {} is refused by everybody: {}", what_, files_.certificate, *why);
    told_ = expiry::past;
  } else {
    spdlog::info("tls: {}: certificate for {}, valid until {}", what_, names_in(own), expiry_of(own));
  }
  told_of_lists_ = expiry::far;
  lists_end_ = {};
  if (auto end = first_end_of_lists(*SSL_CTX_get_cert_store(of.get()))) {
    lists_end_ = end->at;
    lists_end_text_ = std::move(end->text);
    spdlog::info("tls: {}: revoked certificates are refused, as listed in {} until {}", what_, files_.authority,
                 lists_end_text_);
  }
  warn_of_lists();
}

tls_credentials::expiry tls_credentials::expiry_in(std::int64_t left_ms, std::int64_t warning_ms) {
  return left_ms <= 0 ? expiry::past : left_ms <= warning_ms ? expiry::near : expiry::far;
}

/// What is shown to this node is refused behind it: OpenSSL takes no list that may lack the newest names.
void tls_credentials::warn_of_lists() {
  if (lists_end_.value == 0) return;
  const auto now = expiry_in(lists_end_.value - wall_clock().value, list_warning_ms);
  if (now <= told_of_lists_) return;
  told_of_lists_ = now;
  if (now == expiry::near)
    spdlog::warn("tls: {}: a revocation list in {} is valid until {} only: replace it", what_, files_.authority,
                 lists_end_text_);
  else
    spdlog::error(
        "tls: {}: a revocation list in {} has run out at {}: certificates that others show are refused; "
        "replace it",
        what_, files_.authority, lists_end_text_);
}

void tls_credentials::warn_of_expiry() {
  warn_of_lists();
  const auto now = expiry_in(expires().value - wall_clock().value, limits::certificate_warning_ms);
  if (now <= told_) return;
  told_ = now;
  const auto until = expiry_of(*SSL_CTX_get0_certificate(context().get()));
  if (now == expiry::near)
    spdlog::warn("tls: {}: the certificate in {} is valid until {} only: renew it", what_, files_.certificate, until);
  else
    spdlog::error("tls: {}: the certificate in {} has expired at {}: new connections are refused; renew it", what_,
                  files_.certificate, until);
}

}  // namespace kaiku
