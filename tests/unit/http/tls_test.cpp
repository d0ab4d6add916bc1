// HTTPS: who gets in, with what, and what happens when certificates change. All the rest of this folder runs over TLS,
// too: with KAIKU_TEST_TLS in the environment.

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "https_fixture.hpp"

using namespace kaiku;
using namespace kaiku::test;

BOOST_FIXTURE_TEST_SUITE(https, https_fixture)

BOOST_AUTO_TEST_CASE(other_peoples_clients_are_served_and_told_to_come_with_https_alone) {
  node.add_file("large", std::string(3'000'000, 'x'));
  const auto address = "https://localhost:" + std::to_string(port());
  const auto headers = run_command({"curl", "-sS", "--cacert", made.authority.file(), "-o",
                                    (made.directory / "got").string(), "-D", "-", address + "/files/large"});
  BOOST_TEST(contains(headers, "Strict-Transport-Security: max-age=31536000\r\n"), headers);
  BOOST_TEST(std::filesystem::file_size(made.directory / "got") == 3'000'000u);
  const auto written = run_command({"curl", "-sS", "--cacert", made.authority.file(), "-T",
                                    (made.directory / "got").string(), "-w", "%{http_code}", address + "/files/copy"});
  BOOST_TEST(contains(written, "201"), written);
  BOOST_TEST(node.uploaded_bytes == 3'000'000u);
  // A refusal of the server itself says so, too.
  raw_http wrong(port(), 0, client());
  wrong.send("GET /files/ HTTP/1.1\r\n\r\n");
  BOOST_TEST(wrong.read().header("Strict-Transport-Security") == "max-age=31536000");
}

BOOST_AUTO_TEST_CASE(versions_and_ciphers_are_those_of_mozillas_intermediate_list) {
  const std::string lax = " -cipher ALL:@SECLEVEL=0";
  for (const char* version : {"-tls1_2", "-tls1_3"})
    BOOST_TEST(contains(s_client(version, get_live), "HTTP/1.1 200"), version);
  for (const char* version : {"-tls1", "-tls1_1"}) {
    const auto said = s_client(version + lax, get_live);
    BOOST_TEST(contains(said, "alert protocol version"), version << ": " << said);
  }
  for (const char* cipher : {"AES128-SHA", "AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA",
                             "DHE-RSA-AES128-GCM-SHA256", "NULL", "aNULL"}) {
    const auto said = s_client(std::string("-tls1_2 -cipher ") + cipher + ":@SECLEVEL=0", get_live);
    BOOST_TEST(!contains(said, "HTTP/1.1 200"), cipher << ": " << said);
  }
  for (const char* cipher :
       {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"}) {
    const auto said = s_client(std::string("-tls1_2 -cipher ") + cipher, get_live);
    BOOST_TEST(contains(said, "HTTP/1.1 200"), cipher << ": " << said);
    BOOST_TEST(contains(said, "Compression: NONE"), said);
    BOOST_TEST(contains(said, "Secure Renegotiation IS supported"), said);
  }
}

BOOST_AUTO_TEST_CASE(a_client_that_asks_for_a_renegotiation_gets_none) {
  // s_client begins one at a line that is an R.
  const auto said = run_s_client(port(), "-tls1_2", std::string("R\\n") + get_live);
  BOOST_TEST(!contains(said, "HTTP/1.1 200"), said);
  BOOST_TEST(contains(said, "no renegotiation"), said);
}

BOOST_AUTO_TEST_CASE(the_protocol_is_http_1_1_and_who_wants_only_another_is_refused) {
  BOOST_TEST(contains(s_client("-alpn h2,http/1.1", get_live), "ALPN protocol: http/1.1"));
  BOOST_TEST(contains(s_client("-alpn h2", get_live), "no application protocol"));
  BOOST_TEST(contains(s_client("", get_live), "No ALPN negotiated"));
}

BOOST_AUTO_TEST_CASE(a_plain_request_is_told_that_this_is_https_and_noise_is_closed) {
  raw_http plain(port(), 0, {});
  plain.request("GET", "/files/");
  const auto got = plain.read();
  BOOST_TEST(got.status == 400);
  BOOST_TEST(got.body == "This port speaks HTTPS\n");
  BOOST_TEST(plain.at_end());
  for (const auto& bytes :
       {std::string(500, '\0'), std::string("\x16\x03\x01\x02\x00\x01garbage"), std::string("DELETE /")}) {
    raw_http noise(port(), 0, {});
    noise.send(bytes);
    noise.finish_sending();
    BOOST_TEST(noise.read().status == 0);
  }
  BOOST_TEST(status_of(client()) == 200);
  BOOST_TEST(node.writes == 0);
}

BOOST_AUTO_TEST_CASE(a_handshake_counts_as_a_connection_and_must_end_within_the_headers_time) {
  settings.max_connections = 2;
  settings.header_timeout = settings.linger_timeout = milliseconds{200};
  raw_http silent(port(), 0, {}), dripping(port(), 0, {});
  BOOST_TEST(eventually([&] { return status_of(client()) == 0; }));
  const auto began = std::chrono::steady_clock::now();
  const std::string hello("\x16\x03\x01\x02\x00\x01", 6);
  std::size_t sent = 0;
  auto next = began;
  BOOST_TEST(eventually([&] {
    if (std::chrono::steady_clock::now() >= next && sent < hello.size()) {
      dripping.send({&hello[sent++], 1});
      next += milliseconds{30};
    }
    return status_of(client()) == 200;
  }));
  BOOST_TEST(silent.at_end());
  BOOST_TEST(dripping.at_end());
  BOOST_TEST((std::chrono::steady_clock::now() - began < milliseconds{1500}));
}

BOOST_AUTO_TEST_CASE(the_first_header_has_what_the_handshake_leaves_of_its_time) {
  settings.header_timeout = milliseconds{2000};
  settings.linger_timeout = milliseconds{200};
  const auto began = std::chrono::steady_clock::now();
  const auto is_early = [&] { return std::chrono::steady_clock::now() - began < milliseconds{2800}; };
  raw_http silent(port(), 0, client()), dripping(port(), 0, {});
  BOOST_TEST(silent.connected());
  BOOST_TEST(!dripping.has_input(milliseconds{1500}));
  BOOST_TEST_REQUIRE(dripping.start_tls(client()));
  const std::string header = "GET /healthz/live HTTP/1.1\r\nHost: kaiku\r\nX: " + std::string(1000, 'x');
  for (std::size_t sent = 0; sent < header.size() && !dripping.has_input(milliseconds{20}); ++sent)
    dripping.send({&header[sent], 1});
  BOOST_TEST(dripping.read().status == 408);
  BOOST_TEST(is_early());
  BOOST_TEST(silent.at_end());
  BOOST_TEST(is_early());
}

BOOST_AUTO_TEST_CASE(the_server_may_drain_and_go_while_handshakes_are_under_way) {
  raw_http silent(port(), 0, {}), half(port(), 0, {}), served(port(), 0, client());
  half.send(std::string("\x16\x03\x01\x02\x00\x01", 6));
  BOOST_TEST(served.ask("GET", "/healthz/live").status == 200);
  server->drain();
  BOOST_TEST(silent.at_end());
  BOOST_TEST(half.at_end());
  BOOST_TEST(served.at_end());
  server.reset();
}

BOOST_AUTO_TEST_CASE(a_client_certificate_is_asked_for_when_there_is_an_authority_for_clients) {
  test_authority other(made.directory.path(), "other");
  const auto known = made.authority.issue("known", "DNS:client");
  const auto expired = made.authority.issue("expired", "DNS:client", -1);
  const auto stranger = other.issue("stranger", "DNS:client");
  const auto trusted = made.authority.file();
  for (bool optional : {false, true}) {
    BOOST_TEST_CONTEXT((optional ? "optional" : "required")) {
      stop();
      io.restart();
      settings.tls = load_https({made.server.certificate, made.server.key, trusted, optional});
      BOOST_TEST(status_of(client_context(trusted, known)) == 200);
      BOOST_TEST(status_of(client()) == (optional ? 200 : 0));
      BOOST_TEST(status_of(client_context(trusted, expired)) == 0);
      BOOST_TEST(status_of(client_context(trusted, stranger)) == 0);
    }
  }
}

BOOST_AUTO_TEST_CASE(an_authority_below_another_may_be_all_that_is_trusted_for_clients) {
  test_authority ours(made.authority, "ours"), sibling(made.authority, "sibling");
  settings.tls = load_https({made.server.certificate, made.server.key, ours.file()});
  const auto shown = [&](const certificate_files& own) {
    return status_of(client_context(made.authority.file(), own));
  };
  BOOST_TEST(shown(ours.issue("known", "DNS:client")) == 200);
  const auto foreign = sibling.issue("foreign", "DNS:client");
  BOOST_TEST(shown(foreign) == 0);
  BOOST_TEST(shown(with_chain(foreign, {sibling.file(), made.authority.file()})) == 0);
}

BOOST_AUTO_TEST_CASE(an_authority_for_clients_that_is_taken_away_lets_nobody_in_any_more) {
  test_authority old(made.directory.path(), "old"), next(made.directory.path(), "next");
  const auto trusted = (made.directory / "trusted.pem").string();
  std::filesystem::copy_file(old.file(), trusted);
  settings.tls = load_https({made.server.certificate, made.server.key, trusted});
  const auto known = old.issue("known", "DNS:client"), wanted = next.issue("wanted", "DNS:client");
  const auto shown = [&](const certificate_files& own) {
    return status_of(client_context(made.authority.file(), own));
  };
  BOOST_TEST(shown(known) == 200);
  BOOST_TEST(shown(wanted) == 0);
  const std::string pair = " -cert " + known.certificate + " -key " + known.key;
  const auto session_file = [&](const std::string& version) {
    return (made.directory / ("session" + version)).string();
  };
  for (const std::string version : {"-tls1_2", "-tls1_3"})
    BOOST_TEST(contains(s_client(version + pair + " -sess_out " + session_file(version), get_live), "HTTP/1.1 200"));
  std::filesystem::copy_file(next.file(), trusted, std::filesystem::copy_options::overwrite_existing);
  settings.tls->refresh(false);
  BOOST_TEST(shown(known) == 0);
  BOOST_TEST(shown(wanted) == 200);
  // Without a ticket, TLS 1.3 has no session that it could save.
  for (const std::string version : {"-tls1_2", "-tls1_3"}) {
    if (!std::filesystem::exists(session_file(version))) continue;
    for (const auto& own : {pair, std::string()}) {
      const auto said = s_client(version + own + " -sess_in " + session_file(version), get_live);
      BOOST_TEST(!contains(said, "HTTP/1.1 200"), version << own << ": " << said);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_clients_certificate_on_a_revocation_list_is_refused_and_the_list_is_read_again) {
  auto& authority = made.authority;
  const auto trusted = (made.directory / "trusted.pem").string();
  const auto publish = [&](int days) { join_files({authority.file(), authority.list_revoked(days)}, trusted); };
  const auto known = authority.issue("known", "DNS:client");
  const auto shown = [&](const certificate_files& own) { return status_of(client_context(authority.file(), own)); };
  for (const bool optional : {false, true}) {
    BOOST_TEST_CONTEXT((optional ? "optional" : "required")) {
      stop();
      io.restart();
      const auto lost = authority.issue(optional ? "lost-2" : "lost-1", "DNS:client");
      publish(30);
      settings.tls = load_https({made.server.certificate, made.server.key, trusted, optional});
      BOOST_TEST(shown(known) == 200);
      BOOST_TEST(shown(lost) == 200);
      authority.revoke(lost);
      publish(30);
      settings.tls->refresh(false);
      BOOST_TEST(shown(known) == 200);
      BOOST_TEST(shown(lost) == 0);
      BOOST_TEST(status_of(client()) == (optional ? 200 : 0));
      for (const std::string version : {"-tls1_2", "-tls1_3"}) {
        const auto said = s_client(version + " -cert " + lost.certificate + " -key " + lost.key, get_live);
        BOOST_TEST(contains(said, "alert certificate revoked"), said);
        BOOST_TEST(!contains(said, "HTTP/1.1 200"), said);
      }
      publish(-1);
      settings.tls->refresh(false);
      BOOST_TEST(shown(known) == 0);
      publish(30);
      settings.tls->refresh(false);
      BOOST_TEST(shown(known) == 200);
    }
  }
}

BOOST_AUTO_TEST_CASE(sessions_are_resumed_only_where_no_certificate_is_asked_for) {
  const auto known = made.authority.issue("known", "DNS:client");
  for (const bool asked : {false, true}) {
    stop();
    io.restart();
    settings.tls = load_https({made.server.certificate, made.server.key, asked ? made.authority.file() : "", true});
    for (const std::string version : {"-tls1_2", "-tls1_3"}) {
      const auto file = (made.directory / "session").string();
      std::filesystem::remove(file);
      const auto arguments = version + " -cert " + known.certificate + " -key " + known.key;
      BOOST_TEST(contains(s_client(arguments + " -sess_out " + file, get_live), "HTTP/1.1 200"));
      const bool saved = std::filesystem::exists(file);
      const auto said = saved ? s_client(arguments + " -sess_in " + file, get_live) : "";
      BOOST_TEST(contains(said, "Reused, TLSv1") == !asked, version << ": " << said);
      BOOST_TEST((contains(said, "HTTP/1.1 200") || !saved), said);
    }
  }
}

BOOST_AUTO_TEST_CASE(new_certificates_are_for_new_connections_and_the_old_ones_go_on) {
  raw_http old(port(), 0, client());
  BOOST_TEST(old.ask("GET", "/healthz/live").status == 200);
  test_authority next(made.directory.path(), "next");
  settings.tls->refresh(false);
  BOOST_TEST(status_of(client()) == 200);
  next.issue("server", "DNS:localhost");
  settings.tls->refresh(false);
  BOOST_TEST(status_of(client()) == 0);
  BOOST_TEST(status_of(client_context(next.file())) == 200);
  BOOST_TEST(old.ask("GET", "/healthz/live").status == 200);
}

BOOST_AUTO_TEST_CASE(a_pair_that_does_not_load_changes_nothing_until_it_does) {
  const auto wanted = made.authority.issue("wanted", "DNS:localhost");
  BOOST_TEST(status_of(client()) == 200);
  // First the certificate, then the key: in between they do not fit.
  std::filesystem::copy_file(wanted.certificate, made.server.certificate,
                             std::filesystem::copy_options::overwrite_existing);
  settings.tls->refresh(false);
  BOOST_TEST(status_of(client()) == 200);
  std::ofstream(made.server.key) << "no key\n";
  settings.tls->refresh(true);
  BOOST_TEST(status_of(client()) == 200);
  std::filesystem::remove(made.server.key);
  settings.tls->refresh(true);
  BOOST_TEST(status_of(client()) == 200);
  const auto before = s_client("-showcerts", get_live);
  std::filesystem::copy_file(wanted.key, made.server.key);
  settings.tls->refresh(false);
  BOOST_TEST(status_of(client()) == 200);
  BOOST_TEST((s_client("-showcerts", get_live) != before), "the new certificate is shown");
}

BOOST_AUTO_TEST_CASE(files_that_are_no_pair_are_refused_with_their_names) {
  const auto& own = made.server;
  const auto other = made.authority.issue("other", "DNS:other");
  const auto none = (made.directory / "none").string(), noise = (made.directory / "noise").string();
  std::ofstream(noise) << "noise\n";
  ::chmod(noise.c_str(), 0600);
  BOOST_TEST(complaint({own.certificate, own.key, {}}) == "");
  BOOST_TEST(contains(complaint({none, own.key, {}}), none + ": No such file"));
  BOOST_TEST(contains(complaint({own.certificate, none, {}}), none + ": No such file"));
  BOOST_TEST(contains(complaint({own.certificate, own.key, none}), none + ": No such file"));
  BOOST_TEST(contains(complaint({made.directory.path().string(), own.key, {}}), "is not a file"));
  BOOST_TEST(contains(complaint({noise, own.key, {}}), noise + " holds no certificate"));
  BOOST_TEST(contains(complaint({own.certificate, noise, {}}), noise + " holds no private key"));
  BOOST_TEST(contains(complaint({own.certificate, own.key, noise}), noise + " holds no certificate of an authority"));
  BOOST_TEST(contains(complaint({own.certificate, other.key, {}}), "does not belong to the certificate"));
  ::chmod(own.key.c_str(), 0644);
  BOOST_TEST(contains(complaint({own.certificate, own.key, {}}), "chmod go="));
  ::chmod(own.key.c_str(), 0660);
  BOOST_TEST(contains(complaint({own.certificate, own.key, {}}), "open to the group"));
  // Its operator may be about to renew it.
  const auto expired = made.authority.issue("expired", "DNS:localhost", -1);
  BOOST_TEST(complaint({expired.certificate, expired.key, {}}) == "");
}

BOOST_AUTO_TEST_SUITE_END()
