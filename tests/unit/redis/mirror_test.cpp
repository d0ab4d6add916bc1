/// What Redis shows of a store, after random changes and displaced ones.

#include <cstdio>
#include <cstdlib>
#include <random>

#include "fixture.hpp"
#include "kaiku/storage/redis/copy.hpp"
#include "kaiku/storage/redis/lookup.hpp"
#include "support/tcp.hpp"

namespace kaiku::test {
namespace {

std::uint64_t fresh_seed() {
  if (const char* given = std::getenv("KAIKU_SEED")) return std::strtoull(given, nullptr, 10);
  return std::random_device{}();
}

class random_changes {
 public:
  random_changes(mirrored_store& node, std::uint64_t seed) : node_(node), random_(seed) {
    std::printf("redis random test: KAIKU_SEED=%llu\n", static_cast<unsigned long long>(seed));
  }

  void change() {
    const auto a = random_path(), b = random_path();
    switch (below(8)) {
      case 0: node_.propose(mkdir(a)); break;
      case 1: node_.propose(remove(a, true)); break;
      case 2: node_.propose({move_path{path(a), path(b), true, true, {2}}, {}, {}}); break;
      case 3: node_.propose({copy_path{path(a), path(b), true, true, {2}}, {}, {}}); break;
      case 4: node_.propose({change_properties{path(a), {.content_type = "x/y"}, {3}}, {}, {}}); break;
      case 5: displace(); break;
      case 6: node_.disk->collect_garbage(5); break;
      default: node_.propose(put(a, random_text())); break;
    }
  }

  void compare() {
    node_.settle();
    for (int i = 0; i < 10; ++i) {
      answered_ += node_.compare(random_path()) ? 1 : 0;
      answered_ += node_.compare(below(3) == 0 ? "" : random_path(), random_name(), 1 + below(3),
                                 below(3) == 0 ? random_name() : "")
                       ? 1
                       : 0;
    }
  }
  std::size_t answered() const { return answered_; }

 private:
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  std::string random_name() {
    static const std::vector<std::string> names{"a", "b", "c", "a!", "aa", "\xc3\xa4", "\xf4\x8f\xbf\xbf"};
    return names[below(names.size())];
  }
  std::string random_path() {
    auto out = random_name();
    while (below(2) == 0 && out.size() < 12) out += "/" + random_name();
    return out;
  }
  std::string random_text() { return std::string(below(4), static_cast<char>('0' + below(3))); }

  /// Another leader's entry takes the place of the last one, and gets its inode numbers.
  void displace() {
    const auto state = node_.disk->state();
    if (state.last.index.value < 3) return;
    const auto before = node_.disk->position(state.last.index.previous());
    if (!before) return;
    const term next{state.current.value + 1};
    const auto where = random_path();
    const log_entry instead{{next, state.last.index}, encode(make_directory{path(where), {4}, true})};
    // Where that does not hold, nothing does: an entry that changes nothing.
    const auto view = node_.disk->snapshot(before->index);
    const bool holds = !view->stat(path(where)).ok() && free_way(*view, path(where));
    const log_entry none{{next, state.last.index}, encode(no_operation{})};
    node_.disk->append({next, *before, {holds ? instead : none}, {}});
  }
  static bool free_way(const store_view& at, file_path where) {
    while (!where.is_root()) {
      where = where.parent();
      const auto info = at.stat(where);
      if (info.ok()) return info->is_directory();
    }
    return true;
  }

  mirrored_store& node_;
  std::mt19937_64 random_;
  std::size_t answered_ = 0;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(redis_mirror_, redis_fixture)

BOOST_AUTO_TEST_CASE(what_is_written_is_answered_by_redis) {
  node.logged(put("a/b/file", "text"));
  node.logged(mkdir("empty"));
  node.settle();
  for (const auto* where : {"a/b/file", "a/b", "a", "empty", ""})
    BOOST_TEST(wait_until(milliseconds{30'000}, [&] { return node.compare(where); }), where);
}

BOOST_AUTO_TEST_CASE(pages_begin_and_end_where_the_store_s_do) {
  for (int i = 0; i < 25; ++i) node.logged(put("d/f" + std::to_string(i), "x"));
  node.settle();
  for (std::size_t limit : {1U, 7U, 24U, 25U, 26U})
    for (const auto* after : {"", "f1", "f10", "f999", "e", "zz"})
      for (const auto* prefix : {"", "f1", "f", "g", "f24x"})
        BOOST_TEST(wait_until(milliseconds{30'000}, [&] { return node.compare("d", after, limit, prefix); }));
  // What is no name and lies behind all of them.
  for (const auto* beyond : {"\xff", "\xff\xff"}) {
    BOOST_TEST(!node.ask("d", beyond).has_value());
    BOOST_TEST(!node.ask("d", "", 10, beyond).has_value());
  }
  BOOST_TEST(node.mirror->view().wrong == 0U);
}

BOOST_AUTO_TEST_CASE(what_is_not_there_is_left_to_the_store) {
  node.logged(put("d/file", "x"));
  node.settle();
  for (const auto* where : {"d/none", "none", "d/file/below", "d/none/below", "zzz"})
    BOOST_TEST(node.leaves(where), where);
  BOOST_TEST(node.mirror->view().wrong == 0U);
}

BOOST_AUTO_TEST_CASE(what_has_expired_is_left_to_the_store) {
  auto file = put("d/file", "x");
  std::get<put_file>(file.what).properties.expires = unix_time_ms{test_time().value + 1000};
  node.logged(file);
  node.settle();
  BOOST_TEST(node.answers("d/file"));
  test_time().value += 1000;
  BOOST_TEST(node.leaves("d/file"));
  BOOST_TEST(node.leaves("d"));
  BOOST_TEST(node.mirror->view().wrong == 0U);
}

BOOST_AUTO_TEST_CASE(a_state_that_redis_does_not_show_is_not_answered) {
  node.logged(put("file", "x"));
  const redis::layout of("own:", redis::generation::make());
  name_space now(node.disk->snapshot_of_names());
  const auto shown = now.last();
  const auto copied = redis::copy_all(now, of, [&](const std::vector<redis::command>& some) {
    for (const auto& one : some) redis.call(one);
    return success();
  });
  BOOST_REQUIRE(copied.ok());
  redis.call(redis::copy_token(of, shown));
  const auto sha = redis.call({"SCRIPT", "LOAD", std::string(redis::lookup_script())}).text;
  const auto says = [&](log_position at) {
    return redis.call(redis::lookup_command(sha, of, at, {path("file"), "", 0, {}})).items.front().text;
  };
  BOOST_TEST(says(shown) == "found");
  BOOST_TEST(says({shown.in_term, shown.index.next()}) == "behind");
  BOOST_TEST(says({shown.in_term, shown.index.previous()}) == "behind");
  BOOST_TEST(says({term{shown.in_term.value + 1}, shown.index}) == "behind");
}

BOOST_AUTO_TEST_CASE(much_at_once_is_copied_whole) {
  // More than a command, a pipeline and a step of a sweep hold.
  for (int i = 0; i < 1500; ++i) node.logged(put("big/f" + std::to_string(i), "x"));
  node.settle();
  BOOST_TEST((redis.tree("n1") == node.tree()));
  const auto first = redis.generation("n1");
  redis.call({"DEL", redis.keys("kaiku:*:token").front()});
  BOOST_TEST(wait_until(milliseconds{30'000}, [&] { return node.mirror->view().rebuilds == 2U; }));
  node.settle();
  BOOST_TEST((redis.tree("n1") == node.tree()));
  BOOST_TEST(wait_until(milliseconds{30'000}, [&] { return redis.keys("*" + first + "*").empty(); }));
  node.logged({copy_path{path("big"), path("copy"), true, true, {2}}, {}, {}});
  node.logged(remove("big", true));
  node.settle();
  BOOST_TEST((redis.tree("n1") == node.tree()));
  BOOST_TEST(node.mirror->view().rebuilds == 2U);
}

BOOST_AUTO_TEST_CASE(a_cluster_that_is_not_settled_is_not_shown) {
  temporary_directory elsewhere;
  test_redis other(elsewhere / "redis");
  mirrored_store fresh(other.address(), "n1", 1, limits::mirror_changed_keys, false);
  fresh.logged(put("file", "x"));
  BOOST_TEST(!fresh.ask("file").has_value());
  BOOST_TEST(other.keys("*").empty());
  fresh.disk->confirm_cluster();
  fresh.settle();
  BOOST_TEST((other.tree("n1") == fresh.tree()));
}

BOOST_AUTO_TEST_CASE(a_password_a_user_a_database_and_tcp_are_used) {
  temporary_directory elsewhere;
  reserved_port port;
  test_redis other(elsewhere / "redis", {"--port", std::to_string(port.number())});
  other.call({"CONFIG", "SET", "requirepass", "canary-password"});
  redis_address at;
  at.host = "127.0.0.1";
  at.port = port.number();
  at.user = "default";
  at.password = "canary-password";
  at.database = 3;
  mirrored_store there(at, "n1");
  there.logged(put("file", "x"));
  there.settle();
  BOOST_TEST(there.answers("file"));
}

BOOST_AUTO_TEST_CASE(random_changes_are_shown_as_the_store_has_them) {
  random_changes run{node, fresh_seed()};
  for (int round = 0; round < 60; ++round) {
    for (int i = 0; i < 10; ++i) run.change();
    run.compare();
    if (round % 5 == 0) BOOST_TEST((redis.tree("n1") == node.tree()));
  }
  BOOST_TEST(node.mirror->view().rebuilds == 1U);
  BOOST_TEST(node.mirror->view().wrong == 0U);
  BOOST_TEST(run.answered() > 100U);
}

BOOST_AUTO_TEST_CASE(two_nodes_on_one_server_do_not_disturb_each_other) {
  mirrored_store second{redis.address(), "n2"}, elsewhere{redis.address(), "n1", 2};
  node.logged(put("file", "first"));
  second.logged(put("file", "second"));
  elsewhere.logged(put("other", "third"));
  for (auto* one : {&node, &second, &elsewhere}) one->settle();
  BOOST_TEST(wait_until(milliseconds{30'000}, [&] { return node.compare("file"); }));
  BOOST_TEST(wait_until(milliseconds{30'000}, [&] { return second.compare("file"); }));
  BOOST_TEST(elsewhere.answers("other"));
  BOOST_TEST((redis.tree("n2") == second.tree()));
  for (auto* one : {&node, &second, &elsewhere}) BOOST_TEST(one->mirror->view().rebuilds == 1U);
}

BOOST_AUTO_TEST_CASE(a_second_run_of_the_node_fills_redis_anew_and_removes_what_the_first_left) {
  node.logged(put("file", "x"));
  node.settle();
  const auto first = redis.generation("n1");
  node.mirror.reset();
  node.logged(remove("file"));
  node.mirror = std::make_unique<redis_mirror>(redis.address(), node_id{"n1"}, node.disk, node.feed);
  node.settle();
  BOOST_TEST(redis.generation("n1") != first);
  BOOST_TEST(wait_until(milliseconds{5000}, [&] { return redis.keys("*" + first + "*").empty(); }));
  BOOST_TEST((redis.tree("n1") == node.tree()));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace kaiku::test
