/// A disk that is nearly full: 507, nothing stored, reads and votes go on, and writes too once there is space again.

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "scenario.hpp"
#include "support/count_in.hpp"

namespace {

using namespace kaiku::test;

constexpr std::uint64_t mebibyte = 1024 * 1024;

const header_list by_leader = {{"Kaiku-Durability", "leader"}};
const header_list by_majority = {{"Kaiku-Durability", "majority"}};

/// A small file system in memory, mounted at a directory; unmounted by the destructor, even under running nodes.
class small_disk {
 public:
  explicit small_disk(const std::filesystem::path& where) : where_(where) {
    std::filesystem::create_directories(where);
    const int failed = ::mount("kaiku-test", where.c_str(), "tmpfs", 0, "size=240m,mode=0700");
    BOOST_REQUIRE_MESSAGE(failed == 0, "mount tmpfs at " << where << ": " << std::strerror(errno));
  }
  ~small_disk() { ::umount2(where_.c_str(), MNT_DETACH); }
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;

 private:
  std::filesystem::path where_;
};

/// Takes space until only `left` bytes are free.
void fill(const test_node& node, std::uint64_t left) {
  const auto free = std::filesystem::space(node.data()).available;
  BOOST_REQUIRE(free > left);
  const int fd = ::open((node.data() / "filler").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  BOOST_REQUIRE(fd >= 0);
  BOOST_TEST(::posix_fallocate(fd, 0, static_cast<off_t>(free - left)) == 0);
  ::close(fd);
}
void unfill(const test_node& node) {
  std::filesystem::remove(node.data() / "filler");
}

/// Gives each node of a cluster a small disk of its own.
class small_disks {
 public:
  cluster_options options(std::size_t nodes) {
    cluster_options out;
    out.nodes = nodes;
    out.prepare = [this](const std::filesystem::path& data) { disks_.push_back(std::make_unique<small_disk>(data)); };
    return out;
  }

 private:
  std::vector<std::unique_ptr<small_disk>> disks_;
};

/// Mounting needs root; without it these tests are reported as skipped.
boost::test_tools::assertion_result may_mount(boost::unit_test::test_unit_id) {
  boost::test_tools::assertion_result out(::geteuid() == 0);
  out.message() << "only root can mount a small disk";
  return out;
}

/// What GET /writes says of it.
std::string fate_of(test_node& asked, const std::string& token) {
  return asked.client().request("GET", "/writes/" + token).json().at("status").get<std::string>();
}

void check_refused(test_node& through, const std::string& path, const generated_bytes& content) {
  auto answer = through.client(milliseconds{30'000}).put(path, content);
  BOOST_TEST_CONTEXT(path << " through " << through.name() << " answered " << answer) {
    BOOST_TEST(answer.status == 507);
    BOOST_TEST(answer.problem_code() == "disk_full");
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(full_disk, *boost::unit_test::precondition(may_mount))

BOOST_AUTO_TEST_CASE(a_node_on_a_full_disk_answers_507_and_goes_on) {
  small_disks disks;
  test_cluster cluster(disks.options(1));
  auto& node = cluster.node(0);
  const generated_bytes kept{1, 10 * mebibyte};
  put_or_fail(node, "kept", kept);
  put_or_fail(node, "small", {2, 1000});

  // More than what is left, announced and found out on the way.
  check_refused(node, "too-large", {3, 150 * mebibyte});
  fill(node, 100 * mebibyte);
  check_refused(node, "large", {4, 5 * mebibyte});
  check_refused(node, "small-new", {5, 1000});
  check_refused(node, "small", {6, 1000});
  BOOST_TEST(node.client().get_digest("kept").body_digest == kept.digest());
  BOOST_TEST(node.client().get_digest("small").body_digest == (generated_bytes{2, 1000}.digest()));
  auto client = node.client();
  BOOST_TEST(list_directory(client, "").size() == 2u);
  BOOST_TEST(std::filesystem::is_empty(node.data() / "staging"));

  unfill(node);
  put_or_fail(node, "small", {6, 1000});
  put_or_fail(node, "large", {4, 5 * mebibyte});
  node.kill();
  node.start();
  node.wait_until_ready(milliseconds{5000});
  const tree there = check_identical_trees(cluster);
  BOOST_TEST(there.size() == 3u);
  BOOST_TEST(there.at("small").digest == (generated_bytes{6, 1000}.digest()));
}

BOOST_AUTO_TEST_CASE(a_disk_that_fills_up_under_an_upload_of_unknown_end_keeps_nothing_of_it) {
  small_disks disks;
  test_cluster cluster(disks.options(1));
  auto& node = cluster.node(0);
  auto client = node.client(milliseconds{30'000});
  client.send_head("PUT", "/files/endless", {{"Transfer-Encoding", "chunked"}});
  const std::string piece = generated_bytes{1, mebibyte}.all();
  bool goes_on = true;
  for (int i = 0; i < 200 && goes_on; ++i)
    goes_on = client.send_body("100000\r\n") && client.send_body(piece) && client.send_body("\r\n");
  BOOST_TEST(!goes_on, "200 MiB went onto a disk of 240");
  auto answer = client.read_response("PUT");
  BOOST_TEST(answer.status == 507, "answered " << answer);
  cluster.wait_for("staging is empty", milliseconds{10'000},
                   [&] { return std::filesystem::is_empty(node.data() / "staging"); });
  BOOST_TEST(node.client().get("endless").status == 404);
  put_or_fail(node, "small", {2, 1000});
}

BOOST_AUTO_TEST_CASE(removed_files_make_room_for_others_on_every_node) {
  const header_list by_all = {{"Kaiku-Durability", "all"}};
  const generated_bytes second{2, 60 * mebibyte};
  small_disks disks;
  test_cluster cluster(disks.options(3));
  auto& leader = cluster.node(cluster.wait_for_leader());
  put_or_fail(leader, "first", {1, 60 * mebibyte}, by_all);
  check_refused(leader, "second", second);
  BOOST_TEST(leader.client().remove("first", by_all).status == 204);
  // Beyond the grace for those who have just been told its name.
  cluster.wait_for("there is room again", milliseconds{120'000},
                   [&] { return leader.client(milliseconds{30'000}).put("second", second, by_all).status == 201; });
  BOOST_TEST(check_identical_trees(cluster).at("second").digest == second.digest());
}

BOOST_AUTO_TEST_CASE(a_leader_on_a_full_disk_refuses_writes_and_stays_in_office) {
  small_disks disks;
  test_cluster cluster(disks.options(3));
  const auto leader = cluster.wait_for_leader();
  put_or_fail(cluster.node(leader), "kept", {1, mebibyte}, {{"Kaiku-Durability", "majority"}});
  fill(cluster.node(leader), 100 * mebibyte);
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    check_refused(cluster.node(i), "small", {2, 1000});
    check_refused(cluster.node(i), "large", {3, 5 * mebibyte});
    BOOST_TEST(cluster.node(i).client().get("small").status == 404);
    BOOST_TEST(cluster.node(i).client().get_digest("kept").body_digest == (generated_bytes{1, mebibyte}.digest()));
  }
  BOOST_TEST(cluster.wait_for_leader() == leader);
  unfill(cluster.node(leader));
  put_or_fail(cluster.node(cluster.followers()[0]), "large", {3, 5 * mebibyte});
  BOOST_TEST(check_identical_trees(cluster).size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_follower_on_a_full_disk_still_votes_and_catches_up_once_there_is_space) {
  small_disks disks;
  test_cluster cluster(disks.options(3));
  const auto full = cluster.followers()[0];
  const auto other = cluster.followers()[1];
  fill(cluster.node(full), 40 * mebibyte);
  for (std::uint64_t i = 0; i < 10; ++i)
    put_or_fail(cluster.node(cluster.wait_for_leader()), "f" + std::to_string(i), {i, mebibyte}, by_majority);
  // Its vote is needed now.
  const auto leader = cluster.wait_for_leader();
  cluster.node(leader).kill();
  BOOST_TEST(cluster.wait_for_leader(milliseconds{10'000}, leader) == other);
  cluster.node(leader).start();
  unfill(cluster.node(full));
  cluster.wait_until_ready(milliseconds{30'000});
  BOOST_TEST(check_identical_trees(cluster).size() == 10u);
}

BOOST_AUTO_TEST_CASE(what_a_follower_has_no_room_for_is_sent_again_now_and_then_and_not_at_once) {
  small_disks disks;
  test_cluster cluster(disks.options(3));
  auto& full = cluster.node(cluster.followers()[0]);
  fill(full, 40 * mebibyte);
  // More than the appends that may be on their way: what follows the first one comes when that was refused.
  for (std::uint64_t i = 0; i < 40; ++i)
    put_or_fail(cluster.node(cluster.wait_for_leader()), "f" + std::to_string(i), {i, 60'000}, by_majority);
  const auto refused = [&] { return count_in(full.log(), "refused: "); };
  const auto before = refused();
  const auto start = clock::now();
  cluster.wait_for("it was sent again", milliseconds{30'000}, [&] { return refused() >= before + 4; });
  // Half a second is between two, and the first of the four may have been due at once.
  BOOST_TEST(since(start) >= milliseconds{1000});
  BOOST_TEST(refused() < before + 10u);
  unfill(full);
  cluster.wait_until_ready(milliseconds{30'000});
  BOOST_TEST(check_identical_trees(cluster).size() == 40u);
}

/// Followers whose disks are full hear of entries that they can't take: the one way to be sure of the moment.
BOOST_AUTO_TEST_CASE(what_only_a_wiped_leader_had_is_named_by_its_successor_and_reported_for_good) {
  small_disks disks;
  test_cluster cluster(disks.options(3));
  put_or_fail(cluster.node(0), "kept", {1, 1000}, {{"Kaiku-Durability", "all"}});
  const auto old = cluster.wait_for_leader();
  const auto followers = cluster.followers();
  for (auto i : followers) fill(cluster.node(i), 40 * mebibyte);
  const auto token = put_or_fail(cluster.node(old), "lost", {2, 1000}, by_leader).header("Kaiku-Token");
  BOOST_TEST(fate_of(cluster.node(followers[0]), token) == "leader");
  const auto told = clock::now();
  cluster.wait_for("heartbeats of later were answered", milliseconds{10'000}, [&] {
    const auto status = cluster.node(old).status();
    return status && since(told) > status->leader_contact + milliseconds{500};
  });
  cluster.node(old).wipe();
  auto& next = cluster.node(cluster.wait_for_leader(milliseconds{10'000}, old));
  // Who answers for the node may hear that it leads a moment before it hears what may be lost.
  nlohmann::json named;
  cluster.wait_for("the successor names what may be lost", milliseconds{5'000}, [&] {
    named = next.cluster_document().at("possibly_lost");
    return !named.is_null();
  });
  BOOST_TEST("." + std::to_string(named.at("term").get<std::uint64_t>()) + "." +
                 std::to_string(named.at("last").get<std::uint64_t>()) ==
             token.substr(token.find('.')));
  for (auto i : followers) unfill(cluster.node(i));
  put_or_fail(next, "after", {3, 1000}, by_majority);
  cluster.node(old).start();
  wait_until_full_voter(cluster, old);
  cluster.wait_until_converged();
  for (std::size_t i = 0; i < cluster.size(); ++i) BOOST_TEST(fate_of(cluster.node(i), token) == "set_aside");
  BOOST_TEST(check_identical_trees(cluster).size() == 2u);
}

BOOST_AUTO_TEST_SUITE_END()
