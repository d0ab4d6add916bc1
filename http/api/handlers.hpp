#pragma once

/// Purpose: the handlers that the route table names. Thread: the session's.

#include <string_view>

#include "kaiku/core/path.hpp"
#include "kaiku/http/server/exchange.hpp"

namespace kaiku {

// files.cpp
response read_path(exchange& ex);
// listing.cpp
response list_directory(exchange& ex, const file_path& path, const file_info& info);
// files_write.cpp
task<response> put_path(exchange& ex);
task<response> post_path(exchange& ex);
task<response> delete_path(exchange& ex);
// health.cpp
response healthz_live(exchange& ex);
response healthz_ready(exchange& ex);
response healthz_leader(exchange& ex);
response healthz_replica(exchange& ex);
response cluster_state(exchange& ex);
response openapi_document(exchange& ex);

/// The place that a target under `/files` names.
struct file_target {
  file_path path;
  bool trailing_slash = false;  ///< a directory is meant
};
result<file_target> parse_file_target(const exchange& ex);

/// An `application/json` answer.
response json_answer(unsigned code, std::string body);

}  // namespace kaiku
