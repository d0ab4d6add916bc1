#pragma once

/// Purpose: takes a stream of server-sent events apart (WHATWG HTML, 9.2), whatever pieces it comes in.
/// Thread: one at a time.

#include <functional>
#include <string>
#include <string_view>

namespace kaiku::cli {

class event_reader {
 public:
  using event = std::function<void(const std::string& name, const std::string& data)>;

  explicit event_reader(event with) : with_(std::move(with)) {}
  /// False: a line is longer than any that a node sends.
  bool feed(std::string_view piece);

 private:
  void take_line(std::string_view line);

  event with_;
  std::string line_, name_, data_;
  bool any_data_ = false;
};

}  // namespace kaiku::cli
