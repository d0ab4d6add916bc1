/// Requests that were answered: known by their keys for a while, so that repeating one changes nothing more.

#include "kaiku/storage/planner.hpp"

namespace kaiku::tree {
namespace {

format::request_window read_window(const view& state) {
  const auto value = state.get(family::requests, format::request_window_key);
  return value ? format::read_request_window(*value) : format::request_window{};
}

/// Of a window that is not empty.
format::request_number read_first(const view& state, const format::request_window& window) {
  const auto value = state.get(family::requests, format::key_of_request(window.first));
  INVARIANT(value.has_value(), "the numbers of requests have no holes");
  return format::read_request_number(*value);
}

}  // namespace

std::optional<format::request_value> find_request(const view& state, const digest& key) {
  const auto value = state.get(family::requests, format::key_of_request(key));
  if (!value) return std::nullopt;
  return format::read_request(*value);
}

void remember_request(const view& state, const command& what, log_position at, change& out) {
  const auto time = time_of(what);
  if (!time) return;
  const auto* key = key_of(what);
  const auto before = read_window(state);
  auto window = before;
  for (std::size_t trimmed = 0; trimmed < limits::request_trims && window.first < window.next; ++trimmed) {
    const auto oldest = read_first(state, window);
    const bool old = oldest.time.value + limits::request_window_ms < time->value;
    const bool full = key != nullptr && window.next - window.first >= limits::requests;
    if (!old && !full) break;
    out.writes.push_back({family::requests, format::key_of_request(oldest.key), std::nullopt});
    out.writes.push_back({family::requests, format::key_of_request(window.first), std::nullopt});
    ++window.first;
  }
  if (key != nullptr) {
    const auto file = out.file.version.index.value > 0 ? std::optional{out.file} : std::nullopt;
    out.writes.push_back({family::requests, format::key_of_request(key->key),
                          format::write_request({key->fingerprint, at, out.created, file})});
    out.writes.push_back(
        {family::requests, format::key_of_request(window.next), format::write_request_number({*time, key->key})});
    ++window.next;
  }
  if (window == before) return;
  out.writes.push_back(
      {family::requests, std::string{format::request_window_key}, format::write_request_window(window)});
}

}  // namespace kaiku::tree
