#pragma once

/// Purpose: expected failures as values. One enum for all of Kaiku; `http/api/problem.cpp` maps it, in one table, to
/// HTTP statuses. What can't happen is an INVARIANT (`invariant.hpp`), not an error.
/// Thread: any.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "kaiku/core/invariant.hpp"

namespace kaiku {

enum class errc : std::uint8_t {
  none = 0,
  // What the client asked for.
  bad_request,            ///< malformed header, option or body
  invalid_path,           ///< `..`, NUL, encoded slash, over-long, not UTF-8
  not_found,              ///< nothing at this path
  not_a_directory,        ///< a file stands where a directory is needed
  is_a_directory,         ///< a directory stands where a file is needed
  directory_not_empty,    ///< remove without `recursive`
  parent_missing,         ///< `parents=false` and no parent directory
  already_exists,         ///< make a directory that is there
  precondition_failed,    ///< a condition of the request did not hold, or the target is there
  method_not_allowed,     ///< not on this resource
  too_many_entries,       ///< copy of a directory that is larger than one step may be
  key_reused,             ///< another request had this idempotency key
  range_not_satisfiable,  ///< no byte of the range lies in the content
  digest_mismatch,        ///< the body is not what its digest field says
  body_incomplete,        ///< the body was cut off
  body_too_large,         ///< over the configured bound
  // What the cluster can't do just now.
  no_leader,        ///< nobody leads, or nobody that this node reaches
  not_leader,       ///< this node does not lead; ask again once the leader is known
  quorum_lost,      ///< the leader has not heard a majority within T and acknowledges nothing
  outcome_unknown,  ///< sent to the leader, no answer: it may or may not be recorded
  overloaded,       ///< a bounded queue is full
  behind,           ///< the followers are too far behind for a write that only the leader would hold
  not_fresh,        ///< what this node has did not get as fresh as asked for within the wait
  set_aside,        ///< the write a token names was displaced by another leader's
  busy,             ///< a change of the members or of the leader is under way
  disk_full,        ///< less space than the reserve is left
  // What is wrong with a disk, a peer or a message.
  stale_term,       ///< the fence: the sender's term is over
  log_mismatch,     ///< the entry before does not match
  content_missing,  ///< an entry names content that is not durable here yet
  io_error,         ///< the operating system refused
  corrupt,          ///< bytes that do not decode, or do not match their digest
  wrong_cluster,    ///< the data or the peer belongs to another cluster
  in_use,           ///< another process holds it
};

/// The enumerator's name: the stable `code` of a problem document.
std::string_view to_string(errc code);

/// What failed, for a person: what happened, to what, what to do.
struct error {
  errc code = errc::none;
  std::string detail;
};

/// A value or an error.
template <class T>
class [[nodiscard]] result {
 public:
  result(T value) : state_(std::move(value)) {}  // NOLINT(google-explicit-constructor)
  result(error e) : state_(std::move(e)) {}      // NOLINT(google-explicit-constructor)
  result(errc code, std::string detail) : state_(error{code, std::move(detail)}) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & {
    INVARIANT(ok(), "value() of a failed result");
    return std::get<0>(state_);
  }
  const T& value() const& {
    INVARIANT(ok(), "value() of a failed result");
    return std::get<0>(state_);
  }
  T&& value() && {
    INVARIANT(ok(), "value() of a failed result");
    return std::get<0>(std::move(state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const error& failure() const {
    INVARIANT(!ok(), "failure() of a good result");
    return std::get<1>(state_);
  }

 private:
  std::variant<T, error> state_;
};

/// For calls that give nothing but success.
using status = result<std::monostate>;
inline status success() {
  return std::monostate{};
}

}  // namespace kaiku
