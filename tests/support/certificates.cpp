#include "support/certificates.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>

#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "support/command.hpp"

namespace kaiku::test {
namespace {

/// What the openssl program reads. `member` and `authority` are the kinds of certificates.
std::string configuration(const certificate_wish& wish) {
  std::string out =
      "[req]\n"
      "distinguished_name = nobody\n"
      "prompt = no\n"
      "[nobody]\n"
      "CN = unnamed\n"
      "[authority]\n"
      "basicConstraints = critical, CA:TRUE\n"
      "keyUsage = critical, keyCertSign, cRLSign\n"
      "subjectKeyIdentifier = hash\n"
      "[member]\n"
      "basicConstraints = critical, CA:FALSE\n"
      "keyUsage = critical, digitalSignature\n";
  if (!wish.usages.empty()) out += "extendedKeyUsage = " + wish.usages + "\n";
  if (!wish.names.empty()) out += "subjectAltName = " + wish.names + "\n";
  return out;
}

using bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using private_key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

bio open_file(const std::string& file, const char* how) {
  return {BIO_new_file(file.c_str(), how), BIO_free};
}

private_key read_key(const std::string& file) {
  return {PEM_read_bio_PrivateKey(open_file(file, "r").get(), nullptr, nullptr, nullptr), EVP_PKEY_free};
}

/// The program lets no certificate begin later than now.
void put_off(const std::string& certificate, const std::string& signer, int days) {
  const std::unique_ptr<X509, decltype(&X509_free)> made{
      PEM_read_bio_X509(open_file(certificate, "r").get(), nullptr, nullptr, nullptr), X509_free};
  const auto key = read_key(signer);
  bool good = made && key;
  good = good && X509_time_adj_ex(X509_getm_notBefore(made.get()), days, 0, nullptr) != nullptr;
  good = good && X509_sign(made.get(), key.get(), EVP_sha256()) != 0;
  const auto out = open_file(certificate, "w");
  if (!good || PEM_write_bio_X509(out.get(), made.get()) != 1)
    throw std::runtime_error(certificate + " can't be put off");
}

/// The program makes no list that has run out.
void let_run_out(const std::string& list, const std::string& signer) {
  const std::unique_ptr<X509_CRL, decltype(&X509_CRL_free)> made{
      PEM_read_bio_X509_CRL(open_file(list, "r").get(), nullptr, nullptr, nullptr), X509_CRL_free};
  const auto key = read_key(signer);
  const std::unique_ptr<ASN1_TIME, decltype(&ASN1_TIME_free)> begin{X509_time_adj_ex(nullptr, -2, 0, nullptr),
                                                                    ASN1_TIME_free},
      end{X509_time_adj_ex(nullptr, -1, 0, nullptr), ASN1_TIME_free};
  bool good = made && key && begin && end;
  good = good && X509_CRL_set1_lastUpdate(made.get(), begin.get()) == 1;
  good = good && X509_CRL_set1_nextUpdate(made.get(), end.get()) == 1;
  good = good && X509_CRL_sign(made.get(), key.get(), EVP_sha256()) != 0;
  const auto out = open_file(list, "w");
  if (!good || PEM_write_bio_X509_CRL(out.get(), made.get()) != 1)
    throw std::runtime_error(list + " can't be let run out");
}

}  // namespace

test_authority::test_authority(std::filesystem::path directory, std::string name)
    : directory_(std::move(directory)), name_(std::move(name)) {
  const auto settings = path(name_ + ".cnf");
  std::ofstream(settings) << configuration({});
  run_command({"openssl",
               "req",
               "-x509",
               "-newkey",
               "ec",
               "-pkeyopt",
               "ec_paramgen_curve:P-256",
               "-nodes",
               "-days",
               "30",
               "-subj",
               "/CN=" + name_,
               "-config",
               settings,
               "-extensions",
               "authority",
               "-keyout",
               path(name_ + ".key"),
               "-out",
               file()});
}

test_authority::test_authority(test_authority& above, std::string name)
    : directory_(above.directory_), name_(std::move(name)) {
  above.certify(name_, {}, "authority");
}

certificate_files test_authority::issue(const std::string& file, const certificate_wish& wish) {
  return certify(file, wish, "member");
}

certificate_files test_authority::certify(const std::string& file_name, const certificate_wish& wish,
                                          const std::string& kind) {
  const auto settings = path(name_ + "-" + file_name + ".cnf");
  std::ofstream(settings) << configuration(wish);
  const certificate_files made{path(file_name + ".pem"), path(file_name + ".key")};
  const certificate_files fresh{made.certificate + ".new", made.key + ".new"};
  const auto request = path(file_name + ".csr"), signer = path(name_ + ".key");
  run_command({"openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
               "/CN=" + (wish.subject.empty() ? file_name : wish.subject), "-config", settings, "-keyout", fresh.key,
               "-out", request});
  run_command({"openssl", "x509", "-req", "-in", request, "-CA", file(), "-CAkey", signer, "-set_serial",
               std::to_string(++issued_), "-days", std::to_string(wish.days), "-extfile", settings, "-extensions", kind,
               "-out", fresh.certificate});
  if (wish.begins_in_days > 0) put_off(fresh.certificate, signer, wish.begins_in_days);
  std::filesystem::rename(fresh.certificate, made.certificate);
  std::filesystem::rename(fresh.key, made.key);
  return made;
}

void test_authority::keep_books(std::vector<std::string> arguments) {
  const auto settings = path(name_ + "-books.cnf"), books = path(name_ + "-books");
  std::ofstream(settings) << "[ca]\ndefault_ca = books\n[books]\ndefault_md = sha256\ndatabase = " << books << "\n";
  std::ofstream(books, std::ios::app).flush();
  std::vector<std::string> all{"openssl", "ca",   "-batch",   "-config",           settings,
                               "-cert",   file(), "-keyfile", path(name_ + ".key")};
  all.insert(all.end(), std::make_move_iterator(arguments.begin()), std::make_move_iterator(arguments.end()));
  run_command(all);
}

void test_authority::revoke(const certificate_files& which) {
  keep_books({"-revoke", which.certificate});
}

std::string test_authority::list_revoked(int days) {
  const auto list = path(name_ + ".crl");
  keep_books({"-gencrl", "-crldays", std::to_string(std::max(days, 1)), "-out", list});
  if (days < 0) let_run_out(list, path(name_ + ".key"));
  return list;
}

certificate_files with_chain(const certificate_files& own, const std::vector<std::string>& between) {
  certificate_files out{own.certificate + ".chain", own.key};
  std::vector<std::string> all{own.certificate};
  all.insert(all.end(), between.begin(), between.end());
  join_files(all, out.certificate);
  return out;
}

void join_files(const std::vector<std::string>& files, const std::string& into) {
  const auto fresh = into + ".new";
  {
    std::ofstream all(fresh);
    for (const auto& one : files) all << std::ifstream(one).rdbuf();
  }
  std::filesystem::rename(fresh, into);
}

tls_context client_context(const std::string& authority, const certificate_files& own) {
  tls_context out{SSL_CTX_new(TLS_method()), SSL_CTX_free};
  bool good = out && SSL_CTX_load_verify_locations(out.get(), authority.c_str(), nullptr) == 1;
  if (good && !own.certificate.empty())
    good = SSL_CTX_use_certificate_chain_file(out.get(), own.certificate.c_str()) == 1 &&
           SSL_CTX_use_PrivateKey_file(out.get(), own.key.c_str(), SSL_FILETYPE_PEM) == 1;
  if (!good) throw std::runtime_error("no TLS client with " + authority + " and " + own.certificate);
  SSL_CTX_set_verify(out.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(out.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
#ifdef SSL_OP_IGNORE_UNEXPECTED_EOF
  SSL_CTX_set_options(out.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);
#endif
  return out;
}

std::string run_s_client(std::uint16_t port, const std::string& arguments, const std::string& request) {
  // It ends with code 1 when there is no connection; what it prints says why.
  return run_command({"sh", "-c",
                      "printf '" + request + "' | timeout 10 openssl s_client -connect 127.0.0.1:" +
                          std::to_string(port) + " " + arguments + " 2>&1 || true"});
}

}  // namespace kaiku::test
