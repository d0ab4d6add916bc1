#include <fstream>

#include "fixture.hpp"

namespace fs = std::filesystem;

namespace kaiku::test {
namespace {

struct scrub_fixture : store_fixture {
  std::string small = std::string(5000, 's');
  std::string big = large('b', 200'000);

  scrub_fixture() {
    const auto file = stage(big);
    logged(put("small", small));
    logged({put_command("big", big), {}, {}});
  }
  fs::path blob(const char* below) const {
    const auto name = to_string(sha256(big));
    return data / below / name.substr(0, 2) / name.substr(2, 2) / name;
  }
  void flip_a_byte() {
    std::fstream file{blob("blobs"), std::ios::in | std::ios::out | std::ios::binary};
    file.seekp(150'000);
    file.put('!');
  }
  errc verdict(std::string_view bytes, std::size_t step = 64 * 1024) {
    auto check = disk->verify(content_named(bytes));
    for (;;) {
      if (const auto verdict = check.step(step)) return verdict->ok() ? errc::none : verdict->failure().code;
    }
  }
};

BOOST_FIXTURE_TEST_SUITE(scrub, scrub_fixture)

BOOST_AUTO_TEST_CASE(walks_through_all_content) {
  std::vector<content_ref> seen;
  std::optional<digest> after;
  for (auto page = disk->list_content(after, 1); !page.empty(); page = disk->list_content(after, 1)) {
    after = page.back().sha256;
    seen.push_back(page.back());
  }
  std::vector<content_ref> expected{content_named(small), content_named(big)};
  std::sort(expected.begin(), expected.end());
  BOOST_TEST((seen == expected));
  BOOST_TEST(disk->list_wanted({}, 9).empty());
}

BOOST_AUTO_TEST_CASE(repairs_with_what_was_staged_last_not_with_the_file_that_was_damaged) {
  const auto bytes = large('c', 200'000);
  const auto adopted = stage(bytes);  // still there: the same file as the blob, by another name
  logged({put_command("other", bytes), {}, {}});
  const auto name = to_string(sha256(bytes));
  std::fstream{data / "blobs" / name.substr(0, 2) / name.substr(2, 2) / name,
               std::ios::in | std::ios::out | std::ios::binary}
      .put('!');
  BOOST_TEST(verdict(bytes) == errc::corrupt);
  BOOST_TEST(disk->quarantine(content_named(bytes)).ok());
  const auto again = stage(bytes);
  BOOST_TEST(disk->provide_repaired(content_named(bytes)).ok());
  BOOST_TEST(verdict(bytes) == errc::none);
}

BOOST_AUTO_TEST_CASE(tells_good_content_from_damaged) {
  BOOST_TEST(verdict(small) == errc::none);
  BOOST_TEST(verdict(big) == errc::none);
  BOOST_TEST(verdict(big, 1 << 20) == errc::none);
  BOOST_TEST(verdict("nothing") == errc::not_found);
  flip_a_byte();
  BOOST_TEST(verdict(big) == errc::corrupt);
  fs::resize_file(blob("blobs"), 10);
  BOOST_TEST(verdict(big) == errc::corrupt);
}

BOOST_AUTO_TEST_CASE(damaged_content_is_set_apart_and_missing_until_it_is_repaired) {
  flip_a_byte();
  BOOST_REQUIRE(disk->quarantine(content_named(big)).ok());
  BOOST_TEST(disk->quarantine(content_named(big)).failure().code == errc::not_found);
  BOOST_TEST(fs::exists(data / "damaged" / to_string(sha256(big))));
  for (int i = 0; i < 2; ++i, reopen()) {
    BOOST_TEST(content_outcome(big) == errc::content_missing);
    BOOST_TEST(!disk->holds(content_named(big)));
    BOOST_TEST(blobs_in(data).empty());
    BOOST_TEST((disk->list_wanted({}, 9) == std::vector<content_ref>{content_named(big)}));
    BOOST_TEST(disk->list_wanted(sha256(big), 9).empty());
  }
  BOOST_TEST(disk->provide_repaired(content_named(big)).failure().code == errc::content_missing);
  {
    const auto file = stage(big);
    BOOST_REQUIRE(disk->provide_repaired(content_named(big)).ok());
    BOOST_REQUIRE(disk->provide_repaired(content_named(big)).ok());
  }
  reopen();
  BOOST_TEST((text_at("big") == big));
  BOOST_TEST(disk->list_wanted({}, 9).empty());
}

BOOST_AUTO_TEST_CASE(damaged_content_beyond_the_bound_is_not_served_and_kept_until_it_is_replaced_or_unnamed) {
  for (std::size_t i = 0; i < limits::damaged_blobs; ++i) std::ofstream(data / "damaged" / std::to_string(i)) << 'x';
  const auto other = large('o');
  {
    const auto file = stage(other);
    logged({put_command("other", other), {}, {}});
  }
  flip_a_byte();
  for (const auto& bytes : {big, other}) {
    BOOST_REQUIRE(disk->quarantine(content_named(bytes)).ok());
    BOOST_TEST(content_outcome(bytes) == errc::content_missing);
  }
  reopen();
  BOOST_TEST((blobs_in(data) == std::set{to_string(sha256(big)), to_string(sha256(other))}));
  BOOST_TEST(content_outcome(big) == errc::content_missing);
  {
    const auto file = stage(big);
    BOOST_REQUIRE(disk->provide_repaired(content_named(big)).ok());
  }
  BOOST_TEST((text_at("big") == big));
  BOOST_TEST(verdict(big) == errc::none);
  logged(remove("other"));
  compact_all();
  collect_all_garbage();
  BOOST_TEST((blobs_in(data) == std::set{to_string(sha256(big))}));
}

BOOST_AUTO_TEST_CASE(a_file_that_was_lost_counts_as_damaged) {
  fs::remove(blob("blobs"));
  BOOST_TEST(content_outcome(big) == errc::corrupt);
  BOOST_TEST(verdict(big) == errc::corrupt);
  BOOST_REQUIRE(disk->quarantine(content_named(big)).ok());
  const auto file = stage(big);
  BOOST_REQUIRE(disk->provide_repaired(content_named(big)).ok());
  BOOST_TEST((text_at("big") == big));
}

BOOST_AUTO_TEST_CASE(damaged_small_content_is_taken_away_and_repaired) {
  BOOST_REQUIRE(disk->quarantine(content_named(small)).ok());
  BOOST_TEST(text_at("small") == "(content_missing)");
  BOOST_TEST(disk->provide_repaired(content_named(small), "wrong").failure().code == errc::content_missing);
  BOOST_TEST(disk->provide_repaired(content_named(small), std::string(5000, 'x')).failure().code ==
             errc::digest_mismatch);
  BOOST_REQUIRE(disk->provide_repaired(content_named(small), small).ok());
  BOOST_TEST((text_at("small") == small));
  BOOST_TEST(disk->provide_repaired(content_named("nobody's"), "nobody's").failure().code == errc::not_found);
}

BOOST_AUTO_TEST_CASE(an_upload_of_the_same_content_repairs_it) {
  BOOST_REQUIRE(disk->quarantine(content_named(big)).ok());
  const auto file = stage(big);
  logged({put_command("again", big), {}, {}});
  BOOST_TEST((text_at("big") == big));
  BOOST_TEST(disk->list_wanted({}, 9).empty());
}

BOOST_AUTO_TEST_CASE(a_crash_between_forgetting_and_moving_does_not_bring_the_damage_back) {
  flip_a_byte();
  BOOST_REQUIRE(disk->quarantine(content_named(big)).ok());
  fs::rename(data / "damaged" / to_string(sha256(big)), blob("blobs"));
  reopen();
  BOOST_TEST(content_outcome(big) == errc::content_missing);
  const auto file = stage(big);
  BOOST_REQUIRE(disk->provide_repaired(content_named(big)).ok());
  BOOST_TEST((text_at("big") == big));
}

BOOST_AUTO_TEST_CASE(damaged_content_that_nothing_names_any_more_is_not_wanted) {
  BOOST_REQUIRE(disk->quarantine(content_named(big)).ok());
  logged(remove("big"));
  BOOST_REQUIRE(disk->compact({3}).ok());
  BOOST_TEST(disk->list_wanted({}, 9).empty());
  collect_all_garbage();
  BOOST_TEST(content_outcome(big) == errc::not_found);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace kaiku::test
