#pragma once

/// Purpose: the handlers that the route table names. Thread: the session's.

#include <optional>
#include <string_view>

#include "kaiku/core/path.hpp"
#include "kaiku/http/api/router.hpp"
#include "kaiku/http/api/target.hpp"

namespace kaiku {

/// The place that a target under `/files` names.
struct file_target {
  file_path path;
  bool trailing_slash = false;  ///< a directory is meant
};

/// What the root directory takes: forms, and nothing that would replace, change or remove it.
inline constexpr std::string_view root_methods = "GET, HEAD, OPTIONS, POST";

// files.cpp
routed read_path(exchange& ex);
/// Content with its conditions and ranges, as files are answered; without `content`, its header.
response read_file(exchange& ex, const file_path& path, const file_info& info, opened_content* content);
// listing.cpp
/// A page's length, from 1 to `most`, which it is without a text. Errors: `bad_request`.
result<std::size_t> parse_limit(std::optional<std::string_view> text, std::size_t most);
/// As JSON, or as a page for a browser.
response list_directory(exchange& ex, const file_view& from, const file_target& where, const query_parameters& query);
// files_write.cpp
task<response> put_path(exchange& ex);
task<response> delete_path(exchange& ex);
task<response> patch_path(exchange& ex);
// files_post.cpp
task<response> post_path(exchange& ex);
// files_append.cpp
task<response> append_path(exchange& ex);
// files_form.cpp
task<response> post_form(exchange& ex);
// writes.cpp
task<response> show_write(exchange& ex);
// set_aside.cpp
response list_set_aside(exchange& ex);
response show_set_aside(exchange& ex);
response set_aside_content(exchange& ex);
task<response> restore_set_aside(exchange& ex);
task<response> purge_set_aside(exchange& ex);
// backup.cpp
task<response> write_backup(exchange& ex);
// scrub.cpp
task<response> show_scrub(exchange& ex);
task<response> start_scrub(exchange& ex);
// health.cpp
response healthz_live(exchange& ex);
response healthz_ready(exchange& ex);
response healthz_leader(exchange& ex);
response healthz_replica(exchange& ex);
response openapi_document(exchange& ex);
// assets.cpp
response show_asset(exchange& ex);
response show_console(exchange& ex);
// metrics.cpp
task<response> show_metrics(exchange& ex);
// actors.cpp
task<response> list_actors(exchange& ex);
task<response> show_actor(exchange& ex);
task<response> show_timeline(exchange& ex);
response list_traces(exchange& ex);
task<response> show_trace(exchange& ex);
// actors_stream.cpp
task<response> stream_actors(exchange& ex);
// cluster.cpp
response cluster_state(exchange& ex);
response list_members(exchange& ex);
response show_member(exchange& ex);
task<response> add_member(exchange& ex);
task<response> remove_member(exchange& ex);
response show_leader(exchange& ex);
task<response> change_leader(exchange& ex);

result<file_target> parse_file_target(const exchange& ex);

/// The answer to a request that has a query where none is taken.
std::optional<response> refuse_query(const exchange& ex);

}  // namespace kaiku
