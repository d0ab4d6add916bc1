#pragma once

/// Purpose: the nodes that may be asked, as `KAIKU_URL` names them, and which of them is asked now.
/// Owner: the choice of the node; every request asks the same one until it fails. Thread: one at a time.

#include <string>
#include <string_view>
#include <vector>

#include "kaiku/core/error.hpp"

namespace kaiku::cli {

class addresses {
 public:
  /// Reads `http://10.0.0.1:8000,https://n2.example/kaiku,n3:8000`; without a scheme it is `http`. Errors:
  /// `bad_request`.
  static result<addresses> parse(std::string_view text);

  std::size_t count() const { return urls_.size(); }
  std::size_t current() const { return current_; }
  /// Without a slash at its end.
  const std::string& url(std::size_t which) const { return urls_.at(which); }
  /// Another one from now on, unless somebody has found that out before.
  void failed(std::size_t which) {
    if (which == current_) current_ = (current_ + 1) % urls_.size();
  }

 private:
  std::vector<std::string> urls_;
  std::size_t current_ = 0;
};

/// `scheme://host:port` of a URL, without path and query; empty when it is none.
std::string origin_of(std::string_view url);

}  // namespace kaiku::cli
