#include "storage.hpp"

#include <algorithm>
#include <iterator>

#include "kaiku/core/invariant.hpp"
#include "kaiku/core/mutant.hpp"

namespace kaiku::simulation {

log_position disk_content::position(log_index index) const {
  return index.value == 0 || index.value > log.size() ? log_position{} : log[index.value - 1].at;
}

const membership& disk_content::members_in_force() const {
  static const membership nobody;
  return members.empty() ? nobody : members.back();
}

const membership& disk_content::members_at(log_index index) const {
  static const membership nobody;
  const auto later = std::find_if(members.begin(), members.end(), [&](const auto& x) { return x.since > index; });
  return later == members.begin() ? nobody : *std::prev(later);
}

std::string encode_members(const set_members& what) {
  return members_mark + encode(command{what});
}

std::optional<membership> decode_members(const log_entry& entry) {
  const std::string_view text = entry.encoded_command;
  if (!text.starts_with(members_mark)) return std::nullopt;
  auto decoded = decode_command(text.substr(1));
  INVARIANT(decoded.ok() && std::holds_alternative<set_members>(*decoded), "members decode");
  auto& named = std::get<set_members>(*decoded);
  return membership{named.cluster, std::move(named.voters), std::move(named.learners), entry.at.index, false};
}

std::vector<log_entry> simulated_storage::read_log(log_index from, std::size_t count) const {
  const auto& log = durable_.log;
  if (from <= durable_.boundary) return {};
  const auto begin = std::min<std::size_t>(from.value - 1, log.size());
  const auto end = std::min(begin + count, log.size());
  return {log.begin() + static_cast<std::ptrdiff_t>(begin), log.begin() + static_cast<std::ptrdiff_t>(end)};
}

// --- syncing ------------------------------------------------------------------------------------------------------

void simulated_storage::apply(disk_content& to, const write& what) {
  to.current = what.current;
  to.voted_for = what.voted_for;
  for (auto i = what.keep; i < to.log.size() && !KAIKU_MUTANT(truncated_without_set_aside); ++i)
    to.set_aside.emplace(to.log[i].at, to.log[i].encoded_command);
  // It may have been set aside before, and come back with a leader that kept it.
  for (const auto& entry : what.added) to.set_aside.erase(entry.at);
  to.log.resize(what.keep);
  to.log.insert(to.log.end(), what.added.begin(), what.added.end());
  const bool displaced = !to.members.empty() && to.members.back().since.value > what.keep;
  if (displaced && !KAIKU_MUTANT(displaced_members_stay_in_force))
    std::erase_if(to.members, [&](const auto& one) { return one.since.value > what.keep; });
  for (const auto& entry : what.added)
    if (auto named = decode_members(entry)) to.members.push_back(std::move(*named));
  if (what.change) what.change(to);
}

void simulated_storage::put(write what) {
  apply(image_, what);
  unsynced_.push_back(std::move(what));
}

void simulated_storage::put_change(std::function<void(disk_content&)> change) {
  put({image_.current, image_.voted_for, image_.log.size(), {}, std::move(change)});
}

void simulated_storage::make_durable(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto& one = unsynced_[i];
    const auto before = durable_.state();
    std::vector<log_entry> cut;
    if (one.change) cut = durable_.log;
    if (one.keep < durable_.log.size())
      cut.assign(durable_.log.begin() + static_cast<std::ptrdiff_t>(one.keep), durable_.log.end());
    apply(durable_, one);
    judge_.synced(self_, before, durable_);
    judge_.cut_off(self_, cut, durable_);
  }
}

void simulated_storage::submit(operation what) {
  queue_.push_back(std::move(what));
  if (!syncing_) begin_sync();
}

void simulated_storage::begin_sync() {
  syncing_ = true;
  std::vector<schedule::action> answers;
  const auto group = 1 + luck_.below(queue_.size());
  for (std::uint64_t i = 0; i < group; ++i) {
    answers.push_back(queue_.front()());
    queue_.pop_front();
  }
  auto duration = slowness + luck_.between(microseconds{100}, microseconds{8'000});
  if (luck_.percent(2)) duration += luck_.between(microseconds{0}, microseconds{300'000});
  if (KAIKU_MUTANT(acknowledged_before_fsync))
    for (const auto& answer : std::exchange(answers, {})) answer();
  later_(duration, [this, answers = std::move(answers)] {
    if (std::exchange(sync_fails_, false)) {
      if (!KAIKU_MUTANT(fsync_error_ignored)) throw process_died{self_};
      unsynced_.clear();
    }
    make_durable(unsynced_.size());
    unsynced_.clear();
    for (const auto& answer : answers) answer();
    syncing_ = false;
    if (!queue_.empty()) begin_sync();
  });
}

void simulated_storage::crash() {
  make_durable(luck_.below(unsynced_.size() + 1));
  unsynced_.clear();
  queue_.clear();
  syncing_ = sync_fails_ = false;
  if (!KAIKU_MUTANT(lost_writes_remembered)) image_ = durable_;
  if (KAIKU_MUTANT(vote_forgotten_at_restart)) image_.voted_for = durable_.voted_for = {};
  if (KAIKU_MUTANT(term_forgotten_at_restart)) image_.current = durable_.current = durable_.state().last.in_term;
}

bool simulated_storage::lacks_content(const std::vector<log_entry>& entries) const {
  return !KAIKU_MUTANT(entry_before_content) && std::any_of(entries.begin(), entries.end(), [&](const auto& entry) {
    return entry.encoded_command.starts_with(large_content_mark) && !contents_.contains(entry.encoded_command);
  });
}

// --- the fence ----------------------------------------------------------------------------------------------------

void simulated_storage::ballot(const vote_request& request, std::function<void(const vote_decision&)> done) {
  submit([this, request, done = std::move(done)] {
    auto decision = decide(image_.state(), request);
    if (!KAIKU_MUTANT(vote_not_persisted))
      put({decision.after.current, decision.after.voted_for, image_.log.size(), {}});
    return [decision, done] { done(decision); };
  });
}

void simulated_storage::adopt_term(term in_term, std::function<void(const hard_state&)> done) {
  submit([this, in_term, done = std::move(done)] {
    if (in_term > image_.current) put({in_term, {}, image_.log.size(), {}});
    return [state = image_.state(), done] { done(state); };
  });
}

void simulated_storage::propose(term in_term, std::vector<std::string> commands,
                                std::function<void(const propose_outcome&)> done) {
  submit([this, in_term, commands = std::move(commands), done = std::move(done)] {
    propose_outcome outcome;
    if (in_term != image_.current && !KAIKU_MUTANT(propose_not_fenced)) {
      outcome.failure = {errc::stale_term, "the fence"};
    } else if (full) {
      outcome.failure = {errc::disk_full, "no room"};
    } else {
      judge_.accepted(self_, in_term, image_.current);
      write entries{image_.current, image_.voted_for, image_.log.size(), {}};
      if (KAIKU_MUTANT(leader_overwrites_its_log) && entries.keep > 0)
        judge_.truncated(self_, image_, {--entries.keep});
      auto previous = image_.position({entries.keep});
      for (const auto& one : commands) {
        entries.added.push_back({{in_term, previous.index.next()}, one});
        judge_.logged(self_, entries.added.back(), previous, contents_);
        previous = entries.added.back().at;
        outcome.results.push_back({previous.index, {}, {}, true});
      }
      put(std::move(entries));
    }
    outcome.after = image_.state();
    return [outcome, done] { done(outcome); };
  });
}

void simulated_storage::append(append_command what, std::function<void(const append_outcome&)> done) {
  submit([this, what = std::move(what), done = std::move(done)] {
    auto outcome = follow_log(what);
    outcome.after = image_.state();
    return [outcome, done] { done(outcome); };
  });
}

append_outcome simulated_storage::follow_log(const append_command& what) {
  append_outcome outcome;
  if (what.leader_term < image_.current && !KAIKU_MUTANT(append_not_fenced)) {
    outcome.failure = {errc::stale_term, "the fence"};
    return outcome;
  }
  judge_.accepted(self_, what.leader_term, image_.current);
  // The term is taken even if the entries are not.
  if (what.leader_term > image_.current) put({what.leader_term, {}, image_.log.size(), {}});
  const log_index end{image_.log.size()};
  if (what.previous.index <= image_.boundary && image_.position(what.previous.index) != what.previous) {
    outcome.failure = {errc::corrupt, "contradicts what is committed here"};
    return outcome;
  }
  const bool meets = image_.position(what.previous.index) == what.previous || KAIKU_MUTANT(append_without_matching);
  if (what.previous.index > end || !meets) {
    outcome.failure = {errc::log_mismatch, "the entry before differs"};
    outcome.hint = std::max(std::min(what.previous.index.previous(), end), image_.boundary);
    return outcome;
  }
  std::size_t known = 0;
  for (; known < what.entries.size(); ++known) {
    const auto& at = what.entries[known].at;
    const bool there = KAIKU_MUTANT(conflict_kept) ? at.index <= end : image_.position(at.index) == at;
    if (!there && at.index <= image_.boundary) {
      outcome.failure = {errc::corrupt, "contradicts what is committed here"};
      return outcome;
    }
    if (!there) break;
  }
  return take(what, known);
}

/// The first `known` entries stand here already.
append_outcome simulated_storage::take(const append_command& what, std::size_t known) {
  append_outcome outcome;
  outcome.match = {what.previous.index.value + what.entries.size()};
  write entries{image_.current, image_.voted_for, what.previous.index.value + known, {}};
  if (known == what.entries.size()) {
    if (!KAIKU_MUTANT(truncated_past_the_match) || entries.keep == image_.log.size()) return outcome;
  } else if (full) {
    outcome.failure = {errc::disk_full, "no room"};
    return outcome;
  } else if (lacks_content(what.entries)) {
    outcome.failure = {errc::content_missing, "not pulled"};
    return outcome;
  }
  if (entries.keep < image_.log.size()) {
    judge_.truncated(self_, image_, {entries.keep});
    outcome.set_aside = image_.log.size() - entries.keep;
  }
  auto previous = image_.position({entries.keep});
  for (; known < what.entries.size(); ++known) {
    judge_.logged(self_, what.entries[known], previous, contents_);
    previous = what.entries[known].at;
    entries.added.push_back(what.entries[known]);
  }
  put(std::move(entries));
  return outcome;
}

}  // namespace kaiku::simulation
