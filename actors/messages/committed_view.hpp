#pragma once

/// Purpose: the tree of files at one moment that is known committed, and which moment that is.
/// Thread: as `file_view`.

#include "kaiku/messages/gateway.hpp"

namespace kaiku {

/// What `gateway::read` gives for `committed` and `linearizable` is one of these. All content that it names stays
/// readable as long as it lives.
class committed_view : public file_view {
 public:
  /// The last entry that is in it.
  virtual log_position last() const = 0;
};

}  // namespace kaiku
