// In which order one content's bytes are asked for, whatever order the answers take.

#include <deque>
#include <random>

#include "fixture.hpp"
#include "kaiku/actors/pull.hpp"

namespace kaiku::test {

BOOST_AUTO_TEST_SUITE(pulling)

namespace {

constexpr std::size_t piece = limits::chunk_bytes;

chunk of_size(std::size_t size) {
  return chunk{std::string(size, 'x')};
}

/// A source that grows, as an upload does.
std::string answer(const std::string& source, const pull::question& x) {
  return source.substr(x.offset.value, x.bytes != 0 ? x.bytes : piece);
}

}  // namespace

BOOST_AUTO_TEST_CASE(asks_for_a_window_of_chunks_and_for_the_next_when_one_is_written) {
  pull x;
  x.restart();
  x.has_available({10 * piece});
  std::vector<pull::question> asked;
  while (auto next = x.next(true)) asked.push_back(*next);
  BOOST_REQUIRE_EQUAL(asked.size(), limits::chunk_window);
  BOOST_TEST(x.on_answer(asked[0], of_size(piece)).value().size() == 1u);
  BOOST_TEST(!x.next(true));
  x.on_written();
  BOOST_TEST(x.next(true)->offset.value == limits::chunk_window * piece);
}

BOOST_AUTO_TEST_CASE(waits_for_growth_with_one_question_that_needs_no_room) {
  pull x;
  x.restart();
  BOOST_TEST(!x.next(true));
  x.open();
  const auto wait = x.next(false);
  BOOST_REQUIRE(wait);
  BOOST_TEST(wait->bytes == 0u);
  BOOST_TEST(!x.next(true));
  BOOST_TEST(x.on_answer(*wait, of_size(100)).value().size() == 1u);
  x.has_available({piece});
  BOOST_TEST(!x.next(false));
  const auto load = x.next(true);
  BOOST_REQUIRE(load);
  BOOST_TEST(load->offset.value == 100u);
  BOOST_TEST(load->bytes == piece - 100);
}

BOOST_AUTO_TEST_CASE(asks_no_more_of_an_upload_that_answered_with_nothing) {
  pull x;
  x.restart();
  x.open();
  const auto wait = x.next(true);
  BOOST_TEST(x.on_answer(*wait, of_size(0)).value().empty());
  BOOST_TEST(!x.next(true));
}

BOOST_AUTO_TEST_CASE(refuses_a_range_of_another_length) {
  pull x;
  x.restart();
  x.has_available({piece});
  const auto asked = x.next(true);
  BOOST_TEST(x.on_answer(*asked, of_size(piece - 1)).failure().code == errc::corrupt);
}

BOOST_AUTO_TEST_CASE(goes_on_behind_what_came_when_the_source_changes) {
  pull x;
  x.restart();
  x.has_available({3 * piece});
  const auto first = x.next(true);
  const auto second = x.next(true);
  BOOST_REQUIRE(x.on_answer(*first, of_size(piece)).ok());
  x.on_written();
  x.restart();
  BOOST_TEST(!x.is_current(*second));
  BOOST_TEST(!x.next(true));
  x.has_available({3 * piece});
  BOOST_TEST(x.next(true)->offset.value == piece);
}

BOOST_AUTO_TEST_CASE(brings_all_bytes_in_order_whatever_comes_first) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      std::mt19937_64 random(seed);
      std::string whole(piece * 3 + random() % (piece * 5), '\0');
      for (auto& one : whole) one = static_cast<char>(random());
      std::string source, got;
      std::vector<pull::question> asked;
      std::size_t unwritten = 0;
      pull x;
      x.restart();
      x.open();
      while (got.size() < whole.size()) {
        switch (random() % 5) {
          case 0: source = whole.substr(0, source.size() + random() % (2 * piece)); break;
          case 1:
            if (auto next = x.next(random() % 2 == 0)) asked.push_back(*next);
            break;
          case 2:
            if (unwritten > 0) --unwritten, x.on_written();
            break;
          case 3:
            if (random() % 10 == 0) {
              x.restart();
              x.open();
              asked.clear();
            }
            break;
          default:
            if (asked.empty()) break;
            std::swap(asked[random() % asked.size()], asked.back());
            if (asked.back().offset.value >= source.size()) break;
            const auto bytes = answer(source, asked.back());
            x.has_available({source.size()});
            const auto ready = x.on_answer(asked.back(), chunk{bytes});
            asked.pop_back();
            BOOST_REQUIRE(ready.ok());
            for (const auto& one : ready.value()) got += one.view();
            unwritten += ready.value().size();
        }
        BOOST_REQUIRE(x.load() <= limits::chunk_window);
        BOOST_REQUIRE_EQUAL(x.received().value, got.size());
      }
      BOOST_TEST((got == whole));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace kaiku::test
