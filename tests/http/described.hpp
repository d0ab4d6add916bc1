#pragma once

/// Purpose: what the OpenAPI document tells of answers. Thread: any.

#include <map>
#include <set>
#include <string>

namespace kaiku::test {

class described_interface {
 public:
  /// Throws when the document is not as expected.
  explicit described_interface(const std::string& document);

  /// Whether it has this status for the method at the target. True too of what it does not describe at all: another
  /// resource, or a method that the resource does not have.
  bool tells(const std::string& method, const std::string& target, int status) const;

 private:
  using statuses = std::map<std::string, std::set<int>>;  ///< by method, in small letters
  std::map<std::string, statuses> paths_;                 ///< by regular expression
};

}  // namespace kaiku::test
