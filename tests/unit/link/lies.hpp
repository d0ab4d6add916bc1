#pragma once

/// Purpose: for each message between nodes one that an honest peer can have sent, and ways to spoil it so that none
/// can. Shared by the test and by `link_peer`, which tells them over a real link. Thread: values.

#include <string>
#include <vector>

#include <caf/message.hpp>

#include "kaiku/messages/messages.hpp"

namespace kaiku::test {

struct told {
  std::string name;
  caf::message what;
};

/// Who tells: its name, and the handles that are its own.
std::vector<told> honest_messages(const introduction& self);
std::vector<told> lies(const introduction& self);

}  // namespace kaiku::test
