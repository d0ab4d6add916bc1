#include "kaiku/actors/message_text.hpp"

#include "kaiku/messages/messages.hpp"

namespace kaiku {
namespace {

std::string bytes(std::uint64_t count) {
  return std::to_string(count) + " bytes";
}
std::string at(const log_position& x) {
  return to_string(x.in_term) + ":" + to_string(x.index);
}
std::string outcome(const error& x, std::string otherwise) {
  return x.code == errc::none ? std::move(otherwise) : std::string(to_string(x.code)) + ": " + x.detail;
}
std::string of_command(const std::string& encoded) {
  const auto decoded = decode_command(encoded);
  return decoded.ok() ? text_of(*decoded) : "no command";
}

// --- what a type says ----------------------------------------------------------------------------------------------

std::string say(const vote_request& x) {
  return std::string(x.pre_vote ? "may " : "") + x.candidate.name + (x.pre_vote ? " campaign in term " : " in term ") +
         to_string(x.in_term);
}
std::string say(const vote_reply& x) {
  return x.voter.name + (x.granted ? " grants term " : " refuses term ") + to_string(x.in_term);
}
std::string say(const timeout_now& x) {
  return "behind " + x.leader.name + " of term " + to_string(x.in_term);
}
std::string say(const heartbeat& x) {
  return x.leader.name + " leads term " + to_string(x.in_term) + ", commit " + to_string(x.commit);
}
std::string say(const heartbeat_reply& x) {
  return x.from.name + " in term " + to_string(x.in_term);
}
std::string say(const append_entries& x) {
  return std::to_string(x.entries.size()) + " entries behind " + at(x.previous) + ", commit " + to_string(x.commit);
}
std::string say(const append_reply& x) {
  if (x.waiting_for_content) return x.from.name + " waits for content";
  return x.from.name +
         (x.accepted ? " has all up to " + to_string(x.match) : " refuses, try behind " + to_string(x.hint));
}
std::string say(const install_snapshot& x) {
  return "the state at " + at(x.at);
}
std::string say(const write_request& x) {
  return of_command(x.encoded_command) + ", " + std::string(to_string(x.want));
}
std::string say(const write_reply& x) {
  return outcome(x.failure, std::string(to_string(x.achieved)) + " at " + at(x.token.at));
}
std::string say(const read_index_reply& x) {
  return outcome(x.failure, "at " + to_string(x.index));
}
std::string say(const find_write& x) {
  return "at " + at(x.at);
}
std::string say(const find_write_reply& x) {
  return outcome(x.failure, std::string(to_string(x.status.what)));
}
std::string say(const hand_over& x) {
  return x.to.name.empty() ? "to anybody" : "to " + x.to.name;
}
std::string say(const handed_over& x) {
  return outcome(x.failure, "done");
}
std::string say(const upload_chunk& x) {
  return bytes(x.bytes.view().size());
}
std::string say(const upload_finished& x) {
  return outcome(x.failure, bytes(x.content.size.value));
}
std::string say(const open_upload& x) {
  return x.expected.value == 0 ? "of unknown length" : bytes(x.expected.value);
}
std::string say(const read_content& x) {
  return "from " + std::to_string(x.offset.value) + " of " + bytes(x.content.size.value);
}
std::string say(const content_range& x) {
  return outcome(x.failure, bytes(x.bytes.view().size()));
}
std::string say(const read_upload& x) {
  return "from " + std::to_string(x.offset.value) + ", at most " + bytes(x.most.value);
}
std::string say(const upload_range& x) {
  return outcome(x.failure, bytes(x.bytes.view().size()));
}
std::string say(const snapshot_range& x) {
  return outcome(x.failure, bytes(x.bytes.view().size()) + (x.done ? ", the last" : ""));
}
std::string say(const propose& x) {
  auto text = std::to_string(x.proposals.size()) + " in term " + to_string(x.in_term);
  return x.proposals.empty() ? text : text + ", first " + text_of(x.proposals.front().what);
}
std::string say(const propose_outcome& x) {
  return outcome(x.failure, std::to_string(x.results.size()) + " up to " + at(x.after.last));
}
std::string say(const append& x) {
  return std::to_string(x.what.entries.size()) + " entries behind " + at(x.what.previous);
}
std::string say(const append_outcome& x) {
  return outcome(x.failure, "up to " + to_string(x.match));
}
std::string say(const role_change& x) {
  return std::string(to_string(x.now)) + " in term " + to_string(x.in_term) +
         (x.leader.name.empty() ? "" : ", led by " + x.leader.name);
}
std::string say(const leader_contact& x) {
  return x.leader.name + " in term " + to_string(x.in_term) + ", commit " + to_string(x.commit);
}
std::string say(const quorum_contact& x) {
  return "in term " + to_string(x.in_term);
}
std::string say(const log_progress& x) {
  return "end " + at(x.last) + ", commit " + to_string(x.commit);
}
std::string say(const compact& x) {
  return "up to " + to_string(x.upto);
}
std::string say(const peer_up& x) {
  return x.id.name;
}
std::string say(const peer_down& x) {
  return x.id.name;
}
std::string say(const disk_changed& x) {
  return outcome(x.failure, "done");
}
std::string say(const fetched& x) {
  return outcome(x.failure, "done");
}
std::string say(const fetch_content& x) {
  return std::to_string(x.wanted.size()) + " contents";
}

template <class... Ts>
struct types {};
using telling =
    types<append_entries, append_reply, heartbeat, heartbeat_reply, leader_contact, quorum_contact, log_progress,
          write_request, write_reply, propose, propose_outcome, append, append_outcome, vote_request, vote_reply,
          timeout_now, install_snapshot, read_index_reply, find_write, find_write_reply, hand_over, handed_over,
          upload_chunk, upload_finished, open_upload, read_content, content_range, read_upload, upload_range,
          snapshot_range, role_change, compact, peer_up, peer_down, disk_changed, fetched, fetch_content>;

template <class T>
bool try_to_say(const caf::type_erased_tuple& x, std::string& out) {
  if (!x.match_elements<T>()) return false;
  out = say(x.get_as<T>(0));
  return true;
}
template <class... Ts>
std::string say_any(types<Ts...>, const caf::type_erased_tuple& x) {
  std::string out;
  static_cast<void>((try_to_say<Ts>(x, out) || ...));
  return out;
}

struct command_text {
  std::string operator()(const no_operation&) const { return "nothing: begin of a term, or a try of the disk"; }
  std::string operator()(const set_members& x) const {
    return "members: " + std::to_string(x.voters.size()) + " voters, " + std::to_string(x.learners.size()) +
           " learners";
  }
  std::string operator()(const put_file& x) const {
    return "put /" + x.path.text() + ", " + bytes(x.content.size.value);
  }
  std::string operator()(const make_directory& x) const { return "mkdir /" + x.path.text(); }
  std::string operator()(const remove_path& x) const { return "remove /" + x.path.text(); }
  std::string operator()(const move_path& x) const { return "move /" + x.from.text() + " to /" + x.to.text(); }
  std::string operator()(const copy_path& x) const { return "copy /" + x.from.text() + " to /" + x.to.text(); }
  std::string operator()(const change_properties& x) const { return "change /" + x.path.text(); }
  std::string operator()(const remove_expired&) const { return "remove what has expired"; }
};

}  // namespace

std::string shortened(std::string text, std::size_t most) {
  std::erase_if(text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) --most;
  text.resize(most);
  return text;
}

std::string text_of(const command& x) {
  return std::visit(command_text{}, x);
}

std::string text_of(const caf::type_erased_tuple& x) {
  return shortened(say_any(telling{}, x), limits::sample_text_bytes);
}

}  // namespace kaiku
