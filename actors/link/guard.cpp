#include "kaiku/link/guard.hpp"

#include <typeinfo>
#include <utility>

#include <caf/actor_system.hpp>
#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/io/system_messages.hpp>
#include <caf/system_messages.hpp>

#include "kaiku/core/limits.hpp"
#include "kaiku/link/frame_check.hpp"
#include "kaiku/messages/messages.hpp"

namespace kaiku {
namespace {

namespace basp = caf::io::basp;
using basp::message_type;

/// As `message` writes the types of its values.
template <class T>
std::string type_of_message(const caf::actor_system& system) {
  const std::pair<std::uint16_t, const std::type_info*> type{caf::type_nr<T>::value,
                                                             caf::type_nr<T>::value == 0 ? &typeid(T) : nullptr};
  return "@<>+" + system.types().portable_name(type);
}

/// An actor that is nowhere: CAF drops what is for it, unread.
constexpr caf::actor_id nobody = ~caf::actor_id{0} - 1;

void pass_over(basp::header& x) {
  x.flags = 0;
  x.operation_data = caf::message_id{}.integer_value();
  x.dest_actor = nobody;
}

template <class... Ts>
std::set<std::string> types_of_messages(const caf::actor_system& system) {
  return {type_of_message<Ts>(system)...};
}

}  // namespace

link_guard::link_guard(caf::actor_config& cfg)
    : basp_broker(cfg),
      types_(types_of_messages<vote_request, vote_reply, timeout_now, heartbeat, heartbeat_reply, append_entries,
                               append_reply, write_request, write_reply, upload_chunk, upload_written, upload_finish,
                               upload_finished, open_upload, upload_opened, read_content, content_range, introduction,
                               read_index, read_index_reply, find_write, find_write_reply, change_members,
                               change_members_reply, hand_over, handed_over, install_snapshot, read_snapshot,
                               snapshot_range, read_upload, upload_range, watch_upload, upload_ended, upload_begun,
                               ask_report, node_report, ask_actor, told_actor, ask_timeline, told_timeline, ask_spans,
                               told_spans, trace_mark, inspector_here, caf::exit_msg>(basp_broker::system())),
      error_type_(type_of_message<caf::error>(basp_broker::system())),
      exit_type_(type_of_message<caf::exit_msg>(basp_broker::system())) {}

void link_guard::expect(caf::io::connection_handle connection, expected_peer peer) {
  std::lock_guard guard{mutex_};
  handed_over_[connection] = {std::move(peer), false};
}

void link_guard::purge_state(const caf::node_id& nid) {
  asked_.erase(nid);
  basp_broker::purge_state(nid);
}

caf::invoke_message_result link_guard::consume(caf::mailbox_element& x) {
  auto& content = x.content();
  if (content.match_elements<caf::io::new_data_msg>()) {
    look_at(content.get_mutable_as<caf::io::new_data_msg>(0));
  } else if (content.match_elements<caf::io::connection_closed_msg>()) {
    std::lock_guard guard{mutex_};
    handed_over_.erase(content.get_as<caf::io::connection_closed_msg>(0).handle);
  } else {
    note_question(content);
  }
  return basp_broker::consume(x);
}

/// CAF's proxies send what goes to another node through here.
void link_guard::note_question(const caf::type_erased_tuple& sent) {
  using actor = caf::strong_actor_ptr;
  if (!sent.match_elements<caf::atom_value, actor, std::vector<actor>, actor, caf::message_id, caf::message>()) return;
  const auto& from = sent.get_as<actor>(1);
  const auto& to = sent.get_as<actor>(3);
  const auto id = sent.get_as<caf::message_id>(4);
  if (!from || !to || !id.is_request()) return;
  auto& waiting = asked_.try_emplace(to->node(), limits::link_questions).first->second;
  waiting.note({from->id(), id.request_id().integer_value()});
}

void link_guard::look_at(caf::io::new_data_msg& data) {
  std::function<void(const std::string&)> broken;
  std::string wrong;
  {
    std::lock_guard guard{mutex_};
    const auto from = handed_over_.find(data.handle);
    const auto context = ctx.find(data.handle);
    const bool in_payload = context != ctx.end() && context->second.cstate == basp::await_payload;
    if (from == handed_over_.end()) {
      wrong = "a connection that nobody handed over";
    } else if (in_payload) {
      wrong = flaw_in_payload(from->second, context->second.hdr, data.buf);
    } else {
      wrong = flaw_in_header(from->second, data);
    }
    if (wrong.empty()) return;
    if (from != handed_over_.end()) broken = std::exchange(from->second.peer.broken, nullptr);
  }
  data.buf.clear();  // no frame at all: CAF closes the connection
  if (broken) broken("it sent " + wrong);
}

std::string link_guard::flaw_in_header(connection_state& from, caf::io::new_data_msg& data) {
  basp::header x{};
  caf::binary_deserializer in{context(), data.buf};
  if (data.buf.size() != basp::header_size || in(x)) return "a frame without a header";
  if (x.payload_len > limits::link_payload_bytes) return "a frame of " + std::to_string(x.payload_len) + " bytes";
  if (x.operation > message_type::heartbeat) return "a frame of no known kind";
  // CAF reads the payload of a greeting without looking whether there is one.
  if ((x.payload_len == 0) != (x.operation == message_type::heartbeat)) return "a frame without its payload";
  if (!basp::valid(x)) return "a header that makes no sense";
  const auto greeting = from.peer.dialled ? message_type::server_handshake : message_type::client_handshake;
  if (!from.greeted) return x.operation == greeting && x.flags == 0 ? "" : "a frame before its greeting";
  switch (x.operation) {
    case message_type::direct_message:
      if (x.flags == basp::header::named_receiver_flag) {
        pass_over(x);
        data.buf.clear();
        caf::binary_serializer out{context(), data.buf};
        if (out(x)) return "a frame that can't be passed over";
        return {};
      }
      return x.flags == 0 && x.dest_actor != nobody ? "" : "a message with unknown flags";
    case message_type::monitor_message:
    case message_type::down_message:
    case message_type::heartbeat: return x.flags == 0 ? "" : "a frame with unknown flags";
    case message_type::client_handshake:
      // CAF's client greets a second time, to say that this connection is the one to use.
      if (!from.peer.dialled && !std::exchange(from.chosen, true) &&
          (x.flags & ~basp::header::select_connection_flag) == 0)
        return {};
      return "another greeting";
    case message_type::server_handshake: return "another greeting";
    case message_type::routed_message: return "a message on behalf of another node";
  }
  return "a frame of no known kind";
}

std::string link_guard::flaw_in_payload(connection_state& from, basp::header& header,
                                        const std::vector<char>& payload) {
  if (header.operation == message_type::direct_message)
    return header.dest_actor == nobody ? "" : flaw_in_message(from, header, payload);
  caf::binary_deserializer in{context(), payload};
  caf::node_id source;
  if (in(source)) return "a frame that ends too early";
  if (source != from.peer.node) return "a frame in the name of " + to_string(source);
  if (basp::is_handshake(header)) {
    from.greeted = true;
    return {};
  }
  caf::node_id to;
  if (in(to)) return "a frame that ends too early";
  if (to != this_node()) return "a frame for another node";
  return header.operation == message_type::down_message ? flaw_in_error(in) : "";
}

std::string link_guard::flaw_in_message(const connection_state& from, basp::header& header,
                                        const std::vector<char>& payload) {
  caf::binary_deserializer in{context(), payload};
  std::size_t stages = 0;
  std::uint16_t number = 0;
  std::string type;
  if (in.begin_sequence(stages) || stages != 0) return "a message that goes by way of others";
  if (in.begin_object(number, type) || number != 0) return "a message that does not say what it is";
  const auto id = caf::make_message_id(header.operation_data);
  const bool is_error = type == error_type_ && id.is_response();
  if (!is_error && !types_.contains(type)) return "a message of a type that does not cross nodes";
  // CAF answers for actors that are gone without a sender.
  if (header.source_actor == caf::invalid_actor_id && !is_error) return "a message of nobody";
  if (type == exit_type_) {
    if (auto wrong = flaw_in_exit(in, from.peer.node); !wrong.empty()) return wrong;
  }
  if (!id.is_response()) return {};
  const auto asked = asked_.find(from.peer.node);
  const bool expected =
      asked != asked_.end() && asked->second.take({header.dest_actor, id.request_id().integer_value()});
  if (!expected) {
    pass_over(header);
    return {};
  }
  return is_error ? flaw_in_error(in) : "";
}

}  // namespace kaiku
