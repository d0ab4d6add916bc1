#pragma once

/// Purpose: stands between a link's bytes and CAF's protocol (BASP), which believes whatever it reads: looks at each
/// frame's header, and at what type of message is in it, before CAF decodes it. A frame that an honest peer does not
/// send ends the connection. Owner: knows who each connection was handed over for, and which questions to which node
/// wait for an answer. Lifecycle: CAF's, one for each actor system. Thread: the middleman's, but `expect`.
///
/// Let in, from the node that the hello named and from nobody else:
///
///   server handshake, client handshake  first; the node in it is that of the hello. A client greets once more, to
///                                       say that this connection is to be used
///   direct message                      from an actor to an actor of the types that cross nodes; an answer only to a
///                                       question that was sent to that node and has none yet
///   monitor, down message               of that node's and this node's actors
///   errors                              in an answer, a down or an exit message: with nothing but text in them. CAF
///                                       would read a value of any type, and errors within errors to any depth
///   heartbeat
///
/// Left out: messages on behalf of third nodes (routed), links between actors, messages that go by way of others
/// (stages). Passed over are messages to an actor by its name, with which every CAF node greets others, and answers
/// that nobody waits for.

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <caf/io/basp_broker.hpp>

#include "kaiku/link/questions.hpp"

namespace kaiku {

class link_guard : public caf::io::basp_broker {
 public:
  /// The connection leads to this node; `dialled`: it greets first. `broken` is called once if it breaks the protocol.
  struct expected_peer {
    caf::node_id node;
    bool dialled = false;
    std::function<void(const std::string& why)> broken;
  };

  explicit link_guard(caf::actor_config& cfg);

  /// To be called before CAF gets the connection. Thread: any.
  void expect(caf::io::connection_handle connection, expected_peer peer);

  caf::invoke_message_result consume(caf::mailbox_element& x) override;
  void purge_state(const caf::node_id& nid) override;

 private:
  struct connection_state {
    expected_peer peer;
    bool greeted = false;
    bool chosen = false;  ///< by a second greeting
  };

  // Why the frame must not be read on; empty: it may, as it is left behind.
  std::string flaw_in_header(connection_state& from, caf::io::new_data_msg& data);
  std::string flaw_in_payload(connection_state& from, caf::io::basp::header& header, const std::vector<char>& payload);
  std::string flaw_in_message(const connection_state& from, caf::io::basp::header& header,
                              const std::vector<char>& payload);
  void look_at(caf::io::new_data_msg& data);
  void note_question(const caf::type_erased_tuple& sent);

  std::set<std::string> types_;  ///< as BASP names messages of one value
  std::string error_type_, exit_type_;
  std::mutex mutex_;
  std::map<caf::io::connection_handle, connection_state> handed_over_;  ///< guarded by mutex_
  std::map<caf::node_id, questions> asked_;
};

}  // namespace kaiku
