#include "kaiku/tls/credentials.hpp"

#include <ctime>

#include <openssl/ssl.h>
#include <spdlog/spdlog.h>

#include "kaiku/core/limits.hpp"
#include "kaiku/tls/certificate.hpp"

namespace kaiku {

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
}

void tls_credentials::warn_of_expiry() {
  const auto left = expires().value - std::int64_t{std::time(nullptr)} * 1000;
  const auto now = left <= 0 ? expiry::past : left <= limits::certificate_warning_ms ? expiry::near : expiry::far;
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
