#include "support/certificates.hpp"

#include <fstream>
#include <stdexcept>

#include <openssl/ssl.h>

#include "support/command.hpp"

namespace kaiku::test {
namespace {

constexpr const char* configuration =
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
    "keyUsage = critical, digitalSignature\n"
    "extendedKeyUsage = serverAuth, clientAuth\n"
    "subjectAltName = ";

}  // namespace

test_authority::test_authority(std::filesystem::path directory, std::string name)
    : directory_(std::move(directory)), name_(std::move(name)) {
  const auto settings = path(name_ + ".cnf");
  std::ofstream(settings) << configuration << "DNS:unused\n";
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

certificate_files test_authority::issue(const std::string& file_name, const std::string& names, int days) {
  const auto settings = path(name_ + "-" + file_name + ".cnf");
  std::ofstream(settings) << configuration << names << "\n";
  const certificate_files made{path(file_name + ".pem"), path(file_name + ".key")};
  const certificate_files fresh{made.certificate + ".new", made.key + ".new"};
  const auto wish = path(file_name + ".csr");
  run_command({"openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
               "/CN=" + file_name, "-config", settings, "-keyout", fresh.key, "-out", wish});
  run_command({"openssl", "x509", "-req", "-in", wish, "-CA", file(), "-CAkey", path(name_ + ".key"), "-set_serial",
               std::to_string(++issued_), "-days", std::to_string(days), "-extfile", settings, "-extensions", "member",
               "-out", fresh.certificate});
  std::filesystem::rename(fresh.certificate, made.certificate);
  std::filesystem::rename(fresh.key, made.key);
  return made;
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
