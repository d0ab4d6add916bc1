/// What a node does with a Redis that is lost, empty, full, or holds what it should not.

#include <atomic>
#include <thread>

#include "fixture.hpp"

namespace kaiku::test {
namespace {

struct faults : redis_fixture {
  std::string begin;  ///< of the keys of the generation

  faults() {
    for (int i = 0; i < 5; ++i) node.logged(put("d/f" + std::to_string(i), std::string(10, 'x')));
    node.logged(put("other", "text"));
    node.settle();
    find_keys();
  }
  void find_keys() {
    const auto token = redis.keys("kaiku:*:token").front();
    begin = token.substr(0, token.size() - 5) + redis.generation("n1") + ":";
  }
  std::string inode(const std::string& where) {
    return begin + "inode:" + to_string(node.disk->stat(path(where))->inode);
  }
  std::string index(const std::string& where) {
    return begin + "index:" + to_string(node.disk->stat(path(where))->inode);
  }
  /// A wrong record is noticed by who asks for it, another filling begins, and Redis is used again.
  void require_noticed(const std::string& where) {
    const auto before = node.mirror->view();
    BOOST_TEST(wait_until(milliseconds{30'000}, [&] {
      node.compare(where);
      return node.mirror->view().wrong > before.wrong;
    }));
    BOOST_TEST(wait_until(milliseconds{30'000}, [&] { return node.compare(where); }));
    BOOST_TEST(node.mirror->view().rebuilds == before.rebuilds + 1);
    BOOST_TEST((redis.tree("n1") == node.tree()));
  }
  bool is(mirror_view::state wanted, milliseconds deadline = milliseconds{30'000}) {
    return wait_until(deadline, [&] { return node.mirror->view().now == wanted; });
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(redis_faults, faults)

BOOST_AUTO_TEST_CASE(a_changed_attribute_is_noticed) {
  redis.call({"HSET", inode("d/f1"), "size", "99"});
  require_noticed("d/f1");
}

BOOST_AUTO_TEST_CASE(a_changed_attribute_in_a_listing_is_noticed) {
  redis.call({"HSET", inode("d/f1"), "content_type", "text/html"});
  require_noticed("d");
}

BOOST_AUTO_TEST_CASE(a_record_of_another_file_in_its_place_is_noticed) {
  redis.call({"COPY", inode("other"), inode("d/f1"), "REPLACE"});
  require_noticed("d/f1");
}

BOOST_AUTO_TEST_CASE(an_evicted_record_is_noticed) {
  redis.call({"DEL", inode("d/f1")});
  require_noticed("d/f1");
}

BOOST_AUTO_TEST_CASE(an_evicted_index_is_noticed) {
  redis.call({"DEL", index("d")});
  require_noticed("d/f1");
}

BOOST_AUTO_TEST_CASE(a_key_of_another_type_is_noticed) {
  redis.call({"SET", index("d"), "text"});
  require_noticed("d");
}

BOOST_AUTO_TEST_CASE(a_name_that_was_taken_out_is_missed_in_a_listing_and_in_a_lookup) {
  const auto take_out = [&] {
    redis.call({"ZREMRANGEBYLEX", index("d"), "[" + redis::layout::first_member("f1"),
                "[" + redis::layout::behind_member("f1")});
  };
  take_out();
  require_noticed("d");
  find_keys();
  take_out();
  require_noticed("d/f1");
}

BOOST_AUTO_TEST_CASE(the_last_name_and_the_end_are_missed_too) {
  redis.call({"ZREMRANGEBYRANK", index("d"), "-1", "-1"});
  require_noticed("d");
  find_keys();
  redis.call({"ZREMRANGEBYRANK", index("d"), "-2", "-2"});
  require_noticed("d");
}

BOOST_AUTO_TEST_CASE(a_name_that_was_put_in_is_noticed) {
  redis.call({"ZADD", index("d"), "0", std::string{"f11"} + '\0' + "1" + '\0' + "0123456789abcdef"});
  require_noticed("d");
}

BOOST_AUTO_TEST_CASE(a_token_that_somebody_set_is_not_believed) {
  redis.freeze();
  node.logged(put("new", "x"));
  redis.thaw();
  redis.call({"HSET", redis.keys("kaiku:*:token").front(), "index", to_string(node.disk->state().last.index)});
  node.settle();
  BOOST_TEST(node.answers("new"));
  BOOST_TEST((redis.tree("n1") == node.tree()));
}

BOOST_AUTO_TEST_CASE(an_emptied_redis_is_filled_again) {
  redis.call({"FLUSHALL"});
  BOOST_TEST(wait_until(milliseconds{30'000}, [&] {
    node.compare("d/f1");
    return node.mirror->view().rebuilds > 1;
  }));
  node.settle();
  BOOST_TEST((redis.tree("n1") == node.tree()));
}

BOOST_AUTO_TEST_CASE(a_redis_that_is_gone_costs_nothing_and_is_used_again_when_it_is_back) {
  redis.kill();
  BOOST_TEST(wait_until(milliseconds{30'000}, [&] { return !node.mirror->view().asked; }));
  for (int i = 0; i < 100; ++i) BOOST_TEST(!node.ask("d").has_value());
  BOOST_TEST(is(mirror_view::state::unreachable));
  node.logged(put("meanwhile", "x"));
  redis.start();
  node.settle();
  BOOST_TEST(node.answers("meanwhile"));
  BOOST_TEST((redis.tree("n1") == node.tree()));
}

BOOST_AUTO_TEST_CASE(a_redis_that_stands_still_costs_one_wait_and_needs_no_filling_afterwards) {
  const auto late = node.mirror->view().answered_late;
  redis.freeze();
  const auto begun = test::clock::now();
  BOOST_TEST(!node.ask("d").has_value());
  for (int i = 0; i < 1000; ++i) BOOST_TEST(!node.ask("d").has_value());
  BOOST_TEST(node.mirror->view().answered_late <= late + 1);
  BOOST_TEST(since(begun).count() < 5000);
  node.logged(put("meanwhile", "x"));
  BOOST_TEST(is(mirror_view::state::unreachable));
  redis.thaw();
  node.settle();
  BOOST_TEST(node.mirror->view().rebuilds == 1U);
  BOOST_TEST(node.answers("meanwhile"));
  BOOST_TEST((redis.tree("n1") == node.tree()));
}

BOOST_AUTO_TEST_CASE(a_redis_that_is_slow_but_alive_is_asked_ever_less_often) {
  test_redis slow(directory / "slow", {"--enable-debug-command", "yes"});
  mirrored_store there(slow.address(), "n1");
  there.settle();
  std::atomic<bool> enough{false};
  std::thread brake([&] {
    while (!enough) slow.call({"DEBUG", "SLEEP", "0.03"});
  });
  const auto late = there.mirror->view().answered_late;
  std::size_t asked = 0;
  // Far more often than it would take to lose each its wait.
  wait_until(milliseconds{3000}, [&] {
    there.ask("");
    return ++asked == 1'000'000;
  });
  enough = true;
  brake.join();
  BOOST_TEST(asked > 100U);
  BOOST_TEST(there.mirror->view().answered_late - late <= 6U);
  there.settle();
}

BOOST_AUTO_TEST_CASE(a_full_redis_is_left_alone_until_there_is_room) {
  redis.call({"CONFIG", "SET", "maxmemory", "1"});
  node.logged(put("new", "x"));
  BOOST_TEST(is(mirror_view::state::full));
  BOOST_TEST(!node.ask("new").has_value());
  redis.call({"CONFIG", "SET", "maxmemory", "0"});
  node.settle();
  BOOST_TEST(node.answers("new"));
  BOOST_TEST((redis.tree("n1") == node.tree()));
}

BOOST_AUTO_TEST_CASE(more_changes_than_are_kept_in_mind_mean_filling_it_again) {
  mirrored_store small{redis.address(), "n2", 1, 20};
  small.settle();
  redis.freeze();
  for (int i = 0; i < 30; ++i) small.logged(put("g/" + std::to_string(i), "x"));
  redis.thaw();
  small.settle();
  BOOST_TEST(small.mirror->view().rebuilds >= 2U);
  BOOST_TEST((redis.tree("n2") == small.tree()));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace kaiku::test
