#pragma once

/// Purpose: keeps the label `kaiku.io/role` of this node's pod at what it is told, whatever the API server does
/// (`label.hpp`). Owner: the node; owns one thread, which alone waits for the network. Lifecycle: from the constructor
/// to the destructor, which gives up what is under way. Thread: any; no call waits but `part_from`.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>

#include "kaiku/kubernetes/label.hpp"
#include "kaiku/kubernetes/settings.hpp"

namespace kaiku::kubernetes {

/// The label, as the node sees it.
struct label_view {
  std::optional<pod_role> wanted;             ///< empty: nobody has said yet
  std::optional<pod_role> stands;             ///< what the API server has said that it says; empty: not known
  std::string trouble;                        ///< why the API server can't be used; empty: it can
  std::uint64_t changes = 0;                  ///< times that it came to say something else
  std::map<unsigned, std::uint64_t> answers;  ///< by HTTP status; 0: there was none

  bool is_current() const { return wanted.has_value() && wanted == stands; }
};

class label_publisher {
 public:
  explicit label_publisher(settings with);
  ~label_publisher();
  label_publisher(const label_publisher&) = delete;
  label_publisher& operator=(const label_publisher&) = delete;

  /// The newest counts.
  void want(pod_role x);
  /// Before an orderly end: waits until the label says something else, for `limits::farewell_ms` at most.
  void part_from(pod_role x);
  label_view view() const;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace kaiku::kubernetes
