#include "fixture.hpp"

namespace kaiku::test {
namespace {

/// Entries of several terms: `terms[i]` is the term of entry `i + 1`, which puts `f<index>` with its own term as text.
std::vector<log_entry> log_of(const std::vector<std::uint64_t>& terms) {
  std::vector<log_entry> entries;
  for (std::size_t i = 0; i < terms.size(); ++i) {
    entries.push_back(
        entry({terms[i]}, i + 1, put_command("f" + std::to_string(i + 1), "term " + std::to_string(terms[i]))));
  }
  return entries;
}

std::vector<std::string> contents_of(const std::vector<std::uint64_t>& terms) {
  std::vector<std::string> contents;
  for (auto in_term : terms) {
    auto text = "term " + std::to_string(in_term);
    if (contents.empty() || contents.back() != text) contents.push_back(text);
  }
  return contents;
}

struct append_fixture : store_fixture {
  append_outcome follow(const std::vector<std::uint64_t>& terms, std::uint64_t leader_term) {
    return append(leader_term, {}, log_of(terms), contents_of(terms));
  }
  std::vector<log_entry> log() const { return disk->read_log({1}, 1 << 20); }
};

BOOST_FIXTURE_TEST_SUITE(append, append_fixture)

BOOST_AUTO_TEST_CASE(remembers_that_the_disk_came_late) {
  BOOST_TEST(!disk->members().latecomer);
  disk->note_latecomer();
  BOOST_TEST(disk->members().latecomer);
  follow({1, 1, 2}, 2);
  reopen();
  BOOST_TEST(disk->members().latecomer);
}

BOOST_AUTO_TEST_CASE(follows_the_leaders_log) {
  auto outcome = follow({1, 1, 2}, 2);
  BOOST_TEST(outcome.failure.code == errc::none);
  BOOST_TEST(outcome.match.value == 3u);
  BOOST_TEST(outcome.after.last == (log_position{{2}, {3}}));
  BOOST_TEST(outcome.after.current.value == 2u);
  BOOST_TEST((log() == log_of({1, 1, 2})));
  BOOST_TEST(text_at("f3") == "term 2");
  BOOST_TEST(disk->position({2})->in_term.value == 1u);
  BOOST_TEST(*disk->position({0}) == log_position{});
  BOOST_TEST(disk->position({4}).failure().code == errc::not_found);
}

BOOST_AUTO_TEST_CASE(fence_rejects_a_lower_term) {
  disk->adopt_term({7});
  auto outcome = follow({1}, 6);
  BOOST_TEST(outcome.failure.code == errc::stale_term);
  BOOST_TEST(outcome.after.current.value == 7u);
  BOOST_TEST(log().empty());
}

BOOST_AUTO_TEST_CASE(takes_the_leaders_term_even_if_it_refuses_the_entries) {
  BOOST_TEST(append(9, {{8}, {5}}, {}).failure.code == errc::log_mismatch);
  reopen();
  BOOST_TEST(disk->state().current.value == 9u);
  BOOST_TEST(disk->state().voted_for.name == "");
}

BOOST_AUTO_TEST_CASE(accepts_what_it_has_without_writing) {
  follow({1, 1, 1}, 1);
  const auto syncs = disk->counters().syncs;
  auto outcome = follow({1, 1}, 1);
  BOOST_TEST(outcome.failure.code == errc::none);
  BOOST_TEST(outcome.match.value == 2u);
  BOOST_TEST(outcome.after.last.index.value == 3u);  // what stands behind does not conflict
  BOOST_TEST(disk->counters().syncs == syncs);
  BOOST_TEST(append(1, {{1}, {3}}, {}).match.value == 3u);
  BOOST_TEST(disk->counters().syncs == syncs);
}

BOOST_AUTO_TEST_CASE(goes_on_behind_what_it_has) {
  BOOST_TEST(follow({1, 1}, 1).displaced_from.value == 0u);
  BOOST_TEST(follow({1, 1, 1, 1}, 1).match.value == 4u);
  BOOST_TEST((log() == log_of({1, 1, 1, 1})));
}

BOOST_AUTO_TEST_CASE(sets_aside_what_differs_and_restores_the_state_before_it) {
  follow({1, 1}, 1);
  logged(put("f2", "mine"));
  logged(put("dir/g", "mine too"));
  logged(remove("f1"));
  auto outcome = append(2, {{1}, {2}}, {entry({2}, 3, put_command("h", "theirs"))}, {"theirs"});
  BOOST_TEST(outcome.failure.code == errc::none);
  BOOST_TEST(outcome.set_aside == 3u);
  BOOST_TEST(outcome.displaced_from.value == 3u);
  BOOST_TEST(outcome.match.value == 3u);
  BOOST_TEST(disk->counters().set_aside == 3u);
  BOOST_TEST(set_aside_positions(*disk) == (std::vector<log_position>{{{1}, {3}}, {{1}, {4}}, {{1}, {5}}}));
  reopen();
  BOOST_TEST(text_at("f1") == "term 1");
  BOOST_TEST(text_at("f2") == "term 1");
  BOOST_TEST(text_at("dir") == "(not_found)");
  BOOST_TEST(text_at("h") == "theirs");
  BOOST_TEST(disk->state().last == (log_position{{2}, {3}}));
  // The content of what was set aside is kept.
  BOOST_TEST(disk->open_content(content_named("mine too"))->bytes == "mine too");
}

BOOST_AUTO_TEST_CASE(can_displace_the_whole_log) {
  follow({1, 1, 1}, 1);
  BOOST_TEST(follow({2}, 2).set_aside == 3u);
  BOOST_TEST((log() == log_of({2})));
  BOOST_TEST(disk->list({}, "", 9)->entries.size() == 1u);
}

BOOST_AUTO_TEST_CASE(what_comes_back_is_not_aside_any_more) {
  follow({1, 2}, 2);
  BOOST_TEST(follow({1, 3}, 3).set_aside == 1u);
  BOOST_TEST(follow({1, 2, 4}, 4).set_aside == 1u);
  BOOST_TEST(set_aside_positions(*disk) == (std::vector<log_position>{{{3}, {2}}}));
}

BOOST_AUTO_TEST_CASE(truncation_restores_the_membership_of_before) {
  const std::vector<member> one{{{"a"}, {}, "host:1"}};
  const std::vector<member> two{{{"a"}, {}, "host:1"}, {{"b"}, {}, "host:2"}};
  logged({set_members{{}, one}, {}, {}});
  logged({set_members{{}, two}, {}, {}});
  BOOST_TEST(disk->members().voters.size() == 2u);
  append(2, {{1}, {1}}, {entry({2}, 2, no_operation{})});
  BOOST_TEST((disk->members().voters == one));
  BOOST_TEST(disk->members().since.value == 1u);
}

BOOST_AUTO_TEST_CASE(hints_at_where_the_logs_may_meet) {
  follow({1, 1, 2, 2, 2}, 2);
  auto beyond = append(4, {{3}, {9}}, {});
  BOOST_TEST(beyond.failure.code == errc::log_mismatch);
  BOOST_TEST(beyond.hint.value == 5u);
  BOOST_TEST(append(4, {{3}, {5}}, {}).hint.value == 2u);
  BOOST_TEST(append(4, {{3}, {2}}, {}).hint.value == 0u);
}

BOOST_AUTO_TEST_CASE(hint_goes_back_by_a_bounded_number_of_entries) {
  std::vector<proposal> many(limits::batch_entries, proposal{no_operation{}, {}, {}});
  disk->propose({1}, many);
  disk->propose({1}, many);
  const auto end = 2 * limits::batch_entries;
  BOOST_TEST(append(3, {{2}, {end}}, {}).hint.value == end - limits::batch_entries);
}

BOOST_AUTO_TEST_CASE(rejects_entries_that_can_not_be) {
  follow({1, 1}, 1);
  const auto before = disk->state();
  const auto put_one = put_command("x", "one");
  const log_position behind{{1}, {2}};
  using entries = std::vector<log_entry>;
  BOOST_TEST(append(1, behind, {{{{1}, {3}}, "nonsense"}}).failure.code == errc::corrupt);
  BOOST_TEST(append(1, behind, {entry({1}, 4, no_operation{})}).failure.code == errc::corrupt);
  BOOST_TEST(append(1, behind, {entry({2}, 3, no_operation{})}).failure.code == errc::corrupt);
  BOOST_TEST(append(1, behind, {entry({0}, 3, no_operation{})}).failure.code == errc::corrupt);
  BOOST_TEST(append(1, {{1}, {0}}, {}).failure.code == errc::corrupt);
  BOOST_TEST(append(1, {{0}, {1}}, {}).failure.code == errc::corrupt);
  BOOST_TEST(append(1, behind, {entry({1}, 3, put_one)}).failure.code == errc::corrupt);  // content not sent
  BOOST_TEST(append(1, behind, {entry({1}, 3, put_one)}, {"two"}).failure.code == errc::corrupt);
  auto wrong_size = put_one;
  wrong_size.content.size = {4};
  BOOST_TEST(append(1, behind, {entry({1}, 3, wrong_size)}, {"one"}).failure.code == errc::corrupt);
  BOOST_TEST(append(1, {}, {entry({1}, 1, no_operation{})}).failure.code == errc::corrupt);  // another command
  BOOST_TEST((disk->state() == before));
  const auto falling = entries{entry({2}, 3, no_operation{}), entry({1}, 4, no_operation{})};
  BOOST_TEST(append(2, behind, falling).failure.code == errc::corrupt);
  BOOST_TEST((log() == log_of({1, 1})));
}

BOOST_AUTO_TEST_CASE(waits_for_large_content_and_changes_nothing_meanwhile) {
  const auto bytes = large('y');
  logged(put("mine", "mine"));
  const std::vector<log_entry> entries{entry({2}, 1, put_command("small", "s")),
                                       entry({2}, 2, put_command("big", bytes))};
  auto outcome = append(2, {}, entries, {"s"});
  BOOST_TEST(outcome.failure.code == errc::content_missing);
  BOOST_TEST(outcome.set_aside == 0u);
  BOOST_TEST(disk->set_aside().empty());
  BOOST_TEST(text_at("mine") == "mine");
  auto missing = disk->missing_content(entries);
  BOOST_REQUIRE_EQUAL(missing->size(), 1u);
  BOOST_TEST((missing->front() == content_named(bytes)));

  auto staged = stage(bytes);
  BOOST_TEST(disk->missing_content(entries)->empty());
  BOOST_TEST(append(2, {}, entries, {"s"}).match.value == 2u);
  staged.reset();
  BOOST_TEST((text_at("big") == bytes));
  BOOST_TEST(text_at("mine") == "(not_found)");
  BOOST_TEST(disk->missing_content(entries)->empty());
}

BOOST_AUTO_TEST_CASE(that_fails_half_way_leaves_no_blob_behind) {
  const auto good = large('g');
  const auto longer = large('h', 2);
  const auto first = stage(good);
  const auto second = stage(longer);
  auto wrong = put_command("h", longer);
  wrong.content.size.value += 1;
  const std::vector<log_entry> entries{entry({1}, 1, put_command("g", good)), entry({1}, 2, wrong)};
  BOOST_TEST(append(1, {}, entries).failure.code == errc::corrupt);
  BOOST_TEST(!disk->content().open(content_named(good)).ok());
  BOOST_TEST(append(1, {}, {entries[0]}).failure.code == errc::none);
  BOOST_TEST((text_at("g") == good));
}

BOOST_AUTO_TEST_CASE(hands_out_the_log_in_bounded_pieces_with_its_small_content) {
  const std::string kilobyte(1000, 'k');
  for (int i = 0; i < 10; ++i) logged(put("f" + std::to_string(i), kilobyte + std::to_string(i % 2)));
  BOOST_TEST(disk->read_log({1}, 1).size() == 1u);
  BOOST_TEST(disk->read_log({4}, 3500).size() == 3u);
  BOOST_TEST(disk->read_log({4}, 3500).front().at.index.value == 4u);
  BOOST_TEST(disk->read_log({1}, 1 << 20).size() == 10u);
  BOOST_TEST(disk->read_log({11}, 1 << 20).empty());
  std::optional<content_ref> lost;
  const auto contents = disk->small_contents(disk->read_log({1}, 1 << 20), lost);
  BOOST_TEST(!lost);
  BOOST_TEST(*contents == (std::vector<std::string>{kilobyte + "0", kilobyte + "1"}));
  const std::vector<log_entry> of_another{entry({1}, 1, put_command("x", "no"))};
  BOOST_TEST(disk->small_contents(of_another, lost).failure().code == errc::not_found);
  BOOST_TEST((lost == content_named("no")));
}

BOOST_AUTO_TEST_CASE(hands_out_entries_with_a_bounded_amount_of_large_content_but_one_at_least) {
  const auto bytes = large('x', limits::append_large_bytes / 3);
  {
    const auto file = stage(bytes);
    for (int i = 0; i < 5; ++i) logged({put_command("f" + std::to_string(i), bytes), {}, {}});
  }
  const auto more = large('y', limits::append_large_bytes + 1);
  {
    const auto file = stage(more);
    logged({put_command("g", more), {}, {}});
  }
  BOOST_TEST(disk->read_log({1}, 1 << 20).size() == 2u);
  BOOST_TEST(disk->read_log({5}, 1 << 20).size() == 1u);
  BOOST_TEST(disk->read_log({6}, 1 << 20).size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(ballots, store_fixture)

BOOST_AUTO_TEST_CASE(a_vote_is_durable_and_given_once_in_a_term) {
  vote_request ballot{{"b"}, {2}, {}, false, false};
  BOOST_TEST(disk->decide_ballot(ballot).granted);
  reopen();
  BOOST_TEST(disk->state().current.value == 2u);
  BOOST_TEST(disk->state().voted_for.name == "b");
  ballot.candidate = {"c"};
  BOOST_TEST(!disk->decide_ballot(ballot).granted);
  ballot.candidate = {"b"};
  const auto syncs = disk->counters().syncs;
  BOOST_TEST(disk->decide_ballot(ballot).granted);
  BOOST_TEST(disk->counters().syncs == syncs);
}

BOOST_AUTO_TEST_CASE(a_pre_vote_writes_nothing) {
  const auto syncs = disk->counters().syncs;
  BOOST_TEST(disk->decide_ballot({{"b"}, {2}, {}, true, false}).granted);
  BOOST_TEST(disk->state().current.value == 1u);
  BOOST_TEST(disk->counters().syncs == syncs);
}

BOOST_AUTO_TEST_CASE(a_vote_for_a_shorter_log_is_refused_but_its_term_taken) {
  logged(put("f", "x"));
  BOOST_TEST(!disk->decide_ballot({{"b"}, {3}, {}, false, false}).granted);
  BOOST_TEST(disk->state().current.value == 3u);
}

BOOST_AUTO_TEST_CASE(terms_never_go_back) {
  disk->decide_ballot({{"b"}, {4}, {}, false, false});
  BOOST_TEST(disk->adopt_term({4}).voted_for.name == "b");
  BOOST_TEST(disk->adopt_term({3}).current.value == 4u);
  BOOST_TEST(disk->adopt_term({5}).voted_for.name == "");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace kaiku::test
