#include "storage.hpp"

#include <algorithm>

namespace kaiku::simulation {

log_position disk_content::position(log_index index) const {
  return index.value == 0 || index.value > log.size() ? log_position{} : log[index.value - 1].at;
}

std::vector<log_entry> simulated_storage::read_log(log_index from, std::size_t count) const {
  const auto& log = durable_.log;
  const auto begin = std::min<std::size_t>(from.value - 1, log.size());
  const auto end = std::min(begin + count, log.size());
  return {log.begin() + static_cast<std::ptrdiff_t>(begin), log.begin() + static_cast<std::ptrdiff_t>(end)};
}

// --- syncing ------------------------------------------------------------------------------------------------------

void simulated_storage::apply(disk_content& to, const write& what) {
  to.current = what.current;
  to.voted_for = what.voted_for;
  to.log.resize(what.keep);
  to.log.insert(to.log.end(), what.added.begin(), what.added.end());
}

void simulated_storage::put(write what) {
  apply(image_, what);
  unsynced_.push_back(std::move(what));
}

void simulated_storage::make_durable(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto before = durable_.state();
    apply(durable_, unsynced_[i]);
    judge_.synced(self_, before, durable_);
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
  later_(duration, [this, answers = std::move(answers)] {
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
  syncing_ = false;
  image_ = durable_;
}

// --- the fence ----------------------------------------------------------------------------------------------------

void simulated_storage::ballot(const vote_request& request, std::function<void(const vote_decision&)> done) {
  submit([this, request, done = std::move(done)] {
    auto decision = decide(image_.state(), request);
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
    if (in_term != image_.current) {
      outcome.failure = {errc::stale_term, "the fence"};
    } else {
      judge_.accepted(self_, in_term, image_.current);
      write entries{image_.current, image_.voted_for, image_.log.size(), {}};
      auto previous = image_.position({image_.log.size()});
      for (const auto& one : commands) {
        entries.added.push_back({{in_term, previous.index.next()}, one});
        judge_.logged(self_, entries.added.back(), previous);
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
  if (what.leader_term < image_.current) {
    outcome.failure = {errc::stale_term, "the fence"};
    return outcome;
  }
  judge_.accepted(self_, what.leader_term, image_.current);
  if (what.leader_term > image_.current) put({what.leader_term, {}, image_.log.size(), {}});
  const log_index end{image_.log.size()};
  if (what.previous.index > end || image_.position(what.previous.index) != what.previous) {
    outcome.failure = {errc::log_mismatch, "the entry before differs"};
    outcome.hint = std::min(what.previous.index.previous(), end);
    return outcome;
  }
  outcome.match = {what.previous.index.value + what.entries.size()};
  std::size_t known = 0;
  while (known < what.entries.size() && image_.position(what.entries[known].at.index) == what.entries[known].at)
    ++known;
  if (known == what.entries.size()) return outcome;
  write entries{image_.current, image_.voted_for, what.previous.index.value + known, {}};
  if (entries.keep < image_.log.size()) judge_.truncated(self_, image_, {entries.keep});
  auto previous = image_.position({entries.keep});
  for (; known < what.entries.size(); ++known) {
    judge_.logged(self_, what.entries[known], previous);
    previous = what.entries[known].at;
    entries.added.push_back(what.entries[known]);
  }
  put(std::move(entries));
  return outcome;
}

}  // namespace kaiku::simulation
