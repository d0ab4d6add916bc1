#include "kaiku/actors/peer_check.hpp"

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <string_view>

#include <caf/system_messages.hpp>

#include "kaiku/core/endpoint.hpp"
#include "kaiku/core/membership.hpp"
#include "kaiku/core/path.hpp"
#include "kaiku/messages/linked_peers.hpp"

namespace kaiku {
namespace {

/// The end of the year 9999, the last that has a text.
constexpr std::uint64_t latest_ms = 253'402'300'799'999;

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= ' '; });
}

bool is_address(std::string_view text) {
  return text.size() <= limits::address_bytes && parse_endpoint(text).ok();
}

template <class Tag>
bool is_sane(counter<Tag> x) {
  return x.value <= limits::peer_counter;
}
bool is_sane(log_index x) {
  return x.value <= limits::last_index;
}
bool is_sane(const log_position& x) {
  return is_sane(x.in_term) && is_sane(x.index) && (x.index.value == 0) == (x.in_term.value == 0);
}
bool is_sane(const content_ref& x) {
  return is_sane(x.size);
}
bool is_sane(const error& x) {
  return to_string(x.code) != "unknown" && x.detail.size() <= limits::peer_text_bytes;
}
bool is_sane(durability x) {
  return x >= durability::leader && x <= durability::all;
}
bool is_sane(const file_info& x) {
  const bool kind = x.type == file_info::kind::file || x.type == file_info::kind::directory;
  return kind && is_sane(x.content) && is_sane(x.version.in_term) && is_sane(x.version.index) &&
         check(x.properties).ok();
}
bool is_sane(const std::vector<std::string>& tags) {
  return tags.size() <= limits::condition_tags && std::all_of(tags.begin(), tags.end(), [](const auto& x) {
           return x.size() <= limits::http_header_most_bytes;
         });
}
/// A number of voters.
bool is_sane_count(std::uint32_t x) {
  return x <= limits::members;
}

/// The first that does not hold is what is wrong.
struct requirement {
  bool holds;
  const char* else_wrong;
};
std::string first_broken(std::initializer_list<requirement> all) {
  for (const auto& one : all)
    if (!one.holds) return one.else_wrong;
  return {};
}

constexpr const char* no_name = "no legal name";
constexpr const char* no_term = "no possible term";
constexpr const char* no_index = "no possible index";
constexpr const char* no_size = "no possible size";
constexpr const char* no_failure = "no legal failure";

bool is_leaders_term(term x) {
  return x.value > 0 && is_sane(x);
}

// --- election ------------------------------------------------------------------------------------------------------

std::string flaw(const vote_request& x) {
  return first_broken({{is_valid_node_name(x.candidate.name), no_name},
                       {is_leaders_term(x.in_term), no_term},
                       {is_sane(x.last), no_index},
                       {x.last.in_term < x.in_term, "a campaign in the term of the log's end"}});
}
std::string flaw(const vote_reply& x) {
  return first_broken(
      {{is_valid_node_name(x.voter.name), no_name}, {is_leaders_term(x.in_term) && is_sane(x.voter_term), no_term}});
}
std::string flaw(const timeout_now& x) {
  return first_broken({{is_valid_node_name(x.leader.name), no_name}, {is_leaders_term(x.in_term), no_term}});
}

// --- heartbeat -----------------------------------------------------------------------------------------------------

std::string flaw(const heartbeat& x) {
  return first_broken({{is_valid_node_name(x.leader.name), no_name},
                       {is_leaders_term(x.in_term), no_term},
                       {is_sane(x.commit) && is_sane(x.last), no_index}});
}
std::string flaw(const heartbeat_reply& x) {
  return first_broken({{is_valid_node_name(x.from.name), no_name}, {is_leaders_term(x.in_term), no_term}});
}

// --- replication ---------------------------------------------------------------------------------------------------

/// Each behind the one before it, in a term that is not over, and a command that decodes.
std::string flaw(const std::vector<log_entry>& entries, log_position previous, term in_term) {
  for (const auto& entry : entries) {
    const auto decoded = decode_command(entry.encoded_command);
    const auto* members = decoded.ok() ? std::get_if<set_members>(&*decoded) : nullptr;
    auto wrong = first_broken({{entry.at.index == previous.index.next(), "entries that do not follow each other"},
                               {entry.at.in_term >= previous.in_term && entry.at.in_term <= in_term, no_term},
                               {entry.at.in_term.value > 0, no_term},
                               {entry.encoded_command.size() <= limits::entry_bytes, "an entry that is too long"},
                               {decoded.ok(), "an entry that is no command"},
                               {members == nullptr || is_legal(*members), "an entry with impossible members"}});
    if (!wrong.empty()) return wrong;
    previous = entry.at;
  }
  return {};
}
std::string flaw(const append_entries& x) {
  const auto fits = [](const chunk& bytes) { return bytes.view().size() <= limits::small_content_bytes; };
  auto wrong = first_broken(
      {{is_valid_node_name(x.leader.name), no_name},
       {is_leaders_term(x.in_term) && x.previous.in_term <= x.in_term, no_term},
       {is_sane(x.previous) && is_sane(x.commit), no_index},
       {x.entries.size() <= limits::batch_entries, "too many entries"},
       {x.small_contents.size() <= x.entries.size(), "more contents than entries"},
       {std::all_of(x.small_contents.begin(), x.small_contents.end(), fits), "content that is too long for an entry"}});
  return wrong.empty() ? flaw(x.entries, x.previous, x.in_term) : wrong;
}
std::string flaw(const append_reply& x) {
  return first_broken({{is_valid_node_name(x.from.name), no_name},
                       {is_leaders_term(x.in_term), no_term},
                       {is_sane(x.match) && is_sane(x.hint), no_index}});
}
std::string flaw(const install_snapshot& x) {
  return first_broken({{is_valid_node_name(x.leader.name), no_name},
                       {is_leaders_term(x.in_term) && x.at.in_term <= x.in_term, no_term},
                       {is_sane(x.at) && x.at.index.value > 0, no_index}});
}
std::string flaw(const write_request& x) {
  return first_broken({{x.encoded_command.size() <= limits::entry_bytes, "a command that is too long"},
                       {x.small_content.view().size() <= limits::small_content_bytes, no_size},
                       {is_sane(x.when.if_match) && is_sane(x.when.if_none_match), "too many conditions"},
                       {is_sane(x.want), "no legal durability"}});
}
std::string flaw(const write_reply& x) {
  return first_broken({{is_sane(x.failure), no_failure},
                       {is_sane(x.token.at), no_index},
                       {is_sane(x.file), "no possible file"},
                       {is_sane(x.achieved), "no legal durability"},
                       {is_sane_count(x.holders) && is_sane_count(x.voters), "more voters than members"}});
}
std::string flaw(const read_index&) {
  return {};
}
std::string flaw(const read_index_reply& x) {
  return first_broken({{is_sane(x.failure), no_failure}, {is_sane(x.index), no_index}});
}
std::string flaw(const find_write&) {
  return {};  // any client's token: nothing is counted from it
}
std::string flaw(const find_write_reply& x) {
  using fate = write_status::fate;
  return first_broken(
      {{is_sane(x.failure), no_failure},
       {x.status.what >= fate::unknown && x.status.what <= fate::set_aside, "no legal fate"},
       {is_sane_count(x.status.holders) && is_sane_count(x.status.voters), "more voters than members"}});
}
/// Name and address may be a client's: `membership.hpp` judges them.
std::string flaw(const change_members& x) {
  const bool adds = x.what.what == member_change::kind::add;
  return first_broken({{adds || x.what.what == member_change::kind::remove, "no legal change"},
                       {x.what.id.name.size() <= limits::http_document_bytes, no_name},
                       {x.what.peer_address.size() <= limits::http_document_bytes, "no address"}});
}
std::string flaw(const change_members_reply& x) {
  return first_broken(
      {{is_sane(x.failure), no_failure}, {x.leader.name.empty() || is_valid_node_name(x.leader.name), no_name}});
}
std::string flaw(const hand_over& x) {
  return first_broken({{x.to.name.empty() || is_valid_node_name(x.to.name), no_name}});
}
std::string flaw(const handed_over& x) {
  return first_broken({{is_sane(x.failure), no_failure}});
}

// --- content -------------------------------------------------------------------------------------------------------

std::string flaw(const open_upload& x) {
  return first_broken({{is_sane(x.expected), no_size}});
}
std::string flaw(const upload_chunk&) {
  return {};  // bounded when it was read
}
std::string flaw(const upload_written& x) {
  return first_broken({{is_sane(x.failure), no_failure}});
}
std::string flaw(const upload_finish&) {
  return {};
}
std::string flaw(const upload_finished& x) {
  return first_broken({{is_sane(x.failure), no_failure}, {is_sane(x.content), no_size}});
}
std::string flaw(const read_content& x) {
  return first_broken({{is_sane(x.content) && is_sane(x.offset), no_size}});
}
std::string flaw(const content_range& x) {
  return first_broken({{is_sane(x.failure), no_failure}, {x.bytes.view().size() <= limits::chunk_bytes, no_size}});
}
std::string flaw(const read_upload& x) {
  return first_broken({{is_sane(x.offset) && is_sane(x.most), no_size}});
}
std::string flaw(const upload_range& x) {
  return first_broken({{is_sane(x.failure), no_failure},
                       {x.bytes.view().size() <= limits::chunk_bytes, no_size},
                       {is_sane(x.available), no_size}});
}
std::string flaw(const watch_upload&) {
  return {};
}
std::string flaw(const upload_ended& x) {
  return first_broken({{is_sane(x.failure), no_failure}, {is_sane(x.content), no_size}});
}
std::string flaw(const read_snapshot& x) {
  return first_broken({{is_sane(x.at), no_index}, {x.after.size() <= limits::snapshot_cursor_bytes, no_size}});
}
std::string flaw(const snapshot_range& x) {
  return first_broken({{is_sane(x.failure), no_failure}, {x.next.size() <= limits::snapshot_cursor_bytes, no_size}});
}

// --- inspection ----------------------------------------------------------------------------------------------------

/// A text for a person, on one line.
bool is_text(const std::string& x, std::size_t most) {
  return x.size() <= most && is_printable(x) && is_utf8(x);
}
bool is_name(const node_id& x) {
  return x.name.empty() || is_valid_node_name(x.name);
}
bool is_sane(const figure& x) {
  return x.value <= limits::peer_counter;
}
bool is_sane(const timing& x) {
  return x.p50 <= limits::peer_counter && x.p99 <= limits::peer_counter && x.most <= limits::peer_counter;
}
bool is_sane(const actor_report& x) {
  const bool counts =
      std::max({x.depth, x.received, x.processed, x.milli_per_second, x.errors}) <= limits::peer_counter;
  return is_sane(x.number) && is_sane(x.parent) && is_text(x.name, limits::name_bytes) &&
         is_text(x.state, limits::state_line_bytes) && counts && is_sane(x.oldest_ms) && is_sane(x.busy_ppm) &&
         is_sane(x.took);
}
bool is_sane(const message_flow& x) {
  return is_valid_node_name(x.from_node.name) && is_sane(x.from) && is_sane(x.to) && x.count <= limits::peer_counter;
}
bool is_sane(const timeline_event& x) {
  return is_sane(x.number) && is_name(x.node) && x.kind <= last_event_kind && is_text(x.text, limits::event_text_bytes);
}
bool is_time(unix_time_ms x) {
  return x.value >= 0 && static_cast<std::uint64_t>(x.value) <= latest_ms;
}
bool is_sane(const node_facts& x) {
  const bool counts =
      std::max({x.set_aside, x.requests, x.milli_requests_per_second, x.in_flight}) <= limits::peer_counter;
  return x.now >= role::follower && x.now <= role::leader && is_sane(x.in_term) && is_name(x.leader) &&
         is_text(x.http, limits::address_bytes) && is_text(x.not_ready_reason, limits::event_text_bytes) &&
         is_text(x.version, limits::name_bytes) && is_time(x.started) && is_time(x.last_election) && is_sane(x.first) &&
         is_sane(x.applied) && is_sane(x.committed) && is_sane(x.log_bytes) && is_sane(x.free_bytes) &&
         is_sane(x.leader_contact_ms) && is_text(x.redis, limits::name_bytes) && counts;
}
bool is_sane(const type_report& x) {
  return is_text(x.type, limits::name_bytes) && x.count <= limits::peer_counter &&
         x.milli_per_second <= limits::peer_counter && is_sane(x.took);
}
bool is_sane(const sampled_message& x) {
  return is_time(x.at) && is_text(x.type, limits::name_bytes) && is_name(x.from_node) && is_sane(x.from) &&
         is_text(x.text, limits::sample_text_bytes) && is_sane(x.waited_us) && is_sane(x.took_us);
}
bool is_sane(const trace_span& x) {
  return x.id.value != 0 && is_sane(x.actor) && is_text(x.name, limits::name_bytes) &&
         is_text(x.what, limits::span_text_bytes) && x.kind <= last_span_kind && x.start_us <= limits::peer_counter &&
         is_sane(x.waited_us) && x.took_us <= limits::peer_counter && is_text(x.note, limits::span_text_bytes);
}
template <class T>
bool are_sane(const std::vector<T>& all, std::size_t most) {
  return all.size() <= most && std::all_of(all.begin(), all.end(), [](const T& x) { return is_sane(x); });
}
bool is_sane(const actor_history& x) {
  const auto small = [](std::uint64_t one) { return one <= limits::peer_counter; };
  return is_time(x.until) && x.milli_per_second.size() <= limits::history_steps &&
         x.depth.size() == x.milli_per_second.size() && x.busy_ppm.size() == x.depth.size() &&
         std::all_of(x.milli_per_second.begin(), x.milli_per_second.end(), small) &&
         std::all_of(x.depth.begin(), x.depth.end(), small) && are_sane(x.busy_ppm, limits::history_steps);
}

constexpr const char* no_report = "no possible report";

std::string flaw(const ask_report&) {
  return {};  // any number is behind some events
}
std::string flaw(const node_report& x) {
  // Uploads and their sum come on top of the others.
  constexpr auto most_actors = limits::reported_actors + limits::reported_uploads + 1;
  return first_broken({{is_sane(x.facts), "no possible state of a node"},
                       {are_sane(x.actors, most_actors), no_report},
                       {are_sane(x.flows, limits::reported_flows), no_report},
                       {is_sane(x.last_event) && are_sane(x.events, limits::reported_events), "no possible event"}});
}
std::string flaw(const ask_actor&) {
  return {};  // one that is not there is not found
}
std::string flaw(const told_actor& x) {
  return first_broken({{is_sane(x.what.actor), no_report},
                       {are_sane(x.what.types, limits::counted_types), no_report},
                       {are_sane(x.what.recent, limits::sampled_messages), no_report},
                       {is_sane(x.what.history), no_report}});
}
std::string flaw(const ask_timeline&) {
  return {};
}
std::string flaw(const told_timeline& x) {
  return first_broken({{are_sane(x.events, limits::timeline_events), "no possible event"}});
}
std::string flaw(const ask_spans&) {
  return {};  // likewise
}
std::string flaw(const told_spans& x) {
  return first_broken({{are_sane(x.spans, limits::trace_spans), "no possible span"}});
}
std::string flaw(const trace_mark& x) {
  const auto sane = [](const trace_context& one) { return one.id.known() && one.span.value != 0; };
  return first_broken({{!x.of.empty() && x.of.size() <= limits::traces_in_message, "no possible number of traces"},
                       {std::all_of(x.of.begin(), x.of.end(), sane), "no possible trace"}});
}

// --- with handles --------------------------------------------------------------------------------------------------

template <class Handle>
bool lives_on(const Handle& x, const caf::node_id& node) {
  return x && x.node() == node;
}

std::string flaw(const introduction& x, const caf::node_id& from) {
  const auto& a = x.actors;
  const bool all_there = lives_on(a.election, from) && lives_on(a.heartbeat, from) && lives_on(a.replication, from) &&
                         lives_on(a.content, from);
  return first_broken({{is_valid_node_name(x.id.name), no_name},
                       {is_address(x.http_address), "no address"},
                       {all_there, "an actor that is not its own"}});
}
std::string flaw(const inspector_here& x, const caf::node_id& from) {
  return first_broken({{lives_on(x.inspector, from), "an inspector that is not its own"}});
}
std::string flaw(const upload_opened& x, const caf::node_id& from) {
  const bool good = x.failure.code == errc::none;
  return first_broken({{is_sane(x.failure), no_failure},
                       {good ? lives_on(x.upload, from) : !x.upload, "an upload that is not its own"}});
}
std::string flaw(const upload_begun& x, const caf::node_id& from) {
  const bool known_content = is_sane(x.content) && !x.content.is_small();
  return first_broken({{x.id.known(), "an upload without an id"},
                       {is_sane(x.expected), no_size},
                       {lives_on(x.source, from), "content that is not its own"},
                       {x.upload ? lives_on(x.upload, from) : known_content, "an upload that is not its own"}});
}

/// A client ends its upload, and none forces an actor to end: `kill` would, before any handler is asked.
std::string flaw(const caf::exit_msg& x, const caf::node_id& from) {
  return first_broken({{x.source && x.source.node() == from, "an end in another's name"},
                       {x.reason == caf::exit_reason::user_shutdown, "an end that nobody asks for"}});
}

// --- by type -------------------------------------------------------------------------------------------------------

template <class... Ts>
struct types {};
/// All that crosses nodes; those with handles are looked at with the node they came from.
using peer_messages =
    types<append_entries, append_reply, heartbeat, heartbeat_reply, content_range, read_content, upload_range,
          read_upload, upload_chunk, upload_written, write_request, write_reply, read_index, read_index_reply,
          vote_request, vote_reply, timeout_now, install_snapshot, read_snapshot, snapshot_range, find_write,
          find_write_reply, change_members, change_members_reply, hand_over, handed_over, open_upload, upload_finish,
          upload_finished, watch_upload, upload_ended, introduction, upload_opened, upload_begun, trace_mark,
          ask_report, node_report, ask_actor, told_actor, ask_timeline, told_timeline, ask_spans, told_spans,
          inspector_here>;

template <class T>
bool look(const caf::type_erased_tuple& x, const caf::node_id& from, std::string& wrong) {
  if (!x.match_elements<T>()) return false;
  const auto& what = x.get_as<T>(0);
  if constexpr (requires { flaw(what, from); })
    wrong = flaw(what, from);
  else
    wrong = flaw(what);
  return true;
}
template <class... Ts>
bool look_at_all(types<Ts...>, const caf::type_erased_tuple& x, const caf::node_id& from, std::string& wrong) {
  return (look<Ts>(x, from, wrong) || ...);
}

template <class T, class Name>
const node_id* name_in(const caf::type_erased_tuple& x, Name name) {
  return x.match_elements<T>() ? &(x.get_as<T>(0).*name) : nullptr;
}

}  // namespace

std::string flaw_in(const caf::type_erased_tuple& x, caf::message_id id, const caf::node_id& from) {
  std::string wrong;
  if (look_at_all(peer_messages{}, x, from, wrong)) return wrong;
  // An answer in place of the one that was asked for; what CAF says of a link that broke.
  if (x.match_elements<caf::error>() && id.is_response()) return {};
  if (x.match_elements<caf::exit_msg>()) return flaw(x.get_as<caf::exit_msg>(0), from);
  if (x.match_elements<caf::down_msg>() && x.get_as<caf::down_msg>(0).source.node() == from) return {};
  return "a message that does not cross nodes";
}

const node_id* speaker_of(const caf::type_erased_tuple& x) {
  const node_id* all[] = {
      name_in<append_entries>(x, &append_entries::leader), name_in<append_reply>(x, &append_reply::from),
      name_in<heartbeat>(x, &heartbeat::leader),           name_in<heartbeat_reply>(x, &heartbeat_reply::from),
      name_in<vote_request>(x, &vote_request::candidate),  name_in<vote_reply>(x, &vote_reply::voter),
      name_in<timeout_now>(x, &timeout_now::leader),       name_in<install_snapshot>(x, &install_snapshot::leader),
      name_in<introduction>(x, &introduction::id)};
  const auto said = std::find_if(std::begin(all), std::end(all), [](const auto* one) { return one != nullptr; });
  return said == std::end(all) ? nullptr : *said;
}

bool is_refused(const caf::node_id& here, const char* receiver, const caf::mailbox_element& x) {
  const auto& from = x.sender->node();
  auto wrong = flaw_in(x.content(), x.mid, from);
  if (const auto* said = wrong.empty() ? speaker_of(x.content()) : nullptr) {
    const auto is = linked_peers::instance().name_of(here, from);
    // Behind a lie, or the link's end, nobody is there any more to speak for: what waited in the mailbox does not
    // count.
    if (!is || *is != *said) wrong = "it speaks for " + said->name;
  }
  if (wrong.empty()) return false;
  linked_peers::instance().accuse(here, from, std::string{"it sent "} + receiver + " " + wrong);
  return true;
}

}  // namespace kaiku
