/// What a client may do wrong, through every node: the right status, a problem document, nothing stored, the node goes
/// on.

#include <algorithm>
#include <filesystem>

#include <boost/test/unit_test.hpp>

#include "scenario.hpp"

namespace {

using namespace kaiku::test;

struct wrong_request {
  std::string method;
  std::string target;
  header_list headers;
  std::string body;
  int status;
  std::string code;
};

std::vector<wrong_request> wrong_requests() {
  const std::string long_name(256, 'n');
  std::string long_path;
  while (long_path.size() <= 4096) long_path += "directory/";
  return {
      {"PUT", "/files/../x", {}, "body", 400, "invalid_path"},
      {"PUT", "/files/a/../x", {}, "body", 400, "invalid_path"},
      {"PUT", "/files/a/./x", {}, "body", 400, "invalid_path"},
      {"PUT", "/files/%2e%2e/x", {}, "body", 400, "invalid_path"},
      {"PUT", "/files/a//x", {}, "body", 400, "invalid_path"},
      {"PUT", "/files/x%00y", {}, "body", 400, "invalid_path"},
      {"PUT", "/files/x%0ay", {}, "body", 400, "invalid_path"},
      {"PUT", "/files/a%2fb", {}, "body", 400, "invalid_path"},
      {"PUT", "/files/a%2Fb", {}, "body", 400, "invalid_path"},
      {"PUT", "/files/x%ff", {}, "body", 400, "invalid_path"},
      {"PUT", "/files/x%c0%af", {}, "body", 400, "invalid_path"},
      {"PUT", "/files/x%4", {}, "body", 400, "invalid_path"},
      {"PUT", "/files/" + long_name, {}, "body", 400, "invalid_path"},
      {"PUT", "/files/" + long_path + "x", {}, "body", 400, "invalid_path"},
      {"GET", "/files/../../etc/passwd", {}, "", 400, "invalid_path"},
      {"DELETE", "/files/%2e%2e", {}, "", 400, "invalid_path"},
      {"GET", "/files/missing", {}, "", 404, "not_found"},
      {"GET", "/files/file/below", {}, "", 404, "not_found"},
      {"DELETE", "/files/missing", {}, "", 404, "not_found"},
      {"PUT", "/files/directory", {}, "body", 409, "is_a_directory"},
      {"PUT", "/files/file/below", {}, "body", 409, "not_a_directory"},
      {"PUT", "/files/none/x?parents=false", {}, "body", 409, "parent_missing"},
      {"POST", "/files/directory?op=mkdir", {}, "", 409, "already_exists"},
      {"DELETE", "/files/directory", {}, "", 409, "directory_not_empty"},
      {"GET", "/files/file", {{"Range", "bytes=9999-"}}, "", 416, "range_not_satisfiable"},
      {"BREW", "/files/file", {}, "", 501, "not_implemented"},
      {"PUT", "/cluster", {}, "body", 405, "method_not_allowed"},
      {"PUT", "/files/x", {{"Kaiku-Durability", "eternal"}}, "body", 400, "bad_request"},
      {"GET", "/nowhere", {}, "", 404, "not_found"},
  };
}

/// Files below the node's staging directory; none may stay when no upload runs.
std::size_t staged_files(const test_node& node) {
  std::error_code ignored;
  auto all = std::filesystem::recursive_directory_iterator(node.data() / "staging", ignored);
  return static_cast<std::size_t>(
      std::count_if(begin(all), end(all), [](const auto& entry) { return entry.is_regular_file(); }));
}

void check_nothing_staged(test_cluster& cluster) {
  cluster.wait_for("no node has anything in staging", milliseconds{30'000}, [&] {
    for (std::size_t i = 0; i < cluster.size(); ++i)
      if (staged_files(cluster.node(i)) != 0) return false;
    return true;
  });
}

std::vector<std::string> root_names(test_node& node) {
  auto client = node.client();
  std::vector<std::string> out;
  for (const auto& entry : list_directory(client, "")) out.push_back(entry.name);
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(bad_input)

BOOST_AUTO_TEST_CASE(wrong_requests_get_a_problem_document_from_every_node_and_store_nothing) {
  test_cluster cluster;
  put_or_fail(cluster.node(0), "file", {1, 1000});
  put_or_fail(cluster.node(0), "directory/file", {2, 1000});
  cluster.wait_until_converged();
  const tree before = check_identical_trees(cluster);

  for (std::size_t i = 0; i < cluster.size(); ++i) {
    auto client = cluster.node(i).client();
    for (const auto& wrong : wrong_requests()) {
      auto answer = client.request(wrong.method, wrong.target, wrong.headers, wrong.body);
      BOOST_TEST_CONTEXT(wrong.method << " " << wrong.target.substr(0, 60) << " on " << cluster.node(i).name()
                                      << " answered " << answer) {
        BOOST_TEST(answer.status == wrong.status);
        BOOST_TEST(answer.problem_code() == wrong.code);
        if (wrong.status == 405) BOOST_TEST(!answer.header("Allow").empty());
        if (wrong.status == 416) BOOST_TEST(answer.header("Content-Range") == "bytes */1000");
      }
    }
    BOOST_TEST(client.get("file").status == 200);
  }
  const tree after = check_identical_trees(cluster);
  for (const auto& line : differences(before, after)) BOOST_ERROR(line);
}

BOOST_AUTO_TEST_CASE(a_body_that_is_cut_off_leaves_nothing_behind) {
  test_cluster cluster;
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    for (std::uint64_t sent : {0u, 10'000u, 300'000u, 5'000'000u}) {
      for (bool reset : {false, true}) {
        auto client = cluster.node(i).client();
        client.send_head("PUT", "/files/cut", {}, 2 * sent + 10);
        BOOST_TEST(client.send_body(generated_bytes{1, sent}.all()));
        if (reset) {
          client.connection().reset();
          continue;
        }
        client.connection().finish_sending();
        try {
          auto answer = client.read_response("PUT");
          BOOST_TEST(answer.status == 400);
          BOOST_TEST(answer.problem_code() == "body_incomplete");
        } catch (const network_failure& e) {
          // Ending the connection without a word is an answer too; leaving it open is not.
          BOOST_TEST((e.which() == network_failure::kind::cut_off), e.what());
        }
      }
    }
  }
  check_nothing_staged(cluster);
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    BOOST_TEST(cluster.node(i).client().get("cut").status == 404);
    BOOST_TEST(root_names(cluster.node(i)).empty());
  }
}

BOOST_AUTO_TEST_CASE(a_body_that_is_not_what_its_digest_says_is_refused_by_every_node) {
  test_cluster cluster;
  const std::string other = digest_of("another body");
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    for (std::uint64_t size : {100u, 1'000'000u}) {
      const generated_bytes content{size, size};
      for (const char* field : {"Repr-Digest", "Content-Digest"}) {
        auto answer = cluster.node(i).client().put("digest", content, {{field, other}});
        BOOST_TEST_CONTEXT(field << " on " << cluster.node(i).name() << ": " << answer) {
          BOOST_TEST(answer.status == 400);
          BOOST_TEST(answer.problem_code() == "digest_mismatch");
        }
      }
      BOOST_TEST(root_names(cluster.node(i)).empty());
    }
  }
  check_nothing_staged(cluster);
  const generated_bytes content{5, 1'000'000};
  put_or_fail(cluster.node(0), "digest", content, {{"Repr-Digest", content.digest()}});
  wait_until_everywhere(cluster, "digest", content);
}

BOOST_AUTO_TEST_CASE(ambiguous_framing_is_refused_before_anything_is_stored) {
  test_cluster cluster({1});
  for (const char* head :
       {"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "Content-Length: 4\r\nContent-Length: 5\r\n",
        "Content-Length: four\r\n", "Content-Length: -1\r\n", "Content-Length: 4\r\nX: a\r\n folded\r\n",
        "Content-Length : 4\r\n", "Content-Length: 4\r\nX: a\nY: b\r\n"}) {
    auto client = cluster.node(0).client();
    client.send_raw("PUT /files/smuggled HTTP/1.1\r\nHost: n1\r\n" + std::string(head) + "\r\nbody");
    auto answer = client.read_response("PUT");
    BOOST_TEST_CONTEXT(head << " answered " << answer) {
      BOOST_TEST(answer.status == 400);
      BOOST_TEST(answer.problem_code() == "bad_request");
      BOOST_TEST(client.connection().is_closed_within(milliseconds{5000}));
    }
    BOOST_TEST(root_names(cluster.node(0)).empty());
  }
}

BOOST_AUTO_TEST_SUITE_END()
