#pragma once

/// Purpose: what all changes of files have in common: what they ask of the cluster, how content travels to the leader,
/// how they are answered. Thread: the session's.

#include <string>

#include "kaiku/core/path.hpp"
#include "kaiku/http/api/target.hpp"
#include "kaiku/http/server/exchange.hpp"

namespace kaiku {

/// From `Kaiku-Durability` or `?durability=`; empty: the server's default. Errors: `bad_request`.
result<std::optional<durability>> parse_want(const request& in, const query_parameters& query);

/// Sends content on to the leader's disk: `first`, and what follows it in `from`. Bounded: one piece here, a window in
/// the gateway. Keep the exchange until the change that names the content is answered.
task<result<content_ref>> stream_content(exchange& ex, request_body& from, std::string first);

/// Reads the content of a file: small content into `write`, large content to the leader, named in `file`. Errors: those
/// of the body and of the leader, and `digest_mismatch` when it is not what all of `promised` say.
task<status> take_content(exchange& ex, request_body& from, const std::vector<digest>& promised, put_file& file,
                          client_write& write);

/// The type that is stored with content that came with `given`. Errors: `bad_request`.
result<std::string> stored_type(std::string_view given);

/// Has the change made. `gives_file`: the answer names what stands at the path now.
task<response> send_change(exchange& ex, client_write write, file_path path, bool gives_file);

}  // namespace kaiku
