/// A disk that becomes the first of a new cluster.

#include <algorithm>

#include "kaiku/storage/journal.hpp"
#include "kaiku/storage/store_impl.hpp"

namespace kaiku {

void store::impl::found(changes& batch, log_position last, const set_members& named) {
  INVARIANT(is_legal(named), "a cluster has members");
  // As if an entry had said so, which was compacted since: no log of the former cluster leads here, so that whoever
  // comes has to take the state.
  const log_position at{std::max(state.current, last.in_term).next(), last.index.next()};
  batch.put(family::meta, format::members_key,
            format::write_members({named.cluster, named.voters, named.learners, at.index, true}));
  batch.put(family::meta, format::confirmed_cluster_key, format::write_cluster(named.cluster));
  batch.put(family::terms, format::key(at.index), format::write_term(at.in_term));
  // The entries in front of the boundary go bit by bit.
  batch.put(family::meta, format::clearing_key, "");
  batch.after.log = {at, {}};
  auto next = state;
  next.current = at.in_term;
  next.voted_for = {};
  next.last = at;
  commit(batch, next);
}

status store::found_anew(const set_members& members) {
  auto& own = *impl_;
  if (auto space = own.check_space(own.content.reserve_of_freeing()); !space) return space;
  abandon_install();  // of a leader that is no more
  auto batch = own.begin();
  own.found(batch, own.state.last, members);
  return success();
}

}  // namespace kaiku
