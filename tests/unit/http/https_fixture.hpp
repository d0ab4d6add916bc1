#pragma once

/// Purpose: an HTTP server that speaks HTTPS, and clients that trust it.

#include <string>

#include "http_fixture.hpp"
#include "support/command.hpp"

namespace kaiku::test {

struct https_fixture : http_fixture {
  https_fixture() { settings.tls = load_https({made.server.certificate, made.server.key, {}}); }

  tls_context client() const { return client_context(made.authority.file()); }
  int status_of(const tls_context& with) {
    raw_http one(port(), 0, with);
    return one.connected() ? one.ask("GET", "/healthz/live").status : 0;
  }
  /// It waits until the server ends the connection.
  std::string s_client(const std::string& arguments, const std::string& request) {
    return run_s_client(port(), "-ign_eof " + arguments, request);
  }
  /// Why the server is not even started with these.
  std::string complaint(const tls_files& files) {
    auto loaded = tls_credentials::load("HTTPS", tls_use::clients, files);
    return loaded ? "" : loaded.failure().detail;
  }

  test_certificates made;
};

inline bool contains(const std::string& text, const std::string& what) {
  return text.find(what) != std::string::npos;
}

inline constexpr const char* get_live = "GET /healthz/live HTTP/1.0\\r\\n\\r\\n";

}  // namespace kaiku::test
