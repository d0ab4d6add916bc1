#include "kaiku/core/liveness.hpp"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "kaiku/core/invariant.hpp"
#include "kaiku/core/limits.hpp"
#include "kaiku/core/mutant.hpp"

namespace kaiku {

liveness::liveness(node_id self, std::set<node_id> voters) : self_(std::move(self)) {
  set_voters(std::move(voters));
}

void liveness::set_voters(std::set<node_id> voters) {
  voters_ = std::move(voters);
  std::erase_if(peers_, [&](const auto& peer) { return !voters_.contains(peer.first); });
  std::erase_if(answered_, [&](const auto& peer) { return !voters_.contains(peer.first); });
  for (const auto& voter : voters_)
    if (voter != self_) peers_.try_emplace(voter);
}

void liveness::begin_leading(instant asked_at) {
  leading_since_ = asked_at;
  answered_.clear();
  rounds_.clear();
}

std::uint64_t liveness::begin_round(instant now) {
  rounds_.emplace(++round_, now);
  if (rounds_.size() > rounds_remembered) rounds_.erase(rounds_.begin());
  if (KAIKU_MUTANT(quorum_counted_from_sends))
    for (const auto& voter : voters_) answered_[voter] = now;
  return round_;
}

peer_liveness* liveness::known(const node_id& peer) {
  auto found = peers_.find(peer);
  if (found != peers_.end()) return &found->second;
  if (peer == self_ || peers_.size() >= limits::members) return nullptr;
  return &peers_[peer];
}

void liveness::on_reply(instant now, const node_id& from, std::uint64_t round) {
  auto* peer = known(from);
  if (peer == nullptr) return;
  peer->last_heard = now;
  auto sent = rounds_.find(round);
  if (sent == rounds_.end()) return;
  peer->round_trip = std::chrono::duration_cast<milliseconds>(now - sent->second);
  auto& latest = answered_.try_emplace(from, sent->second).first->second;
  latest = std::max(latest, KAIKU_MUTANT(quorum_dated_by_receipt) ? now : sent->second);
}

void liveness::on_leader(instant now, const node_id& leader) {
  if (auto* peer = known(leader)) peer->last_heard = now;
}

instant liveness::quorum_contact(instant now) const {
  if (voters_.empty()) return leading_since_;  // told to found nothing while it was being elected
  std::vector<instant> contacts;
  for (const auto& voter : voters_) {
    auto found = answered_.find(voter);
    if (voter == self_)
      contacts.push_back(now);
    else
      contacts.push_back(found == answered_.end() ? leading_since_ : found->second);
  }
  const auto majority = contacts.begin() + static_cast<std::ptrdiff_t>(contacts.size() / 2);
  std::nth_element(contacts.begin(), majority, contacts.end(), std::greater<>{});
  return *majority;
}

}  // namespace kaiku
