// When a write is answered, and when it is not: durability, group commit, bounds.

#include "fixture.hpp"

namespace kaiku::test {

BOOST_AUTO_TEST_SUITE(writes)

namespace {

cluster_settings slow_disks(std::size_t nodes) {
  auto settings = with_nodes(nodes);
  settings.disk_delay = microseconds{20'000};
  return settings;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_leader_write_is_answered_after_the_leaders_sync_and_before_any_follower_answers) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  nodes.cut_off(first);
  const auto syncs = nodes.disk(first).counters().syncs;
  auto written = nodes.put(first, "a", "hello");

  auto* storage =
      dynamic_cast<caf::resumable*>(caf::actor_cast<caf::abstract_actor*>(nodes.node(first).actors.storage));
  BOOST_REQUIRE(storage != nullptr);
  nodes.scheduler().run_jobs_filtered([&](caf::resumable* job) { return job != storage; });
  BOOST_TEST(!written->reply);
  BOOST_TEST(nodes.disk(first).counters().syncs == syncs);

  nodes.settle();
  BOOST_REQUIRE(recorded(written));
  BOOST_TEST(nodes.disk(first).counters().syncs == syncs + 1);
  BOOST_CHECK(written->reply->achieved == durability::leader);
  BOOST_TEST(written->reply->holders == 1u);
  BOOST_TEST(written->reply->voters == 3u);
  BOOST_TEST(written->reply->created);
  BOOST_TEST(written->reply->token.at == nodes.disk(first).state().last);
}

BOOST_AUTO_TEST_CASE(a_majority_write_is_answered_when_one_of_two_followers_has_it) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  const auto follower = nodes.others(first)[0];
  nodes.cut_off(first);
  auto written = nodes.put(first, "a", "hello", durability::majority);
  nodes.run_for(milliseconds{300});
  BOOST_TEST(!written->reply);
  nodes.network().heal(nodes.node(first).id, nodes.node(follower).id);
  BOOST_REQUIRE(nodes.run_until([&] { return written->reply.has_value(); }, milliseconds{3000}));
  BOOST_REQUIRE(recorded(written));
  BOOST_CHECK(written->reply->achieved == durability::majority);
  BOOST_TEST(written->reply->holders == 2u);
  BOOST_TEST(bytes_at(nodes.disk(follower), "a") == "hello");
}

BOOST_AUTO_TEST_CASE(a_majority_write_whose_wait_runs_out_says_that_only_the_leader_has_it) {
  auto settings = with_nodes(3);
  settings.durability_wait = milliseconds{700};
  checked_cluster nodes{settings};
  const auto first = nodes.elect();
  nodes.cut_off(first);
  const auto asked_at = nodes.now();
  auto written = nodes.put(first, "a", "hello", durability::majority);
  BOOST_REQUIRE(nodes.run_until([&] { return written->reply.has_value(); }));
  BOOST_TEST((nodes.now() - asked_at >= milliseconds{700}));
  BOOST_TEST((nodes.now() - asked_at <= milliseconds{801}));
  BOOST_REQUIRE(recorded(written));
  BOOST_CHECK(written->reply->achieved == durability::leader);
  BOOST_TEST(written->reply->holders == 1u);
}

BOOST_AUTO_TEST_CASE(a_majority_write_that_another_leaders_log_displaces_is_answered_as_unknown) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  nodes.cut_off(first);
  auto written = nodes.put(first, "a", "lost", durability::majority);
  BOOST_REQUIRE(nodes.run_until([&] { return nodes.leader() && *nodes.leader() != first; }));
  nodes.heal();
  BOOST_REQUIRE(nodes.run_until([&] { return written->reply.has_value(); }, milliseconds{3000}));
  BOOST_TEST(refused(written, errc::outcome_unknown));
  nodes.elect();
  BOOST_TEST(bytes_at(nodes.disk(first), "a") == "(not_found)");
}

BOOST_AUTO_TEST_CASE(a_majority_write_is_confirmed_by_the_next_leader_that_has_it) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  // The entry gets to everybody, no answer gets back.
  auto written = nodes.put(first, "a", "hello", durability::majority);
  nodes.settle();
  nodes.cut_off(first);
  nodes.run_for(milliseconds{10});
  for (auto i : nodes.others(first)) BOOST_REQUIRE(bytes_at(nodes.disk(i), "a") == "hello");
  BOOST_REQUIRE(!written->reply);
  BOOST_REQUIRE(nodes.run_until([&] { return nodes.leader() && *nodes.leader() != first; }));
  nodes.heal();
  BOOST_REQUIRE(nodes.run_until([&] { return written->reply.has_value(); }, milliseconds{3000}));
  BOOST_REQUIRE(recorded(written));
  BOOST_CHECK(written->reply->achieved == durability::majority);
}

BOOST_AUTO_TEST_CASE(a_follower_refuses_writes) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  auto written = nodes.put(nodes.others(first)[0], "a", "hello");
  nodes.settle();
  BOOST_TEST(refused(written, errc::not_leader));
}

BOOST_AUTO_TEST_CASE(a_precondition_that_does_not_hold_is_refused_and_logs_nothing) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  nodes.put(first, "a", "one");
  nodes.settle();
  const auto end = nodes.disk(first).state().last;
  auto request = put_request("a", "two");
  request.when.if_none_match_any = true;
  auto written = nodes.write(first, request);
  nodes.settle();
  BOOST_TEST(refused(written, errc::precondition_failed));
  BOOST_TEST(nodes.disk(first).state().last == end);
}

BOOST_AUTO_TEST_CASE(writes_that_queue_while_one_proposal_is_under_way_share_a_sync) {
  checked_cluster nodes{slow_disks(1)};
  nodes.elect();
  BOOST_REQUIRE(nodes.run_until([&] { return nodes.disk(0).members().confirmed; }));
  const auto syncs = nodes.disk(0).counters().syncs;
  std::vector<asked_ptr<write_reply>> written;
  for (int i = 0; i < 500; ++i) written.push_back(nodes.put(0, "f" + std::to_string(i), "x", durability::majority));
  BOOST_REQUIRE(nodes.run_until([&] { return recorded(written.back()); }, milliseconds{200}));
  for (const auto& one : written) BOOST_TEST(recorded(one));
  BOOST_TEST(nodes.disk(0).counters().syncs - syncs <= 2u);
}

BOOST_AUTO_TEST_CASE(more_writes_than_the_bound_are_refused_as_overloaded) {
  checked_cluster nodes{slow_disks(1)};
  nodes.elect();
  std::vector<asked_ptr<write_reply>> written;
  const auto directory = file_path::parse("d");
  for (std::size_t i = 0; i < limits::queued_writes + 200; ++i) {
    write_request x;
    x.encoded_command = encode(make_directory{*directory, {}, true});
    written.push_back(nodes.write(0, x));
  }
  nodes.settle();
  const auto overloaded =
      std::count_if(written.begin(), written.end(), [](const auto& one) { return refused(one, errc::overloaded); });
  BOOST_TEST(overloaded >= 1);
  BOOST_TEST(overloaded <= 200);
  BOOST_REQUIRE(nodes.run_until([&] {
    return std::all_of(written.begin(), written.end(), [](const auto& one) { return one->reply.has_value(); });
  }));
  auto after = nodes.put(0, "after", "x");
  BOOST_REQUIRE(nodes.run_until([&] { return recorded(after); }));
}

BOOST_AUTO_TEST_CASE(more_queued_bytes_than_the_bound_are_refused_as_overloaded) {
  checked_cluster nodes{slow_disks(1)};
  nodes.elect();
  const std::string bytes(limits::small_content_bytes, 'x');
  const auto fit = limits::queued_write_bytes / bytes.size();
  const auto request = put_request("f", bytes);
  std::vector<asked_ptr<write_reply>> written;
  for (std::size_t i = 0; i < fit + 20; ++i) written.push_back(nodes.write(0, request));
  nodes.settle();
  BOOST_TEST(refused(written.back(), errc::overloaded));
  BOOST_TEST(!written.front()->reply);
}

BOOST_AUTO_TEST_CASE(writes_that_wait_for_a_majority_count_against_the_bound) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  nodes.cut_off(first);
  for (std::size_t i = 0; i < limits::queued_writes; ++i) {
    write_request x;
    x.encoded_command = encode(put_file{*file_path::parse("f"), {sha256(""), {0}}, {}, {}, true});
    x.want = durability::majority;
    nodes.write(first, x);
  }
  nodes.settle();
  auto one_more = nodes.put(first, "a", "x");
  nodes.settle();
  BOOST_TEST(refused(one_more, errc::overloaded));
}

namespace {

write_request keyed_put(std::string_view path, std::string_view bytes, durability want, std::string_view fingerprint) {
  auto x = put_request(path, bytes, want);
  auto what = decode_command(x.encoded_command);
  std::get<put_file>(*what).key = request_key{sha256("the client's key"), sha256(fingerprint)};
  x.encoded_command = encode(*what);
  return x;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_request_repeated_at_the_next_leader_gets_the_first_token_and_is_done_once) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  auto written = nodes.write(first, keyed_put("a", "hello", durability::majority, "same"));
  BOOST_REQUIRE(nodes.run_until([&] { return recorded(written); }, milliseconds{3000}));
  BOOST_TEST(!written->reply->repeated);
  nodes.stop(first);
  const auto second = nodes.elect();
  auto over = nodes.put(second, "a", "newer", durability::majority);
  BOOST_REQUIRE(nodes.run_until([&] { return recorded(over); }, milliseconds{3000}));
  const auto end = nodes.disk(second).state().last;
  for (const auto want : {durability::leader, durability::majority}) {
    auto repeated = nodes.write(second, keyed_put("a", "hello", want, "same"));
    BOOST_REQUIRE(nodes.run_until([&] { return recorded(repeated); }, milliseconds{3000}));
    BOOST_TEST(repeated->reply->repeated);
    BOOST_TEST((repeated->reply->token == written->reply->token));
    BOOST_TEST(repeated->reply->created);
    BOOST_TEST(repeated->reply->file.etag() == written->reply->file.etag());
    BOOST_TEST(repeated->reply->holders >= 2u);
  }
  auto other = nodes.write(second, keyed_put("a", "other", durability::leader, "other"));
  nodes.settle();
  BOOST_TEST(refused(other, errc::key_reused));
  BOOST_TEST(nodes.disk(second).state().last == end);
  BOOST_TEST(bytes_at(nodes.disk(second), "a") == "newer");
}

BOOST_AUTO_TEST_CASE(a_repeated_request_waits_for_the_durability_of_the_first_ones_entry) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  nodes.cut_off(first);
  auto written = nodes.write(first, keyed_put("a", "hello", durability::leader, "same"));
  auto repeated = nodes.write(first, keyed_put("a", "hello", durability::majority, "same"));
  nodes.run_for(milliseconds{300});
  BOOST_REQUIRE(recorded(written));
  BOOST_TEST(!repeated->reply);
  nodes.heal();
  BOOST_REQUIRE(nodes.run_until([&] { return recorded(repeated); }, milliseconds{3000}));
  BOOST_TEST((repeated->reply->token == written->reply->token));
  BOOST_CHECK(repeated->reply->achieved >= durability::majority);
}

BOOST_AUTO_TEST_CASE(the_leader_removes_files_whose_time_is_over_on_every_node) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  auto x = put_request("a", "hello");
  auto what = decode_command(x.encoded_command);
  std::get<put_file>(*what).properties.expires = unix_time_ms{1};
  x.encoded_command = encode(*what);
  auto written = nodes.write(first, x);
  const auto due_anywhere = [&] {
    for (std::size_t i = 0; i < nodes.size(); ++i)
      if (nodes.disk(i).next_expiry()) return true;
    return false;
  };
  nodes.settle();
  BOOST_REQUIRE(recorded(written));
  BOOST_TEST(bytes_at(nodes.disk(first), "a") == "(not_found)");
  BOOST_REQUIRE(nodes.run_until([&] { return !due_anywhere() && all_equal(nodes); }, milliseconds{3000}));
  // And then it has no more to say.
  const auto end = nodes.disk(first).state().last;
  nodes.run_for(milliseconds{3000});
  BOOST_TEST(nodes.disk(first).state().last == end);
  write_request forged;
  forged.encoded_command = encode(remove_expired{{1}});
  auto refusal = nodes.write(first, forged);
  nodes.settle();
  BOOST_TEST(refused(refusal, errc::bad_request));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace kaiku::test
