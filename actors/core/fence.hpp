#pragma once

/// Purpose: what goes through the fence: the questions that change a node's disk, and storage's answers. Shared by the
/// store, which decides, and the actors, which ask.
/// Thread: values.

#include <string>
#include <vector>

#include "kaiku/core/command.hpp"
#include "kaiku/core/error.hpp"
#include "kaiku/core/vote.hpp"

namespace kaiku {

/// One command on its way into the log.
struct proposal {
  command what;
  precondition when;
  std::string small_content;  ///< the bytes, when `what` names small content that may not be here yet
};

/// What became of one proposal.
struct proposed {
  log_index index;        ///< where it stands; 0 when refused
  error failure;          ///< `code` none when logged
  file_info file;         ///< what the command made or changed, as it is afterwards (all but a removal)
  bool created = false;   ///< nothing stood there before (put, make directory; move, copy: at `to`)
  term in_term{};         ///< of the entry
  bool repeated = false;  ///< logged before, for the same request; `file` is that of then; of its properties `expires`
};

struct propose_outcome {
  error failure;  ///< `stale_term` or `disk_full`: nothing was logged; else none
  hard_state after;
  std::vector<proposed> results;  ///< as many as proposals, unless `failure`
};

/// Entries from the leader of `leader_term` that follow `previous`.
struct append_command {
  term leader_term;
  log_position previous;
  std::vector<log_entry> entries;
  /// Small content the entries name, by bytes; verified against the digests the entries name.
  std::vector<std::string> small_contents;
};

struct append_outcome {
  error failure;  ///< stale_term, log_mismatch, content_missing, disk_full, corrupt, or none
  hard_state after;
  log_index match;            ///< success: the log equals the leader's up to here, durably
  log_index hint;             ///< log_mismatch: the logs can't meet above this
  std::size_t set_aside = 0;  ///< entries that were displaced
  log_index displaced_from;   ///< the first of them; 0: none
};

/// Entries that an earlier leader was heard to have and this one lacks: if it acknowledged them at `leader` and never
/// comes back, they are lost.
struct lost_entries {
  term in_term;  ///< of the leader that had them
  log_index first;
  log_index last;
  friend bool operator==(const lost_entries&, const lost_entries&) = default;
};

/// What an operator, or a node that wants in, asks of the members. One at a time.
struct member_change {
  enum class kind : std::uint8_t { add = 1, remove = 2 };
  kind what = kind::add;
  node_id id;
  std::string peer_address;  ///< `add`: host:port where its peers reach it
};

/// The cluster as the log knows it.
struct membership {
  cluster_id cluster;  ///< all zero before the first entry
  std::vector<member> voters;
  std::vector<member> learners;  ///< replicate, but do not count
  log_index since;               ///< the entry that says so
  /// An entry that names this cluster is known committed. Before that another leader may still name another one.
  bool confirmed = false;
  /// This disk came to a cluster that was there: another one may have voted under its name.
  bool latecomer = false;

  friend bool operator==(const membership&, const membership&) = default;
};

}  // namespace kaiku
