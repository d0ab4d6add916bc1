// Seeded stories of drops, cuts, broken links, restarts, handovers and writes: what was promised holds in the end.

#include <algorithm>
#include <iostream>
#include <sstream>

#include "fixture.hpp"

namespace kaiku::test {

BOOST_AUTO_TEST_SUITE(random_runs)

namespace {

/// One run: trouble for a while, then everything is mended.
class story {
 public:
  explicit story(std::uint64_t seed) : nodes_(settings(seed)), random_(seed) {
    nodes_.network().set_quality(
        {seed % 3 == 0 ? 0 : 0.05, microseconds{100}, microseconds{draw(30) * 1000 + 500}, seed % 2 == 0});
  }

  void tell(milliseconds length) {
    const auto end = nodes_.now() + length;
    while (nodes_.now() < end) {
      happen();
      nodes_.run_for(milliseconds{static_cast<std::int64_t>(draw(300))});
    }
    mend();
  }

  /// The promises.
  void check() {
    BOOST_TEST(nodes_.violations().empty());
    const bool mended = nodes_.run_until([&] { return settled(); }, milliseconds{60'000});
    BOOST_REQUIRE_MESSAGE(mended, "not settled: " << state());
    std::size_t promised = 0;
    for (const auto& one : written_) {
      if (!one->reply || one->reply->failure.code != errc::none || one->reply->achieved != durability::majority)
        continue;
      ++promised;
      const auto at = one->reply->token.at;
      for (std::size_t i = 0; i < nodes_.size(); ++i) {
        const auto stands = nodes_.disk(i).position(at.index);
        BOOST_TEST((stands.ok() && *stands == at), "node " << i << " lost " << at);
      }
    }
    promised_ = promised;
    for (const auto& one : nodes_.violations()) BOOST_ERROR(one);
  }

  std::string outcome() {
    std::ostringstream out;
    for (const auto& line : nodes_.trace()) out << line << '\n';
    for (const auto& entry : whole_log(nodes_.disk(0))) out << entry.at << '\n';
    return out.str();
  }
  std::string summary() {
    return std::to_string(written_.size()) + " writes, " + std::to_string(promised_) + " by majority, " +
           std::to_string(nodes_.trace().size()) + " role changes, term " + to_string(nodes_.disk(0).state().current) +
           ", " + std::to_string(nodes_.network().delivered()) + " messages";
  }

 private:
  static cluster_settings settings(std::uint64_t seed) {
    auto x = with_nodes(seed % 4 == 0 ? 5 : 3, seed);
    x.disk_delay = microseconds{seed % 5 * 2000};
    x.durability_wait = milliseconds{4000};
    x.shuffle = true;
    return x;
  }

  std::size_t draw(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_); }
  std::size_t anybody() { return draw(nodes_.size()); }
  const node_id& name(std::size_t i) { return nodes_.node(i).id; }
  bool runs(std::size_t i) { return nodes_.node(i).disk != nullptr; }

  void happen() {
    const auto what = draw(100);
    const auto a = anybody();
    const auto b = anybody();
    if (what < 50) {
      write();
    } else if (what < 58) {
      nodes_.cut_off(a);
    } else if (what < 64) {
      if (a != b) nodes_.network().cut(name(a), name(b));
    } else if (what < 79) {
      nodes_.heal();
    } else if (what < 85) {
      if (a == b || !runs(a) || !runs(b)) return;
      nodes_.disconnect(a, b);
      if (draw(2) == 0) nodes_.connect(a, b);
    } else if (what < 88) {
      if (auto leader = nodes_.leader()) nodes_.hand_over(*leader);
    } else if (what < 92) {
      if (!runs(a)) return;
      nodes_.stop(a);
      nodes_.run_for(milliseconds{static_cast<std::int64_t>(draw(3000))});
      nodes_.start(a);
    } else {
      reconnect();
    }
  }

  void write() {
    const auto at = draw(4) == 0 ? anybody() : nodes_.leader().value_or(anybody());
    if (!runs(at)) return;
    for (auto count = 1 + draw(20); count > 0; --count) {
      const auto path = "d" + std::to_string(draw(3)) + "/f" + std::to_string(draw(40));
      const auto want = draw(2) == 0 ? durability::leader : durability::majority;
      if (draw(30) == 0) {
        const std::string bytes(limits::small_content_bytes + 1 + draw(1 << 20), static_cast<char>('a' + draw(26)));
        auto staged = nodes_.stage(at, bytes);
        written_.push_back(nodes_.put(at, path, bytes, want));
        nodes_.run_for(milliseconds{20});
      } else {
        written_.push_back(nodes_.put(at, path, std::string(draw(3000), static_cast<char>('a' + draw(26))), want));
      }
    }
  }

  void reconnect() {
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      for (std::size_t j = i + 1; j < nodes_.size(); ++j)
        if (runs(i) && runs(j)) nodes_.connect(i, j);
  }

  void mend() {
    nodes_.heal();
    nodes_.network().set_quality({0, microseconds{100}, microseconds{2000}, true});
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      if (!runs(i)) nodes_.start(i);
    reconnect();
  }

  std::string state() {
    std::ostringstream out;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const auto& x = *nodes_.node(i).seen;
      out << "\n  " << name(i) << ": " << x.role.now << " of term " << x.role.in_term << ", leader " << x.role.leader
          << ", log to " << x.progress.last << ", on disk to " << nodes_.disk(i).state().last << ", commit "
          << x.progress.commit;
    }
    return out.str();
  }
  /// Everybody follows one leader, holds all it has and knows it committed.
  bool settled() {
    const auto leader = nodes_.leader();
    if (!leader) return false;
    const auto& led = *nodes_.node(*leader).seen;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const auto& x = *nodes_.node(i).seen;
      if (x.role.leader != led.role.leader || x.progress.last != led.progress.last ||
          x.progress.commit != led.progress.last.index || led.progress.last.in_term != led.role.in_term)
        return false;
    }
    return all_equal(nodes_);
  }

  checked_cluster nodes_;
  std::mt19937_64 random_;
  std::vector<asked_ptr<write_reply>> written_;
  std::size_t promised_ = 0;
};

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

}  // namespace

/// KAIKU_SEED and KAIKU_SEEDS: the first one, and how many.
BOOST_AUTO_TEST_CASE(what_was_promised_holds_after_trouble_was_mended) {
  const auto first = from_environment("KAIKU_SEED", 1);
  for (auto seed = first; seed < first + from_environment("KAIKU_SEEDS", 20); ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      story run{seed};
      run.tell(milliseconds{30'000});
      run.check();
      std::cout << "random run, seed " << seed << ": " << run.summary() << std::endl;
    }
  }
}

BOOST_AUTO_TEST_CASE(the_same_seed_tells_the_same_story) {
  auto once = [](std::uint64_t seed) {
    story run{seed};
    run.tell(milliseconds{10'000});
    return run.outcome();
  };
  BOOST_TEST(once(7) == once(7));
  BOOST_TEST(once(7) != once(8));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace kaiku::test
