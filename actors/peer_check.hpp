#pragma once

/// Purpose: what an honest peer can't have sent, seen from the message alone: lengths, counts, terms, indexes, names,
/// addresses, enumerators, handles. Every actor of ours passes what comes from another node through here before its
/// handlers see it (`observed.hpp`). What depends on this node's own state is checked where that is known.
/// Thread: any; pure but for `refuse`.

#include <string>

#include <caf/mailbox_element.hpp>
#include <caf/node_id.hpp>

#include "kaiku/messages/messages.hpp"

namespace kaiku {

/// Why `x`, which came from the CAF node `from`, can't be of an honest peer; empty: it can. Types that do not cross
/// nodes are wrong whatever they say.
std::string flaw_in(const caf::type_erased_tuple& x, caf::message_id id, const caf::node_id& from);
/// The member that the message says it is from; null: it does not say.
const node_id* speaker_of(const caf::type_erased_tuple& x);

/// True when the message, of another node, must not be used: it is flawed, or speaks for somebody else. Its link is
/// ended then.
bool is_refused(const caf::node_id& here, const char* receiver, const caf::mailbox_element& x);

}  // namespace kaiku
