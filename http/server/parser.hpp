#pragma once

/// Purpose: Beast's message parser behind a plain face, so that one file compiles it.
/// Owner: a session. Thread: the session's.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "kaiku/http/server/exchange.hpp"
#include "kaiku/http/server/framing.hpp"

namespace kaiku {

class message_parser {
 public:
  message_parser();
  ~message_parser();

  /// Reads a complete header that passed `check_framing`, which gave `framing`. The views in `out` are good until the
  /// next call. Errors are statuses 400 and 505.
  std::optional<request_refusal> parse(std::string_view header, const body_framing& framing, std::uint64_t max_body,
                                       request& out);
  /// The request asks for, and allows, another one after it.
  bool keep_alive() const;

  struct decoded {
    std::size_t consumed = 0;  ///< of the input; the rest comes again, with more behind it
    bool done = false;         ///< the last chunk and the trailer were read
    errc failed = errc::none;  ///< `bad_request` or `body_too_large`
  };
  /// Takes chunks off the front of `input` and appends at most `room` bytes of content to `out`.
  decoded decode_chunks(std::string_view input, std::size_t room, std::string& out);

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace kaiku
