#pragma once

/// Purpose: who is at the other end of each link of this process, for whoever gets a message and knows the CAF node
/// that it came from; and how to have such a link ended. Owner: the link layer enters a link when CAF gets it, and
/// takes it out when it ends. Thread: any.

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <caf/node_id.hpp>

#include "kaiku/core/ids.hpp"

namespace kaiku {

class linked_peers {
 public:
  using end_link = std::function<void(const std::string& why)>;

  static linked_peers& instance() {
    static linked_peers all;
    return all;
  }

  /// `here` and `there` are CAF's: a test has several nodes in one process.
  void enter(const caf::node_id& here, const caf::node_id& there, node_id who, end_link end) {
    std::lock_guard guard{mutex_};
    links_[{here, there}] = {std::move(who), std::move(end)};
  }
  void remove(const caf::node_id& here, const caf::node_id& there) {
    std::lock_guard guard{mutex_};
    links_.erase({here, there});
  }
  std::optional<node_id> name_of(const caf::node_id& here, const caf::node_id& there) const {
    std::lock_guard guard{mutex_};
    const auto found = links_.find({here, there});
    return found == links_.end() ? std::nullopt : std::optional{found->second.who};
  }
  /// What came from there can't be of an honest peer: the link layer says so in the log, and ends the link. Once for
  /// each link; what is still on its way from there is then nobody's.
  void accuse(const caf::node_id& here, const caf::node_id& there, const std::string& why) {
    end_link end;
    {
      std::lock_guard guard{mutex_};
      const auto found = links_.find({here, there});
      if (found == links_.end()) return;
      end = std::move(found->second.end);
      links_.erase(found);
    }
    end(why);
  }

 private:
  struct link {
    node_id who;
    end_link end;
  };

  mutable std::mutex mutex_;
  std::map<std::pair<caf::node_id, caf::node_id>, link> links_;
};

}  // namespace kaiku
