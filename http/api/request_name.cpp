#include "kaiku/http/api/request_name.hpp"

#include <type_traits>

#include "kaiku/http/api/digest_field.hpp"

namespace kaiku {
namespace {

std::string_view as_bytes(const digest& x) {
  return {reinterpret_cast<const char*>(x.bytes.data()), x.bytes.size()};
}

}  // namespace

result<std::optional<digest>> request_name(const request& in) {
  const auto given = in.header("Idempotency-Key");
  if (!given) return std::optional<digest>{};
  if (given->empty() || given->size() > limits::request_name_bytes)
    return {errc::bad_request, "Idempotency-Key has 1 to " + std::to_string(limits::request_name_bytes) + " bytes"};
  return std::optional<digest>(sha256_of(*given));
}

bool names_request(const request& in) {
  return in.header("Idempotency-Key").has_value();
}

digest name_of_part(const digest& name, std::size_t number) {
  return sha256_of(std::string(as_bytes(name)) + std::to_string(number));
}

void name_change(command& what, const exchange& ex, const digest& name, const digest& content, command said) {
  // Content apart: that of small files gets its name later.
  if (auto* put = std::get_if<put_file>(&said)) put->content = {};
  std::string asked(name_of(ex.in.method));
  asked.append("\n")
      .append(ex.path)
      .append("?")
      .append(ex.query)
      .append("\n")
      .append(as_bytes(content))
      .append(encode(said));
  const request_key key{name, sha256_of(asked)};
  std::visit(
      [&](auto& one) {
        if constexpr (requires { one.key = key; }) one.key = key;
      },
      what);
}

void name_change(command& what, const exchange& ex, const digest& name, const digest& content) {
  name_change(what, ex, name, content, what);
}

}  // namespace kaiku
