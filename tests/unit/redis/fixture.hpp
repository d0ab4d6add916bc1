#pragma once

/// Purpose: a store with a mirror in a Redis of its own, and short ways to ask both. Thread: the test's.

#include <boost/test/unit_test.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "../storage/fixture.hpp"
#include "kaiku/storage/redis/layout.hpp"
#include "kaiku/storage/redis_mirror.hpp"
#include "support/test_redis.hpp"

namespace kaiku::test {

struct mirrored_store {
  temporary_directory directory;
  std::shared_ptr<change_feed> feed;
  std::shared_ptr<store> disk;
  std::unique_ptr<redis_mirror> mirror;

  /// Leads a cluster of one, named after `cluster`. `feed_bound`: of the feed. `settled`: the cluster is confirmed.
  mirrored_store(const redis_address& at, const std::string& node, std::uint8_t cluster = 1,
                 std::size_t feed_bound = limits::mirror_changed_keys, bool settled = true);

  proposed propose(proposal what);
  void logged(proposal what) { BOOST_REQUIRE_EQUAL(propose(std::move(what)).failure.code, errc::none); }

  /// What Redis says of the log's end; nothing if it leaves the answer to the store.
  std::optional<file_answer> ask(const std::string& where, const std::string& after = "", std::size_t limit = 1000,
                                 const std::string& prefix = "");
  /// Asks again and again until Redis answers, since on a busy machine it may be late.
  bool answers(const std::string& where);
  /// Asks until Redis has left the answer to the store because there is none.
  bool leaves(const std::string& where);
  /// Until Redis answers for the log's end. Fails the test if it does not.
  void settle();
  /// What Redis says, if anything, is what the store says. Whether it said something.
  bool compare(const std::string& where, const std::string& after = "", std::size_t limit = 1000,
               const std::string& prefix = "");
  /// By path, as `test_redis::tree`.
  std::map<std::string, std::string> tree() const;
};

struct redis_fixture {
  temporary_directory directory;
  test_redis redis{directory / "redis"};
  mirrored_store node{redis.address(), "n1"};
};

}  // namespace kaiku::test
