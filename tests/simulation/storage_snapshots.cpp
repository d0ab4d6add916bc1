// The part of a simulated disk that plays compaction.cpp and install.cpp of the store.

#include <algorithm>

#include "kaiku/core/mutant.hpp"
#include "storage.hpp"

namespace kaiku::simulation {
namespace {

/// In place of what is here, in one step; what does not belong to that history is set aside.
void replace_state(disk_content& disk, const std::vector<log_entry>& entries) {
  for (std::size_t i = 0; i < disk.log.size(); ++i)
    if (i >= entries.size() || entries[i] != disk.log[i])
      disk.set_aside.emplace(disk.log[i].at, disk.log[i].encoded_command);
  for (const auto& entry : entries) disk.set_aside.erase(entry.at);
  disk.log = entries;
  disk.boundary = {entries.size()};
  disk.receiving.reset();
  if (KAIKU_MUTANT(members_not_in_the_snapshot)) return;
  disk.members.clear();
  for (const auto& entry : entries)
    if (auto named = decode_members(entry)) disk.members.push_back(std::move(*named));
}

}  // namespace

void simulated_storage::compact(log_index upto, std::function<void()> done) {
  submit([this, upto, done = std::move(done)] {
    judge_.compacts(self_, image_, upto);
    put_change([upto](disk_content& disk) { disk.boundary = std::max(disk.boundary, upto); });
    return done;
  });
}

void simulated_storage::begin_install(const log_position& at, std::function<void(const result<received_state>&)> done) {
  submit([this, at, done = std::move(done)]() -> schedule::action {
    if (image_.has(at) && !KAIKU_MUTANT(state_installed_over_newer_log)) {
      return [done] { done(error{errc::already_exists, "the entry is here"}); };
    }
    auto& begun = image_.receiving;
    const bool goes_on = begun && (begun->at == at || KAIKU_MUTANT(install_goes_on_with_another_state));
    if (!goes_on) put_change([at](disk_content& disk) { disk.receiving = received_state{at, {}, false}; });
    if (goes_on && begun->at != at) put_change([at](disk_content& disk) { disk.receiving->at = at; });
    return [state = *image_.receiving, done] { done(state); };
  });
}

void simulated_storage::install_piece(snapshot_range piece, std::function<void(bool)> done) {
  submit([this, piece = std::move(piece), done = std::move(done)] {
    const auto& begun = image_.receiving;
    const bool follows = begun && begun->at == piece.at && begun->entries.size() == piece.cursor && !full;
    if (follows) {
      put_change([piece](disk_content& disk) {
        auto& entries = disk.receiving->entries;
        entries.insert(entries.end(), piece.entries.begin(), piece.entries.end());
        disk.receiving->complete = piece.last;
      });
    }
    return [follows, done] { done(follows); };
  });
}

error simulated_storage::may_finish(term leader_term, const log_position& at) const {
  if (leader_term < image_.current && !KAIKU_MUTANT(state_of_an_older_leader_taken))
    return {errc::stale_term, "the fence"};
  if (image_.has(at) && !KAIKU_MUTANT(state_installed_over_newer_log)) return {errc::already_exists, "it is here"};
  const auto& begun = image_.receiving;
  if (!begun || begun->at != at || (!begun->complete && !KAIKU_MUTANT(state_taken_in_part)))
    return {errc::log_mismatch, "pieces are missing"};
  if (lacks_content(begun->entries)) return {errc::content_missing, "not pulled"};
  return {};
}

void simulated_storage::finish_install(term leader_term, const log_position& at,
                                       std::function<void(const error&, const hard_state&)> done) {
  submit([this, leader_term, at, done = std::move(done)] {
    auto failure = may_finish(leader_term, at);
    if (failure.code == errc::none || failure.code == errc::already_exists) {
      judge_.accepted(self_, leader_term, image_.current);
      if (leader_term > image_.current) put({leader_term, {}, image_.log.size(), {}});
    }
    if (failure.code == errc::none) {
      const auto entries = image_.receiving->entries;
      judge_.installs(self_, image_, at, entries, contents_);
      put_change([entries](disk_content& disk) { replace_state(disk, entries); });
    } else if (failure.code == errc::already_exists) {  // came by appends meanwhile
      put_change([](disk_content& disk) { disk.receiving.reset(); });
      failure = {};
    }
    return [failure, state = image_.state(), done] { done(failure, state); };
  });
}

}  // namespace kaiku::simulation
