/// What is left of a cluster goes on as another one.

#include "kaiku/node/recover.hpp"

#include "../../support/temporary_directory.hpp"
#include "backup_fixture.hpp"

namespace kaiku::test {
namespace {

struct recover_fixture {
  temporary_directory directory;
  std::filesystem::path data = directory / "data";

  std::unique_ptr<store> open() const {
    auto opened = store::open({data, 0, [](const std::string& why) { BOOST_FAIL(why); }});
    BOOST_REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? "" : opened.failure().detail));
    return std::move(*opened);
  }
  static void log(store& disk, command what, std::string content = {}) {
    const proposal one{std::move(what), {}, std::move(content)};
    BOOST_REQUIRE(disk.propose(disk.state().current, std::span{&one, 1}).results.at(0).failure.code == errc::none);
  }
  /// A voter's disk, with its own name recorded or not.
  void make(bool seen) const {
    const auto disk = open();
    disk->adopt_term({1});
    const incarnation own = seen ? disk->disk() : incarnation{};
    log(*disk,
        set_members{{{7}}, {{{"n1"}, own, "host1:1"}, {{"n2"}, {{9}}, "host2:1"}, {{"n3"}, {{8}}, "host3:1"}}, {}});
    log(*disk, put_file{path_of("f"), {digest_of_bytes("text"), {4}}, {}, {1}, true}, "text");
  }
  errc refused(const char* name) const {
    const auto opened = recovery::open(data, {name});
    return opened.ok() ? errc::none : opened.failure().code;
  }
};

BOOST_FIXTURE_TEST_SUITE(recoveries, recover_fixture)

BOOST_AUTO_TEST_CASE(the_node_is_the_only_voter_of_a_new_cluster_with_all_it_has) {
  make(true);
  {
    auto found = recovery::open(data, {"whatever"});
    BOOST_REQUIRE(found.ok());
    BOOST_TEST(found->self().id.name == "n1");
    BOOST_TEST((found->last() == log_position{{1}, {2}}));
    BOOST_TEST((refused("n1") == errc::in_use));
    BOOST_REQUIRE(found->run().ok());
  }
  const auto disk = open();
  const auto now = disk->members();
  BOOST_TEST((now.cluster != cluster_id{{7}}));
  BOOST_TEST(now.confirmed);
  BOOST_TEST((now.voters == std::vector<member>{{{"n1"}, disk->disk(), "host1:1"}}));
  BOOST_REQUIRE(now.learners.size() == 2u);
  BOOST_TEST(now.learners[0].id.name == "n2");
  BOOST_TEST(now.learners[0].peer_address == "host2:1");
  BOOST_TEST((now.learners[0].disk != incarnation{{9}}));
  BOOST_TEST(now.learners[0].disk.known());
  BOOST_TEST((disk->state().last == log_position{{2}, {3}}));
  BOOST_TEST(disk->open_content(disk->stat(path_of("f"))->content)->bytes == "text");
}

BOOST_AUTO_TEST_CASE(looking_changes_nothing) {
  make(true);
  BOOST_REQUIRE(recovery::open(data, {"n1"}).ok());
  const auto disk = open();
  BOOST_TEST((disk->members().cluster == cluster_id{{7}}));
  BOOST_TEST((disk->state().last == log_position{{1}, {2}}));
}

BOOST_AUTO_TEST_CASE(a_disk_that_was_never_recorded_goes_by_its_name) {
  make(false);
  BOOST_TEST((refused("n9") == errc::bad_request));
  {
    auto found = recovery::open(data, {"n1"});
    BOOST_REQUIRE(found.ok());
    BOOST_REQUIRE(found->run().ok());
  }
  const auto again = recovery::open(data, {"n9"});
  BOOST_REQUIRE(again.ok());
  BOOST_TEST(again->self().id.name == "n1");
}

BOOST_AUTO_TEST_CASE(what_is_no_member_is_refused) {
  BOOST_TEST((refused("n1") == errc::bad_request));
  BOOST_TEST(!std::filesystem::exists(data));
  open()->adopt_term({1});
  BOOST_TEST((refused("n1") == errc::bad_request));  // no cluster yet
  log(*open(), set_members{{{7}}, {{{"n1"}, {{5}}, "host1:1"}}, {}});
  BOOST_TEST((refused("n1") == errc::bad_request));  // replaced by another disk
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace kaiku::test
