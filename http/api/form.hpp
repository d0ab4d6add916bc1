#pragma once

/// Purpose: takes a `multipart/form-data` body apart while it comes (RFC 7578, RFC 2046 5.1).
/// Owner: the handler of a form. Holds at most two pieces of the body. Thread: the session's.

#include <optional>
#include <string>
#include <string_view>

#include "kaiku/http/server/exchange.hpp"

namespace kaiku {

/// The boundary that a Content-Type of `multipart/form-data` names. Empty: it is another type. Errors: `bad_request`.
result<std::optional<std::string>> form_boundary(std::string_view content_type);

/// What the header of a part says.
struct form_part {
  std::string name;
  std::optional<std::string> filename;  ///< of a file, also an empty one: none was chosen
  std::string content_type;             ///< empty when it says nothing
};

/// Reads the header of a part, without the empty line. Errors: `bad_request`.
result<form_part> parse_form_part(std::string_view header);

/// The parts of a form, one after another: `next`, then `read` until it gives nothing; what is not read is passed over.
/// After the last, or an error, no further call.
class form_reader final : public request_body {
 public:
  form_reader(request_body& from, std::string_view boundary);

  /// Nothing behind the last part. Errors: those of the body, and `bad_request`: it is not a form.
  task<result<std::optional<form_part>>> next();
  std::optional<std::uint64_t> length() const override { return std::nullopt; }
  /// Of the part at hand.
  task<result<std::string>> read(std::size_t max) override;

 private:
  /// Reads on. False: the body is at its end.
  task<result<bool>> fill(std::size_t max);
  /// What stands in front of `end`, which goes too. Errors: `bad_request` when `end` does not come soon.
  task<result<std::string>> take_until(std::string_view end);
  /// Behind a delimiter: it was the last, and what follows it has been passed over.
  task<result<bool>> is_last();

  request_body& from_;
  std::string delimiter_;  ///< with the line's end in front of it
  std::string input_;      ///< read, and not yet handed on
  bool started_ = false;   ///< the first delimiter was met
  bool part_done_ = true;
};

}  // namespace kaiku
