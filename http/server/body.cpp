// The body of the request at hand: `session`'s part as a `request_body`.

#include "kaiku/http/server/session.hpp"

#include <algorithm>
#include <cstring>

namespace kaiku {
namespace {

error explain(errc code) {
  switch (code) {
    case errc::body_too_large: return {code, "the body is larger than this server takes"};
    case errc::bad_request: return {code, "the body's chunks are malformed"};
    default: return {errc::body_incomplete, "the body ended, or stood still, before it was complete"};
  }
}

}  // namespace

std::optional<std::uint64_t> session::length() const {
  if (framing_.chunked) return std::nullopt;
  return framing_.length;
}

task<result<std::string>> session::read(std::size_t max) {
  std::string piece;
  if (body_done_) co_return piece;
  if (body_failed_ != errc::none) co_return explain(body_failed_);
  if (owes_continue_) {
    owes_continue_ = false;
    if (input_.empty()) {
      const bool sent = co_await connection_.write("HTTP/1.1 100 Continue\r\n\r\n", {}, sending_);
      if (!sent) {
        body_failed_ = errc::body_incomplete;
        co_return explain(body_failed_);
      }
    }
  }
  if (framing_.chunked) {
    body_failed_ = co_await read_chunks(piece, max);
  } else {
    body_failed_ = co_await read_sized(piece, max);
  }
  // What came in front of the fault is handed on first: whole files of a form may be in it.
  if (body_failed_ != errc::none && piece.empty()) co_return explain(body_failed_);
  received_ += piece.size();
  if (body_done_) input_.shrink();
  co_return piece;
}

/// Straight from the socket into the piece, behind what came with the header.
task<errc> session::read_sized(std::string& into, std::size_t max) {
  const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(max, left_));
  into.resize(want);
  const auto hand_on = session_clock::now() + milliseconds(limits::http_body_piece_ms);
  auto have = std::min(want, input_.size());
  std::memcpy(into.data(), input_.view().data(), have);
  input_.consume(have);
  errc failed = errc::none;
  while (have < want) {
    std::size_t got = 0;
    auto end = co_await connection_.read({into.data() + have, want - have}, receiving_, got);
    if (end != connection::read_end::data) {
      failed = errc::body_incomplete;
      break;
    }
    have += got;
    if (session_clock::now() >= hand_on) break;
  }
  into.resize(have);
  left_ -= have;
  body_done_ = left_ == 0;
  co_return failed;
}

task<errc> session::read_chunks(std::string& into, std::size_t max) {
  const auto hand_on = session_clock::now() + milliseconds(limits::http_body_piece_ms);
  for (;;) {
    if (!input_.empty()) {
      auto step = parser_.decode_chunks(input_.view(), max - into.size(), into);
      input_.consume(step.consumed);
      if (step.failed != errc::none) co_return step.failed;
      body_done_ = step.done;
      if (body_done_ || into.size() == max) co_return errc::none;
      if (!into.empty() && session_clock::now() >= hand_on) co_return errc::none;
      const auto most = std::min(worker_->settings.max_header_bytes, limits::http_chunked_input_bytes);
      if (input_.size() >= most) co_return errc::bad_request;  // no end of a header or trailer
    }
    std::size_t got = 0;
    auto room = input_.prepare(limits::http_chunked_input_bytes - input_.size());
    auto end = co_await connection_.read(room, receiving_, got);
    if (end != connection::read_end::data) co_return errc::body_incomplete;
    input_.commit(got);
  }
}

task<bool> session::drain_body() {
  if (framing_.chunked || left_ > limits::http_drained_body_bytes) co_return false;
  auto rest = co_await read(limits::http_drained_body_bytes);
  co_return rest.ok() && body_done_;
}

}  // namespace kaiku
