/// Three real nodes, each in a pod of an API server of the test's own: every pod's label says what its node is, and
/// whatever that server does, nobody waits for it.

#include <algorithm>
#include <atomic>
#include <fstream>
#include <mutex>
#include <thread>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "kaiku/kubernetes/limits.hpp"
#include "support/count_in.hpp"
#include "support/kubernetes_api.hpp"
#include "support/temporary_directory.hpp"
#include "support/test_node.hpp"

namespace {

using namespace kaiku::test;
namespace bounds = kaiku::kubernetes::limits;

constexpr std::size_t nodes = 3;
constexpr milliseconds label_bound{2000};
constexpr milliseconds back_bound{bounds::retry_most_ms + bounds::request_timeout_ms + 2000};
constexpr const char* token = "header.payload.signature-that-no-log-shows";

class pods {
 public:
  pods() : server(own) {
    std::ofstream(directory_ / "namespace") << "files";
    std::ofstream(directory_ / "token") << token << '\n';
    std::filesystem::copy_file(authority_.file(), directory_ / "ca.crt");
    server.accept_token(token);
    std::string members;
    for (std::size_t i = 0; i < nodes; ++i)
      members += (i == 0 ? "n" : ",n") + std::to_string(i + 1) + "=127.0.0.1:" + std::to_string(peers_[i].number());
    for (std::size_t i = 0; i < nodes; ++i) {
      node_options one;
      one.name = "n" + std::to_string(i + 1);
      one.data = directory_ / one.name;
      one.log = directory_ / (one.name + ".log");
      one.http = {"127.0.0.1", http_[i].number()};
      one.peers = {"127.0.0.1", peers_[i].number()};
      one.cluster = members;
      one.extra = {"--kubernetes-labels",          "--kubernetes-pod",        pod(i), "--kubernetes-api", server.url(),
                   "--kubernetes-service-account", directory_.path().string()};
      server.add_pod(pod(i));
      all_.push_back(std::make_unique<test_node>(one));
      all_.back()->start();
    }
    for (auto& one : all_) one->wait_until_ready(milliseconds{15'000});
  }

  static std::string pod(std::size_t i) { return "kaiku-" + std::to_string(i); }
  test_node& node(std::size_t i) { return *all_.at(i); }
  std::string label(std::size_t i) const { return server.label(pod(i)); }
  /// A certificate for the API server that the nodes have no reason to trust.
  certificate_files strangers() const {
    return test_authority(directory_.path(), "stranger").issue("other", "IP:127.0.0.1");
  }

  /// Of the nodes that are up, in the highest term.
  std::optional<std::size_t> leader() const {
    std::optional<std::size_t> out;
    std::uint64_t term = 0;
    for (std::size_t i = 0; i < nodes; ++i) {
      const auto now = all_[i]->is_up() ? all_[i]->status() : std::nullopt;
      if (!now || !now->leads || now->term < term) continue;
      out = i;
      term = now->term;
    }
    return out;
  }
  std::size_t wait_for_leader(std::optional<std::size_t> except = std::nullopt) {
    std::optional<std::size_t> found;
    const bool there = wait_until(milliseconds{10'000}, [&] {
      found = leader();
      return found && found != except;
    });
    BOOST_TEST_REQUIRE(there, "no leader; " << logs());
    return *found;
  }
  /// From now on the leader's pod says so, and the pods of the others that are up say follower.
  void check_labels(const std::string& when, milliseconds bound = label_bound) {
    const auto began = clock::now();
    const auto leads = wait_for_leader();
    const bool right = wait_until(bound, [&] {
      for (std::size_t i = 0; i < nodes; ++i)
        if (all_[i]->is_up() && label(i) != (i == leads ? "leader" : "follower")) return false;
      return true;
    });
    BOOST_TEST_MESSAGE(when << ": " << since(began).count() << " ms");
    BOOST_TEST(right, when << ": labels are " << label(0) << ' ' << label(1) << ' ' << label(2) << ", "
                           << all_[leads]->name() << " leads; " << logs());
  }
  /// Another node leads when it returns.
  std::size_t hand_over() {
    const auto from = wait_for_leader();
    const auto to = (from + 1) % nodes;
    const nlohmann::json body{{"id", node(to).name()}};
    const auto answer = node(from)
                            .client(milliseconds{20'000})
                            .request("POST", "/cluster/leader", {{"Content-Type", "application/json"}}, body.dump());
    BOOST_TEST_REQUIRE(answer.status == 200, answer << logs());
    return wait_for_leader(from);
  }
  std::string logs() const {
    std::string out;
    for (const auto& one : all_) out += "\n" + one->name() + ":\n" + one->log_tail();
    return out;
  }

 private:
  temporary_directory directory_;
  test_authority authority_{directory_.path(), "cluster"};
  reserved_port http_[nodes], peers_[nodes];

 public:
  const certificate_files own = authority_.issue("server", "IP:127.0.0.1");
  kubernetes_api server;

 private:
  std::vector<std::unique_ptr<test_node>> all_;
};

/// Writes one small file after the other through every node, all the time.
class writer {
 public:
  explicit writer(pods& to) {
    thread_ = std::jthread([this, &to](const std::stop_token& stopped) {
      for (std::size_t i = 0; !stopped.stop_requested(); ++i) write(to.node(i % nodes), i);
    });
  }
  std::size_t written() const { return written_; }
  /// How many in a second, measured over `window`.
  double rate(milliseconds window) const {
    const auto before = written();
    const auto began = clock::now();
    wait_until(window, [] { return false; });
    return static_cast<double>(written() - before) * 1000 / static_cast<double>(since(began).count());
  }
  /// All that failed, a line each.
  std::string failures() const {
    const std::lock_guard lock(mutex_);
    return failures_;
  }

 private:
  void write(const test_node& to, std::size_t i) try {
    const auto put =
        to.client().put("w" + std::to_string(i % 100), std::to_string(i), {{"Kaiku-Durability", "majority"}});
    // While leadership goes from one to the other a client may be told to come again.
    if (!put.is_success() && put.status != 503) note(std::to_string(put.status) + " " + put.body);
    ++written_;
  } catch (const network_failure& e) {
    note(e.what());
  }
  void note(const std::string& what) {
    const std::lock_guard lock(mutex_);
    failures_ += what + '\n';
  }

  std::atomic<std::size_t> written_{0};
  mutable std::mutex mutex_;
  std::string failures_;
  std::jthread thread_;
};

double figure(const test_node& of, const std::string& name) {
  const auto text = of.client().request("GET", "/metrics").body;
  const auto at = text.find("\n" + name + " ");
  return at == std::string::npos ? -1 : std::stod(text.substr(at + name.size() + 2));
}

/// Every write tells it something: were it held up, they would pile up.
double orchestrator_queue(const test_node& of) {
  return figure(of, R"(kaiku_actor_queue_messages{actor="orchestrator"})");
}

bool shows_orchestrator(const test_node& of, const std::string& state) {
  const auto document = of.client().request("GET", "/actors?node=" + of.name()).json();
  for (const auto& one : document.at("nodes").at(0).at("actors"))
    if (one.at("name") == "orchestrator") return one.at("state") == state;
  return false;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(labels)

BOOST_AUTO_TEST_CASE(a_pods_label_is_right_within_two_seconds_of_every_change_of_role) {
  pods all;
  all.check_labels("start");
  const auto handed_to = all.hand_over();
  all.check_labels("handover");
  BOOST_TEST(figure(all.node(handed_to), "kaiku_pod_label_current") == 1);
  BOOST_TEST(figure(all.node(handed_to), "kaiku_pod_label_changes_total") >= 2);
  BOOST_TEST(figure(all.node(handed_to), R"(kaiku_kubernetes_requests_total{code="200"})") >= 2);
  BOOST_TEST(wait_until(milliseconds{10'000},
                        [&] { return shows_orchestrator(all.node(handed_to), "the pod's label says leader"); }));

  BOOST_TEST(all.node(handed_to).terminate(milliseconds{10'000}).value_or(-1) == 0);
  BOOST_TEST(all.label(handed_to) == "follower", "a leader that ends steps down first; " << all.logs());
  all.check_labels("end of the leader");
  all.node(handed_to).start();
  all.node(handed_to).wait_until_ready(milliseconds{15'000});

  const auto killed = all.wait_for_leader();
  all.node(killed).kill();
  const auto next = all.wait_for_leader(killed);
  all.check_labels("kill -9 of the leader");
  BOOST_TEST(all.label(killed) == "leader");  // nobody is left there to say otherwise
  all.node(killed).start();
  all.node(killed).wait_until_ready(milliseconds{15'000});
  all.check_labels("the killed one is back");

  all.node(next).freeze();
  all.wait_for_leader(next);
  all.node(next).thaw();
  BOOST_TEST(wait_until(milliseconds{10'000}, [&] {
    const auto now = all.node(next).status();
    return now && !now->leads;
  }));
  all.check_labels("a leader that hung");

  for (std::size_t i = 0; i < nodes; ++i) {
    BOOST_TEST(count_in(all.node(i).log(), "can't be written") == 0u, all.logs());
    BOOST_TEST(count_in(all.node(i).log(), token) == 0u);
  }
}

BOOST_AUTO_TEST_CASE(a_node_writes_on_at_its_pace_whatever_the_api_server_does) {
  pods all;
  all.check_labels("start");
  writer busy(all);
  BOOST_TEST_REQUIRE(wait_until(milliseconds{10'000}, [&] { return busy.written() > 50; }));
  const auto calm = busy.rate(milliseconds{1000});
  const auto strangers = all.strangers();

  const auto trouble = [&](const std::string& what, const std::function<void()>& begins,
                           const std::function<void()>& ends, milliseconds bound) {
    begins();
    all.hand_over();
    const auto during = busy.rate(milliseconds{500});
    BOOST_TEST_MESSAGE(what << ": " << during << " writes in a second, " << calm << " without");
    // A node that waited would write nothing at all; a busy machine alone can slow it several times.
    BOOST_TEST(during > calm / 10, what << ": " << during << " writes in a second, " << calm << " without");
    for (std::size_t i = 0; i < nodes; ++i)
      BOOST_TEST(wait_until(milliseconds{1000}, [&] { return orchestrator_queue(all.node(i)) < 10; }), what);
    ends();
    all.check_labels(what, bound);
  };
  const auto mood = [&](api_mood x) { return [&all, x] { all.server.be(x); }; };
  const auto well = mood({});
  trouble(
      "slow", mood({.delay = milliseconds{700}}), [] {}, label_bound - milliseconds{500});
  trouble("500", mood({.code = 500}), well, back_bound);
  trouble("conflicts", mood({.code = 409}), well, back_bound);
  trouble("hangs", mood({.silent = true}), well, back_bound);
  trouble(
      "expired token", [&] { all.server.accept_token("another"); }, [&] { all.server.accept_token(token); },
      back_bound);
  trouble(
      "gone", [&] { all.server.stop(); }, [&] { all.server.start(); }, back_bound);
  const auto asked = all.server.requests().size();
  const auto with_certificate = [&](const certificate_files& shown) {
    all.server.stop();
    all.server.show(shown);
    all.server.start();
  };
  trouble(
      "a stranger in its place", [&] { with_certificate(strangers); },
      [&] {
        BOOST_TEST(all.server.requests().size() == asked);
        with_certificate(all.own);
      },
      back_bound);
  BOOST_TEST(busy.failures() == "");
}

BOOST_AUTO_TEST_CASE(a_stale_label_leads_to_a_node_that_passes_writes_on) {
  pods all;
  all.check_labels("start");
  all.server.be({.code = 403});
  const auto former = all.wait_for_leader();
  const auto now = all.hand_over();
  BOOST_TEST(all.label(former) == "leader");
  BOOST_TEST(all.label(now) == "follower");
  BOOST_TEST(all.node(former).client().put("f", "x", {{"Kaiku-Durability", "majority"}}).is_success());
  BOOST_TEST(all.node(now).client().get("f").body == "x");
  BOOST_TEST(wait_until(label_bound, [&] { return count_in(all.node(now).log(), "can't be written: 403") == 1; }));
  BOOST_TEST(figure(all.node(now), "kaiku_pod_label_current") == 0);
  all.server.be({});
  all.check_labels("rights are given", back_bound);
  BOOST_TEST(wait_until(label_bound, [&] { return count_in(all.node(now).log(), "can be written again") == 1; }));
}

BOOST_AUTO_TEST_SUITE_END()
