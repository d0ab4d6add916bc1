/// Nodes with a Redis each, under load, while something happens to one of the Redis servers: no answer is wrong, none
/// fails, and Redis is used again afterwards.

#include <atomic>
#include <map>
#include <mutex>
#include <sstream>
#include <thread>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "support/test_cluster.hpp"

namespace {

using namespace kaiku::test;

/// A figure of a node's /metrics.
double figure(const test_node& of, const std::string& name) {
  const auto text = of.client().request("GET", "/metrics").body;
  const auto at = text.find("\n" + name + " ");
  return at == std::string::npos ? -1 : std::stod(text.substr(at + name.size() + 2));
}

/// The tree as a client lists it, in the words of `test_redis::tree`.
void list_below(http_client& client, const std::string& directory, std::map<std::string, std::string>& out) {
  for (const auto& one : list_directory(client, percent_encode(directory))) {
    const auto path = directory.empty() ? one.name : directory + "/" + one.name;
    out[path] = (one.is_directory ? "directory " : "file " + std::to_string(one.size)) + ' ' + one.etag;
    if (one.is_directory) list_below(client, path, out);
  }
}

std::map<std::string, std::string> listed_tree(const test_node& of) {
  auto client = of.client(milliseconds{30'000});
  std::map<std::string, std::string> out;
  list_below(client, "", out);
  return out;
}

/// Clients that write, read and list all the time, and know what they must be given.
class load {
 public:
  explicit load(test_cluster& on) : on_(on) {
    threads_.emplace_back([this] { attempt([this] { write_and_read_back(); }); });
    threads_.emplace_back([this] { attempt([this] { read_fixed(); }); });
  }
  ~load() { stop(); }
  load(const load&) = delete;
  load& operator=(const load&) = delete;

  static constexpr std::size_t fixed_files = 20;
  static std::string fixed(std::size_t i) { return "fixed/f" + std::to_string(100 + i); }

  void stop() {
    stopping_ = true;
    threads_.clear();
  }
  std::size_t answers() const { return answers_; }
  std::vector<std::string> wrong() {
    std::lock_guard lock(mutex_);
    return wrong_;
  }

 private:
  void attempt(const std::function<void()>& what) {
    try {
      while (!stopping_) what();
    } catch (const std::exception& e) {
      note(e.what());
    }
  }
  void note(const std::string& what) {
    std::lock_guard lock(mutex_);
    wrong_.push_back(what);
  }
  void expect(bool holds, const std::string& what, const http_response& answer) {
    ++answers_;
    std::ostringstream text;
    text << what << ": " << answer;
    if (!holds) note(text.str());
  }

  /// A node shows what it has just taken, under its own path and in the listing.
  void write_and_read_back() {
    auto& node = on_.node(written_ % on_.size());
    auto client = node.client(milliseconds{30'000});
    const auto name = "w" + std::to_string(written_ % 50);
    const auto bytes = std::to_string(written_++);
    const auto put = client.put("written/" + name, bytes);
    expect(put.is_success(), "PUT", put);
    const header_list after{{"Kaiku-Token", put.header("Kaiku-Token")}};
    const auto got = client.get("written/" + name, after);
    expect(got.status == 200 && got.body == bytes, "GET after PUT of " + bytes, got);
    const auto listing = client.get("written/", after);
    expect(listing.status == 200 && listing.body.find(got.header("ETag").substr(1, 8)) != std::string::npos,
           "listing after PUT of " + name, listing);
  }

  void read_fixed() {
    for (std::size_t n = 0; n < on_.size(); ++n) {
      auto client = on_.node(n).client(milliseconds{30'000});
      for (std::size_t i = 0; i < fixed_files; ++i) {
        const auto got = client.get(fixed(i));
        expect(got.status == 200 && got.body == fixed(i), "GET " + fixed(i), got);
      }
      const auto listing = client.get("fixed/");
      expect(listing.status == 200 && listing.json()["entries"].size() == fixed_files, "listing", listing);
      const auto none = client.get("fixed/none");
      expect(none.status == 404, "GET of what is not there", none);
    }
  }

  test_cluster& on_;
  std::size_t written_ = 0;
  std::atomic<std::size_t> answers_{0};
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::vector<std::string> wrong_;
  std::vector<std::jthread> threads_;
};

struct redis_cluster : test_cluster {
  redis_cluster() : test_cluster({.redis = true}) {
    auto client = node(wait_for_leader()).client(milliseconds{30'000});
    for (std::size_t i = 0; i < load::fixed_files; ++i) {
      const auto put = client.put(load::fixed(i), load::fixed(i), {{"Kaiku-Durability", "all"}});
      BOOST_TEST_REQUIRE(put.status == 201, "answered " << put);
    }
    wait_until_converged();
    for (std::size_t i = 0; i < size(); ++i) wait_until_used(i);
  }

  std::string inode_key(std::size_t i, const std::string& path) {
    const auto token = redis(i).keys("kaiku:*:token").front();
    const auto begin = token.substr(0, token.size() - 5) + redis(i).generation(node(i).name());
    std::string inode = "1";
    for (std::size_t at = 0; at < path.size();) {
      const auto slash = std::min(path.find('/', at), path.size());
      const auto name = path.substr(at, slash - at) + '\0';
      const auto found = redis(i).call({"ZRANGEBYLEX", begin + ":index:" + inode, "[" + name, "[" + name + '\xff'});
      const auto rest = found.items.at(0).text.substr(name.size());
      inode = rest.substr(0, rest.find('\0'));
      at = slash + 1;
    }
    return begin + ":inode:" + inode;
  }

  /// Redis of this node shows the log's end and answers reads.
  void wait_until_used(std::size_t i) {
    const std::string answered = "kaiku_redis_reads_total{outcome=\"redis\"}";
    const auto before = figure(node(i), answered);
    wait_for("Redis of " + node(i).name() + " answers", milliseconds{60'000}, [&] {
      static_cast<void>(node(i).client().head("fixed/"));
      return figure(node(i), "kaiku_redis_up") == 1 && figure(node(i), answered) > before;
    });
  }

  /// Runs the load, does `what` to the Redis of a follower and to the leader's, and waits until both are used again.
  void torment(const std::function<void(std::size_t)>& what) {
    const auto leading = wait_for_leader();
    load run{*this};
    for (auto i : {leading, (leading + 1) % size()}) {
      const auto begun = run.answers();
      what(i);
      wait_for("clients are answered", milliseconds{30'000}, [&] { return run.answers() > begun + 100; });
    }
    run.stop();
    for (const auto& wrong : run.wrong()) BOOST_ERROR(wrong);
    wait_until_converged();
    for (std::size_t i = 0; i < size(); ++i) {
      wait_until_used(i);
      BOOST_TEST((redis(i).tree(node(i).name()) == listed_tree(node(i))), "Redis of " << node(i).name());
    }
  }
  double rebuilds(std::size_t i) { return figure(node(i), "kaiku_redis_rebuilds_total"); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(with_redis, redis_cluster)

BOOST_AUTO_TEST_CASE(it_is_killed_and_comes_back_empty) {
  torment([this](std::size_t i) {
    const auto before = rebuilds(i);
    redis(i).kill();
    wait_for("the loss is noticed", milliseconds{30'000}, [&] { return figure(node(i), "kaiku_redis_up") == 0; });
    BOOST_TEST(node(i).is_ready());
    BOOST_TEST(node(i).cluster_document()["redis"]["asked"] == false);
    redis(i).start();
    wait_for("it is filled", milliseconds{60'000}, [&] { return rebuilds(i) > before; });
  });
}

BOOST_AUTO_TEST_CASE(it_stands_still_for_a_while) {
  torment([this](std::size_t i) {
    redis(i).freeze();
    wait_for("the loss is noticed", milliseconds{30'000}, [&] { return figure(node(i), "kaiku_redis_up") == 0; });
    redis(i).thaw();
  });
}

BOOST_AUTO_TEST_CASE(it_is_flushed) {
  torment([this](std::size_t i) {
    const auto before = rebuilds(i);
    redis(i).call({"FLUSHALL"});
    wait_for("it is filled", milliseconds{60'000}, [&] { return rebuilds(i) > before; });
  });
}

BOOST_AUTO_TEST_CASE(it_is_full) {
  torment([this](std::size_t i) {
    redis(i).call({"CONFIG", "SET", "maxmemory", "1"});
    wait_for("it takes nothing", milliseconds{30'000},
             [&] { return figure(node(i), "kaiku_redis_state{state=\"full\"}") == 1; });
    redis(i).call({"CONFIG", "SET", "maxmemory", "0"});
  });
}

BOOST_AUTO_TEST_CASE(somebody_writes_a_wrong_value_and_a_key_is_evicted) {
  torment([this](std::size_t i) {
    // What is read while nothing is written is answered by Redis, so here it must be noticed.
    for (const kaiku::redis::command& what :
         {kaiku::redis::command{"HSET", inode_key(i, load::fixed(3)), "size", "7"},
          kaiku::redis::command{"HSET", inode_key(i, load::fixed(4)), "sha256", std::string(64, 'a')},
          kaiku::redis::command{"DEL", inode_key(i, load::fixed(5))}})
      redis(i).call(what);
  });
  for (std::size_t i = 0; i < size(); ++i) {
    const auto before = rebuilds(i);
    redis(i).call({"HSET", inode_key(i, load::fixed(6)), "size", "7"});
    wait_for("it is noticed and filled", milliseconds{60'000}, [&] {
      const auto got = node(i).client().get(load::fixed(6));
      BOOST_TEST((got.status == 200 && got.body == load::fixed(6)), "answered " << got);
      return rebuilds(i) > before;
    });
    BOOST_TEST(figure(node(i), "kaiku_redis_wrong_total") >= 1);
    wait_until_used(i);
  }
}

BOOST_AUTO_TEST_SUITE_END()
