/// A cluster whose members and clients speak TLS: it works as any other, changes its certificates while it works, and
/// strangers by the thousand disturb nobody.

#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <openssl/ssl.h>
#include <boost/test/unit_test.hpp>

#include "crowd.hpp"
#include "scenario.hpp"

namespace {

using namespace kaiku::test;

constexpr const char* majority = "majority";

std::size_t count_in(const std::string& text, const std::string& what) {
  std::size_t out = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++out;
  return out;
}

/// A client that begins a connection for every request: each sees the certificates of that moment.
class busy_client {
 public:
  busy_client(const test_node& node, std::string path) {
    thread_ = std::jthread([this, &node, path = std::move(path)](const std::stop_token& stopped) {
      while (!stopped.stop_requested()) ask(node, path);
    });
  }
  std::size_t done() const { return done_; }
  /// Ends it; what failed.
  std::vector<std::string> failures() {
    thread_.request_stop();
    thread_.join();
    return failures_;
  }

 private:
  void ask(const test_node& node, const std::string& path) try {
    const auto content = std::to_string(done_);
    auto put = node.client().put(path, content, {{"Kaiku-Durability", majority}});
    auto got = node.client().get(path + "?consistency=linearizable");
    if (!put.is_success() || got.status != 200 || got.body != content)
      failures_.push_back(std::to_string(put.status) + " " + std::to_string(got.status) + " " + put.body + got.body);
    ++done_;
  } catch (const network_failure& e) {
    failures_.emplace_back(e.what());
  }

  std::atomic<std::size_t> done_{0};
  std::vector<std::string> failures_;
  std::jthread thread_;
};

/// An operator replaces the trusted authorities on every node.
void trust(test_cluster& cluster, const std::vector<std::string>& authorities) {
  join_files(authorities, cluster.authority().file());
}

/// How often each node has read its certificates, for the peer port and the clients' one.
using load_counts = std::vector<std::pair<std::size_t, std::size_t>>;

load_counts count_loads(test_cluster& cluster) {
  load_counts out;
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    const auto log = cluster.node(i).log();
    out.emplace_back(count_in(log, "tls: peer links: certificate for"), count_in(log, "tls: HTTPS: certificate for"));
  }
  return out;
}

void wait_until_reloaded(test_cluster& cluster, const load_counts& before) {
  cluster.wait_for("every node has read its certificates again", milliseconds{15'000}, [&] {
    const auto now = count_loads(cluster);
    for (std::size_t i = 0; i < now.size(); ++i)
      if (now[i].first == before[i].first || now[i].second == before[i].second) return false;
    return true;
  });
}

/// As an operator does who does not want to wait until the nodes look by themselves.
void reload(test_cluster& cluster) {
  const auto before = count_loads(cluster);
  for (std::size_t i = 0; i < cluster.size(); ++i) cluster.node(i).process().send_signal(SIGHUP);
  wait_until_reloaded(cluster, before);
}

/// A certificate and its key; names without their endings.
void copy_pair(const std::string& from, const std::string& to) {
  for (const std::string ending : {".pem", ".key"})
    std::filesystem::copy_file(from + ending, to + ending, std::filesystem::copy_options::overwrite_existing);
}

/// One that shows what nobody trusts any more.
void start_and_see_refused(test_cluster& cluster, std::size_t i) {
  auto& node = cluster.node(i);
  const auto refusals = [&](std::size_t of) { return count_in(cluster.node(of).log(), "its certificate is refused"); };
  const auto linked = count_in(node.log(), " linked");
  std::vector<std::size_t> before;
  for (std::size_t k = 0; k < cluster.size(); ++k) before.push_back(refusals(k));
  node.start();
  cluster.wait_for("the others refuse its certificate", milliseconds{10'000}, [&] {
    for (std::size_t k = 0; k < cluster.size(); ++k)
      if (k != i && refusals(k) == before[k]) return false;
    return true;
  });
  BOOST_TEST(count_in(node.log(), " linked") == linked, node.log_tail());
}

/// Those who do TLS on the peer ports and are no members. They don't look at whom they have reached.
kaiku::tls_context strangers_context(test_cluster& cluster, const certificate_files& own = {}) {
  auto out = client_context(cluster.authority().file(), own);
  SSL_CTX_set_verify(out.get(), SSL_VERIFY_NONE, nullptr);
  return out;
}

double median_of(std::vector<double> all) {
  std::sort(all.begin(), all.end());
  return all[all.size() / 2];
}

}  // namespace

BOOST_AUTO_TEST_SUITE(tls)

BOOST_AUTO_TEST_CASE(a_cluster_with_tls_everywhere_replicates_fails_over_and_takes_members_in) {
  test_cluster cluster({.tls = true});
  const auto first = cluster.wait_for_leader();
  const generated_bytes large{1, 5'000'000};
  put_or_fail(cluster.node(cluster.followers()[0]), "large", large, {{"Kaiku-Durability", "all"}});
  wait_until_everywhere(cluster, "large", large);
  cluster.node(first).kill();
  const auto second = cluster.wait_for_leader(milliseconds{10'000}, first);
  put_or_fail(cluster.node(second), "after", {2, 1000}, {{"Kaiku-Durability", majority}});
  cluster.node(first).start();
  cluster.wait_until_ready();
  cluster.add_node({second});
  cluster.wait_until_ready(milliseconds{30'000});
  wait_until_everywhere(cluster, "large", large);
  wait_until_everywhere(cluster, "after", {2, 1000});
  // Nothing is left in plain text.
  http_client plain(cluster.node(0).http());
  BOOST_TEST(plain.request("GET", "/files/after").status == 400);
}

BOOST_AUTO_TEST_CASE(all_certificates_and_the_authority_change_under_load_and_no_request_fails) {
  test_cluster cluster({.tls = true});
  cluster.wait_for_leader();
  cluster.wait_until_converged();
  const auto links = member_links(cluster);
  BOOST_TEST(links.size() == 3u);
  const auto old = cluster.authority().file() + ".old";
  std::filesystem::copy_file(cluster.authority().file(), old);
  const auto away = cluster.followers()[0];
  const auto own = (cluster.directory() / (cluster.node(away).name() + "-tls")).string();
  copy_pair(own, own + ".old");
  test_authority next(cluster.directory(), "next");
  // Clients trust both from the beginning, as theirs would be told to.
  trust(cluster, {old, next.file()});
  std::vector<std::unique_ptr<busy_client>> clients;
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    cluster.node(i).set_tls(client_context(cluster.authority().file()));
    clients.push_back(std::make_unique<busy_client>(cluster.node(i), "c" + std::to_string(i)));
  }
  const auto wait_for_requests = [&] {
    std::vector<std::size_t> done;
    for (const auto& one : clients) done.push_back(one->done());
    cluster.wait_for("every client is served", milliseconds{20'000}, [&] {
      for (std::size_t i = 0; i < clients.size(); ++i)
        if (clients[i]->done() < done[i] + 5) return false;
      return true;
    });
  };
  wait_for_requests();
  reload(cluster);
  // Found without a signal.
  const auto before = count_loads(cluster);
  for (std::size_t i = 0; i < cluster.size(); ++i)
    next.issue(cluster.node(i).name() + "-tls", cluster.certified_names(i));
  wait_until_reloaded(cluster, before);
  wait_for_requests();
  trust(cluster, {next.file()});
  reload(cluster);
  wait_for_requests();
  for (auto& one : clients)
    for (const auto& failed : one->failures()) BOOST_ERROR(failed);
  BOOST_TEST((member_links(cluster) == links), "a link between members was dropped");

  // New links, and new connections of clients, are made with the new ones alone.
  for (std::size_t i = 0; i < cluster.size(); ++i) cluster.node(i).set_tls(client_context(next.file()));
  cluster.node(away).kill();
  copy_pair(own, own + ".next");
  copy_pair(own + ".old", own);
  start_and_see_refused(cluster, away);
  cluster.node(away).kill();
  copy_pair(own + ".next", own);
  cluster.node(away).start();
  cluster.wait_until_ready();
  BOOST_CHECK_THROW(http_client(cluster.node(0).http(), milliseconds{5000}, client_context(old)).get("c0"),
                    network_failure);
}

BOOST_AUTO_TEST_CASE(a_member_whose_certificate_is_revoked_gets_no_new_link_until_it_has_another) {
  test_cluster cluster({.tls = true});
  cluster.wait_for_leader();
  cluster.wait_until_converged();
  const auto away = cluster.followers()[0];
  const auto files = (cluster.directory() / (cluster.node(away).name() + "-tls")).string();
  const auto bare = (cluster.directory() / "bare.pem").string();
  std::filesystem::copy_file(cluster.authority().file(), bare);
  cluster.authority().revoke({files + ".pem", files + ".key"});
  const auto links = member_links(cluster);
  trust(cluster, {bare, cluster.authority().list_revoked()});
  reload(cluster);
  BOOST_TEST((member_links(cluster) == links), "a link between members was dropped");
  cluster.node(away).kill();
  start_and_see_refused(cluster, away);
  for (std::size_t i = 0; i < cluster.size(); ++i)
    if (i != away) BOOST_TEST(count_in(cluster.node(i).log(), "refused: certificate revoked") > 0u);
  put_or_fail(cluster.node(cluster.wait_for_leader()), "meanwhile", {1, 1000}, {{"Kaiku-Durability", majority}});
  cluster.node(away).kill();
  cluster.authority().issue(cluster.node(away).name() + "-tls", cluster.certified_names(away));
  cluster.node(away).start();
  cluster.wait_until_ready();
  wait_until_everywhere(cluster, "meanwhile", {1, 1000});
}

/// Measured: what a client sees of its rate while strangers come to the leader, which sends the bytes to all others: a
/// thousand at once when it begins, then one every few milliseconds for those that were cut off, a third of them with
/// handshakes that the leader has to compute. Strangers, nodes and client share this machine's processors, so the loss
/// is more than what the nodes alone would have.
BOOST_AUTO_TEST_CASE(a_thousand_strangers_at_once_neither_end_a_link_nor_slow_a_transfer_between_members) {
  test_cluster cluster({.tls = true});
  test_authority theirs(cluster.directory(), "theirs");
  const auto leader = cluster.wait_for_leader();
  cluster.wait_until_converged();
  const auto links = member_links(cluster);
  const auto transfer = [&] {
    const generated_bytes bulk{3, 192u << 20};
    const auto begun = clock::now();
    for (int i = 0; i < 3; ++i) put_or_fail(cluster.node(leader), "bulk", bulk, {{"Kaiku-Durability", "all"}});
    return static_cast<double>(since(begun).count());
  };
  crowd_options options;
  options.at = cluster.node(leader).peers();
  options.bare = strangers_context(cluster);
  options.foreign = strangers_context(cluster, theirs.issue("foreign", cluster.certified_names(0)));
  const auto transfer_beside = [&] {
    crowd strangers(options);
    const auto took = transfer();
    BOOST_TEST(strangers.came() > options.at_once + 100);
    BOOST_TEST(strangers.cut_off() > options.at_once / 2);
    BOOST_TEST(strangers.handshakes() > 50u);
    return took;
  };
  transfer_beside();
  std::vector<process_usage> before;
  for (std::size_t i = 0; i < cluster.size(); ++i) before.push_back(cluster.node(i).usage());
  std::vector<double> alone, beside;
  for (int round = 0; round < 3; ++round) {
    alone.push_back(transfer());
    beside.push_back(transfer_beside());
  }
  const auto usually = median_of(alone), now = median_of(beside);
  std::cout << "  3 x 192 MiB to all members: " << usually << " ms, beside " << options.at_once << " strangers " << now
            << " ms" << std::endl;
  BOOST_TEST(now < usually / 0.8);
  BOOST_TEST((member_links(cluster) == links), "a link between members was dropped");
  BOOST_TEST(cluster.wait_for_leader() == leader);
  // Nothing of them stays.
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    cluster.wait_for("the strangers are gone", milliseconds{10'000},
                     [&] { return cluster.node(i).usage().open_files <= before[i].open_files + 5; });
    const auto after = cluster.node(i).usage().resident_bytes;
    BOOST_TEST(after < before[i].resident_bytes + (32u << 20), cluster.node(i).name());
  }
}

BOOST_AUTO_TEST_CASE(an_idle_https_connection_costs_little) {
  constexpr std::size_t count = 1000;
  test_cluster cluster({.nodes = 1, .extra = {"--http-idle-timeout-ms", "300000"}, .tls = true});
  auto& node = cluster.node(0);
  const generated_bytes content{1, 20'000};
  put_or_fail(node, "f", content);
  const auto context = client_context(cluster.authority().file());
  const auto connect = [&](std::size_t how_many) {
    std::vector<std::unique_ptr<http_client>> out;
    for (std::size_t i = 0; i < how_many; ++i) {
      out.push_back(std::make_unique<http_client>(node.http(), milliseconds{10'000}, context));
      BOOST_TEST_REQUIRE(out.back()->get("f").body.size() == content.size);
    }
    return out;
  };
  // What the process keeps for good is not taken for theirs.
  connect(20);
  const auto before = node.usage().resident_bytes;
  const auto idle = connect(count);
  const auto after = node.usage().resident_bytes;
  const auto each = after > before ? (after - before) / count : 0;
  std::cout << "  an idle HTTPS connection takes " << each << " bytes" << std::endl;
  BOOST_TEST(each < 64u * 1024);
}

BOOST_AUTO_TEST_CASE(a_node_whose_certificates_are_unusable_does_not_start_and_says_why) {
  const auto directory = make_test_directory();
  test_authority authority(directory, "authority");
  const auto good = authority.issue("good", "DNS:n1"), other = authority.issue("other", "DNS:n1");
  const auto says = [&](std::vector<std::string> extra) {
    reserved_port http, peers;
    node_options with;
    with.data = directory / "data";
    with.log = directory / "log";
    with.http.port = http.number();
    with.peers.port = peers.number();
    with.extra = std::move(extra);
    std::filesystem::remove(with.log);
    test_node node(with);
    node.start();
    BOOST_TEST(node.process().wait_for_exit(milliseconds{10'000}).value_or(-1) == 1);
    return node.log();
  };
  const auto mixed = says({"--http-tls-cert", good.certificate, "--http-tls-key", other.key});
  BOOST_TEST(count_in(mixed, "does not belong to the certificate in " + good.certificate) == 1u, mixed);
  const auto missing =
      says({"--peer-tls-cert", good.certificate, "--peer-tls-key", good.key, "--peer-tls-ca", "/none"});
  BOOST_TEST(count_in(missing, "peer links: /none: No such file") == 1u, missing);
  std::filesystem::remove_all(directory);
}

BOOST_AUTO_TEST_SUITE_END()
