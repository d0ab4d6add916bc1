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

  /// Of this node alone; empty: of all.
  explicit actors_view(std::string node) : node_(std::move(node)) {}

  /// The whole, as `/actors` describes it (docs/http.md).
  void replace(const json& document);
  /// What has changed since.
  void change(const json& document);
  void happened(const json& event);

  /// Lines for a screen of this size, the most important first; each ends in `\n` but the last. Every text is harmless.
  std::string draw(order by, screen_size size) const;

 private:
  std::vector<const json*> sorted(order by) const;
  void take_node(const json& node);
  void take_actor(const json& actor);

  std::string node_;
  std::map<std::string, json> nodes_;   ///< by name
  std::map<std::string, json> actors_;  ///< by id
  std::string at_, answered_by_, event_;
};

}  // namespace kaiku::cli
