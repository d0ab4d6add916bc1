#pragma once

/// Purpose: CAF's end of a link that is encrypted: CAF's own stream, buffers and back-pressure included, that reads and
/// writes through a `tls_session` instead of the socket. Strangers never come so far: the handshake is over.
/// Owner: CAF, once a broker has it. Thread: CAF's multiplexer.

#include <caf/io/fwd.hpp>
#include <caf/io/scribe.hpp>

#include "kaiku/link/session.hpp"

namespace kaiku {

/// `backend` is CAF's default one.
caf::io::scribe_ptr make_tls_scribe(caf::io::network::multiplexer& backend, proven_connection connection);

}  // namespace kaiku
