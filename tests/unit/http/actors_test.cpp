// /actors: what is told of a node in memory, and the stream of what changes.

#include <algorithm>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "http_fixture.hpp"
#include "kaiku/messages/trace.hpp"
#include "schemas.hpp"

namespace kaiku::test {
namespace {

using nlohmann::json;

actor_report some_actor(std::uint64_t number, std::string name) {
  actor_report x;
  x.number = {number};
  x.name = std::move(name);
  x.processed = x.received = 7;
  return x;
}

struct actors_fixture : http_fixture {
  actors_fixture() {
    node.reported.answered_by = {"n1"};
    node.reported.at = {784'111'777'000};
    node.reported.members.resize(2);
    auto& first = node.reported.members[0];
    first.id = {"n1"};
    first.reachable = true;
    first.said.facts.now = role::leader;
    first.said.facts.leader = {"n1"};
    first.said.facts.version = "1.2.3";
    first.said.actors = {some_actor(3, "storage"), some_actor(9, "replication")};
    first.said.actors[1].parent = {3};
    first.said.actors[1].took = {true, 1, 2, 3};
    first.said.actors[1].busy_ppm = 12'000;
    auto& second = node.reported.members[1];
    second.id = {"n2"};
    second.reason = "not connected";
  }

  json document(std::string_view target) {
    raw_http client(port());
    const auto got = client.ask("GET", target);
    BOOST_REQUIRE(got.status == 200);
    return json::parse(got.body);
  }
};

trace_report some_trace(const trace_id& id) {
  trace_report x;
  x.id = id;
  x.over = true;
  trace_span step;
  step.id = {1};
  step.name = "session";
  step.what = "PUT /files/f";
  step.kind = span_kind::request;
  x.spans.push_back({{"n1"}, step});
  step.id = {2};
  step.parent = {1};
  step.actor = {3};
  step.kind = span_kind::sync;
  step.waited_us = 7;
  step.note = "durable at 1:1";
  x.spans.push_back({{"n2"}, step});
  x.unreachable = {{"n3"}};
  return x;
}

/// The events of a stream, one after the other.
struct event_reader {
  explicit event_reader(std::uint16_t port) : client(port) {
    client.request("GET", "/actors/stream");
    head = client.read(true);
  }
  /// Name and data; empty at the end.
  std::pair<std::string, json> next() {
    std::string event, data;
    for (auto line = client.read_line(); line; line = client.read_line()) {
      if (line->empty()) return {event, data.empty() ? json() : json::parse(data)};
      if (line->starts_with("event: ")) event = line->substr(7);
      if (line->starts_with("data: ")) data = line->substr(6);
    }
    return {};
  }
  raw_http client;
  raw_answer head;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(http_actors, actors_fixture)

BOOST_AUTO_TEST_CASE(all_nodes_are_told_with_their_actors) {
  const auto told = document("/actors");
  BOOST_TEST(told["at"] == "1994-11-06T08:49:37.000Z");
  BOOST_TEST(told["answered_by"] == "n1");
  BOOST_REQUIRE(told["nodes"].size() == 2u);
  const auto& first = told["nodes"][0];
  BOOST_TEST(first["name"] == "n1");
  BOOST_TEST(first["role"] == "leader");
  BOOST_TEST(first["ready"] == true);
  BOOST_TEST(first["redis"].is_null());
  BOOST_REQUIRE(first["actors"].size() == 2u);
  const auto& actor = first["actors"][1];
  BOOST_TEST(actor["id"] == "n1:9");
  BOOST_TEST(actor["parent"] == "n1:3");
  BOOST_TEST(actor["busy"] == 0.012);
  BOOST_TEST(actor["took_us"]["p99"] == 2);
  BOOST_TEST(first["actors"][0]["took_us"].is_null());
  BOOST_TEST(first["actors"][0]["state"].is_null());
}

BOOST_AUTO_TEST_CASE(a_node_that_does_not_answer_has_nothing_but_its_name_and_why) {
  const auto told = document("/actors")["nodes"][1];
  BOOST_TEST(told["reachable"] == false);
  BOOST_TEST(told["reason"] == "not connected");
  BOOST_TEST(told["actors"].empty());
  for (const char* name : {"role", "term", "applied", "ready", "version", "watched", "requests"})
    BOOST_TEST(told.at(name).is_null(), name);
}

BOOST_AUTO_TEST_CASE(one_node_may_be_asked_for) {
  BOOST_TEST(document("/actors?node=n2")["nodes"].size() == 1u);
  raw_http client(port());
  BOOST_TEST(client.ask("GET", "/actors?node=n9").status == 404);
  BOOST_TEST(client.ask("GET", "/actors?node=UPPER").status == 400);
  BOOST_TEST(client.ask("GET", "/actors?nodes=n1").status == 400);
}

BOOST_AUTO_TEST_CASE(one_actor_is_told_with_its_messages_and_history) {
  node.detailed.types = {{"propose", 5, 1500, {}}};
  node.detailed.recent = {{{784'111'777'000}, "propose", {"n1"}, {9}, "1 in term 2", {}, 40}};
  node.detailed.history = {{784'111'777'000}, {2000, 3000}, {0, 1}, {figure{}, figure{500'000}}};
  for (const char* target : {"/actors/n1:3", "/actors/n1%3A3"}) {
    const auto told = document(target);
    BOOST_TEST(told["name"] == "storage");
    BOOST_TEST(told["messages"][0]["per_second"] == 1.5);
    BOOST_TEST(told["recent"][0]["from"] == "n1:9");
    BOOST_TEST(told["recent"][0]["waited_us"].is_null());
    BOOST_TEST(told["recent"][0]["took_us"] == 40);
    BOOST_TEST(told["history"]["per_second"] == json::parse("[2.0,3.0]"));
    BOOST_TEST(told["history"]["busy"] == json::parse("[null,0.5]"));
  }
  raw_http client(port());
  for (const char* target : {"/actors/n1:4", "/actors/n9:3", "/actors/n1:", "/actors/n1:3x", "/actors/n1", "/actors/:3",
                             "/actors/n1:99999999999999999999"})
    BOOST_TEST(client.ask("GET", target).status == 404, target);
}

BOOST_AUTO_TEST_CASE(the_timeline_is_told_by_pages) {
  for (std::uint64_t i = 1; i <= 5; ++i)
    node.happened.events.push_back({{i * 1'000'000}, {"n1"}, event_kind::peer_lost, "n" + std::to_string(i)});
  node.happened.unreachable = {{"n7"}};
  const auto last = document("/actors/timeline?limit=2");
  BOOST_TEST(last["unreachable"] == json::parse(R"(["n7"])"));
  BOOST_REQUIRE(last["events"].size() == 2u);
  BOOST_TEST(last["events"][0]["text"] == "n4");
  BOOST_TEST(last["events"][0]["at"] == "1970-01-01T00:00:04.000Z");
  const auto page = document("/actors/timeline?limit=2&after=1000000");
  BOOST_TEST(page["events"][0]["text"] == "n2");
  BOOST_TEST(page["events"][1]["kind"] == "peer_lost");
  const auto rest = document("/actors/timeline?after=" + page["next"].get<std::string>());
  BOOST_REQUIRE(rest["events"].size() == 2u);
  BOOST_TEST(rest["events"][0]["text"] == "n4");
  raw_http client(port());
  BOOST_TEST(client.ask("GET", "/actors/timeline?limit=0").status == 400);
}

BOOST_AUTO_TEST_CASE(a_stream_begins_with_everything_and_goes_on_with_what_changes) {
  node.before_beat = [beats = 0](cluster_report& x) mutable {
    ++beats;
    if (beats == 3) x.members[0].said.actors[0].processed = 8;
    if (beats == 5) x.members[0].said.actors.pop_back();
    if (beats == 7) {
      x.members[0].said.facts.in_term = {9};
      x.events.push_back({1, {{1'000'000}, {"n1"}, event_kind::election_won, "leads term 9"}});
    }
  };
  event_reader in(port());
  BOOST_TEST(in.head.status == 200);
  BOOST_TEST(in.head.header("Content-Type") == "text/event-stream");
  BOOST_TEST(in.head.closes());
  auto [name, data] = in.next();
  BOOST_TEST(name == "state");
  BOOST_TEST(data["nodes"].size() == 2u);

  std::tie(name, data) = in.next();
  BOOST_TEST(name == "change");
  BOOST_TEST(data["nodes"].empty());
  BOOST_REQUIRE(data["actors"].size() == 1u);
  BOOST_TEST(data["actors"][0]["id"] == "n1:3");
  BOOST_TEST(data["actors"][0]["processed"] == 8);

  std::tie(name, data) = in.next();
  BOOST_TEST(data["actors"].empty());
  BOOST_TEST(data["gone"] == json::parse(R"(["n1:9"])"));

  std::tie(name, data) = in.next();
  BOOST_TEST(name == "change");
  BOOST_REQUIRE(data["nodes"].size() == 1u);
  BOOST_TEST(data["nodes"][0]["term"] == 9);
  BOOST_TEST(!data["nodes"][0].contains("actors"));
  std::tie(name, data) = in.next();
  BOOST_TEST(name == "timeline");
  BOOST_TEST(data["kind"] == "election_won");
}

BOOST_AUTO_TEST_CASE(a_node_that_is_no_member_any_more_is_gone_once) {
  node.before_beat = [beats = 0](cluster_report& x) mutable {
    ++beats;
    if (beats == 3) x.members.erase(x.members.begin());
    if (beats == 5) x.members[0].reason = "refused";
  };
  event_reader in(port());
  BOOST_TEST(in.next().second["nodes"].size() == 2u);
  auto gone = in.next().second["gone"];
  std::sort(gone.begin(), gone.end());
  BOOST_TEST(gone == json::parse(R"(["n1","n1:3","n1:9"])"));
  const auto [name, data] = in.next();
  BOOST_TEST(data["nodes"][0]["name"] == "n2");
  BOOST_TEST(data["gone"].empty());
}

BOOST_AUTO_TEST_CASE(a_stream_tells_messages_since_it_told_of_them_last) {
  node.before_beat = [beats = 0](cluster_report& x) mutable {
    if (++beats == 1) x.members[0].said.flows = {{{"n2"}, {4}, {3}, 10}};
    if (beats == 3) x.members[0].said.flows[0].count = 15;
    if (beats == 5) x.members[0].said.flows[0].count = 2;  // counted anew
  };
  event_reader in(port());
  BOOST_TEST(in.next().first == "state");
  BOOST_TEST(in.next().second["flows"] == json::parse(R"([{"from":"n2:4","to":"n1:3","count":5}])"));
  BOOST_TEST(in.next().second["flows"][0]["count"] == 2);
}

BOOST_AUTO_TEST_CASE(a_stream_that_missed_much_begins_anew) {
  node.before_beat = [beats = 0](cluster_report& x) mutable {
    if (++beats == 2) x.beat += 100;
  };
  event_reader in(port());
  BOOST_TEST(in.next().first == "state");
  BOOST_TEST(in.next().first == "state");
}

BOOST_AUTO_TEST_CASE(contact_that_is_fresh_and_bytes_that_hardly_differ_are_no_change) {
  node.before_beat = [beats = 0](cluster_report& x) mutable {
    ++beats;
    auto& facts = x.members[0].said.facts;
    facts.leader_contact_ms = static_cast<std::uint64_t>(beats);
    facts.free_bytes = {static_cast<std::uint64_t>(beats) * 1000};
    if (beats == 5) facts.leader_contact_ms = 2500;
  };
  event_reader in(port());
  BOOST_TEST(in.next().first == "state");
  BOOST_TEST(in.next().second["nodes"][0]["leader_contact_ms"] == 2500);
}

BOOST_AUTO_TEST_CASE(what_is_told_is_what_the_openapi_document_says_of_it) {
  const described_schemas described(document("/openapi.json"));
  const auto is_described = [&](const std::string& schema, const json& value) {
    for (const auto& one : described.complaints_of(schema, value)) BOOST_ERROR(schema << one);
  };
  // Every figure that may be known, and each that may not.
  auto& actor = node.reported.members[0].said.actors[1];
  actor.oldest_ms = 5;
  actor.state = "leader";
  auto& facts = node.reported.members[0].said.facts;
  facts.http = "h:1";
  facts.redis = "current";
  facts.leader_contact_ms = 5;
  facts.started = facts.last_election = {784'111'777'000};
  facts.not_ready_reason = "catches up";
  is_described("Actors", document("/actors"));

  node.detailed.types = {{"propose", 5, 1500, {true, 1, 2, 3}}, {"heartbeat", 1, 0, {}}};
  node.detailed.recent = {{{784'111'777'000}, "propose", {"n1"}, {9}, "1 in term 2", {}, 40},
                          {{784'111'777'000}, "heartbeat", {}, {}, "", 3, {}}};
  node.detailed.history = {{784'111'777'000}, {2000, 3000}, {0, 1}, {figure{}, figure{500'000}}};
  is_described("ActorDetail", document("/actors/n1:3"));

  const auto kinds = described.document()["components"]["schemas"]["Event"]["properties"]["kind"]["enum"];
  BOOST_TEST(kinds.size() == static_cast<std::size_t>(last_event_kind) + 1);
  for (std::uint64_t i = 0; i <= static_cast<std::uint64_t>(last_event_kind); ++i)
    node.happened.events.push_back({{i * 1'000'000}, {"n1"}, static_cast<event_kind>(i), "text"});
  node.happened.unreachable = {{"n7"}};
  is_described("Timeline", document("/actors/timeline"));
  node.traced = some_trace(new_trace());
  is_described("Trace", document("/actors/trace/" + to_string(node.traced.id)));
}

BOOST_AUTO_TEST_CASE(every_event_of_a_stream_is_what_the_openapi_document_says_of_it) {
  node.before_beat = [beats = 0](cluster_report& x) mutable {
    auto& first = x.members[0].said;
    if (++beats == 1) first.flows = {{{"n2"}, {4}, {3}, 10}};
    if (beats == 3) {
      first.facts.in_term = {9};
      first.flows[0].count = 15;
      first.actors.front().processed = 8;
      first.actors.pop_back();
      x.events.push_back({1, {{1'000'000}, {"n1"}, event_kind::election_won, "leads term 9"}});
    }
  };
  const described_schemas described(document("/openapi.json"));
  const auto events =
      described
          .document()["paths"]["/actors/stream"]["get"]["responses"]["200"]["content"]["text/event-stream"]["x-events"];
  BOOST_TEST(events.size() == 3u);
  event_reader in(port());
  for (const char* expected : {"state", "change", "timeline"}) {
    const auto [name, data] = in.next();
    BOOST_TEST(name == expected);
    if (name == "change")
      for (const char* list : {"nodes", "actors", "gone", "flows"}) BOOST_TEST(data.at(list).size() == 1u, list);
    for (const auto& one : described.complaints(events.at(name), data)) BOOST_ERROR(name << one);
  }
}

BOOST_AUTO_TEST_CASE(a_schema_complains_of_what_is_missing_wrong_or_not_described) {
  const described_schemas described(document("/openapi.json"));
  const json flow{{"from", "n1:1"}, {"to", "n1:2"}, {"count", 3}};
  BOOST_TEST(described.complaints_of("Flow", flow).empty());
  for (const auto& change : {R"({"count":null})", R"({"count":0})", R"({"from":3})", R"({"more":1})"}) {
    auto other = flow;
    other.update(json::parse(change));
    BOOST_TEST(described.complaints_of("Flow", other).size() == 1u, change);
  }
  auto less = document("/actors");
  less["nodes"][0].erase("term");
  less["nodes"][0]["role"] = "king";
  less["nodes"][1].erase("actors");
  BOOST_TEST(described.complaints_of("Actors", less).size() == 3u);
}

BOOST_AUTO_TEST_CASE(there_are_no_more_streams_than_a_node_serves) {
  std::vector<std::unique_ptr<event_reader>> all;
  for (std::size_t i = 0; i < limits::watch_streams; ++i) {
    all.push_back(std::make_unique<event_reader>(port()));
    BOOST_TEST(all.back()->head.status == 200);
  }
  raw_http one_more(port());
  BOOST_TEST(one_more.ask("GET", "/actors/stream").status == 503);
  const auto gone = all.back()->client.at_end();
  BOOST_TEST(!gone);
}

BOOST_AUTO_TEST_CASE(streams_end_when_the_server_stops) {
  event_reader in(port());
  BOOST_TEST(in.next().first == "state");
  server->drain();
  while (!in.next().first.empty()) {
  }
  BOOST_TEST(eventually([&] { return server->open_requests() == 0; }));
}

BOOST_AUTO_TEST_CASE(a_stream_ends_when_its_node_has_nothing_to_tell) {
  node.fail_question = errc::overloaded;
  event_reader in(port());
  BOOST_TEST(in.head.status == 200);
  BOOST_TEST(in.next().first.empty());
}

BOOST_AUTO_TEST_CASE(only_the_header_of_a_stream_may_be_asked_for) {
  raw_http client(port());
  BOOST_TEST(client.ask("HEAD", "/actors/stream").status == 200);
  BOOST_TEST(client.at_end());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace kaiku::test
