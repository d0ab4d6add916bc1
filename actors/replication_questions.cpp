// What the leader is asked and does not change anything: how far a read must be, what became of a write.

#include "kaiku/actors/clock.hpp"
#include "kaiku/actors/replication_actor.hpp"

namespace kaiku {

caf::typed_response_promise<read_index_reply> replication_actor::on_read_index() {
  auto promise = make_response_promise<read_index_reply>();
  error no;
  if (!leading()) {
    no = {errc::not_leader, "this node does not lead"};
  } else if (reads_.size() >= limits::queued_reads) {
    no = {errc::overloaded, "too many reads wait on the leader; try again shortly"};
  }
  if (no.code != errc::none) {
    promise.deliver(read_index_reply{no, {}});
    return promise;
  }
  reads_.push_back({promise, now()});
  send(local_.heartbeat, confirm_leadership{});
  return promise;
}

/// Thesis, 6.4: the commit index, once an entry of this term is committed, and a majority has followed this leader
/// since the question came. Any later commit index does as well.
void replication_actor::settle_reads() {
  if (!machine_.knows_commit()) return;
  while (!reads_.empty() && reads_.front().at <= quorum_contact_) {
    reads_.front().promise.deliver(read_index_reply{{}, machine_.commit()});
    reads_.pop_front();
  }
}

void replication_actor::end_reads(const error& why) {
  for (auto& read : reads_) read.promise.deliver(read_index_reply{why, {}});
  reads_.clear();
}

find_write_reply replication_actor::on_find_write(const find_write& x) const {
  if (!leading() || !in_contact_with_quorum()) return {{errc::not_leader, "this node does not know itself leader"}, {}};
  write_status known;
  known.voters = static_cast<std::uint32_t>(machine_.voters());
  const auto stands = disk_->position(x.at.index);
  if (stands.ok() && *stands == x.at) {
    known.holders = static_cast<std::uint32_t>(machine_.holders(x.at.index));
    switch (machine_.reached(x.at.index)) {
      case durability::leader: known.what = write_status::fate::leader; break;
      case durability::majority: known.what = write_status::fate::majority; break;
      case durability::all: known.what = write_status::fate::all; break;
    }
  } else if (!stands.ok() && x.at.index < disk_->first_index()) {
    // Compacted so long ago that nobody knows its term any more.
  } else if (machine_.knows_commit() && x.at.in_term < role_.in_term) {
    // An entry of this term is committed: what an earlier leader had and this one lacks never will be (leader
    // completeness; paper, 5.4.3).
    known.what = write_status::fate::set_aside;
  }
  return {{}, known};
}

}  // namespace kaiku
