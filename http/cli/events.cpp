#include "kaiku/cli/events.hpp"

#include "kaiku/cli/limits.hpp"

namespace kaiku::cli {

bool event_reader::feed(std::string_view piece) {
  while (!piece.empty()) {
    const auto end = piece.find('\n');
    line_ += piece.substr(0, end);
    if (line_.size() + data_.size() > limits::event_bytes) return false;
    if (end == std::string_view::npos) return true;
    piece.remove_prefix(end + 1);
    if (line_.ends_with('\r')) line_.pop_back();
    take_line(line_);
    line_.clear();
  }
  return true;
}

void event_reader::take_line(std::string_view line) {
  if (line.empty()) {
    if (any_data_) with_(name_, data_);
    name_.clear();
    data_.clear();
    any_data_ = false;
    return;
  }
  const auto colon = line.find(':');
  const auto name = line.substr(0, colon);
  auto value = colon == std::string_view::npos ? std::string_view{} : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (name == "event") name_ = value;
  if (name != "data") return;
  if (any_data_) data_ += '\n';
  data_ += value;
  any_data_ = true;
}

}  // namespace kaiku::cli
