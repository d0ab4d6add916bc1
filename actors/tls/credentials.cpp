#include "kaiku/tls/credentials.hpp"

#include <sys/stat.h>

#include <openssl/ssl.h>
#include <spdlog/spdlog.h>

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

void tls_credentials::refresh(bool anyway) {
  const std::lock_guard one_at_a_time(refreshing_);
  auto now = look();
  if (!anyway && now == seen_) return;
  seen_ = std::move(now);
  auto made = make_tls_context(use_, files_);
  if (!made) {
    spdlog::warn("tls: {}: the certificates stay as they were: {}", what_, made.failure().detail);
    return;
  }
  tell(*made);
  const std::lock_guard lock(guard_);
  current_ = std::move(*made);
}

std::vector<tls_credentials::file_stamp> tls_credentials::look() const {
  std::vector<file_stamp> out;
  for (const auto* file : {&files_.certificate, &files_.key, &files_.authority}) {
    struct stat info {};
    file_stamp one;
    if (!file->empty() && ::stat(file->c_str(), &info) == 0) {
      auto nanoseconds = [](const timespec& x) { return std::int64_t{x.tv_sec} * 1'000'000'000 + x.tv_nsec; };
      one = {true, info.st_dev, info.st_ino, info.st_size, nanoseconds(info.st_mtim), nanoseconds(info.st_ctim)};
    }
    out.push_back(one);
  }
  return out;
}

void tls_credentials::tell(const tls_context& of) const {
  const auto& own = *SSL_CTX_get0_certificate(of.get());
  if (auto why = out_of_time(own))
    spdlog::warn("tls: {}: the certificate in {} is refused by everybody: {}", what_, files_.certificate, *why);
  else
    spdlog::info("tls: {}: certificate for {}, valid until {}", what_, names_in(own), expiry_of(own));
}

}  // namespace kaiku
