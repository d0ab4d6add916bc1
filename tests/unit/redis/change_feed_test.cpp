#include <boost/test/unit_test.hpp>

#include <set>

#include "kaiku/storage/change_feed.hpp"

namespace kaiku::test {
namespace {

changed_keys names(const std::vector<std::string>& keys) {
  changed_keys out;
  for (const auto& key : keys) out.keys.push_back({changed_key::kind::name, key});
  return out;
}

std::set<std::string> keys_of(const changed_keys& x) {
  std::set<std::string> out;
  for (const auto& one : x.keys) out.insert(one.key);
  return out;
}

using keys = std::set<std::string>;

}  // namespace

BOOST_AUTO_TEST_SUITE(change_feed_)

BOOST_AUTO_TEST_CASE(what_a_view_shows_is_taken_once) {
  change_feed feed;
  feed.announce(names({"a", "b"}));
  feed.settle(5);
  BOOST_TEST((keys_of(feed.take(5)) == keys{"a", "b"}));
  BOOST_TEST(feed.take(5).keys.empty());
}

BOOST_AUTO_TEST_CASE(a_batch_that_is_being_written_is_given_now_and_again) {
  change_feed feed;
  feed.announce(names({"a"}));
  BOOST_TEST((keys_of(feed.take(4)) == keys{"a"}));  // the view may show it, or not
  feed.settle(5);
  BOOST_TEST((keys_of(feed.take(4)) == keys{"a"}));
  BOOST_TEST((keys_of(feed.take(5)) == keys{"a"}));
  BOOST_TEST(feed.take(5).keys.empty());
}

BOOST_AUTO_TEST_CASE(a_key_that_a_later_batch_touched_again_is_given_for_the_earlier_one_too) {
  change_feed feed;
  feed.announce(names({"a"}));
  feed.settle(5);
  feed.announce(names({"a", "b"}));
  feed.settle(8);
  BOOST_TEST(keys_of(feed.take(6)).contains("a"));
  BOOST_TEST((keys_of(feed.take(8)) == keys{"a", "b"}));
}

BOOST_AUTO_TEST_CASE(more_than_the_bound_is_everything) {
  change_feed feed{3};
  feed.announce(names({"a", "b", "c", "d"}));
  feed.settle(5);
  BOOST_TEST(feed.take(4).everything);  // this view does not show it yet
  BOOST_TEST(feed.take(5).everything);
  feed.announce(names({"e"}));
  feed.settle(6);
  const auto after = feed.take(6);
  BOOST_TEST(!after.everything);
  BOOST_TEST((keys_of(after) == keys{"e"}));
}

BOOST_AUTO_TEST_CASE(what_was_taken_counts_towards_the_bound_no_longer) {
  change_feed feed{3};
  for (std::uint64_t i = 1; i <= 10; ++i) {
    feed.announce(names({"a", "b"}));
    feed.settle(i);
    const auto taken = feed.take(i);
    BOOST_TEST(!taken.everything);
    BOOST_TEST((keys_of(taken) == keys{"a", "b"}));
  }
  feed.announce(names({"a", "b"}));
  feed.settle(11);
  feed.announce(names({"c", "d"}));
  feed.settle(12);
  BOOST_TEST(feed.take(12).everything);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace kaiku::test
