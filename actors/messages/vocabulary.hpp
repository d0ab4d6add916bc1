#pragma once

/// Purpose: every message between Kaiku's actors and the typed interface of each, in one place. `docs/protocol.md` has
/// a row for each. "Peers" may send what is marked so; everything else stays on its node. What a peer sends is checked
/// by the receiver before use. Include `messages.hpp`: only with it can they be sent. Thread: values.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <caf/node_id.hpp>
#include <caf/replies_to.hpp>
#include <caf/type_id.hpp>
#include <caf/typed_actor.hpp>

#include "kaiku/core/fence.hpp"
#include "kaiku/messages/gateway.hpp"
#include "kaiku/messages/inspection.hpp"

namespace kaiku {

class store_view;

struct peer_up;
struct peer_down;
struct local_handles;
struct inspector_here;
struct peer_inspector;

// --- storage: asked by its own node's actors only ------------------------------------------------------------------

/// replication -> storage. Log these under `in_term`, if they hold. Reply: propose_outcome, after the sync.
struct propose {
  term in_term;
  std::vector<proposal> proposals;
};
/// replication -> storage. Follow the leader's log. Reply: append_outcome, after the sync.
struct append {
  append_command what;
};
/// front -> storage. Forget what was set aside at `at`, for good. Reply: disk_changed, after the sync.
struct purge_set_aside {
  log_position at;
};
/// scrub -> storage. Forget what was set aside before `older_than`, and then the oldest until the rest takes no more
/// than `keep`.
struct expire_set_aside {
  unix_time_ms older_than;
  byte_count keep;
};
/// scrub -> storage. This was found damaged: take it away. Reply: disk_changed.
struct quarantine_content {
  content_ref what;
};
/// scrub -> storage. Take what is missing: staged when large, these bytes when small. Reply: disk_changed.
struct repair_content {
  content_ref what;
  chunk small_content;
};
struct disk_changed {
  error failure;
};
/// election -> storage. Take this higher term without a vote. Reply: hard_state, after the sync.
struct adopt_term {
  term in_term;
};

/// replication -> storage. The entry that named the cluster is committed: remember it. Reply: hard_state, after the
/// sync.
struct confirm_cluster {};

/// replication -> storage. This disk founds no cluster, it is to be taken in: remember it, before any entry comes.
/// Reply: hard_state, after the sync.
struct note_latecomer {};

/// replication -> storage. Drop entries up to this; they are committed and nobody needs them. Reply: compacted.
struct compact {
  log_index upto;
};
struct compacted {
  error failure;
};

/// installer -> storage. Another state is to replace this one's, that at `at`; pieces of it follow. What an earlier
/// attempt at the same brought is kept. Reply: install_begun.
struct begin_install {
  log_position at;
};
struct install_begun {
  error failure;
  std::string cursor;                ///< behind what is here already; empty: nothing
  bool complete = false;             ///< all pieces are
  std::vector<content_ref> missing;  ///< some of the content that what is here names and that is not
};
/// installer -> storage. The next piece. Reply: content_wanted.
struct install_piece {
  chunk bytes;
};
struct content_wanted {
  error failure;
  /// Content that the state names and that is not here. Large: to be staged. Small: the sender could not read it.
  std::vector<content_ref> missing;
};
/// installer -> storage. This is staged: keep it for the state to come. Reply: content_wanted, with nothing missing.
struct keep_for_install {
  std::vector<content_ref> staged;
};
/// installer -> storage. All of it is here: the new state takes the place of the old, at once. Reply: installed.
struct finish_install {
  term leader_term;
  log_position at;
};
struct installed {
  error failure;
  hard_state after;
};

// --- timers --------------------------------------------------------------------------------------------------------

/// An actor to itself. Dropped unless `epoch` is the actor's latest setting of its timer.
struct timer_due {
  timer_epoch epoch;
};

// --- election ------------------------------------------------------------------------------------------------------

/// heartbeat -> election, replication, fronts; replication -> election. The leader of `in_term` was heard.
struct leader_contact {
  node_id leader;
  term in_term;
  log_index commit;  ///< the leader's, as it said
  log_index last;    ///< end of its log, as it said; 0: it did not say
};
/// heartbeat, replication -> election. Somebody answered with a higher term.
struct higher_term {
  term in_term;
};
/// heartbeat -> election. As leader of `in_term`, this node was not answered by a majority within T.
struct quorum_lost {
  term in_term;
};
/// replication -> election. This node's hard state changed while appending.
struct hard_state_changed {
  hard_state now;
};
/// replication -> election, of the leader's node to a peer's. Take over at once; the peer's log is complete. Peers.
struct timeout_now {
  node_id leader;
  term in_term;
};

// --- heartbeat -----------------------------------------------------------------------------------------------------

/// replication -> heartbeat, fronts. Where the log and the commit index stand.
struct log_progress {
  log_position last;
  log_index commit;
  std::vector<std::pair<node_id, log_index>> matches;  ///< on the leader: each follower's durable end
  std::optional<lost_entries> possibly_lost;           ///< on the leader: what its predecessor had and it lacks
};
/// replication -> heartbeat. Ask the peers at once whether this node still leads: a read waits for a quorum_contact
/// that is later than this.
struct confirm_leadership {};

// --- replication ---------------------------------------------------------------------------------------------------

/// heartbeat -> replication, fronts. As leader of `in_term`, a majority is known to have followed at `at`.
struct quorum_contact {
  term in_term;
  instant at;
  std::vector<std::pair<node_id, instant>> heard;  ///< when each peer last answered
};
/// replication -> replication of a follower. Peers. Answered by append_reply as a message of its own.
struct append_entries {
  node_id leader;
  term in_term;
  log_position previous;
  std::vector<log_entry> entries;
  std::vector<chunk> small_contents;  ///< each distinct small content that the entries name
  log_index commit;
};
/// replication -> replication of a follower. Peers. The log no longer holds what this follower needs: take the state at
/// `at`, which is committed, from the leader's content. Answered by append_reply, as an append that ends there.
struct install_snapshot {
  node_id leader;
  term in_term;
  log_position at;
};
/// front -> the leader's replication. Peers. Reply: write_reply.
struct write_request {
  std::string encoded_command;
  precondition when;
  chunk small_content;
  durability want = durability::leader;
};
struct write_reply {
  error failure;  ///< `none` when recorded
  write_token token;
  file_info file;
  bool created = false;
  bool repeated = false;
  durability achieved = durability::leader;
  std::uint32_t holders = 0;
  std::uint32_t voters = 0;
};
/// front -> the leader's replication. Peers. Reply: read_index_reply, once a majority has confirmed that this node led
/// when the question came.
struct read_index {};
struct read_index_reply {
  error failure;    ///< `not_leader`, `quorum_lost`
  log_index index;  ///< all that was committed anywhere when the question came stands at or before it
};
/// front -> the leader's replication. Peers. Reply: find_write_reply.
struct find_write {
  log_position at;
};
struct find_write_reply {
  error failure;
  write_status status;
};
/// front, or the directory of a node that wants in -> the leader's replication. Peers. Reply: change_members_reply,
/// once the change is committed.
struct change_members {
  member_change what;
  incarnation disk;  ///< `add`: of the node that asks for itself; else all zero
};
struct change_members_reply {
  error failure;
  node_id leader;  ///< who to ask instead, when the failure is `not_leader`; empty: not known
};
/// node, or a front -> the leader's replication. Peers. Bring a follower up to date and let it lead. Reply:
/// handed_over, when another node leads, or it was given up.
struct hand_over {
  node_id to;  ///< empty: whoever is most up to date
};
struct handed_over {
  error failure;
};

// --- content -------------------------------------------------------------------------------------------------------

/// session's front -> an upload of the leader. Peers. Reply: upload_written once it is on the file.
struct upload_chunk {
  chunk bytes;
};
struct upload_written {
  error failure;
};
/// session's front -> an upload of the leader. Peers. All was sent: fsync. Reply: upload_finished.
struct upload_finish {};
struct upload_finished {
  error failure;
  content_ref content;
};
/// front -> the leader's content. Peers. A new upload, abandoned when its sender goes away. Reply: upload_opened.
struct open_upload {
  byte_count expected;
};
/// fetch, installer and scrub -> a peer's content. Peers. Content that can't be read, its scrub looks at. Reply:
/// content_range.
struct read_content {
  content_ref content;
  byte_count offset;
};
/// Up to `limits::chunk_bytes` from `offset`.
struct content_range {
  error failure;
  chunk bytes;
};

/// fetch of a follower -> an upload of the leader. Peers. Up to `most` bytes from `offset` on. Reply: upload_range, as
/// soon as there are any, or the upload is over.
struct read_upload {
  byte_count offset;
  byte_count most;
};
/// No more than `limits::chunk_bytes`; none only when the upload has ended at the offset.
struct upload_range {
  error failure;
  chunk bytes;
  byte_count available;  ///< what could be read when this was sent
};
/// fetch of a follower, content -> an upload. Peers. Reply: upload_ended, when the last byte has come: before the
/// leader's fsync, and so before any entry that names the content.
struct watch_upload {};
struct upload_ended {
  error failure;  ///< `none`, or why there will be no content
  content_ref content;
};

/// replication -> the own content. Serve this view to followers that ask for it, until another one comes.
struct offer_snapshot {
  std::shared_ptr<const store_view> view;
};
/// installer of a follower -> the leader's content. Peers. What follows `after` in the state at `at`. Reply:
/// snapshot_range.
struct read_snapshot {
  log_position at;
  std::string after;  ///< as the answer before gave it; empty: from the beginning
};
struct snapshot_range {
  error failure;  ///< `not_found`: no longer offered
  chunk bytes;
  std::string next;
  bool done = false;  ///< nothing follows
};

using upload_handle = caf::typed_actor<
    caf::replies_to<upload_chunk>::with<upload_written>, caf::replies_to<upload_finish>::with<upload_finished>,
    caf::replies_to<read_upload>::with<upload_range>, caf::replies_to<watch_upload>::with<upload_ended>>;

struct upload_opened {
  error failure;
  upload_handle upload;  ///< null on failure
};

struct upload_begun;

using content_handle = caf::typed_actor<
    caf::replies_to<open_upload>::with<upload_opened>, caf::replies_to<read_content>::with<content_range>,
    caf::replies_to<read_snapshot>::with<snapshot_range>, caf::reacts_to<offer_snapshot>, caf::reacts_to<upload_begun>,
    caf::reacts_to<peer_up>, caf::reacts_to<peer_down>, caf::reacts_to<role_change>, caf::reacts_to<local_handles>>;

/// content -> content of each peer, when an upload opens, and again for every new link. Peers. Content -> its fetch.
struct upload_begun {
  upload_id id;
  byte_count expected;    ///< 0: not known
  upload_handle upload;   ///< null when it has ended
  content_handle source;  ///< the sender: serves the content once an entry has named it
  content_ref content;    ///< what it was, when it has ended
};

/// replication -> fetch. Stage what is wanted from `source`, a peer's content, going on from what is here already.
/// Reply: fetched, when all of it is durable and verified; it stays staged until it is adopted, for
/// `limits::staged_keep_ms` at most.
struct fetch_content {
  std::vector<content_ref> wanted;
  content_handle source;
};
struct fetched {
  error failure;
};

using fetch_handle = caf::typed_actor<caf::replies_to<fetch_content>::with<fetched>, caf::reacts_to<upload_begun>>;

/// replication -> installer. Take the state at `at` from `source`, a peer's content. Another one ends the one before.
/// Reply: installed, when it is this node's state, durably, or will not be.
struct install {
  term leader_term;
  log_position at;
  content_handle source;
};

using installer_handle = caf::typed_actor<caf::replies_to<install>::with<installed>, caf::reacts_to<local_handles>>;

// --- scrub ---------------------------------------------------------------------------------------------------------

/// front -> scrub. Where the check stands; `start`: begin one, unless it is under way. Reply: scrub_view.
struct ask_scrub {
  bool start = false;
};
/// front, content, replication -> scrub. A read met content that can't be right, or is missing.
struct suspect_content {
  content_ref what;
};

using scrub_handle = caf::typed_actor<caf::replies_to<ask_scrub>::with<scrub_view>, caf::reacts_to<suspect_content>,
                                      caf::reacts_to<peer_up>, caf::reacts_to<peer_down>, caf::reacts_to<local_handles>,
                                      caf::reacts_to<timer_due>>;

// --- peers ---------------------------------------------------------------------------------------------------------

/// peer_directory -> election, heartbeat, replication, content, scrub, fronts. The link to this member is gone.
struct peer_down {
  node_id id;
};
/// replication -> everybody who counts voters. The configuration in force.
struct members_changed {
  membership now;
};
/// link -> peer_directory -> replication. A cluster is there already: this fresh disk founds nothing.
struct forget_bootstrap {
  bool latecomer = true;  ///< it knows the node by another disk, or not at all
};
/// A member's disk was seen for the first time: replication, if it leads, records its incarnation.
struct member_seen {
  node_id id;
  incarnation disk;
};

using storage_handle = caf::typed_actor<
    caf::replies_to<vote_request>::with<vote_decision>, caf::replies_to<confirm_cluster>::with<hard_state>,
    caf::replies_to<note_latecomer>::with<hard_state>, caf::replies_to<adopt_term>::with<hard_state>,
    caf::replies_to<propose>::with<propose_outcome>, caf::replies_to<append>::with<append_outcome>,
    caf::replies_to<compact>::with<compacted>, caf::replies_to<begin_install>::with<install_begun>,
    caf::replies_to<install_piece>::with<content_wanted>, caf::replies_to<keep_for_install>::with<content_wanted>,
    caf::replies_to<finish_install>::with<installed>, caf::reacts_to<timer_due>,
    caf::replies_to<purge_set_aside>::with<disk_changed>, caf::reacts_to<expire_set_aside>,
    caf::replies_to<quarantine_content>::with<disk_changed>, caf::replies_to<repair_content>::with<disk_changed>>;

using election_handle =
    caf::typed_actor<caf::reacts_to<vote_request>, caf::reacts_to<vote_reply>, caf::reacts_to<timeout_now>,
                     caf::reacts_to<leader_contact>, caf::reacts_to<higher_term>, caf::reacts_to<quorum_lost>,
                     caf::reacts_to<hard_state_changed>, caf::reacts_to<peer_up>, caf::reacts_to<peer_down>,
                     caf::reacts_to<members_changed>, caf::reacts_to<local_handles>, caf::reacts_to<timer_due>>;

using heartbeat_handle =
    caf::typed_actor<caf::reacts_to<heartbeat>, caf::reacts_to<heartbeat_reply>, caf::reacts_to<role_change>,
                     caf::reacts_to<log_progress>, caf::reacts_to<confirm_leadership>, caf::reacts_to<peer_up>,
                     caf::reacts_to<peer_down>, caf::reacts_to<members_changed>, caf::reacts_to<local_handles>,
                     caf::reacts_to<timer_due>>;

using replication_handle = caf::typed_actor<
    caf::reacts_to<append_entries>, caf::reacts_to<install_snapshot>, caf::reacts_to<append_reply>,
    caf::replies_to<write_request>::with<write_reply>, caf::reacts_to<role_change>, caf::reacts_to<quorum_contact>,
    caf::reacts_to<leader_contact>, caf::reacts_to<peer_up>, caf::reacts_to<peer_down>, caf::reacts_to<member_seen>,
    caf::reacts_to<forget_bootstrap>, caf::replies_to<read_index>::with<read_index_reply>,
    caf::replies_to<find_write>::with<find_write_reply>, caf::replies_to<change_members>::with<change_members_reply>,
    caf::replies_to<hand_over>::with<handed_over>, caf::reacts_to<local_handles>, caf::reacts_to<timer_due>>;

/// The handles that a member gives its peers, and nothing else.
struct peer_handles {
  election_handle election;
  heartbeat_handle heartbeat;
  replication_handle replication;
  content_handle content;
};

/// peer_directory -> election, heartbeat, replication, content, scrub, fronts. A link to this member stands; these are
/// its actors.
struct peer_up {
  node_id id;
  boot_id boot;
  std::string http_address;  ///< host:port for clients
  peer_handles actors;
  std::uint8_t version = 0;  ///< of the messages between both; what came in later versions must not be sent there
};

/// peer_directory -> the peer's peer_directory, first message on a new link. Peers. Reply: the peer's own.
struct introduction {
  node_id id;
  boot_id boot;
  std::string http_address;
  peer_handles actors;
};

/// One link among all that this process ever had: what is said of an older one is dropped.
using link_serial = counter<struct link_serial_tag>;

/// The link layer has authenticated a peer and handed its connection to CAF. Sent by `link` to the directory.
struct link_up {
  node_id id;
  incarnation disk;
  boot_id boot;
  link_serial link;
  caf::node_id caf_node;         ///< what the peer's actors must belong to
  caf::strong_actor_ptr remote;  ///< the peer's directory, on the side that dialled; null on the other
  std::uint8_t version = 0;      ///< of the messages between both
};

/// link -> peer_directory. A node that has proved the secret asks to be taken in, by its name or with a new disk.
struct join_wanted {
  member who;
};

using directory_handle =
    caf::typed_actor<caf::replies_to<introduction>::with<introduction>, caf::reacts_to<link_up>,
                     caf::reacts_to<members_changed>, caf::reacts_to<join_wanted>, caf::reacts_to<forget_bootstrap>,
                     caf::reacts_to<timer_due>, caf::reacts_to<inspector_here>>;

using front_handle =
    caf::typed_actor<caf::reacts_to<role_change>, caf::reacts_to<log_progress>, caf::reacts_to<quorum_contact>,
                     caf::reacts_to<leader_contact>, caf::reacts_to<peer_up>, caf::reacts_to<peer_down>,
                     caf::reacts_to<members_changed>, caf::reacts_to<local_handles>, caf::reacts_to<timer_due>>;

// --- inspection ----------------------------------------------------------------------------------------------------

/// Messages of these, between nodes, came with this version.
inline constexpr std::uint8_t inspection_version = 3;

/// inspector -> inspector of a peer. Peers. How its node does, with the events behind `events_after` (all ones: none);
/// `watch`: somebody looks on, time and sample messages for `limits::watch_lease_ms`. Reply: node_report.
struct ask_report {
  bool watch = false;
  event_number events_after;
};
/// inspector -> inspector of a peer. Peers. One actor, if it is there. Reply: told_actor.
struct ask_actor {
  actor_number number;
};
struct told_actor {
  bool found = false;
  actor_detail what;
};
/// inspector -> inspector of a peer. Peers. What happened to its node. Reply: told_timeline.
struct ask_timeline {};
struct told_timeline {
  std::vector<timeline_event> events;  ///< oldest first
};
/// inspector -> inspector of a peer. Peers. Its steps of a traced request. Reply: told_spans.
struct ask_spans {
  trace_id id;
};
struct told_spans {
  std::vector<trace_span> spans;
  bool over = false;  ///< it came to this node, and was answered
};
/// Any actor -> any actor of a peer. Peers. The next message from the same sender belongs to these traced requests.
struct trace_mark {
  std::vector<trace_context> of;
};
/// Any actor, from the inspector: say how you are. Seen by `observed` alone.
struct describe_yourself {};

/// front -> inspector. All nodes, or one. Reply: told_cluster.
struct ask_cluster {
  node_id only;        ///< empty: all
  bool watch = false;  ///< with the next beat, and watch until the one after it
};
struct told_cluster {
  cluster_report_ptr what;
};
/// front -> inspector. Reply: told_actor_of, with `not_found` or `overloaded` when there is none to tell of.
struct ask_actor_of {
  node_id node;
  actor_number number;
};
struct told_actor_of {
  error failure;
  std::shared_ptr<const actor_detail> what;
};
/// front -> inspector. All nodes' events. Reply: told_timelines.
struct ask_timelines {};
struct told_timelines {
  std::shared_ptr<const timeline_report> what;
};
/// front -> inspector. Reply: told_trace.
struct ask_trace {
  trace_id id;
};
struct told_trace {
  std::shared_ptr<const trace_report> what;  ///< null: nobody knows of it
};

/// Also told what fronts are told.
using inspector_handle = caf::typed_actor<
    caf::reacts_to<role_change>, caf::reacts_to<log_progress>, caf::reacts_to<quorum_contact>,
    caf::reacts_to<leader_contact>, caf::reacts_to<peer_up>, caf::reacts_to<peer_down>, caf::reacts_to<members_changed>,
    caf::reacts_to<local_handles>, caf::reacts_to<timer_due>, caf::replies_to<ask_report>::with<node_report>,
    caf::replies_to<ask_actor>::with<told_actor>, caf::replies_to<ask_timeline>::with<told_timeline>,
    caf::replies_to<ask_spans>::with<told_spans>, caf::replies_to<ask_cluster>::with<told_cluster>,
    caf::replies_to<ask_actor_of>::with<told_actor_of>, caf::replies_to<ask_timelines>::with<told_timelines>,
    caf::replies_to<ask_trace>::with<told_trace>, caf::reacts_to<peer_inspector>>;

/// peer_directory -> the peer's peer_directory, behind the introductions, if it speaks version 3. Peers.
struct inspector_here {
  inspector_handle inspector;
};
/// peer_directory -> inspector. This is that of a peer.
struct peer_inspector {
  node_id id;
  inspector_handle inspector;
};

/// node -> each of its actors, once, before anything else: the actors of its own node. Election gets it last, so that
/// it starts when everybody knows everybody.
struct local_handles {
  storage_handle storage;
  election_handle election;
  heartbeat_handle heartbeat;
  replication_handle replication;
  content_handle content;
  fetch_handle fetch;
  installer_handle installer;
  scrub_handle scrub;  ///< null in tests that do without
  directory_handle directory;
  std::vector<front_handle> fronts;  ///< and, behind them, the inspector
  inspector_handle inspector;        ///< null in tests that do without
};

/// node -> supervisor. An orderly shutdown begins: the actors' ends are expected.
struct stand_down {};

using supervisor_handle = caf::typed_actor<caf::reacts_to<stand_down>>;

}  // namespace kaiku
