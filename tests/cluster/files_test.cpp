/// Files through any node, read from every node.

#include <atomic>
#include <set>
#include <thread>

#include <boost/test/unit_test.hpp>

#include "scenario.hpp"

namespace {

using namespace kaiku::test;

std::vector<std::string> names(const std::vector<listed_entry>& entries) {
  std::vector<std::string> out;
  for (const auto& entry : entries) out.push_back(entry.name + (entry.is_directory ? "/" : ""));
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(files)

BOOST_AUTO_TEST_CASE(a_file_put_through_a_follower_is_read_alike_from_all_nodes) {
  test_cluster cluster;
  const auto followers = cluster.followers();
  // In a log message, at the bound of what fits one, just above it, and in many pieces.
  for (std::uint64_t size : {0u, 1u, 4096u, 65'536u, 65'537u, 3'000'001u}) {
    const std::string path = "a/b/file-" + std::to_string(size);
    const generated_bytes content{size + 7, size};
    auto answer = put_or_fail(cluster.node(followers[0]), path, content);
    BOOST_TEST(answer.status == 201);
    BOOST_TEST(answer.header("Kaiku-Durability") == "leader");
    BOOST_TEST(!answer.header("Kaiku-Token").empty());
    BOOST_TEST(answer.header("Kaiku-Replicas").ends_with("/3"));
    BOOST_TEST(answer.number_header("Kaiku-Term") >= 1u);
    wait_until_everywhere(cluster, path, content);

    std::set<std::string> tags;
    for (std::size_t i = 0; i < cluster.size(); ++i) {
      auto got = cluster.node(i).client().get(path);
      BOOST_TEST(got.header("Kaiku-Node") == cluster.node(i).name());
      BOOST_TEST(got.header("Accept-Ranges") == "bytes");
      BOOST_TEST(got.header("Repr-Digest") == content.digest());
      BOOST_TEST((got.body == content.all()));
      tags.insert(got.header("ETag") + got.header("Last-Modified"));

      auto head = cluster.node(i).client().head(path);
      BOOST_TEST(head.status == 200);
      BOOST_TEST(head.body.empty());
      BOOST_TEST(head.number_header("Content-Length") == size);
      for (const char* name : {"ETag", "Last-Modified", "Content-Type", "Repr-Digest"})
        BOOST_TEST(head.header(name) == got.header(name));
    }
    BOOST_TEST(tags.size() == 1u);
  }
}

BOOST_AUTO_TEST_CASE(ranges_are_served_alike_from_all_nodes) {
  test_cluster cluster;
  for (std::uint64_t size : {1000u, 500'000u}) {
    const std::string path = "ranges/" + std::to_string(size);
    const generated_bytes content{size, size};
    const std::string whole = content.all();
    put_or_fail(cluster.node(cluster.followers()[0]), path, content);
    wait_until_everywhere(cluster, path, content);
    struct range {
      std::string asked;
      std::uint64_t first;
      std::uint64_t last;
    };
    for (const auto& [asked, first, last] :
         {range{"bytes=0-0", 0, 0}, range{"bytes=2-501", 2, 501}, range{"bytes=990-", 990, size - 1},
          range{"bytes=-10", size - 10, size - 1}, range{"bytes=5-99999999", 5, size - 1}}) {
      for (std::size_t i = 0; i < cluster.size(); ++i) {
        auto answer = cluster.node(i).client().get(path, {{"Range", asked}});
        BOOST_TEST_CONTEXT(asked << " of " << size << " on " << cluster.node(i).name()) {
          BOOST_TEST(answer.status == 206);
          BOOST_TEST(answer.header("Content-Range") ==
                     "bytes " + std::to_string(first) + "-" + std::to_string(last) + "/" + std::to_string(size));
          BOOST_TEST((answer.body == whole.substr(first, last - first + 1)));
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(replacing_removing_and_listing_go_through_any_node) {
  test_cluster cluster;
  const auto followers = cluster.followers();
  auto one = cluster.node(followers[0]).client();
  auto other = cluster.node(followers[1]).client();
  BOOST_TEST(one.put("d/x", "first").status == 201);
  BOOST_TEST(other.put("d/x", "second").status == 204);
  BOOST_TEST(other.put("d/y%20%C3%A4", "with a space").status == 201);
  BOOST_TEST(one.put("d/sub/deep", "deep").status == 201);
  BOOST_TEST(other.request("POST", "/files/d/empty?op=mkdir").status == 201);

  cluster.wait_until_converged();
  const std::vector<std::string> expected = {"empty/", "sub/", "x", "y \u00e4"};
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    auto client = cluster.node(i).client();
    BOOST_TEST(client.get("d/x").body == "second");
    BOOST_TEST(client.get("d/y%20%c3%a4").body == "with a space");
    for (std::size_t page : {1u, 2u, 1000u}) BOOST_TEST(names(list_directory(client, "d", page)) == expected);
    for (const auto& entry : list_directory(client, "d"))
      if (entry.name == "x") BOOST_TEST(entry.size == 6u);
  }

  BOOST_TEST(other.remove("d").problem_code() == "directory_not_empty");
  BOOST_TEST(one.remove("d/x").status == 204);
  BOOST_TEST(one.remove("d/x").status == 404);
  wait_until_gone_everywhere(cluster, "d/x");
  BOOST_TEST(other.remove("d?recursive=true").status == 204);
  wait_until_gone_everywhere(cluster, "d/sub/deep");
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    auto client = cluster.node(i).client();
    BOOST_TEST(list_directory(client, "").empty());
  }
  check_identical_trees(cluster);
}

BOOST_AUTO_TEST_CASE(writers_of_one_path_through_different_nodes_leave_the_same_winner_everywhere) {
  test_cluster cluster;
  std::vector<std::jthread> writers;
  std::atomic<int> failed{0};
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    writers.emplace_back([&failed, i, where = cluster.node(i).http()] {
      http_client client(where);
      for (std::uint64_t n = 0; n < 50; ++n)
        if (!client.put("contested", generated_bytes{i * 100 + n, n % 5 == 0 ? 70'000u : 500u}).is_success()) ++failed;
    });
  }
  writers.clear();
  BOOST_TEST(failed == 0);
  const tree there = check_identical_trees(cluster);
  // One of the writers' last words.
  std::set<std::string> last;
  for (std::uint64_t i = 0; i < cluster.size(); ++i) last.insert(generated_bytes{i * 100 + 49, 500}.digest());
  BOOST_TEST(last.contains(there.at("contested").digest));
}

BOOST_AUTO_TEST_CASE(conditions_are_judged_by_the_leader_whichever_node_is_asked) {
  test_cluster cluster;
  const auto followers = cluster.followers();
  auto one = cluster.node(followers[0]).client();
  auto other = cluster.node(followers[1]).client();
  BOOST_TEST(one.put("c", "first", {{"If-None-Match", "*"}}).status == 201);
  BOOST_TEST(other.put("c", "second", {{"If-None-Match", "*"}}).problem_code() == "precondition_failed");
  cluster.wait_until_converged();
  const auto tag = other.get("c").header("ETag");
  BOOST_TEST(one.put("c", "third", {{"If-Match", tag}}).status == 204);
  auto late = other.put("c", "fourth", {{"If-Match", tag}});
  BOOST_TEST(late.status == 412);
  BOOST_TEST(late.problem_code() == "precondition_failed");
  cluster.wait_until_converged();
  for (std::size_t i = 0; i < cluster.size(); ++i) BOOST_TEST(cluster.node(i).client().get("c").body == "third");
}

BOOST_AUTO_TEST_SUITE_END()
