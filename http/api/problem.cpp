#include "kaiku/http/api/problem.hpp"

#include <array>
#include <nlohmann/json.hpp>

namespace kaiku {
namespace {

struct row {
  errc code;
  unsigned status;
  std::string_view title;
};

constexpr std::array table{
    row{errc::none, 500, "No error"},
    row{errc::bad_request, 400, "The request is malformed"},
    row{errc::invalid_path, 400, "The path is not allowed"},
    row{errc::not_found, 404, "Nothing is stored at this path"},
    row{errc::not_a_directory, 409, "A file stands where a directory is needed"},
    row{errc::is_a_directory, 409, "A directory stands where a file is needed"},
    row{errc::directory_not_empty, 409, "The directory is not empty"},
    row{errc::parent_missing, 409, "The parent directory does not exist"},
    row{errc::already_exists, 409, "Something is already stored at this path"},
    row{errc::precondition_failed, 412, "A precondition does not hold"},
    row{errc::method_not_allowed, 405, "The method is not allowed here"},
    row{errc::too_many_entries, 422, "The directory is too large to copy in one step"},
    row{errc::key_reused, 422, "The idempotency key belongs to another request"},
    row{errc::range_not_satisfiable, 416, "The range lies outside the content"},
    row{errc::digest_mismatch, 400, "The body is not what its digest says"},
    row{errc::body_incomplete, 400, "The body was cut off"},
    row{errc::body_too_large, 413, "The body is too large"},
    row{errc::no_leader, 503, "No leader can be reached"},
    row{errc::not_leader, 503, "The leader has changed"},
    row{errc::quorum_lost, 503, "The leader has lost its majority"},
    row{errc::outcome_unknown, 503, "It is not known whether the write was recorded"},
    row{errc::overloaded, 503, "The server is overloaded"},
    row{errc::behind, 503, "The followers are too far behind"},
    row{errc::not_fresh, 503, "This node is not as fresh as asked for"},
    row{errc::set_aside, 409, "The write was displaced by another leader's"},
    row{errc::busy, 409, "Another change of the cluster is under way"},
    row{errc::disk_full, 507, "The disk is full"},
    row{errc::stale_term, 500, "The term is over"},
    row{errc::log_mismatch, 500, "The logs differ"},
    row{errc::content_missing, 500, "The content is not on this disk"},
    row{errc::io_error, 500, "The disk failed"},
    row{errc::corrupt, 500, "The stored data is damaged"},
    row{errc::wrong_cluster, 500, "The data belongs to another cluster"},
    row{errc::in_use, 500, "Another process holds it"},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < table.size(); ++i)
    if (static_cast<std::size_t>(table[i].code) != i) return false;
  return table.size() == static_cast<std::size_t>(errc::in_use) + 1;
}
static_assert(in_order(), "one row for every errc, in its order");

/// Seconds: about as long as an election takes.
constexpr std::string_view retry_after = "1";

}  // namespace

problem_kind kind_of(errc code) {
  const auto& found = table.at(static_cast<std::size_t>(code));
  return {found.status, to_string(code), found.title};
}

response problem(const problem_kind& kind, std::string_view detail) {
  nlohmann::ordered_json document{{"type", "urn:kaiku:problem:" + std::string(kind.code)},
                                  {"title", kind.title},
                                  {"status", kind.status},
                                  {"detail", detail},
                                  {"code", kind.code}};
  response out;
  out.status = kind.status;
  out.add("Content-Type", "application/problem+json");
  out.add("X-Content-Type-Options", "nosniff");
  out.add("Cache-Control", "no-store");
  // To repeat a change that may stand is for the client to decide, not for a library that reads this field.
  if (kind.status == 503 && std::string_view{kind.code} != to_string(errc::outcome_unknown))
    out.add("Retry-After", retry_after);
  out.body = document.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  return out;
}

response problem(const error& failure) {
  return problem(kind_of(failure.code), failure.detail);
}

response refusal_problem(const request_refusal& why) {
  problem_kind kind{why.status, "bad_request", "The request is malformed"};
  if (why.status == 408) kind = {408, "request_timeout", "The request took too long"};
  if (why.status == 431) kind = {431, "header_too_large", "The request's header is too large"};
  if (why.status == 501) kind = {501, "not_implemented", "This is not implemented here"};
  if (why.status == 505) kind = {505, "version_not_supported", "The HTTP version is not spoken here"};
  auto out = problem(kind, why.detail);
  out.close = true;
  return out;
}

response method_problem(std::string_view allow) {
  auto out = problem({errc::method_not_allowed, "allowed here: " + std::string(allow)});
  out.add("Allow", allow);
  return out;
}

}  // namespace kaiku
