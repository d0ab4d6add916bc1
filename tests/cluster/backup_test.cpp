/// A cluster that is copied while it runs, and what goes on when most of one is gone.

#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <thread>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "scenario.hpp"
#include "support/command.hpp"

namespace {

using namespace kaiku::test;
namespace fs = std::filesystem;

/// The entry that a write became, as its answer names it: cluster.term.index.
std::uint64_t index_of(const std::string& token) {
  const auto dot = token.rfind('.');
  std::uint64_t index = 0;
  if (dot != std::string::npos) std::from_chars(token.data() + dot + 1, token.data() + token.size(), index);
  return index;
}

struct written {
  std::string path, digest, etag;  ///< both empty: removed
};

/// Clients that put, replace and remove, and note which entry each write became.
class chronicler {
 public:
  chronicler(test_cluster& cluster, std::size_t clients) {
    for (std::size_t i = 0; i < clients; ++i)
      threads_.emplace_back([this, i, node = cluster.node(i % cluster.size()).http()](const std::stop_token& stopped) {
        run(i, node, stopped);
      });
  }
  void stop() {
    for (auto& one : threads_) one.request_stop();
    threads_.clear();
  }
  std::size_t count() {
    std::lock_guard guard{mutex_};
    return all_.size();
  }
  /// What stands after the entry at `index`.
  std::map<std::string, written> tree_at(std::uint64_t index) {
    std::lock_guard guard{mutex_};
    std::map<std::string, written> out;
    for (const auto& [at, what] : all_) {
      if (at > index) break;
      out[what.path] = what;
    }
    std::erase_if(out, [](const auto& one) { return one.second.digest.empty(); });
    return out;
  }
  std::uint64_t last() {
    std::lock_guard guard{mutex_};
    return all_.empty() ? 0 : all_.rbegin()->first;
  }
  const std::vector<std::string>& wrong() const { return wrong_; }

 private:
  void run(std::size_t client, const endpoint& node, const std::stop_token& stopped) {
    http_client http(node, milliseconds{30'000});
    for (std::uint64_t i = 0; !stopped.stop_requested(); ++i) {
      const auto path = "live/" + std::to_string(client) + "/" + std::to_string(i * 7 % 40);
      const bool remove = i % 5 == 4;
      const generated_bytes content{client * 1'000'000 + i, i % 25 == 0 ? 200'000 : i % 900};
      const auto answer = remove ? http.remove(path) : http.put(path, content);
      std::lock_guard guard{mutex_};
      if (answer.is_success()) {
        all_[index_of(answer.header("Kaiku-Token"))] =
            remove ? written{path, {}, {}} : written{path, content.digest(), answer.header("ETag")};
      } else if (answer.status != 404 || !remove) {
        wrong_.push_back(path + ": " + std::to_string(answer.status) + " " + answer.problem_code());
      }
    }
  }

  std::mutex mutex_;
  std::map<std::uint64_t, written> all_;
  std::vector<std::string> wrong_;
  std::vector<std::jthread> threads_;
};

/// What a command of the daemon printed, with its exit code.
struct printed {
  int code = 0;
  std::string text;
};
printed kaikud(std::vector<std::string> arguments, const fs::path& log) {
  arguments.insert(arguments.begin(), kaikud_program());
  fs::remove(log);
  child_process process(std::move(arguments), log);
  const auto code = process.wait_for_exit(milliseconds{60'000});
  return {code.value_or(-1), read_file(log)};
}

std::string as_option(test_cluster& cluster) {
  std::string out;
  for (std::size_t i = 0; i < cluster.size(); ++i)
    out += (i == 0 ? "" : ",") + cluster.node(i).name() + "=" + to_string(cluster.node(i).peers());
  return out;
}

std::vector<std::string> restore_line(test_cluster& into, const fs::path& archive) {
  return {"restore",       "--data",        into.node(0).data().string(), "--name", into.node(0).name(), "--cluster",
          as_option(into), archive.string()};
}

/// What the archive's first member says.
nlohmann::json manifest_of(const fs::path& archive) {
  return nlohmann::json::parse(run_command({"tar", "-xOf", archive.string(), "kaiku-backup.json"}));
}

void write_what_stays(test_node& node) {
  auto client = node.client();
  BOOST_TEST(client
                 .put("still/described", "text",
                      {{"Content-Type", "text/x-kaiku"}, {"Kaiku-Meta-Colour", "blue"}, {"Kaiku-TTL", "86400"}})
                 .is_success());
  BOOST_TEST(client.put("still/large", generated_bytes{5, 3'000'000}).is_success());
  BOOST_TEST(client.put("still/%C3%A4", "umlaut").is_success());
  BOOST_TEST(client.request("POST", "/files/still/empty?op=mkdir").status == 201);
  BOOST_TEST(client.put("still/gone/f", "x").is_success());
  BOOST_TEST(client.remove("still/gone?recursive=true").is_success());
}

std::string fields_of(test_node& node, const std::string& path) {
  const auto head = node.client().head(path);
  std::string out;
  for (const char* name : {"ETag", "Last-Modified", "Content-Type", "Kaiku-Meta-Colour", "Kaiku-Expires"})
    out += std::string(name) + "=" + head.header(name) + "\n";
  return out;
}

/// That archives which are no good are refused, and leave nothing.
void check_refusals(test_cluster& into, const fs::path& archive) {
  const auto work = into.directory();
  const auto data = into.node(0).data();
  const auto bad = work / "bad.tar";
  const auto refused = [&](const std::string& why) {
    const auto done = kaikud(restore_line(into, bad), work / "restore.log");
    BOOST_TEST(done.code != 0, why);
    BOOST_TEST(done.text.starts_with("kaikud: "), why << ": " << done.text);
    BOOST_TEST(fs::is_empty(data), why << " left something");
  };
  const auto size = fs::file_size(archive);
  fs::copy_file(archive, bad);
  fs::resize_file(bad, size - 700);
  refused("a cut archive");
  fs::copy_file(archive, bad, fs::copy_options::overwrite_existing);
  {
    std::fstream file(bad, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(size / 2));
    const char byte = static_cast<char>(file.get() ^ 1);
    file.seekp(static_cast<std::streamoff>(size / 2));
    file.put(byte);
  }
  refused("an archive with another bit");
  std::ofstream(bad, std::ios::binary) << "no archive";
  refused("something else");
  std::ofstream(data / "mine") << "text";
  fs::copy_file(archive, bad, fs::copy_options::overwrite_existing);
  BOOST_TEST(kaikud(restore_line(into, bad), work / "restore.log").code == 2);
  fs::remove(data / "mine");
}

/// Equal to what was written up to the moment, and to what was there before, no more and no less.
void check_restored(test_cluster& there, chronicler& writers, std::uint64_t index, const tree& before) {
  const auto now = check_identical_trees(there);
  const auto expected = writers.tree_at(index);
  BOOST_TEST(!expected.empty());
  std::size_t files = 0;
  for (const auto& [path, entry] : now) {
    if (!path.starts_with("live/") || entry.is_directory) continue;
    ++files;
    const auto found = expected.find(path);
    BOOST_TEST_REQUIRE((found != expected.end()), path << " is not of that moment");
    BOOST_TEST(entry.digest == found->second.digest, path);
    BOOST_TEST(entry.etag == found->second.etag, path);
  }
  BOOST_TEST(files == expected.size());
  tree still, still_before;
  for (const auto& [path, entry] : now)
    if (path.starts_with("still")) still.emplace(path, entry);
  for (const auto& [path, entry] : before)
    if (path.starts_with("still")) still_before.emplace(path, entry);
  for (const auto& line : differences(still_before, still)) BOOST_ERROR(line);
}

/// The first node is alone: it gives what it has to whoever knows that it may be old.
void check_emergency_backup(test_cluster& cluster) {
  const auto archive = cluster.directory() / "alone.tar";
  const auto log = cluster.directory() / "alone.log";
  std::vector<std::string> line{"backup",        "--wait", "3", "--url", "http://" + to_string(cluster.node(0).http()),
                                archive.string()};
  cluster.wait_for("it knows that it is alone", milliseconds{20'000}, [&] { return !cluster.node(0).is_ready(); });
  const auto refused = kaikud(line, log);
  BOOST_TEST(refused.code == 1, refused.text);
  BOOST_TEST(refused.text.find("--committed") != std::string::npos, refused.text);
  BOOST_TEST(!fs::exists(archive));
  line.emplace_back("--committed");
  const auto took = kaikud(line, log);
  BOOST_TEST(took.code == 0, took.text);
  BOOST_TEST(took.text.find("last contact with its cluster") != std::string::npos, took.text);
  BOOST_TEST(run_command({"tar", "-tf", archive.string()}).find("files/f49\n") != std::string::npos);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(backups)

BOOST_AUTO_TEST_CASE(a_backup_under_writes_restores_the_very_tree_of_the_moment_that_it_names) {
  test_cluster cluster;
  write_what_stays(cluster.node(0));
  cluster.wait_until_converged();
  std::vector<std::string> violations;
  const auto before = read_tree(cluster.node(1).http(), "", violations);
  chronicler writers(cluster, 3);
  cluster.wait_for("there is something to copy", milliseconds{20'000}, [&] { return writers.count() > 150; });
  const auto archive = cluster.directory() / "backup.tar";
  const auto& from = cluster.node(cluster.followers()[0]);
  const auto acknowledged = writers.last();
  const auto took = kaikud({"backup", "--url", "http://" + to_string(from.http()), archive.string()},
                           cluster.directory() / "backup.log");
  BOOST_TEST_REQUIRE(took.code == 0, took.text);
  const auto written = writers.count();
  cluster.wait_for("writes go on", milliseconds{20'000}, [&] { return writers.count() > written + 50; });
  writers.stop();
  BOOST_TEST(writers.wrong().empty(), (writers.wrong().empty() ? "" : writers.wrong().front()));
  const auto manifest = manifest_of(archive);
  const auto index = manifest.at("index").get<std::uint64_t>();
  BOOST_TEST(index >= acknowledged);
  BOOST_TEST(index < writers.last());
  BOOST_TEST(manifest.at("cluster") == cluster.node(0).cluster_document().at("cluster"));
  // A second one does not take its place.
  BOOST_TEST(kaikud({"backup", "--url", "http://" + to_string(from.http()), archive.string()},
                    cluster.directory() / "backup.log")
                 .code == 1);

  test_cluster other;
  for (std::size_t i = 0; i < other.size(); ++i) other.node(i).wipe();
  check_refusals(other, archive);
  const auto restored = kaikud(restore_line(other, archive), other.directory() / "restore.log");
  BOOST_TEST_REQUIRE(restored.code == 0, restored.text);
  other.node(0).start();
  other.node(0).wait_until_ready(milliseconds{15'000});
  // Nothing but its usual command line: the others find the cluster that has their names.
  other.node(1).start();
  other.node(2).start();
  other.wait_until_ready(milliseconds{30'000});
  check_restored(other, writers, index, before);
  BOOST_TEST(fields_of(other.node(2), "still/described") == fields_of(cluster.node(2), "still/described"));
  BOOST_TEST(other.node(0).cluster_document().at("cluster") != manifest.at("cluster"));
  other.wait_for("all count", milliseconds{20'000}, [&] {
    const auto document = other.node(0).cluster_document();
    return std::all_of(document.at("members").begin(), document.at("members").end(),
                       [](const auto& member) { return member.at("voter") == true; });
  });
  put_or_fail(other.node(1), "new", {9, 900}, {{"Kaiku-Durability", "all"}});
  // A condition on what was restored.
  const auto etag = other.node(2).client().head("still/described").header("ETag");
  BOOST_TEST(other.node(2).client().put("still/described", "again", {{"If-Match", etag}}).status == 204);
}

BOOST_AUTO_TEST_CASE(what_is_left_of_a_cluster_goes_on_as_a_new_one_that_former_members_cannot_enter) {
  test_cluster cluster;
  write_what_stays(cluster.node(0));
  for (std::uint64_t i = 0; i < 50; ++i) put_or_fail(cluster.node(0), "f" + std::to_string(i), {i, i * 3000});
  cluster.wait_until_converged();
  std::vector<std::string> violations;
  const auto before = read_tree(cluster.node(0).http(), "", violations);
  const auto log = cluster.directory() / "recover.log";
  std::vector<std::string> line{"recover", "--force-new-cluster", "--data", cluster.node(0).data().string()};
  BOOST_TEST(kaikud(line, log).code == 1);  // it runs
  // So that what survives has heard no leader, but has been one.
  cluster.node(0).client().request("POST", "/cluster/leader", {{"Content-Type", "application/json"}}, R"({"id":"n1"})");
  cluster.wait_for("the first node leads", milliseconds{20'000}, [&] { return cluster.leader() == std::size_t{0}; });
  cluster.node(2).wipe();
  cluster.node(1).kill();
  check_emergency_backup(cluster);
  cluster.node(0).kill();
  const auto asked = kaikud(line, log);
  BOOST_TEST(asked.code == 1);
  BOOST_TEST(asked.text.find("LOST") != std::string::npos, asked.text);
  line.emplace_back("--yes");
  const auto done = kaikud(line, log);
  BOOST_TEST_REQUIRE(done.code == 0, done.text);
  cluster.node(0).start();
  cluster.node(0).wait_until_ready(milliseconds{15'000});
  for (const auto& difference : differences(before, read_tree(cluster.node(0).http(), "", violations)))
    BOOST_ERROR(difference);
  put_or_fail(cluster.node(0), "alone", {1, 100}, {{"Kaiku-Durability", "majority"}});

  // One with the former cluster's data stays out; one that begins anew comes in.
  cluster.node(1).start();
  cluster.wait_for("it is refused", milliseconds{20'000}, [&] {
    return cluster.node(0).log().find("n2 belongs to cluster") != std::string::npos ||
           cluster.node(1).log().find("n1 belongs to cluster") != std::string::npos;
  });
  BOOST_TEST(!cluster.node(1).is_ready());
  cluster.node(1).kill();
  cluster.node(2).start();
  cluster.node(2).wait_until_ready(milliseconds{30'000});
  BOOST_TEST((cluster.node(2).client().get_digest("f49").body_digest == generated_bytes{49, 147'000}.digest()));
  cluster.node(1).wipe();
  cluster.node(1).start();
  cluster.wait_until_ready(milliseconds{30'000});
  const auto now = check_identical_trees(cluster);
  BOOST_TEST(now.contains("alone"));
  for (const auto& violation : violations) BOOST_ERROR(violation);
}

BOOST_AUTO_TEST_SUITE_END()
