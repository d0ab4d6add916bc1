#pragma once

/// Purpose: certificates for tests, made with the openssl program when they are needed, and TLS clients that trust
/// them. Thread: any; an authority one at a time.

#include <filesystem>
#include <string>

#include "kaiku/tls/context.hpp"

namespace kaiku::test {

/// PEM files.
struct certificate_files {
  std::string certificate;
  std::string key;
};

class test_authority {
 public:
  /// Its files are in `directory`, which must be there, and begin with `name`.
  test_authority(std::filesystem::path directory, std::string name);

  /// Its own certificate.
  std::string file() const { return path(name_ + ".pem"); }
  /// A certificate for `names` as OpenSSL writes them (`DNS:n1,IP:127.0.0.1`), valid for `days` from now on; -1: it has
  /// expired. Files of that name that are there already are replaced, one after the other, as an operator does.
  certificate_files issue(const std::string& file, const std::string& names, int days = 30);

 private:
  std::string path(const std::string& file) const { return (directory_ / file).string(); }

  std::filesystem::path directory_;
  std::string name_;
  int issued_ = 0;
};

/// What a client trusts and shows: one that `authority` has signed, and, unless empty, `own`. The name is not checked.
tls_context client_context(const std::string& authority, const certificate_files& own = {});

/// What `openssl s_client` prints that connects to a port of this machine, with these arguments, and sends `request`.
std::string run_s_client(std::uint16_t port, const std::string& arguments, const std::string& request = "");

}  // namespace kaiku::test
