#pragma once

/// Purpose: what is known of the nodes and their actors, kept up to date by events, and the picture of it.
/// Owner: the newest description of each node and actor. Thread: one at a time.

#include <map>
#include <string>
#include <vector>

#include "kaiku/cli/message.hpp"
#include "kaiku/cli/terminal.hpp"

namespace kaiku::cli {

class actors_view {
 public:
  enum class order { load, mailbox, name };

  /// The whole, as `/actors` describes it (docs/http.md).
  void replace(const json& document);
  /// What has changed since.
  void change(const json& document);
  void happened(const json& event);

  bool is_empty() const { return nodes_.empty(); }
  /// Lines for a screen of this size, the most important first; each ends in `\n` but the last. Every text is harmless.
  std::string draw(order by, screen_size size) const;

 private:
  std::vector<const json*> sorted(order by) const;

  std::map<std::string, json> nodes_;   ///< by name
  std::map<std::string, json> actors_;  ///< by id
  std::string at_, answered_by_, event_;
};

}  // namespace kaiku::cli
