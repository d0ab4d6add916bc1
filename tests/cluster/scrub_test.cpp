/// Bits that flip on a disk are found, never served once they are, and healed from another member.

#include <filesystem>
#include <fstream>
#include <map>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "scenario.hpp"

namespace {

using namespace kaiku::test;
namespace fs = std::filesystem;

const header_list by_all = {{"Kaiku-Durability", "all"}};

std::vector<fs::path> blobs_of(const test_node& node) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::recursive_directory_iterator(node.data() / "blobs"))
    if (entry.is_regular_file()) found.push_back(entry.path());
  return found;
}

void flip_a_bit(const fs::path& file, std::uint64_t seed) {
  std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
  const auto at = static_cast<std::streamoff>(seed * 7919 % fs::file_size(file));
  bytes.seekg(at);
  const char old = static_cast<char>(bytes.get());
  bytes.seekp(at);
  bytes.put(static_cast<char>(old ^ (1 << seed % 8)));
  BOOST_REQUIRE(bytes.good());
}

nlohmann::json scrub_state(const test_node& node) {
  return node.client().request("GET", "/cluster/scrub").json();
}

/// One whole pass; what it found.
nlohmann::json scrub(test_cluster& cluster, const test_node& node) {
  auto begun = node.client().request("POST", "/cluster/scrub");
  BOOST_TEST_REQUIRE(begun.status == 202, "answered " << begun);
  cluster.wait_for("the pass is over", milliseconds{60'000}, [&] { return !scrub_state(node)["running"]; });
  return scrub_state(node);
}

struct scrubbed_cluster : test_cluster {
  explicit scrubbed_cluster(std::size_t nodes = 3)
      : test_cluster({.nodes = nodes, .extra = {"--scrub-rate", "1000000000"}}) {}

  void put_files(std::size_t count) {
    auto client = node(wait_for_leader()).client(milliseconds{30'000});
    for (std::size_t i = 0; i < count; ++i) {
      const auto size = i % 2 == 0 ? 70'000 + i * 10'007 : i * 100;
      auto put = client.put(name(i), generated_bytes{i, size}, by_all);
      BOOST_TEST_REQUIRE(put.status == 201, "answered " << put);
      files[name(i)] = generated_bytes{i, size}.all();
    }
  }
  static std::string name(std::size_t i) { return "f" + std::to_string(i); }
  /// How many of the files the node gives whole; none may be given otherwise.
  std::size_t count_whole(const test_node& from) {
    auto client = from.client(milliseconds{30'000});
    std::size_t whole = 0;
    for (const auto& [path, bytes] : files) {
      try {
        auto got = client.get(path);
        whole += got.body == bytes ? 1 : 0;
        if (got.status == 200) BOOST_TEST((got.body == bytes), path << " is damaged");
      } catch (const network_failure&) {  // it ended before the content did
        client.disconnect();
      }
    }
    return whole;
  }

  std::map<std::string, std::string> files;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(scrub_api)

BOOST_AUTO_TEST_CASE(every_flipped_bit_in_the_blobs_of_a_node_is_found_and_healed_from_the_others) {
  scrubbed_cluster cluster;
  cluster.put_files(40);
  auto& node = cluster.node(cluster.followers().front());
  auto clean = scrub(cluster, node);
  BOOST_TEST(clean["checked"] == cluster.files.size());
  BOOST_TEST(clean["damaged"] == 0);
  const auto blobs = blobs_of(node);
  BOOST_TEST_REQUIRE(blobs.size() == 20u);
  for (std::size_t i = 0; i < blobs.size(); ++i) flip_a_bit(blobs[i], i + 1);
  auto found = scrub(cluster, node);
  BOOST_TEST(found["damaged"] == blobs.size());
  cluster.wait_for("all are healed", milliseconds{60'000},
                   [&] { return scrub_state(node)["repaired"] == blobs.size(); });
  BOOST_TEST(scrub_state(node)["unrepairable"] == 0);
  BOOST_TEST(cluster.count_whole(node) == cluster.files.size());
  BOOST_TEST(scrub(cluster, node)["damaged"] == 0);
  check_identical_trees(cluster);
}

BOOST_AUTO_TEST_CASE(a_flipped_bit_in_a_blob_is_never_served_and_healed_by_the_read_that_met_it) {
  scrubbed_cluster cluster;
  cluster.put_files(20);
  auto& node = cluster.node(cluster.followers().front());
  const auto blobs = blobs_of(node);
  BOOST_TEST_REQUIRE(blobs.size() == 10u);
  for (std::size_t i = 0; i < blobs.size(); ++i) flip_a_bit(blobs[i], i + 1);
  BOOST_TEST(cluster.count_whole(node) < cluster.files.size());
  cluster.wait_for("reads have healed them", milliseconds{60'000},
                   [&] { return cluster.count_whole(node) == cluster.files.size(); });
  BOOST_TEST(scrub_state(node)["repaired"] == blobs.size());
}

BOOST_AUTO_TEST_CASE(a_read_that_meets_a_cut_or_missing_blob_has_it_healed) {
  scrubbed_cluster cluster;
  cluster.put_files(5);
  auto& node = cluster.node(cluster.followers().front());
  const auto blobs = blobs_of(node);
  BOOST_TEST_REQUIRE(blobs.size() == 3u);
  fs::resize_file(blobs[0], 1000);
  fs::remove(blobs[1]);
  cluster.wait_for("reads have healed them", milliseconds{30'000},
                   [&] { return cluster.count_whole(node) == cluster.files.size(); });
  BOOST_TEST(scrub_state(node)["repaired"] == 2);
}

BOOST_AUTO_TEST_CASE(what_nobody_else_has_at_hand_is_not_served_and_healed_when_a_member_comes_back) {
  scrubbed_cluster cluster;
  cluster.put_files(2);
  const auto leader = cluster.wait_for_leader();
  auto& node = cluster.node(leader);
  const auto followers = cluster.followers();
  for (auto i : followers) cluster.node(i).kill();
  flip_a_bit(blobs_of(node).front(), 3);
  auto found = scrub(cluster, node);
  BOOST_TEST(found["damaged"] == 1);
  cluster.wait_for("nobody has it", milliseconds{90'000}, [&] { return scrub_state(node)["unrepairable"] == 1; });
  BOOST_TEST(cluster.count_whole(node) == 1u);
  BOOST_TEST(node.client().get("f0").problem_code() == "content_missing");
  cluster.node(followers.front()).start();
  cluster.wait_for("it is healed", milliseconds{30'000}, [&] { return cluster.count_whole(node) == 2u; });
  BOOST_TEST(scrub_state(node)["unrepairable"] == 0);
}

BOOST_AUTO_TEST_SUITE_END()
