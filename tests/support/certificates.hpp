#pragma once

/// Purpose: certificates for tests, made with the openssl program when they are needed, and TLS clients that trust
/// them. Thread: any; an authority one at a time.

#include <filesystem>
#include <string>
#include <vector>

#include "kaiku/tls/context.hpp"

namespace kaiku::test {

/// PEM files.
struct certificate_files {
  std::string certificate;
  std::string key;
};

/// What a certificate says.
struct certificate_wish {
  std::string names;                              ///< as OpenSSL writes them (`DNS:n1,IP:127.0.0.1`); empty: none
  int days = 30;                                  ///< until its end; -1: it has expired
  int begins_in_days = 0;                         ///< above 0: its time is yet to come
  std::string usages = "serverAuth, clientAuth";  ///< the extended ones; empty: it has no such extension
  std::string subject = "";                       ///< its common name; empty: that of the file
};

class test_authority {
 public:
  /// Its files are in `directory`, which must be there, and begin with `name`.
  test_authority(std::filesystem::path directory, std::string name);
  /// One that `above` has signed.
  test_authority(test_authority& above, std::string name);

  /// Its own certificate, and no other.
  std::string file() const { return path(name_ + ".pem"); }
  /// Signs a certificate. Files of that name that are there already are replaced, one after the other, as an operator
  /// does.
  certificate_files issue(const std::string& file, const certificate_wish& wish);
  certificate_files issue(const std::string& file, const std::string& names, int days = 30) {
    return issue(file, certificate_wish{names, days});
  }
  /// From its next list on.
  void revoke(const certificate_files& which);
  /// A list (CRL, PEM) of what it has revoked, which is valid for so long from now; -1: it has run out. Replaces the
  /// last one.
  std::string list_revoked(int days = 30);

 private:
  certificate_files certify(const std::string& file, const certificate_wish& wish, const std::string& kind);
  std::string path(const std::string& file) const { return (directory_ / file).string(); }
  /// `openssl ca` with these arguments.
  void keep_books(std::vector<std::string> arguments);

  std::filesystem::path directory_;
  std::string name_;
  int issued_ = 0;
};

/// As a node that is told so shows them: `own`, then what stands between it and its authority.
certificate_files with_chain(const certificate_files& own, const std::vector<std::string>& between);

/// What PEM files hold, as one, written over what is there.
void join_files(const std::vector<std::string>& files, const std::string& into);

/// What a client trusts and shows: one that `authority` has signed, and, unless empty, `own`. The name is not checked.
tls_context client_context(const std::string& authority, const certificate_files& own = {});

/// What `openssl s_client` prints that connects to a port of this machine, with these arguments, and sends `request`.
std::string run_s_client(std::uint16_t port, const std::string& arguments, const std::string& request = "");

}  // namespace kaiku::test
