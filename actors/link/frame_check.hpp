#pragma once

/// Purpose: what CAF writes of errors and of ends of actors, looked at before CAF reads it: an error may hold a message
/// of any type, also one with an error in it, and CAF reads it all. Owner: none. Thread: any; pure.

#include <string>

#include <caf/binary_deserializer.hpp>
#include <caf/node_id.hpp>

namespace kaiku {

/// Why the error at which `in` stands is of no honest peer; empty: it holds nothing, or plain text.
std::string flaw_in_error(caf::binary_deserializer& in);
/// Likewise of an `exit_msg`, which must be in the name of an actor of `from`.
std::string flaw_in_exit(caf::binary_deserializer& in, const caf::node_id& from);

}  // namespace kaiku
