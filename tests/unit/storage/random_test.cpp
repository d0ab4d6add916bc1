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
    switch (below(16)) {
      case 0: restart(); break;
      case 1: crash(); break;
      case 2: take_term(); break;
      case 3:
      case 4:
      case 5: follow_leader(); break;
      case 6: compact(); break;
      case 7: collect_some(); break;
      case 8: collect_all(); break;
      case 9: purge(); break;
      case 10: install(); break;
      case 11: look(); break;
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

  std::string random_text() { return std::string(1, static_cast<char>('a' + below(3))); }

  /// Some are over for later commands, some for readers only.
  std::optional<unix_time_ms> random_expiry() {
    if (!one_in(3)) return std::nullopt;
    return unix_time_ms{static_cast<std::int64_t>(below(1500))};
  }

  /// Of few keys, so that some come again, a few of them with something else.
  std::optional<request_key> random_key() {
    if (!one_in(3)) return std::nullopt;
    const auto name = std::to_string(below(40));
    return request_key{sha256(name), sha256(name + (one_in(8) ? "other" : ""))};
  }

  command random_put(unix_time_ms time) {
    const auto bytes = random_content();
    const auto what = content_named(bytes);
    contents_[what.sha256] = bytes;
    file_properties properties{"type/" + random_text(), one_in(4) ? "gzip" : "", {}, random_expiry()};
    if (one_in(3)) properties.metadata = {{random_text(), random_text()}};
    return put_file{path(random_path()), what, properties, time, !one_in(4), random_key()};
  }

  command random_change(unix_time_ms time) {
    properties_patch patch;
    if (one_in(3)) patch.content_type = random_text();
    if (one_in(3)) patch.content_encoding = random_text();
    if (one_in(2)) patch.metadata = {{random_text(), one_in(2) ? std::nullopt : std::optional{random_text()}}};
    patch.no_metadata = one_in(4);
    if (one_in(2)) patch.expires = random_expiry();
    return change_properties{path(random_path()), patch, time, random_key()};
  }

  command random_command() {
    const unix_time_ms time{static_cast<std::int64_t>(below(1000))};
    switch (below(16)) {
      case 0: return no_operation{};
      case 1: return set_members{{{7}}, {{{one_in(2) ? "m" : "n"}, {}, "host:" + std::to_string(below(9))}}};
      case 2:
      case 3: return make_directory{path(random_path()), time, !one_in(3), random_key()};
      case 4:
      case 5: return remove_path{path(random_path()), one_in(2), time, random_key(), one_in(4)};
      case 6:
      case 7: return move_path{path(random_path()), path(random_path()), one_in(2), !one_in(3), time, random_key()};
      case 8:
      case 9: return copy_path{path(random_path()), path(random_path()), one_in(2), !one_in(3), time, random_key()};
      case 10: return random_change(time);
      case 11: return remove_expired{time};
      default: return random_put(time);
    }
  }

  /// What a leader of its own, whose state this is, might log next; refused commands are not logged.
  void log_at_random(std::vector<model_entry>& log, model_fold& state, term leader_term) {
    model_entry fresh{{leader_term, {log.size() + 1}}, random_command()};
    if (state.known(fresh.what)) return;
    if (state.apply(fresh.what, {}, fresh.at) == errc::none) log.push_back(std::move(fresh));
  }

  precondition random_precondition(const model_tree& tree) {
    precondition when;
    if (!one_in(3)) return when;
    auto any = tree.begin();
    std::advance(any, below(tree.size()));
    switch (below(5)) {
      case 0: when.if_match_any = true; break;
      case 4: when.if_unmodified_since = unix_time_ms{0}; break;
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
    std::vector<std::optional<model_request>> repeated;
    for (auto count = 1 + below(6); count > 0; --count) {
      proposal one{random_command(), random_precondition(state.tree()), {}};
      stage(one.what);
      if (const auto content = content_of(one.what); content && content->is_small()) {
        one.small_content = contents_[content->sha256];
      }
      const log_position at{current, {log_.size() + 1}};
      repeated.push_back(state.known(one.what));
      if (const auto& first = repeated.back()) {
        expected.push_back(first->fingerprint == key_of(one.what)->fingerprint ? errc::none : errc::key_reused);
      } else {
        expected.push_back(state.apply(one.what, one.when, at));
        if (expected.back() == errc::none) log_.push_back({at, one.what});
      }
      proposals.push_back(std::move(one));
    }
    const auto outcome = disk_->propose(current, proposals);
    BOOST_REQUIRE_MESSAGE(outcome.failure.code == errc::none, outcome.failure.detail);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const auto& got = outcome.results[i];
      BOOST_REQUIRE_EQUAL(got.failure.code, expected[i]);
      BOOST_REQUIRE_EQUAL(got.repeated, repeated[i] && expected[i] == errc::none);
      if (!got.repeated) continue;
      BOOST_REQUIRE((log_position{got.in_term, got.index} == repeated[i]->at));
      BOOST_REQUIRE_EQUAL(got.created, repeated[i]->created);
    }
    BOOST_TEST(disk_->propose(current.next(), proposals).failure.code == errc::stale_term);
    staged_.clear();
  }

  /// A leader of a higher term that shares the log up to some entry sends what it has from there, or from before.
  void follow_leader() {
    const auto leader_term = disk_->state().current.next();
    const auto shared = boundary_ + below(log_.size() - boundary_ + 1);
    auto theirs = std::vector<model_entry>(log_.begin(), log_.begin() + static_cast<std::ptrdiff_t>(shared));
    auto state = fold(theirs);
    for (auto count = below(5); count > 0; --count) log_at_random(theirs, state, leader_term);
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
      if (content && !content->is_small() && i >= shared && !disk_->holds(*content)) waits = true;
    }
    if (waits) {
      BOOST_TEST(disk_->append(what).failure.code == errc::content_missing);
      BOOST_TEST(!disk_->missing_content(what.entries)->empty());
      compare();
      for (auto i = shared; i < theirs.size(); ++i) stage(theirs[i].what);
    }
    const auto displaced = theirs.size() > shared ? log_.size() - shared : 0;
    const auto outcome = disk_->append(what);
    BOOST_REQUIRE_MESSAGE(outcome.failure.code == errc::none, outcome.failure.detail);
    BOOST_REQUIRE_EQUAL(outcome.set_aside, displaced);
    BOOST_REQUIRE_EQUAL(outcome.displaced_from.value, displaced > 0 ? shared + 1 : 0);
    BOOST_REQUIRE_EQUAL(outcome.match.value, theirs.size());
    if (theirs.size() > shared) follow(std::move(theirs), shared);
    staged_.clear();
  }

  void follow(std::vector<model_entry> theirs, std::size_t shared) {
    for (auto i = shared; i < log_.size(); ++i) set_aside_[log_[i].at] = log_[i].what;
    log_ = std::move(theirs);
  }

  void compact() {
    boundary_ += below(log_.size() - boundary_ + 1);
    BOOST_REQUIRE(disk_->compact({boundary_}).ok());
  }

  void collect_some() {
    test_time().value += static_cast<std::int64_t>(below(limits::content_grace_ms));
    for (auto steps = below(4); steps > 0; --steps) disk_->collect_garbage(1 + below(20));
  }

  /// Nothing that is dead is kept once there is no more to collect.
  void collect_all() {
    seen_.reset();
    for (int round = 0; round < 3; ++round) {
      let_grace_pass();
      while (disk_->collect_garbage(1 + below(30))) continue;
    }
    std::set<std::string> live_blobs;
    const auto live = live_contents();
    for (const auto& what : live) {
      if (!what.is_small()) live_blobs.insert(to_string(what.sha256));
    }
    BOOST_REQUIRE(blobs_in(data_) == live_blobs);
    for (const auto& [name, bytes] : contents_) {
      const content_ref what{name, {bytes.size()}};
      BOOST_REQUIRE_EQUAL(disk_->open_content(what).ok(), live.contains(what));
    }
  }

  void purge() {
    if (set_aside_.empty()) return;
    auto any = set_aside_.begin();
    std::advance(any, below(set_aside_.size()));
    BOOST_REQUIRE(disk_->purge_set_aside(any->first).ok());
    set_aside_.erase(any);
  }

  /// Takes a view, or sees that one taken earlier has stayed as it was.
  void look() {
    const read_time early{0};
    if (!seen_) {
      seen_ = disk_->snapshot();
      seen_tree_ = fold(log_).tree();
      return;
    }
    for (const auto& [name, info] : seen_tree_) {
      BOOST_REQUIRE((*seen_->stat(path(name)) == info));
      if (!info.is_directory()) BOOST_REQUIRE(disk_->open_content(info.content).ok());
    }
    seen_.reset();
  }

  /// A leader whose log has lost what this one needs hands its state over, with crashes in between.
  void install() {
    const auto leader_term = disk_->state().current.next();
    const auto shared = boundary_ + below(log_.size() - boundary_ + 1);
    auto theirs = std::vector<model_entry>(log_.begin(), log_.begin() + static_cast<std::ptrdiff_t>(shared));
    auto state = fold(theirs);
    theirs.push_back({{leader_term, {theirs.size() + 1}}, no_operation{}});
    for (auto count = below(5); count > 0; --count) log_at_random(theirs, state, leader_term);
    const auto at = theirs.back().at;
    const auto source = store_with(theirs);
    BOOST_REQUIRE(source->compact({below(theirs.size() + 1)}).ok());
    const auto view = source->snapshot();

    auto begun = disk_->begin_install(at);
    while (!begun.ok() && begun.failure().code == errc::busy) begun = disk_->begin_install(at);
    BOOST_REQUIRE(begun.ok());
    for (auto progress = disk_->installing(); !progress->complete; progress = disk_->installing()) {
      BOOST_REQUIRE(disk_->install_piece(view->read_piece(progress->cursor, 1 + below(500)).bytes).ok());
      if (one_in(8)) disturb();
    }
    for (const auto& what : disk_->list_lacked(1000)) {
      {  // gone before the store may be
        auto file = disk_->content().begin({});
        BOOST_REQUIRE((*file)->write(contents_.at(what.sha256)).ok() && (*file)->finish().ok());
        BOOST_REQUIRE(disk_->provide_repaired(what).ok());
      }
      if (one_in(4)) disturb();
    }
    if (one_in(4)) {
      disk_->abandon_install();
      return;
    }
    BOOST_REQUIRE(disk_->finish_install(leader_term, at).ok());
    follow(std::move(theirs), shared);
    boundary_ = log_.size();
  }

  void disturb() {
    if (one_in(2)) crash();
    collect_some();
    compare();
  }

  std::unique_ptr<store> store_with(const std::vector<model_entry>& log) {
    const auto directory = directory_ / ("source" + std::to_string(++crashes_));
    auto source = open_store(directory);
    append_command what{log.back().at.in_term, {}, {}, {}};
    std::vector<std::unique_ptr<staged_file>> staged;
    std::set<digest> sent;
    for (const auto& entry : log) {
      what.entries.push_back({entry.at, encode(entry.what)});
      const auto content = content_of(entry.what);
      if (!content || !sent.insert(content->sha256).second) continue;
      const auto& bytes = contents_.at(content->sha256);
      if (content->is_small()) {
        what.small_contents.push_back(bytes);
        continue;
      }
      auto file = source->content().begin({});
      BOOST_REQUIRE((*file)->write(bytes).ok() && (*file)->finish().ok());
      staged.push_back(std::move(file).value());
    }
    BOOST_REQUIRE(source->append(what).failure.code == errc::none);
    return source;
  }

  /// What the state, the entries of the log, their undo, and what was set aside name.
  std::set<content_ref> live_contents() const {
    std::set<content_ref> live;
    const auto add_tree = [&](const model_tree& tree) {
      for (const auto& [name, info] : tree) {
        if (!info.is_directory()) live.insert(info.content);
      }
    };
    const auto add_command = [&](const command& what) {
      if (const auto content = content_of(what)) live.insert(*content);
    };
    auto state = fold({log_.begin(), log_.begin() + static_cast<std::ptrdiff_t>(boundary_)});
    add_tree(state.tree());
    for (auto i = boundary_; i < log_.size(); ++i) {
      state.apply(log_[i].what, {}, log_[i].at);
      add_tree(state.tree());
      add_command(log_[i].what);
    }
    for (const auto& [at, what] : set_aside_) add_command(what);
    return live;
  }

  void take_term() {
    const auto before = disk_->state();
    BOOST_TEST(disk_->adopt_term({before.current.value + below(2)}).last == before.last);
  }

  /// What was staged for entries that it did not get belongs to it.
  void close() {
    staged_.clear();
    disk_.reset();
  }

  void restart() {
    const auto before = disk_->state();
    seen_.reset();
    close();
    disk_ = open_store(data_);
    BOOST_TEST((disk_->state() == before));
  }

  /// Goes on from a copy of what stands in the files while the store is open.
  void crash() {
    const auto before = disk_->state();
    seen_.reset();
    const auto next = directory_ / std::to_string(++crashes_);
    copy_as_after_a_crash(data_, next);
    close();
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

  /// Readers look at the disk at another time than it is for the store, for as long as this lives.
  struct read_time {
    explicit read_time(std::int64_t now) : before(test_time()) { test_time() = {now}; }
    ~read_time() { test_time() = before; }
    unix_time_ms before;
  };

  /// All that is below some directory, page by page.
  void compare_listing(const model_tree& tree) {
    list_filter what{one_in(2) ? random_path().substr(0, 1 + below(3)) : "", true};
    const auto top = one_in(2) ? std::string{} : random_path().substr(0, 1);
    const auto in_front = top.empty() ? top : top + '/';
    std::map<std::vector<std::string>, file_info> expected, found;
    for (const auto& [name, info] : tree) {
      if (name.empty() || !name.starts_with(in_front)) continue;
      const auto rest = name.substr(in_front.size());
      if (rest.starts_with(what.prefix)) expected[names_of(rest)] = info;
    }
    std::string after;
    for (bool more = true; more;) {
      const auto page = disk_->list(path(top), after, 1 + below(4), what);
      if (!page) {
        const auto there = tree.find(top);
        BOOST_REQUIRE((there == tree.end() || !there->second.is_directory()));
        return;
      }
      for (const auto& entry : page->entries) {
        const auto names = names_of(entry.name);
        BOOST_REQUIRE((found.empty() || found.rbegin()->first < names));
        found[names] = entry.info;
      }
      more = page->more;
      after = page->next;
    }
    BOOST_REQUIRE((found == expected));
  }

  void compare_tree(const model_fold& state, std::int64_t now) {
    const read_time at{now};
    const auto tree = state.tree_at({now});
    model_tree found;
    found[""] = *disk_->stat({});
    read_tree("", found);
    BOOST_REQUIRE((found == tree));
    compare_listing(tree);
  }

  /// State equals the fold of the log; the log and what was set aside are what they should be.
  void compare() {
    const auto state = fold(log_);
    for (const std::int64_t now : {-1, 700, 2000}) compare_tree(state, now);

    std::vector<log_entry> expected;
    membership members;
    for (const auto& entry : log_) {
      if (entry.at.index.value > boundary_) expected.push_back({entry.at, encode(entry.what)});
      BOOST_REQUIRE(*disk_->position(entry.at.index) == entry.at);
      if (const auto* set = std::get_if<set_members>(&entry.what))
        members = {set->cluster, set->voters, set->learners, entry.at.index};
    }
    BOOST_REQUIRE_EQUAL(disk_->first_index().value, boundary_ + 1);
    BOOST_REQUIRE((disk_->read_log({boundary_ + 1}, std::size_t{1} << 30) == expected));
    BOOST_REQUIRE_EQUAL(disk_->log_bytes().value > 0, !expected.empty());
    for (const auto& what : live_contents()) check_content(what);
    const auto last = log_.empty() ? log_position{} : log_.back().at;
    BOOST_REQUIRE(disk_->state().last == last);
    BOOST_REQUIRE((disk_->members().voters == members.voters));
    BOOST_REQUIRE(disk_->members().since == members.since);
    std::vector<log_position> aside;
    for (const auto& [at, what] : set_aside_) aside.push_back(at);
    BOOST_REQUIRE(set_aside_positions(*disk_) == aside);
    BOOST_REQUIRE_EQUAL(disk_->set_aside_count(), aside.size());
  }

  std::mt19937_64 random_;
  temporary_directory directory_;
  std::filesystem::path data_ = directory_ / "data";
  std::unique_ptr<store> disk_;
  std::vector<std::unique_ptr<staged_file>> staged_;
  std::vector<model_entry> log_;
  std::size_t boundary_ = 0;  ///< entries that were compacted
  std::map<log_position, command> set_aside_;
  std::shared_ptr<const store_view> seen_;
  model_tree seen_tree_;
  std::map<digest, std::string> contents_;
  unsigned crashes_ = 0;
};

BOOST_AUTO_TEST_CASE(state_equals_the_fold_of_the_log_through_random_lives) {
  random_life life{fresh_seed()};
  for (int i = 0; i < 120; ++i) life.step();
}

}  // namespace
}  // namespace kaiku::test
