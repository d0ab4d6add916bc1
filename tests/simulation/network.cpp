#include "network.hpp"

#include <algorithm>

namespace kaiku::simulation {
namespace {

struct describe_visitor {
  std::string operator()(const vote_request& x) const {
    return (x.pre_vote ? "pre_vote_request term=" : "vote_request term=") + to_string(x.in_term) +
           " last=" + to_string(x.last.in_term) + '.' + to_string(x.last.index) + (x.transfer ? " transfer" : "");
  }
  std::string operator()(const vote_reply& x) const {
    return (x.pre_vote ? "pre_vote_reply term=" : "vote_reply term=") + to_string(x.in_term) +
           " voter_term=" + to_string(x.voter_term) + (x.granted ? " granted" : " refused");
  }
  std::string operator()(const heartbeat& x) const {
    return "heartbeat term=" + to_string(x.in_term) + " round=" + std::to_string(x.round);
  }
  std::string operator()(const heartbeat_reply& x) const {
    return "heartbeat_reply term=" + to_string(x.in_term) + " round=" + std::to_string(x.round);
  }
  std::string operator()(const append_entries& x) const {
    return "append term=" + to_string(x.in_term) + " previous=" + to_string(x.previous.in_term) + '.' +
           to_string(x.previous.index) + " entries=" + std::to_string(x.entries.size()) +
           " commit=" + to_string(x.commit);
  }
  std::string operator()(const append_reply& x) const {
    if (x.waiting_for_content) return "append_reply term=" + to_string(x.in_term) + " waiting for content";
    return "append_reply term=" + to_string(x.in_term) +
           (x.accepted ? " match=" + to_string(x.match) : " refused hint=" + to_string(x.hint));
  }
  std::string operator()(const install_snapshot& x) const {
    return "install_snapshot term=" + to_string(x.in_term) + " at=" + to_string(x.at.in_term) + '.' +
           to_string(x.at.index);
  }
  std::string operator()(const read_snapshot& x) const {
    return "read_snapshot at=" + to_string(x.at.index) + " from=" + std::to_string(x.cursor);
  }
  std::string operator()(const snapshot_range& x) const {
    return "snapshot_range at=" + to_string(x.at.index) + " from=" + std::to_string(x.cursor) +
           " entries=" + std::to_string(x.entries.size()) + (x.last ? " last" : "");
  }
  std::string operator()(const timeout_now& x) const { return "timeout_now term=" + to_string(x.in_term); }
};

}  // namespace

std::string describe(const message& x) {
  return std::visit(describe_visitor{}, x);
}

std::string describe(const membership& x) {
  std::string text;
  const auto add = [&](const member& one, const char* what) {
    text += what + one.id.name + '/' + std::to_string(one.disk.bytes.back());
  };
  for (const auto& one : x.voters) add(one, " ");
  for (const auto& one : x.learners) add(one, " learner ");
  return text;
}

void network::send(const node_id& from, const node_id& to, const parcel& what) {
  const auto link = link_(from, to);
  if (link == 0) return;
  if (notes_.kept()) notes_.note(from.name, " -> ", to.name, ' ', describe(*what));
  deliver_later(from, to, link, what);
  if (luck_.percent(repeat_percent)) deliver_later(from, to, link, what);
}

void network::deliver_later(const node_id& from, const node_id& to, std::uint64_t link, const parcel& what) {
  if (luck_.percent(loss_percent)) return;
  auto when = time_.now() + luck_.between(microseconds{200}, microseconds{10'000});
  // A leader counts on it that a link does not keep this one back behind what was sent long after.
  const bool may_straggle = !std::holds_alternative<timeout_now>(*what);
  if (luck_.percent(straggler_percent) && may_straggle) {
    when += luck_.between(milliseconds{0}, luck_.percent(10) ? milliseconds{15'000} : milliseconds{1000});
  } else if (!luck_.percent(reorder_percent)) {
    auto& last = last_delivery_[{from, to}];
    when = last = std::max(last, when);
  }
  time_.at(when, [this, from, to, link, what] {
    // Word of a disk that is gone may wait in a mailbox for long: an acknowledgement says whose it is.
    const bool passes = link_(from, to) == link || std::holds_alternative<append_reply>(*what);
    if (passes && reaches(from, to)) receivers_.at(to)(what);
  });
}

}  // namespace kaiku::simulation
