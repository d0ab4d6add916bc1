// The label's publisher against a real HTTPS server that behaves, and fails, as Kubernetes' API server does.

#include <dlfcn.h>
#include <netdb.h>

#include <condition_variable>
#include <fstream>
#include <mutex>

#include <boost/test/unit_test.hpp>

#include "kaiku/kubernetes/limits.hpp"
#include "kaiku/kubernetes/publisher.hpp"
#include "support/child_process.hpp"
#include "support/kubernetes_api.hpp"
#include "support/temporary_directory.hpp"

namespace {

using namespace kaiku::kubernetes;
using namespace kaiku::test;

constexpr milliseconds soon{2000};
constexpr milliseconds later{15'000};
constexpr const char* first_token = "header.payload.first";

/// One authority for all tests: making certificates takes longer than a test.
struct made_certificates {
  temporary_directory directory;
  test_authority authority{directory.path(), "cluster"};
  test_authority stranger{directory.path(), "stranger"};
  certificate_files server = authority.issue("server", "DNS:kubernetes.default.svc,IP:127.0.0.1");
  certificate_files of_a_stranger = stranger.issue("other", "IP:127.0.0.1");
  certificate_files of_another_host = authority.issue("elsewhere", "DNS:elsewhere,IP:127.0.0.2");
};

const made_certificates& made() {
  static const made_certificates all;
  return all;
}

/// Looking up this name takes until it is let go.
constexpr std::string_view slow_name = "slow.kaiku.test";

struct slow_look_ups {
  std::mutex mutex;
  std::condition_variable changed;
  int waiting = 0;
  bool let_go = false;

  void wait() {
    std::unique_lock lock(mutex);
    ++waiting;
    changed.notify_all();
    changed.wait_for(lock, later, [this] { return let_go; });
    --waiting;
    changed.notify_all();
  }
  bool comes_to_have(int count) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, soon, [&] { return waiting == count; });
  }
  void release() {
    const std::lock_guard lock(mutex);
    let_go = true;
    changed.notify_all();
  }
};

slow_look_ups& look_ups() {
  static slow_look_ups all;
  return all;
}

struct pod {
  temporary_directory service_account;
  kubernetes_api server{made().server};
  std::unique_ptr<label_publisher> label;

  pod() {
    write("namespace", "files");
    write("ca.crt", read_file(made().authority.file()));
    write("token", first_token);
    server.accept_token(first_token);
    server.add_pod("kaiku-0");
  }

  /// As the kubelet does: another file takes its place.
  void write(const std::string& name, const std::string& content) const {
    std::ofstream(service_account / (name + ".new")) << content;
    std::filesystem::rename(service_account / (name + ".new"), service_account / name);
  }
  settings with() const { return {server.url(), "files", "kaiku-0", service_account.path()}; }
  void begin(pod_role x) {
    label = std::make_unique<label_publisher>(with());
    label->want(x);
  }
  bool comes_to_say(const std::string& role, milliseconds within = soon) const {
    return wait_until(within, [&] { return server.label("kaiku-0") == role && label->view().is_current(); });
  }
  bool comes_to_fail(const std::string& word, milliseconds within = later) const {
    return wait_until(within, [&] { return label->view().trouble.find(word) != std::string::npos; });
  }
  std::uint64_t answers(unsigned code) const {
    const auto all = label->view().answers;
    const auto found = all.find(code);
    return found == all.end() ? 0 : found->second;
  }
};

}  // namespace

// A program's own definition stands in front of the C library's, for shared libraries too.
extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints, addrinfo** found) {
  if (name != nullptr && name == slow_name) {
    look_ups().wait();
    return EAI_AGAIN;
  }
  using function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto real = reinterpret_cast<function>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  return real(name, service, hints, found);
}

BOOST_FIXTURE_TEST_SUITE(publisher, pod)

BOOST_AUTO_TEST_CASE(the_label_follows_every_role_over_one_connection_with_one_patch_each) {
  begin(pod_role::follower);
  BOOST_TEST(comes_to_say("follower"));
  for (const auto next : {pod_role::leader, pod_role::follower, pod_role::learner}) {
    label->want(next);
    BOOST_TEST(comes_to_say(std::string(to_string(next))));
  }
  label->want(pod_role::none);
  BOOST_TEST(comes_to_say(""));
  const auto asked = server.requests();
  BOOST_TEST(asked.size() == 5u);
  for (const auto& one : asked) {
    BOOST_TEST(one.method == "PATCH");
    BOOST_TEST(one.target == "/api/v1/namespaces/files/pods/kaiku-0");
    BOOST_TEST(one.answered == 200u);
  }
  BOOST_TEST(server.connections() == 1u);
  BOOST_TEST(label->view().changes == 5u);
}

BOOST_AUTO_TEST_CASE(a_token_that_was_replaced_is_used_from_the_next_request_on) {
  begin(pod_role::follower);
  BOOST_REQUIRE(comes_to_say("follower"));
  write("token", "header.payload.second\n");
  server.accept_token("header.payload.second");
  label->want(pod_role::leader);
  BOOST_TEST(comes_to_say("leader"));
  BOOST_TEST(answers(401) == 0u);
}

BOOST_AUTO_TEST_CASE(an_expired_token_is_refused_until_its_successor_is_there_and_then_used_soon) {
  begin(pod_role::follower);
  BOOST_REQUIRE(comes_to_say("follower"));
  server.accept_token("header.payload.second");
  label->want(pod_role::leader);
  BOOST_TEST(comes_to_fail("401: Unauthorized"));
  BOOST_TEST(server.label("kaiku-0") == "follower");
  write("token", "header.payload.second");
  BOOST_TEST(comes_to_say("leader", milliseconds{limits::retry_most_ms} + soon));
  BOOST_TEST(label->view().trouble == "");
}

BOOST_AUTO_TEST_CASE(a_token_file_that_is_gone_for_a_while_is_waited_for) {
  begin(pod_role::follower);
  BOOST_REQUIRE(comes_to_say("follower"));
  std::filesystem::remove(service_account / "token");
  label->want(pod_role::leader);
  BOOST_TEST(comes_to_fail("No such file"));
  write("token", first_token);
  BOOST_TEST(comes_to_say("leader", later));
}

BOOST_AUTO_TEST_CASE(a_token_that_would_end_the_line_of_the_header_is_not_sent) {
  write("token", "a\r\nX-Other: b");
  begin(pod_role::leader);
  BOOST_TEST(comes_to_fail("holds no token"));
  BOOST_TEST(server.requests().empty());
}

BOOST_AUTO_TEST_CASE(refusals_and_failures_of_the_server_pass_and_the_label_is_right_soon_after) {
  begin(pod_role::follower);
  BOOST_REQUIRE(comes_to_say("follower"));
  bool leads = false;
  for (const unsigned code : {409u, 500u, 502u, 503u, 504u, 429u, 302u}) {
    leads = !leads;
    server.be({.code = code, .fields = "Location: https://127.0.0.1:1/\r\n", .times = 2});
    label->want(leads ? pod_role::leader : pod_role::follower);
    BOOST_TEST(comes_to_say(leads ? "leader" : "follower"), code << ": " << label->view().trouble);
    BOOST_TEST(answers(code) == 2u);
  }
}

BOOST_AUTO_TEST_CASE(a_server_that_asks_for_time_is_left_alone_for_so_long) {
  server.be({.code = 429, .fields = "Retry-After: 1\r\n", .times = 1});
  begin(pod_role::leader);
  BOOST_TEST(comes_to_say("leader", later));
  const auto asked = server.requests();
  BOOST_REQUIRE(asked.size() == 2u);
  BOOST_TEST((asked[1].at - asked[0].at >= milliseconds{1000}));
}

BOOST_AUTO_TEST_CASE(missing_rights_and_a_missing_pod_are_told_in_the_servers_own_words) {
  server.be({.code = 403});
  begin(pod_role::leader);
  BOOST_TEST(comes_to_fail("403: it was told to"));
  auto nameless = with();
  nameless.pod = "kaiku-9";
  server.be({});
  label_publisher other(nameless);
  other.want(pod_role::leader);
  BOOST_TEST(wait_until(later, [&] { return other.view().trouble == "404: pods \"kaiku-9\" not found"; }));
}

BOOST_AUTO_TEST_CASE(a_server_that_hangs_holds_nobody_up_and_what_it_does_late_is_mended) {
  begin(pod_role::follower);
  BOOST_REQUIRE(comes_to_say("follower"));
  server.be({.silent = true, .times = 1});
  label->want(pod_role::leader);
  BOOST_REQUIRE(comes_to_fail("imed out"));  // OpenSSL and libcurl write it differently
  BOOST_TEST(!label->view().is_current());
  const auto began = clock::now();
  label->want(pod_role::follower);
  BOOST_TEST(since(began).count() < 100);
  BOOST_TEST(comes_to_say("follower"));
  server.be({});  // now it does what it was asked then
  BOOST_TEST(wait_until(soon, [&] { return server.label("kaiku-0") == "leader"; }));
  BOOST_TEST(comes_to_say("follower", milliseconds{limits::settle_ms} + soon));
}

BOOST_AUTO_TEST_CASE(a_server_that_is_not_there_is_found_when_it_comes_back) {
  server.stop();
  begin(pod_role::leader);
  BOOST_TEST(comes_to_fail("127.0.0.1"));
  server.start();
  BOOST_TEST(comes_to_say("leader", milliseconds{limits::retry_most_ms} + soon));
}

BOOST_AUTO_TEST_CASE(the_token_is_shown_to_no_server_of_another_authority_or_host) {
  for (const auto& other : {made().of_a_stranger, made().of_another_host}) {
    server.stop();
    server.show(other);
    server.start();
    label.reset();
    begin(pod_role::leader);
    BOOST_TEST(comes_to_fail("certificate"), label->view().trouble);
  }
  BOOST_TEST(server.requests().empty());
  BOOST_TEST(server.label("kaiku-0") == "");
}

BOOST_AUTO_TEST_CASE(an_authority_that_was_replaced_is_read_for_the_next_connection) {
  server.stop();
  server.show(made().of_a_stranger);
  server.start();
  begin(pod_role::leader);
  BOOST_REQUIRE(comes_to_fail("certificate"));
  write("ca.crt", read_file(made().authority.file()) + read_file(made().stranger.file()));
  BOOST_TEST(comes_to_say("leader", milliseconds{limits::retry_most_ms} + soon));
}

BOOST_AUTO_TEST_CASE(an_answer_without_end_is_not_read_to_its_end) {
  server.be({.body_bytes = 8 * limits::answer_bytes});
  begin(pod_role::leader);
  BOOST_TEST(comes_to_say("leader"));
}

BOOST_AUTO_TEST_CASE(it_ends_at_once_also_while_the_server_hangs) {
  server.be({.silent = true});
  begin(pod_role::leader);
  BOOST_REQUIRE(wait_until(soon, [&] { return !label->view().is_current(); }));
  const auto began = clock::now();
  label.reset();
  BOOST_TEST(since(began).count() < 500);
}

BOOST_AUTO_TEST_CASE(it_ends_at_once_also_while_a_name_is_looked_up) {
  auto far = with();
  far.api = "https://" + std::string(slow_name) + ":6443";
  label = std::make_unique<label_publisher>(far);
  label->want(pod_role::leader);
  BOOST_REQUIRE(look_ups().comes_to_have(1));
  const auto began = clock::now();
  label.reset();
  BOOST_TEST(since(began).count() < 500);
  look_ups().release();
  BOOST_TEST(look_ups().comes_to_have(0));
}

BOOST_AUTO_TEST_SUITE_END()
