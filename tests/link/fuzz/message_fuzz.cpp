// What actors are given of a peer's messages. An input is the number of a message's type, and the message as CAF writes
// it; 255 and 254 are an error, and the end of an actor, which CAF itself would read. What the check lets in has to
// keep its promises. With clang this is a libFuzzer target: -fsanitize=fuzzer in place of support/fuzz_driver.cpp.

#include <array>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/error.hpp>
#include <caf/execution_unit.hpp>
#include <caf/message.hpp>
#include <caf/scoped_execution_unit.hpp>

#include "kaiku/actors/peer_check.hpp"
#include "kaiku/core/limits.hpp"
#include "kaiku/link/frame_check.hpp"
#include "kaiku/messages/messages.hpp"

namespace {

using namespace kaiku;

void demand(bool holds, const char* what) {
  if (!holds) throw std::logic_error(what);
}

constexpr caf::execution_unit* nowhere = nullptr;

template <class T>
std::vector<char> written(T x) {
  std::vector<char> out;
  caf::binary_serializer to{nowhere, out};
  demand(!to(x), "a message that can't be written");
  return out;
}

// --- what is promised of messages that are let in ------------------------------------------------------------------

template <class T>
void check_promises(const T&) {}
void check_promises(const append_entries& x) {
  demand(is_valid_node_name(x.leader.name), "a leader of no name");
  demand(x.entries.size() <= limits::batch_entries, "too many entries");
  auto at = x.previous;
  for (const auto& one : x.entries) {
    demand(one.at.index.value == at.index.value + 1 && one.at.in_term >= at.in_term, "entries out of order");
    demand(one.at.in_term <= x.in_term, "an entry of the future");
    demand(decode_command(one.encoded_command).ok(), "an entry that is no command");
    at = one.at;
  }
}
void check_promises(const vote_request& x) {
  demand(is_valid_node_name(x.candidate.name), "a candidate of no name");
  demand(x.in_term.next() > x.in_term && x.last.index.next() > x.last.index, "numbers at their end");
}
void check_promises(const write_reply& x) {
  demand(to_string(x.failure.code) != "unknown" && to_string(x.achieved) != "unknown", "an enumerator that is none");
  demand(check(x.file.properties).ok(), "properties that are no header");
}
void check_promises(const append_reply& x) {
  demand(x.match.next() > x.match && x.hint.next() > x.hint, "numbers at their end");
}
void check_promises(const read_content& x) {
  demand(x.offset.value + limits::chunk_bytes > x.offset.value, "numbers at their end");
}

void check_promises(const node_report& x) {
  demand(to_string(x.facts.now) != "unknown" && x.actors.size() <= 2 * limits::reported_actors, "no report");
  for (const auto& one : x.actors) demand(one.state.size() <= limits::state_line_bytes, "a state of more than a line");
  for (const auto& one : x.events) demand(to_string(one.kind) != "unknown", "an enumerator that is none");
}
void check_promises(const told_actor& x) {
  const auto& past = x.what.history;
  demand(past.depth.size() == past.milli_per_second.size() && past.depth.size() == past.busy_ppm.size(),
         "a history of several lengths");
}
void check_promises(const told_spans& x) {
  for (const auto& one : x.spans) demand(to_string(one.kind) != "unknown", "an enumerator that is none");
}
void check_promises(const trace_mark& x) {
  demand(!x.of.empty() && x.of.size() <= limits::traces_in_message, "traces without a bound");
}

template <class T>
void take(const char* bytes, std::size_t size) {
  caf::binary_deserializer in{nowhere, bytes, size};
  T x{};
  if (in(x)) return;
  const auto message = caf::make_message(x);
  if (!flaw_in(*message.cvals(), caf::make_message_id(), {}).empty()) return;
  static_cast<void>(speaker_of(*message.cvals()));
  check_promises(x);
  const auto once = written(x);
  caf::binary_deserializer again{nowhere, once};
  T y{};
  demand(!again(y), "a message that can't be read again");
  demand(written(y) == once, "a message that is read for another");
}

template <class... Ts>
constexpr std::array<void (*)(const char*, std::size_t), sizeof...(Ts)> takers() {
  return {&take<Ts>...};
}

/// What the guard lets CAF read of an error is text at most, whatever CAF would have made of it.
void take_error(const char* bytes, std::size_t size) {
  // Never ended: what it was given may be gone by the time that the process ends.
  static auto& settings = *new caf::actor_system_config;
  static auto& system = *new caf::actor_system{settings};
  static caf::scoped_execution_unit here{&system};
  caf::binary_deserializer looked{&here, bytes, size};
  if (!flaw_in_error(looked).empty()) return;
  caf::binary_deserializer in{&here, bytes, size};
  caf::error x;
  if (in(x) || !x) return;
  for (std::size_t i = 0; i < x.context().size(); ++i)
    demand(x.context().match_element<std::string>(i), "an error that holds more than text");
}

void take_exit(const char* bytes, std::size_t size) {
  caf::binary_deserializer in{nowhere, bytes, size};
  demand(!flaw_in_exit(in, {}).empty(), "an end in the name of no node");
}

// Handles are CAF's own, and need its network.
constexpr auto all = takers<vote_request, vote_reply, timeout_now, heartbeat, heartbeat_reply, append_entries,
                            append_reply, write_request, write_reply, upload_chunk, upload_written, upload_finished,
                            open_upload, read_content, content_range, read_index_reply, find_write, find_write_reply,
                            change_members, change_members_reply, hand_over, handed_over, install_snapshot,
                            read_snapshot, snapshot_range, read_upload, upload_range, upload_ended, ask_report,
                            node_report, ask_actor, told_actor, told_timeline, ask_spans, told_spans, trace_mark>();

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  if (data[0] == 255) return take_error(reinterpret_cast<const char*>(data) + 1, size - 1), 0;
  if (data[0] == 254) return take_exit(reinterpret_cast<const char*>(data) + 1, size - 1), 0;
  all[data[0] % all.size()](reinterpret_cast<const char*>(data) + 1, size - 1);
  return 0;
}
