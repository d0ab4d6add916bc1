/// Requests with a key: answered once, and the same way again.

#include "install_fixture.hpp"

namespace kaiku::test {
namespace {

proposal keyed(std::string_view key, proposal x, std::string_view fingerprint = "same") {
  std::visit(
      [&](auto& one) {
        if constexpr (requires { one.key; }) one.key = request_key{sha256(key), sha256(fingerprint)};
      },
      x.what);
  return x;
}
proposal at(std::int64_t time, proposal x) {
  set_time(x.what, {time});
  return x;
}

BOOST_FIXTURE_TEST_SUITE(requests, store_fixture)

BOOST_AUTO_TEST_CASE(a_repeated_request_gets_the_first_outcome_and_logs_nothing) {
  const auto first = propose(keyed("k", put("f", "one")));
  logged(put("f", "two"));
  const auto last = disk->state().last;
  disk->adopt_term({3});
  auto again = keyed("k", put("f", "one"));
  again.when.if_none_match_any = true;  // would not hold any more
  again.small_content = {};
  const auto repeated = propose(again);
  BOOST_TEST(repeated.repeated);
  BOOST_TEST(repeated.index == first.index);
  BOOST_TEST(repeated.in_term.value == 1u);
  BOOST_TEST(repeated.created);
  BOOST_TEST(repeated.file.etag() == first.file.etag());
  BOOST_TEST(repeated.file.modified.value == first.file.modified.value);
  BOOST_TEST((repeated.file.content == first.file.content));
  BOOST_TEST(disk->state().last == last);
  BOOST_TEST(text_at("f") == "two");
}

BOOST_AUTO_TEST_CASE(every_kind_of_change_can_be_repeated_safely) {
  logged(put("f", "f"));
  logged(put("m", "m"));
  const std::vector<proposal> all{
      keyed("1", mkdir("d")),
      keyed("2", {copy_path{path("f"), path("c"), false, true, {1}}, {}, {}}),
      keyed("3", {move_path{path("m"), path("n"), false, true, {1}}, {}, {}}),
      keyed("4", {change_properties{path("f"), {"text/x"}, {1}}, {}, {}}),
      keyed("5", remove("c")),
  };
  for (const auto& one : all) {
    const auto first = propose(one);
    BOOST_REQUIRE_EQUAL(first.failure.code, errc::none);
    BOOST_TEST(!first.repeated);
    const auto again = propose(one);
    BOOST_TEST(again.repeated);
    BOOST_TEST(again.index == first.index);
    BOOST_TEST(again.created == first.created);
    BOOST_TEST((again.file.version == first.file.version));
    BOOST_TEST(again.file.is_directory() == first.file.is_directory());
  }
}

BOOST_AUTO_TEST_CASE(a_repeat_in_the_same_proposal_is_one_too) {
  const std::vector<proposal> both{keyed("k", put("f", "one")), keyed("k", put("f", "one"))};
  const auto outcome = disk->propose({1}, both);
  BOOST_TEST(!outcome.results[0].repeated);
  BOOST_TEST(outcome.results[1].repeated);
  BOOST_TEST(outcome.results[1].index == outcome.results[0].index);
  BOOST_TEST(disk->state().last.index.value == 1u);
}

BOOST_AUTO_TEST_CASE(a_key_that_comes_with_another_request_is_refused) {
  logged(keyed("k", put("f", "one")));
  BOOST_TEST(refused(keyed("k", put("f", "two"), "other")) == errc::key_reused);
  BOOST_TEST(refused(keyed("k", put("f", "two"), "other")) == errc::key_reused);
  BOOST_TEST(text_at("f") == "one");
}

BOOST_AUTO_TEST_CASE(a_request_that_was_refused_is_not_remembered) {
  BOOST_TEST(refused(keyed("k", remove("f"))) == errc::not_found);
  logged(put("f", "one"));
  BOOST_TEST(refused(keyed("k", remove("f"))) == errc::none);
}

BOOST_AUTO_TEST_CASE(a_displaced_request_can_be_made_anew_and_a_kept_one_survives_a_restart) {
  logged(keyed("kept", put("f", "one")));
  logged(keyed("lost", put("g", "one")));
  append(2, {{1}, {1}}, {entry({2}, 2, no_operation{})});
  reopen();
  BOOST_TEST(propose(keyed("kept", put("f", "one"))).repeated);
  const auto anew = propose(keyed("lost", put("g", "one")));
  BOOST_TEST(!anew.repeated);
  BOOST_TEST(anew.index.value == 3u);
}

BOOST_AUTO_TEST_CASE(a_request_is_forgotten_after_its_window_some_per_entry) {
  constexpr std::int64_t start = 1000;
  for (int i = 0; i < 6; ++i) logged(at(start, keyed("k" + std::to_string(i), put("f", "one"))));
  const auto over = start + limits::request_window_ms + 1;
  BOOST_TEST(propose(at(over - 1, keyed("k0", put("f", "one")))).repeated);
  logged(at(over - 1, put("g", "g")));
  BOOST_TEST(propose(at(over - 1, keyed("k0", put("f", "one")))).repeated);
  logged(at(over, put("g", "g")));
  for (int i = 0; i < 6; ++i) {
    const auto again = disk->propose({1}, std::vector{at(over, keyed("k" + std::to_string(i), remove("nothing")))});
    const bool known = static_cast<std::size_t>(i) >= limits::request_trims;
    BOOST_TEST(again.results[0].repeated == known);
  }
  // What an entry has forgotten is known again when the entry is displaced.
  append(2, {{1}, {7}}, {entry({2}, 8, no_operation{})});
  BOOST_TEST(propose(at(over - 1, keyed("k0", put("f", "one")))).repeated);
}

BOOST_FIXTURE_TEST_CASE(an_installed_state_knows_the_requests_that_made_it_and_what_will_expire, install_fixture) {
  lead(5, keyed("k", put("keyed", "one")));
  auto until = put("until", "one");
  std::get<put_file>(until.what).properties.expires = unix_time_ms{1'000'000'000};
  lead(5, until);
  install();
  BOOST_TEST(disk->next_expiry()->value == 1'000'000'000);
  const auto repeated = propose(keyed("k", put("keyed", "one")));
  BOOST_TEST(repeated.repeated);
  BOOST_TEST((log_position{repeated.in_term, repeated.index} == (log_position{{5}, {at.index.value - 1}})));
  // The numbers go on behind those that came.
  logged(keyed("k2", put("keyed", "two")));
  logged({remove_expired{{1'000'000'000}}, {}, {}});
  BOOST_TEST(!disk->next_expiry());
  BOOST_TEST(text_at("until") == "(not_found)");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace kaiku::test
