#pragma once

/// Purpose: a leader and a follower that needs its state; for the tests of installs.

#include "fixture.hpp"

namespace kaiku::test {

inline constexpr std::size_t tiny = 1;  ///< bytes of a piece: one record each

/// A leader with a state of all kinds, in term 5; and a follower that knows the first entry and has two of its own.
struct install_fixture : store_fixture {
  std::filesystem::path source_data = directory / "source";
  std::unique_ptr<store> source = open_store(source_data);
  std::string big = large('b');
  log_position at;

  install_fixture() {
    lead(1, put("first", "first"));
    disk->append({{1}, {}, source->read_log({1}, 1 << 20), {"first"}});
    logged(put("mine", "mine"));
    logged(put("first", "also mine"));

    lead(3, {set_members{{{7}}, {{{"a"}, {}, "host:1"}}}, {}, {}});
    lead(3, put("d/small", "small"));
    lead(3, put("d/same", "small"));
    lead(3, put("gone/deep/x", "x"));
    lead(3, remove("gone", true));
    auto upload = source->content().begin({});
    BOOST_REQUIRE((*upload)->write(big).ok() && (*upload)->finish().ok());
    lead(5, {put_command("d/big", big), {}, {}});
    BOOST_REQUIRE(source->compact({4}).ok());
    at = source->state().last;
  }

  void lead(std::uint64_t in_term, const proposal& what) const {
    source->adopt_term({in_term});
    const auto outcome = source->propose({in_term}, std::span{&what, 1});
    BOOST_REQUIRE_EQUAL(outcome.failure.code, errc::none);
    BOOST_REQUIRE_EQUAL(outcome.results.at(0).failure.code, errc::none);
  }
  void begin() {
    auto begun = disk->begin_install(at);
    while (!begun.ok() && begun.failure().code == errc::busy) begun = disk->begin_install(at);
    BOOST_REQUIRE(begun.ok());
  }
  /// Pieces from where the follower is; at most `pieces`. Large content that is missing then.
  std::vector<content_ref> receive(std::size_t bytes = tiny, std::size_t pieces = 1000) const {
    const auto view = source->snapshot();
    std::vector<content_ref> missing;
    for (auto progress = disk->installing(); pieces > 0 && !progress->complete; --pieces) {
      const auto piece = view->read_piece(progress->cursor, bytes);
      const auto taken = disk->install_piece(piece.bytes);
      BOOST_REQUIRE(taken.ok());
      missing.insert(missing.end(), taken->begin(), taken->end());
      progress = disk->installing();
      BOOST_TEST(progress->cursor == piece.cursor);
      BOOST_TEST(progress->complete == piece.done);
    }
    return missing;
  }
  void fetch() {
    const auto file = stage(big);
    BOOST_REQUIRE(disk->provide_repaired(content_named(big)).ok());
  }
  /// From begin to end, of what the leader has now.
  void install() {
    at = source->state().last;
    begin();
    receive();
    fetch();
    BOOST_REQUIRE(disk->finish_install({5}, at).ok());
    is_installed();
  }
  void is_installed() {
    BOOST_TEST(disk->state().last == at);
    BOOST_TEST(disk->first_index().value == at.index.value + 1);
    BOOST_TEST(disk->read_log({1}, 1 << 20).empty());
    BOOST_TEST(disk->log_bytes().value == 0u);
    BOOST_TEST(!disk->installing());
    BOOST_TEST(text_at("first") == "first");
    BOOST_TEST(text_at("mine") == "(not_found)");
    BOOST_TEST(text_at("gone") == "(not_found)");
    BOOST_TEST(text_at("d/small") == "small");
    BOOST_TEST((text_at("d/big") == big));
    for (const char* one : {"", "d", "d/small", "d/big", "first"}) {
      BOOST_TEST((*disk->stat(path(one)) == *source->stat(path(one))));
    }
    BOOST_TEST((disk->members().voters == source->members().voters));
    BOOST_TEST(disk->members().confirmed);
    for (std::uint64_t i = 1; i <= at.index.value; ++i) BOOST_TEST(*disk->position({i}) == *source->position({i}));
  }
  void is_as_before() {
    BOOST_TEST(disk->state().last == (log_position{{1}, {3}}));
    BOOST_TEST(text_at("mine") == "mine");
    BOOST_TEST(text_at("first") == "also mine");
    BOOST_TEST(disk->read_log({1}, 1 << 20).size() == 3u);
    BOOST_TEST(disk->members().voters.empty());
  }
};

}  // namespace kaiku::test
