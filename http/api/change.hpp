#pragma once

/// Purpose: what all changes of files have in common: what they ask of the cluster, how content travels to the leader,
/// how they are answered. Thread: the session's.

#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "kaiku/core/path.hpp"
#include "kaiku/http/api/handlers.hpp"
#include "kaiku/http/api/target.hpp"
#include "kaiku/http/server/exchange.hpp"

namespace kaiku {

/// What every change is asked with, read before any of its body.
struct change {
  file_target where;
  query_parameters query;
  client_write write;          ///< without the command
  std::optional<digest> name;  ///< of the request, when its client gave it one
};
/// `parameters`: all that the query may hold. Errors: `invalid_path`, `bad_request`.
result<change> parse_change(const exchange& ex, std::initializer_list<std::string_view> parameters);

/// From `Kaiku-Durability` or `?durability=`; empty: the server's default. Errors: `bad_request`.
result<std::optional<durability>> parse_want(const request& in, const query_parameters& query);

/// The root is there and stays.
response root_problem();
/// The answer to a change of a file whose path ends in `/`.
response slash_problem();

/// Stored content as a body that is read piece by piece.
class content_body final : public request_body {
 public:
  explicit content_body(opened_content content) : content_(std::move(content)) {}

  std::optional<std::uint64_t> length() const override { return content_.size.value; }
  task<result<std::string>> read(std::size_t max) override;

 private:
  opened_content content_;
  std::uint64_t at_ = 0;
};

/// Reads up to `most` bytes, fewer only at the body's end. Errors: those of the body.
task<result<std::string>> read_up_to(exchange& ex, request_body& from, std::size_t most);

/// Sends content on to the leader's disk: `first`, and what follows it in `from`. Bounded: one piece here, a window in
/// the gateway. Keep the exchange until the change that names the content is answered.
task<result<content_ref>> stream_content(exchange& ex, request_body& from, std::string first);

/// Errors: `digest_mismatch` when `actual` is not what all of `promised` say.
status check_promises(const std::vector<digest>& promised, const digest& actual);

/// Reads the content of a file: small content into `write`, large content to the leader, named in `file`. Gives its
/// digest. Errors: those of the body and of the leader, and `digest_mismatch`.
task<result<digest>> take_content(exchange& ex, request_body& from, const std::vector<digest>& promised, put_file& file,
                                  client_write& write);

/// Has the change made. `gives_file`: the answer names what was made or changed.
task<response> send_change(exchange& ex, client_write write, file_path path, bool gives_file);
/// As `send_change`, for a change whose body says nothing that its target does not.
task<response> send_named(exchange& ex, change asked, command what, file_path path, bool gives_file);
/// 204 for what was there before, 201 for what is new; 202 when less is known durable than was asked for.
response write_answer(const write_outcome& outcome, const file_path& path, bool gives_file);

}  // namespace kaiku
