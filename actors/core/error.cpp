#include "kaiku/core/error.hpp"

namespace kaiku {

std::string_view to_string(errc code) {
  switch (code) {
    case errc::none: return "none";
    case errc::bad_request: return "bad_request";
    case errc::invalid_path: return "invalid_path";
    case errc::not_found: return "not_found";
    case errc::not_a_directory: return "not_a_directory";
    case errc::is_a_directory: return "is_a_directory";
    case errc::directory_not_empty: return "directory_not_empty";
    case errc::parent_missing: return "parent_missing";
    case errc::already_exists: return "already_exists";
    case errc::precondition_failed: return "precondition_failed";
    case errc::method_not_allowed: return "method_not_allowed";
    case errc::too_many_entries: return "too_many_entries";
    case errc::key_reused: return "key_reused";
    case errc::range_not_satisfiable: return "range_not_satisfiable";
    case errc::digest_mismatch: return "digest_mismatch";
    case errc::body_incomplete: return "body_incomplete";
    case errc::body_too_large: return "body_too_large";
    case errc::no_leader: return "no_leader";
    case errc::not_leader: return "not_leader";
    case errc::quorum_lost: return "quorum_lost";
    case errc::outcome_unknown: return "outcome_unknown";
    case errc::overloaded: return "overloaded";
    case errc::behind: return "behind";
    case errc::not_fresh: return "not_fresh";
    case errc::set_aside: return "set_aside";
    case errc::busy: return "busy";
    case errc::disk_full: return "disk_full";
    case errc::stale_term: return "stale_term";
    case errc::log_mismatch: return "log_mismatch";
    case errc::content_missing: return "content_missing";
    case errc::io_error: return "io_error";
    case errc::corrupt: return "corrupt";
    case errc::wrong_cluster: return "wrong_cluster";
    case errc::in_use: return "in_use";
  }
  return "unknown";
}

}  // namespace kaiku
