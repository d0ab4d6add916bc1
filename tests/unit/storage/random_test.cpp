/// Random lives of a store, compared after every step with the model.

#include <cstdio>
#include <cstdlib>
#include <random>
#include <set>

#include "fixture.hpp"
#include "model.hpp"

namespace kaiku::test {
namespace {

std::uint64_t fresh_seed() {
  if (const char* given = std::getenv("KAIKU_SEED")) return std::strtoull(given, nullptr, 10);
  return std::random_device{}();
}

class random_life {
 public:
  explicit random_life(std::uint64_t seed) : random_(seed) {
    std::printf("storage random test: KAIKU_SEED=%llu\n", static_cast<unsigned long long>(seed));
    disk_ = open_store(data_);
    disk_->adopt_term({1});
  }

  void step() {
    switch (below(10)) {
      case 0: restart(); break;
      case 1: crash(); break;
      case 2: take_term(); break;
      case 3:
      case 4:
      case 5: follow_leader(); break;
      default: lead(); break;
    }
    compare();
  }

 private:
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }

  std::string random_path() {
    std::string path(1, static_cast<char>('a' + below(3)));
    while (one_in(2) && path.size() < 7) path += std::string{'/'} + static_cast<char>('a' + below(3));
    return path;
  }

  std::string random_content() {
    const auto size = one_in(8) ? limits::small_content_bytes + 1 + below(2) : below(3);
    return std::string(size, static_cast<char>('0' + below(3)));
  }

  command random_command() {
    const unix_time_ms time{static_cast<std::int64_t>(below(1000))};
    switch (below(8)) {
      case 0: return no_operation{};
      case 1: return set_members{{}, {{{one_in(2) ? "m" : "n"}, {}, "host:" + std::to_string(below(9))}}};
      case 2: return make_directory{path(random_path()), time, !one_in(3)};
      case 3:
      case 4: return remove_path{path(random_path()), one_in(2), time};
      default: {
        const auto bytes = random_content();
        const auto what = content_named(bytes);
        contents_[what.sha256] = bytes;
        return put_file{path(random_path()), what, "type/" + std::to_string(below(3)), time, !one_in(4)};
      }
    }
  }

  precondition random_precondition(const model_tree& tree) {
    precondition when;
    if (!one_in(3)) return when;
    auto any = tree.begin();
    std::advance(any, below(tree.size()));
    switch (below(4)) {
      case 0: when.if_match_any = true; break;
      case 1: when.if_none_match_any = true; break;
      case 2: when.if_match = {any->second.etag(), "\"never\""}; break;
      default: when.if_none_match = {any->second.etag()}; break;
    }
    return when;
  }

  /// Keeps large content staged for as long as the step needs it, as an upload or a fetch does.
  void stage(const command& what) {
    const auto content = content_of(what);
    if (!content || content->is_small()) return;
    auto file = disk_->content().begin({});
    BOOST_REQUIRE((*file)->write(contents_[content->sha256]).ok());
    BOOST_REQUIRE((*file)->finish().ok());
    staged_.push_back(std::move(file).value());
  }

  void lead() {
    const auto current = disk_->state().current;
    auto state = fold(log_);
    std::vector<proposal> proposals;
    std::vector<errc> expected;
    for (auto count = 1 + below(6); count > 0; --count) {
      proposal one{random_command(), random_precondition(state.tree()), {}};
      stage(one.what);
      if (const auto content = content_of(one.what); content && content->is_small()) {
        one.small_content = contents_[content->sha256];
      }
      const log_position at{current, {log_.size() + 1}};
      expected.push_back(state.apply(one.what, one.when, at.index));
      if (expected.back() == errc::none) log_.push_back({at, one.what});
      proposals.push_back(std::move(one));
    }
    const auto outcome = disk_->propose(current, proposals);
    BOOST_REQUIRE_MESSAGE(outcome.failure.code == errc::none, outcome.failure.detail);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      BOOST_REQUIRE_EQUAL(outcome.results[i].failure.code, expected[i]);
    }
    BOOST_TEST(disk_->propose(current.next(), proposals).failure.code == errc::stale_term);
    staged_.clear();
  }

  /// A leader of a higher term that shares the log up to some entry sends what it has from there, or from before.
  void follow_leader() {
    const auto leader_term = disk_->state().current.next();
    const auto shared = below(log_.size() + 1);
    auto theirs = std::vector<model_entry>(log_.begin(), log_.begin() + static_cast<std::ptrdiff_t>(shared));
    auto state = fold(theirs);
    for (auto count = below(5); count > 0; --count) {
      model_entry fresh{{leader_term, {theirs.size() + 1}}, random_command()};
      if (state.apply(fresh.what, {}, fresh.at.index) == errc::none) theirs.push_back(std::move(fresh));
    }
    const auto from = shared - below(std::min<std::uint64_t>(shared, 3) + 1);
    append_command what{leader_term, from == 0 ? log_position{} : theirs[from - 1].at, {}, {}};
    std::set<digest> sent;
    bool waits = false;
    for (auto i = from; i < theirs.size(); ++i) {
      what.entries.push_back({theirs[i].at, encode(theirs[i].what)});
      const auto content = content_of(theirs[i].what);
      if (content && content->is_small() && sent.insert(content->sha256).second) {
        what.small_contents.push_back(contents_[content->sha256]);
      }
      if (content && !content->is_small() && i >= shared && !logged_large_.contains(content->sha256)) waits = true;
    }
    if (waits) {
      BOOST_TEST(disk_->append(what).failure.code == errc::content_missing);
      BOOST_TEST(!disk_->missing_content(what.entries)->empty());
      compare();
      for (const auto& entry : theirs) stage(entry.what);
    }
    const auto displaced = theirs.size() > shared ? log_.size() - shared : 0;
    const auto outcome = disk_->append(what);
    BOOST_REQUIRE_MESSAGE(outcome.failure.code == errc::none, outcome.failure.detail);
    BOOST_REQUIRE_EQUAL(outcome.set_aside, displaced);
    BOOST_REQUIRE_EQUAL(outcome.match.value, theirs.size());
    if (theirs.size() > shared) {
      for (auto i = shared; i < log_.size(); ++i) set_aside_.insert(log_[i].at);
      log_ = std::move(theirs);
    }
    staged_.clear();
  }

  void take_term() {
    const auto before = disk_->state();
    BOOST_TEST(disk_->adopt_term({before.current.value + below(2)}).last == before.last);
  }

  void restart() {
    const auto before = disk_->state();
    disk_.reset();
    disk_ = open_store(data_);
    BOOST_TEST((disk_->state() == before));
  }

  /// Goes on from a copy of what stands in the files while the store is open.
  void crash() {
    const auto before = disk_->state();
    const auto next = directory_ / std::to_string(++crashes_);
    copy_as_after_a_crash(data_, next);
    disk_.reset();
    std::filesystem::remove_all(data_);
    data_ = next;
    disk_ = open_store(data_);
    BOOST_TEST((disk_->state() == before));
  }

  void read_tree(const std::string& directory, model_tree& into) const {
    const auto page = disk_->list(path(directory), "", 1000);
    BOOST_REQUIRE(page.ok());
    for (const auto& entry : page->entries) {
      const auto name = directory.empty() ? entry.name : directory + '/' + entry.name;
      into[name] = entry.info;
      if (entry.info.is_directory()) {
        read_tree(name, into);
      } else {
        check_content(entry.info.content);
      }
    }
  }

  void check_content(const content_ref& what) const {
    const auto opened = disk_->open_content(what);
    BOOST_REQUIRE(opened.ok());
    if (what.is_small()) BOOST_TEST(opened->bytes == contents_.at(what.sha256));
  }

  /// State equals the fold of the log; the log and what was set aside are what they should be.
  void compare() {
    model_tree found;
    found[""] = *disk_->stat({});
    read_tree("", found);
    BOOST_REQUIRE((found == fold(log_).tree()));

    std::vector<log_entry> expected;
    membership members;
    for (const auto& entry : log_) {
      expected.push_back({entry.at, encode(entry.what)});
      if (const auto* set = std::get_if<set_members>(&entry.what))
        members = {set->cluster, set->voters, set->learners, entry.at.index};
      if (const auto content = content_of(entry.what); content && !content->is_small()) {
        logged_large_.insert(content->sha256);
      }
    }
    BOOST_REQUIRE((disk_->read_log({1}, std::size_t{1} << 30) == expected));
    const auto last = log_.empty() ? log_position{} : log_.back().at;
    BOOST_REQUIRE(disk_->state().last == last);
    BOOST_REQUIRE((disk_->members().voters == members.voters));
    BOOST_REQUIRE(disk_->members().since == members.since);
    BOOST_REQUIRE(set_aside_positions(*disk_) == (std::vector<log_position>{set_aside_.begin(), set_aside_.end()}));
  }

  std::mt19937_64 random_;
  temporary_directory directory_;
  std::filesystem::path data_ = directory_ / "data";
  std::unique_ptr<store> disk_;
  std::vector<std::unique_ptr<staged_file>> staged_;
  std::vector<model_entry> log_;
  std::set<log_position> set_aside_;
  std::map<digest, std::string> contents_;
  std::set<digest> logged_large_;
  unsigned crashes_ = 0;
};

BOOST_AUTO_TEST_CASE(state_equals_the_fold_of_the_log_through_random_lives) {
  random_life life{fresh_seed()};
  for (int i = 0; i < 120; ++i) life.step();
}

}  // namespace
}  // namespace kaiku::test
