/// Bits that flip on the disk of one node of three: nothing wrong is ever served.

#include <fstream>
#include <iostream>
#include <map>
#include <optional>
#include <random>

#include <boost/test/unit_test.hpp>

#include "scenario.hpp"

namespace {

using namespace kaiku::test;

/// Flips one bit of these files, each bit as likely as any other; says where.
std::string flip_a_bit(const std::vector<std::filesystem::path>& files, std::mt19937_64& random) {
  std::uint64_t bytes = 0;
  for (const auto& file : files) bytes += std::filesystem::file_size(file);
  std::uint64_t at = random() % bytes;
  for (const auto& file : files) {
    const auto size = std::filesystem::file_size(file);
    if (at >= size) {
      at -= size;
      continue;
    }
    const auto bit = static_cast<unsigned>(random() % 8);
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(static_cast<std::streamoff>(at));
    const auto flipped = static_cast<char>(stream.get() ^ (1 << bit));
    stream.seekp(static_cast<std::streamoff>(at));
    stream.put(flipped);
    return file.filename().string() + ", byte " + std::to_string(at) + " of " + std::to_string(size) + ", bit " +
           std::to_string(bit);
  }
  throw std::logic_error("no bit to flip");
}

/// All that is read again at the next start, so not what RocksDB tells about itself (`LOG`), and large content.
std::vector<std::filesystem::path> files_to_flip(const test_node& node) {
  std::vector<std::filesystem::path> out = {node.data() / "SYNCED"};
  for (const auto& entry : std::filesystem::recursive_directory_iterator(node.data() / "blobs"))
    if (entry.is_regular_file()) out.push_back(entry.path());
  for (const auto& entry : std::filesystem::directory_iterator(node.data() / "db"))
    if (entry.is_regular_file() && !entry.path().filename().string().starts_with("LO") && entry.file_size() > 0)
      out.push_back(entry.path());
  return out;
}

/// Content of every size that has a place of its own in the database, new and replaced; by path.
std::map<std::string, std::string> fill(test_cluster& cluster) {
  std::map<std::string, std::string> digests;
  auto& leader = cluster.node(cluster.wait_for_leader());
  for (std::uint64_t i = 0; i < 80; ++i) {
    const std::string path = "d" + std::to_string(i % 5) + "/f" + std::to_string(i % 60);
    const generated_bytes content{i, i % 8 == 0 ? 300'000 + i * 1000 : i * i * 8 % 60'000};
    put_or_fail(leader, path, content);
    digests[path] = content.digest();
  }
  cluster.wait_until_converged();
  return digests;
}

/// A node on damaged files: what became of it.
enum class fate { refused_to_start, ended, repaired, served_all };

/// Ended by itself: with a code of its own and a line that says why.
void check_explained(const test_node& node, int code) {
  BOOST_TEST((code == 1 || code == 70), "exit code " << code);
  const std::string log = node.log_tail(3);
  BOOST_TEST(
      (log.find("kaikud: ") != std::string::npos || log.find("critical") != std::string::npos), "it printed:\n"
                                                                                                    << node.log_tail());
}

/// Asks for everything; how many files did not come. Wrong bytes are errors, a refusal or an answer that breaks off is
/// not. Nothing: the node ended.
std::optional<std::size_t> read_everything(test_node& node, const std::map<std::string, std::string>& digests) {
  std::size_t out = 0;
  auto client = node.client();
  for (const auto& [path, digest] : digests) {
    try {
      const auto answer = client.get_digest(path);
      if (answer.status == 200)
        BOOST_TEST(answer.body_digest == digest, "/" << path << " was served with wrong bytes");
      else
        BOOST_TEST(answer.status == 500, "/" << path << " answered " << answer);
      if (answer.status != 200) ++out;
    } catch (const network_failure&) {
      client.disconnect();
      if (node.process().wait_for_exit(milliseconds{1000})) return std::nullopt;
      ++out;
    }
  }
  return out;
}

/// Reads until everything comes: what a read stumbled over is brought again from the others.
fate read_until_whole(test_node& node, const std::map<std::string, std::string>& digests) {
  auto missing = read_everything(node, digests);
  if (missing == 0u) return fate::served_all;
  const bool done = wait_until(milliseconds{30'000}, [&] {
    missing = read_everything(node, digests);
    return !missing || *missing == 0;
  });
  BOOST_TEST(done, missing.value_or(0) << " files are still not served");
  return missing ? fate::repaired : fate::ended;
}

fate run_damaged(test_node& node, const std::map<std::string, std::string>& digests) {
  node.start();
  const bool answers =
      wait_until(milliseconds{20'000}, [&] { return !node.process().is_running() || node.is_ready(); });
  BOOST_TEST(answers, "it neither became ready nor ended");
  const fate out = node.process().is_running() ? read_until_whole(node, digests) : fate::refused_to_start;
  if (const auto code = node.process().wait_for_exit(milliseconds{0})) check_explained(node, *code);
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(damage)

BOOST_AUTO_TEST_CASE(a_flipped_bit_is_never_served_and_repaired_unless_the_node_ends) {
  const auto seed = announce_seed("bit flips");
  std::mt19937_64 random(seed);
  const auto flips = number_from_environment("KAIKU_TEST_FLIPS", 12);
  test_cluster cluster;
  const auto digests = fill(cluster);
  auto& node = cluster.node(cluster.followers()[0]);
  // A start turns the write-ahead log into tables; then there is some of everything.
  for (int i = 0; i < 2; ++i) {
    BOOST_REQUIRE(node.terminate(milliseconds{12'000}).value_or(-1) == 0);
    node.start();
    node.wait_until_ready(milliseconds{15'000});
    if (i == 0) put_or_fail(node, "d0/new", {1, 5000}, {{"Kaiku-Durability", "majority"}});
  }
  cluster.wait_until_converged();
  node.kill();
  const auto pristine = cluster.directory() / "pristine";
  std::filesystem::copy(node.data(), pristine, std::filesystem::copy_options::recursive);

  std::map<fate, std::size_t> fates;
  for (std::uint64_t i = 0; i < flips; ++i) {
    // Most bytes are content: half of the flips are spread over the files instead.
    auto files = files_to_flip(node);
    if (i % 2 == 0) files = {files[random() % files.size()]};
    const auto where = flip_a_bit(files, random);
    BOOST_TEST_CONTEXT("flipped " << where) {
      ++fates[run_damaged(node, digests)];
    }
    node.kill();
    std::filesystem::remove_all(node.data());
    std::filesystem::copy(pristine, node.data(), std::filesystem::copy_options::recursive);
  }
  std::cout << "  " << flips << " flips: " << fates[fate::refused_to_start] << " times it did not start, "
            << fates[fate::ended] << " times it ended, " << fates[fate::repaired] << " times a file was brought again, "
            << fates[fate::served_all] << " times it served everything, intact" << std::endl;
  node.start();
  cluster.wait_until_ready();
  check_identical_trees(cluster);
}

BOOST_AUTO_TEST_SUITE_END()
