#pragma once

/// Purpose: the messages of `vocabulary.hpp`, and how those between nodes travel: their fields, and the numbers of
/// their types. Thread: values.

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/type_id.hpp>

#include "kaiku/messages/inspect.hpp"
#include "kaiku/messages/inspect_reports.hpp"
#include "kaiku/messages/vocabulary.hpp"

namespace kaiku {

// --- how they travel -----------------------------------------------------------------------------------------------

template <class F>
typename F::result_type inspect(F& f, timeout_now& x) {
  return f(caf::meta::type_name("timeout_now"), x.leader, x.in_term);
}
template <class F>
typename F::result_type inspect(F& f, append_entries& x) {
  return f(caf::meta::type_name("append_entries"), x.leader, x.in_term, x.previous, x.entries, x.small_contents,
           x.commit);
}
template <class F>
typename F::result_type inspect(F& f, install_snapshot& x) {
  return f(caf::meta::type_name("install_snapshot"), x.leader, x.in_term, x.at);
}
template <class F>
typename F::result_type inspect(F& f, read_snapshot& x) {
  return f(caf::meta::type_name("read_snapshot"), x.at, x.after);
}
template <class F>
typename F::result_type inspect(F& f, snapshot_range& x) {
  return f(caf::meta::type_name("snapshot_range"), x.failure, x.bytes, x.next, x.done);
}
template <class F>
typename F::result_type inspect(F& f, write_request& x) {
  return f(caf::meta::type_name("write_request"), x.encoded_command, x.when, x.small_content, x.want);
}
template <class F>
typename F::result_type inspect(F& f, write_reply& x) {
  return f(caf::meta::type_name("write_reply"), x.failure, x.token, x.file, x.created, x.repeated, x.achieved,
           x.holders, x.voters);
}
template <class F>
typename F::result_type inspect(F& f, read_index&) {
  return f(caf::meta::type_name("read_index"));
}
template <class F>
typename F::result_type inspect(F& f, read_index_reply& x) {
  return f(caf::meta::type_name("read_index_reply"), x.failure, x.index);
}
template <class F>
typename F::result_type inspect(F& f, find_write& x) {
  return f(caf::meta::type_name("find_write"), x.at);
}
template <class F>
typename F::result_type inspect(F& f, find_write_reply& x) {
  return f(caf::meta::type_name("find_write_reply"), x.failure, x.status);
}
template <class F>
typename F::result_type inspect(F& f, change_members& x) {
  return f(caf::meta::type_name("change_members"), x.what, x.disk);
}
template <class F>
typename F::result_type inspect(F& f, change_members_reply& x) {
  return f(caf::meta::type_name("change_members_reply"), x.failure, x.leader);
}
template <class F>
typename F::result_type inspect(F& f, hand_over& x) {
  return f(caf::meta::type_name("hand_over"), x.to);
}
template <class F>
typename F::result_type inspect(F& f, handed_over& x) {
  return f(caf::meta::type_name("handed_over"), x.failure);
}
template <class F>
typename F::result_type inspect(F& f, upload_chunk& x) {
  return f(caf::meta::type_name("upload_chunk"), x.bytes);
}
template <class F>
typename F::result_type inspect(F& f, upload_written& x) {
  return f(caf::meta::type_name("upload_written"), x.failure);
}
template <class F>
typename F::result_type inspect(F& f, upload_finish&) {
  return f(caf::meta::type_name("upload_finish"));
}
template <class F>
typename F::result_type inspect(F& f, upload_finished& x) {
  return f(caf::meta::type_name("upload_finished"), x.failure, x.content);
}
template <class F>
typename F::result_type inspect(F& f, open_upload& x) {
  return f(caf::meta::type_name("open_upload"), x.expected);
}
template <class F>
typename F::result_type inspect(F& f, upload_opened& x) {
  return f(caf::meta::type_name("upload_opened"), x.failure, x.upload);
}
template <class F>
typename F::result_type inspect(F& f, read_content& x) {
  return f(caf::meta::type_name("read_content"), x.content, x.offset);
}
template <class F>
typename F::result_type inspect(F& f, content_range& x) {
  return f(caf::meta::type_name("content_range"), x.failure, x.bytes);
}
template <class F>
typename F::result_type inspect(F& f, read_upload& x) {
  return f(caf::meta::type_name("read_upload"), x.offset, x.most);
}
template <class F>
typename F::result_type inspect(F& f, upload_range& x) {
  return f(caf::meta::type_name("upload_range"), x.failure, x.bytes, x.available);
}
template <class F>
typename F::result_type inspect(F& f, watch_upload&) {
  return f(caf::meta::type_name("watch_upload"));
}
template <class F>
typename F::result_type inspect(F& f, upload_ended& x) {
  return f(caf::meta::type_name("upload_ended"), x.failure, x.content);
}
template <class F>
typename F::result_type inspect(F& f, upload_begun& x) {
  return f(caf::meta::type_name("upload_begun"), x.id, x.expected, x.upload, x.source, x.content);
}
template <class F>
typename F::result_type inspect(F& f, peer_handles& x) {
  return f(caf::meta::type_name("peer_handles"), x.election, x.heartbeat, x.replication, x.content);
}
template <class F>
typename F::result_type inspect(F& f, introduction& x) {
  return f(caf::meta::type_name("introduction"), x.id, x.boot, x.http_address, x.actors);
}

template <class F>
typename F::result_type inspect(F& f, ask_report& x) {
  return f(caf::meta::type_name("ask_report"), x.watch, x.events_after);
}
template <class F>
typename F::result_type inspect(F& f, ask_actor& x) {
  return f(caf::meta::type_name("ask_actor"), x.number);
}
template <class F>
typename F::result_type inspect(F& f, told_actor& x) {
  return f(caf::meta::type_name("told_actor"), x.found, x.what);
}
template <class F>
typename F::result_type inspect(F& f, ask_timeline&) {
  return f(caf::meta::type_name("ask_timeline"));
}
template <class F>
typename F::result_type inspect(F& f, told_timeline& x) {
  return f(caf::meta::type_name("told_timeline"), x.events);
}
template <class F>
typename F::result_type inspect(F& f, ask_spans& x) {
  return f(caf::meta::type_name("ask_spans"), x.id);
}
template <class F>
typename F::result_type inspect(F& f, told_spans& x) {
  return f(caf::meta::type_name("told_spans"), x.spans, x.over);
}
template <class F>
typename F::result_type inspect(F& f, trace_mark& x) {
  return f(caf::meta::type_name("trace_mark"), x.of);
}
template <class F>
typename F::result_type inspect(F& f, inspector_here& x) {
  return f(caf::meta::type_name("inspector_here"), x.inspector);
}

}  // namespace kaiku

// The order of this block is part of the wire format. Messages that stay on their node are declared unsafe to
// serialize: a handle's type can then never carry them to a peer.
CAF_BEGIN_TYPE_ID_BLOCK(kaiku, first_custom_type_id)
  // Between nodes.
  CAF_ADD_TYPE_ID(kaiku, (kaiku::vote_request))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::vote_reply))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::timeout_now))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::heartbeat))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::heartbeat_reply))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::append_entries))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::append_reply))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::write_request))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::write_reply))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::upload_chunk))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::upload_written))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::upload_finish))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::upload_finished))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::open_upload))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::upload_opened))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::read_content))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::content_range))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::introduction))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::read_index))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::read_index_reply))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::find_write))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::find_write_reply))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::change_members))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::change_members_reply))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::hand_over))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::handed_over))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::install_snapshot))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::read_snapshot))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::snapshot_range))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::read_upload))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::upload_range))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::watch_upload))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::upload_ended))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::upload_begun))
  // Within one node.
  CAF_ADD_TYPE_ID(kaiku, (kaiku::vote_decision))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::hard_state))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::role_change))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::propose))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::propose_outcome))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::append))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::append_outcome))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::adopt_term))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::confirm_cluster))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::note_latecomer))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::purge_set_aside))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::expire_set_aside))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::quarantine_content))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::repair_content))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::disk_changed))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::ask_scrub))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::suspect_content))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::scrub_view))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::timer_due))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::local_handles))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::leader_contact))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::higher_term))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::quorum_lost))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::hard_state_changed))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::log_progress))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::quorum_contact))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::fetch_content))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::fetched))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::peer_up))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::peer_down))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::members_changed))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::member_seen))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::link_up))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::join_wanted))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::stand_down))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::confirm_leadership))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::forget_bootstrap))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::compact))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::compacted))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::begin_install))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::install_begun))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::install_piece))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::content_wanted))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::keep_for_install))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::finish_install))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::offer_snapshot))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::install))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::installed))
  // Between nodes, since version 3.
  CAF_ADD_TYPE_ID(kaiku, (kaiku::ask_report))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::node_report))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::ask_actor))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::told_actor))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::ask_timeline))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::told_timeline))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::ask_spans))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::told_spans))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::trace_mark))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::inspector_here))
  // Within one node.
  CAF_ADD_TYPE_ID(kaiku, (kaiku::describe_yourself))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::ask_cluster))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::told_cluster))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::ask_actor_of))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::told_actor_of))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::ask_timelines))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::told_timelines))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::ask_trace))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::told_trace))
  CAF_ADD_TYPE_ID(kaiku, (kaiku::peer_inspector))
CAF_END_TYPE_ID_BLOCK(kaiku)

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::vote_decision)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::hard_state)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::role_change)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::propose)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::propose_outcome)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::append)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::append_outcome)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::adopt_term)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::confirm_cluster)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::note_latecomer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::purge_set_aside)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::expire_set_aside)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::quarantine_content)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::repair_content)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::disk_changed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::ask_scrub)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::suspect_content)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::scrub_view)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::timer_due)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::local_handles)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::leader_contact)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::higher_term)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::quorum_lost)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::hard_state_changed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::log_progress)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::quorum_contact)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::fetch_content)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::fetched)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::peer_up)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::peer_down)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::members_changed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::member_seen)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::link_up)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::join_wanted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::stand_down)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::confirm_leadership)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::forget_bootstrap)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::compact)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::compacted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::begin_install)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::install_begun)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::install_piece)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::content_wanted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::keep_for_install)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::finish_install)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::offer_snapshot)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::install)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::installed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::describe_yourself)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::ask_cluster)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::told_cluster)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::ask_actor_of)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::told_actor_of)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::ask_timelines)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::told_timelines)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::ask_trace)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::told_trace)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kaiku::peer_inspector)
