/// What a cluster shows of itself: the actors of all nodes, what changes, and one request's way through them.

#include <algorithm>
#include <map>
#include <set>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "scenario.hpp"

namespace {

using namespace kaiku::test;
using nlohmann::json;

json told(test_node& node, const std::string& target) {
  const auto got = node.client().request("GET", target);
  BOOST_REQUIRE_MESSAGE(got.status == 200, target << ": " << got);
  return got.json();
}

json node_of(const json& actors, const std::string& name) {
  for (const auto& one : actors.at("nodes"))
    if (one.at("name") == name) return one;
  throw std::runtime_error("no node " + name);
}

std::set<std::string> actor_names(const json& node) {
  std::set<std::string> out;
  for (const auto& one : node.at("actors")) out.insert(one.at("name"));
  return out;
}

/// One stream of /actors, event by event.
struct event_stream {
  explicit event_stream(test_node& of) : client(of.client(milliseconds{60'000})) {
    client.send_head("GET", "/actors/stream", {});
    const auto head = client.read_head("GET");
    BOOST_REQUIRE(head.status == 200);
    BOOST_TEST(head.header("Content-Type") == "text/event-stream");
  }
  /// Name and data; comments are passed over. The name is empty at the end.
  std::pair<std::string, json> next() {
    for (;;) {
      auto end = buffer.find("\n\n");
      while (end == std::string::npos) {
        const auto piece = client.read_body_piece();
        if (piece.empty()) return {};
        buffer += piece;
        end = buffer.find("\n\n");
      }
      const auto text = buffer.substr(0, end);
      buffer.erase(0, end + 2);
      const auto data = text.find("\ndata: ");
      if (!text.starts_with("event: ") || data == std::string::npos) continue;
      return {text.substr(7, data - 7), json::parse(text.substr(data + 7))};
    }
  }
  http_client client;
  std::string buffer;
};

/// Reads events until one fits. False: the stream ended, or the time is over.
bool hears(event_stream& in, milliseconds within, const std::function<bool(const std::string&, const json&)>& fits) {
  const auto begin = clock::now();
  while (since(begin) < within) {
    const auto [name, data] = in.next();
    if (name.empty()) return false;
    if (fits(name, data)) return true;
  }
  return false;
}

std::string reason_of(const json& node) {
  return node.at("reason").is_null() ? "" : node.at("reason").get<std::string>();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(inspection)

BOOST_AUTO_TEST_CASE(any_node_tells_of_all_and_shows_a_killed_one_as_such) {
  test_cluster cluster;
  const auto leader = cluster.wait_for_leader();
  for (std::size_t i = 0; i < 3; ++i) {
    json all;
    cluster.wait_for(cluster.node(i).name() + " tells of all nodes", milliseconds{5000}, [&] {
      all = told(cluster.node(i), "/actors");
      return std::all_of(all["nodes"].begin(), all["nodes"].end(),
                         [](const auto& x) { return x["reachable"] == true; });
    });
    BOOST_TEST(all["answered_by"] == cluster.node(i).name());
    BOOST_REQUIRE(all["nodes"].size() == 3u);
    for (std::size_t k = 0; k < 3; ++k) {
      const auto one = node_of(all, cluster.node(k).name());
      BOOST_TEST((one["role"] == "leader") == (k == leader));
      BOOST_TEST(one["ready"] == true);
      for (const char* name : {"storage", "replication", "election", "heartbeat", "content", "front", "inspector"})
        BOOST_TEST(actor_names(one).contains(name), name);
    }
  }
  const auto one = told(cluster.node(0), "/actors?node=" + cluster.node(2).name());
  BOOST_TEST(one["nodes"].size() == 1u);

  // One actor of another node, with what it says of itself.
  const auto other = node_of(told(cluster.node(0), "/actors"), cluster.node(leader).name());
  for (const auto& actor : other["actors"]) {
    if (actor["name"] != "election") continue;
    const auto detail = told(cluster.node(0), "/actors/" + actor["id"].get<std::string>());
    BOOST_TEST(detail["name"] == "election");
    BOOST_TEST(!detail["messages"].empty());
  }

  const auto victim = cluster.followers().front();
  const auto asked = (victim + 1) % 3;
  const auto name = cluster.node(victim).name();
  const auto begin = clock::now();
  cluster.node(victim).kill();
  cluster.wait_for(name + " is shown as dead", milliseconds{3000},
                   [&] { return node_of(told(cluster.node(asked), "/actors"), name)["reachable"] == false; });
  check_in_time(since(begin), milliseconds{3000});
  const auto before = clock::now();
  const auto dead = node_of(told(cluster.node(asked), "/actors"), name);
  check_in_time(since(before), milliseconds{500});
  BOOST_TEST(reason_of(dead) == "not connected");
  BOOST_TEST(dead["actors"].empty());
  BOOST_TEST(dead["role"].is_null());
  const auto events = told(cluster.node(asked), "/actors/timeline")["events"];
  BOOST_TEST(std::any_of(events.begin(), events.end(),
                         [&](const auto& x) { return x["kind"] == "peer_lost" && x["text"] == name; }));
}

BOOST_AUTO_TEST_CASE(a_frozen_node_is_not_waited_for) {
  test_cluster cluster;
  const auto victim = cluster.followers().front();
  const auto asked = (victim + 1) % 3;
  cluster.wait_for("all are known", milliseconds{5000}, [&] {
    return node_of(told(cluster.node(asked), "/actors"), cluster.node(victim).name())["reachable"] == true;
  });
  cluster.node(victim).freeze();
  const auto begin = clock::now();
  const auto all = told(cluster.node(asked), "/actors");
  check_in_time(since(begin), milliseconds{1000});
  BOOST_TEST(reason_of(node_of(all, cluster.node(victim).name())) == "no answer within 500 ms");
  cluster.node(victim).thaw();
}

BOOST_AUTO_TEST_CASE(a_stream_tells_of_an_election_and_watching_ends_with_it) {
  test_cluster cluster;
  const auto leader = cluster.wait_for_leader();
  const auto asked = cluster.followers().front();
  const auto watched = [&](std::size_t i) {
    return node_of(told(cluster.node(asked), "/actors"), cluster.node(i).name())["watched"] == true;
  };
  const auto other = cluster.followers().back();
  BOOST_TEST(!watched(other));
  {
    event_stream in(cluster.node(asked));
    const auto [name, data] = in.next();
    BOOST_TEST(name == "state");
    BOOST_TEST(data["nodes"].size() == 3u);
    put_or_fail(cluster.node(asked), "f", {1, 1000});
    // What goes from one node's actor to another's, and how long it took.
    BOOST_TEST(hears(in, milliseconds{5000}, [&](const auto& kind, const auto& x) {
      return kind == "change" && std::any_of(x["flows"].begin(), x["flows"].end(), [&](const auto& flow) {
               const std::string from = flow["from"], to = flow["to"];
               return from.substr(0, from.find(':')) != to.substr(0, to.find(':'));
             });
    }));
    BOOST_TEST(watched(other));
    const auto began = clock::now();
    cluster.node(leader).kill();
    BOOST_TEST(hears(in, milliseconds{5000}, [&](const auto& kind, const auto& x) {
      return kind == "timeline" && (x["kind"] == "election_won" || x["kind"] == "leader_changed");
    }));
    check_in_time(since(began), milliseconds{3000});
  }
  cluster.wait_for("watching ends by itself", milliseconds{8000}, [&] { return !watched(asked) && !watched(other); });
}

BOOST_AUTO_TEST_CASE(an_open_stream_does_not_keep_a_node_from_ending) {
  test_cluster cluster{{.nodes = 1}};
  event_stream in(cluster.node(0));
  BOOST_TEST(in.next().first == "state");
  const auto begin = clock::now();
  BOOST_TEST((cluster.node(0).terminate(milliseconds{9000}) == 0));
  check_in_time(since(begin), milliseconds{5000});
}

BOOST_AUTO_TEST_CASE(a_traced_write_shows_its_way_through_both_nodes_and_disks) {
  test_cluster cluster;
  const auto leader = cluster.wait_for_leader();
  const auto follower = cluster.followers().front();
  const auto here = cluster.node(follower).name(), there = cluster.node(leader).name();
  cluster.wait_for("all are known", milliseconds{5000},
                   [&] { return node_of(told(cluster.node(follower), "/actors"), there)["reachable"] == true; });
  const std::string above = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const std::string secret = "s3cr3t-bytes";
  event_stream in(cluster.node(follower));  // while it is open messages are kept
  BOOST_TEST(in.next().first == "state");
  cluster.wait_for("all are watched", milliseconds{5000}, [&] {
    const auto all = told(cluster.node(follower), "/actors");
    return std::all_of(all["nodes"].begin(), all["nodes"].end(), [](const auto& x) { return x["watched"] == true; });
  });
  const auto answer = cluster.node(follower).client().put("traced", secret,
                                                          {{"Kaiku-Trace", "1"},
                                                           {"Kaiku-Durability", "all"},
                                                           {"Kaiku-Meta-Note", secret},
                                                           {"Content-Type", "text/x-" + secret},
                                                           {"traceparent", above}});
  BOOST_REQUIRE(answer.is_success());
  const auto id = answer.header("Kaiku-Trace");
  BOOST_TEST(id == "0af7651916cd43dd8448eb211c80319c");
  BOOST_TEST(answer.header("traceparent").starts_with("00-" + id + "-"));

  json trace;
  const auto has = [&](const std::string& node, const std::string& name, const std::string& what) {
    return std::any_of(trace["spans"].begin(), trace["spans"].end(),
                       [&](const auto& x) { return x["node"] == node && x["name"] == name && x["what"] == what; });
  };
  cluster.wait_for("both disks have told", milliseconds{5000}, [&] {
    trace = told(cluster.node(follower), "/actors/trace/" + id);
    return has(there, "storage", "fsync") && has(here, "storage", "fsync");
  });
  BOOST_TEST(trace["complete"] == true);
  BOOST_TEST(has(here, "session", "PUT /files/traced"));
  BOOST_TEST(has(here, "front", "write_request"));
  BOOST_TEST(has(there, "replication", "write_request"));
  BOOST_TEST(has(there, "storage", "propose"));
  BOOST_TEST(has(here, "replication", "append_entries"));
  BOOST_TEST(has(here, "storage", "append"));
  BOOST_TEST(has(there, "replication", "append_reply"));

  // All hangs together below the session, and that below the caller.
  std::map<std::string, std::string> parents;
  std::string root;
  for (const auto& one : trace["spans"]) {
    parents[one["id"]] = one["parent"].is_null() ? "" : one["parent"].template get<std::string>();
    if (one["name"] == "session") root = one["id"];
  }
  BOOST_TEST(parents.at(root) == "b7ad6b7169203331");
  for (const auto& one : trace["spans"]) {
    std::string at = one["id"];
    while (at != root && parents.contains(at)) at = parents.at(at);
    BOOST_TEST(at == root, one.dump());
  }
  // The content and what goes with it are nowhere: not in the steps, not in what is kept of messages, not in the
  // stream.
  BOOST_TEST(trace.dump().find(secret) == std::string::npos);
  BOOST_TEST(hears(in, milliseconds{5000}, [&](const auto& kind, const auto& x) {
    BOOST_TEST(x.dump().find(secret) == std::string::npos);
    return kind == "change" && !x["flows"].empty();
  }));
  std::size_t kept = 0;
  const auto all = told(cluster.node(follower), "/actors");
  for (const auto& node : all["nodes"])
    for (const auto& actor : node["actors"]) {
      const auto detail = told(cluster.node(follower), "/actors/" + actor["id"].template get<std::string>());
      BOOST_TEST(detail.dump().find(secret) == std::string::npos, actor["id"]);
      kept += detail["recent"].size();
    }
  BOOST_TEST(kept > 0u);
  const auto roots = told(cluster.node(follower), "/actors/traces")["traces"];
  BOOST_REQUIRE(!roots.empty());
  BOOST_TEST(roots[0]["id"] == id);
  BOOST_TEST(cluster.node(0).client().request("GET", "/actors/trace/" + std::string(32, 'a')).status == 404);
  BOOST_TEST(!cluster.node(0).client().get("traced").has_header("Kaiku-Trace"));
  BOOST_TEST(cluster.node(0).client().get("traced", {{"Kaiku-Trace", "yes"}}).status == 400);
}

BOOST_AUTO_TEST_SUITE_END()
