#pragma once

/// Purpose: the sending side of one large body: keeps `limits::chunk_window` chunks on their way to the leader's upload
/// actor. Owner: the session; ends the leader's upload when dropped. All on the front's thread.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "kaiku/actors/front_actor.hpp"

namespace kaiku {

class front_actor::leader_upload : public upload {
 public:
  leader_upload(front_actor& front, node_id at, upload_handle to);
  ~leader_upload() override;

  void write(std::string bytes, std::function<void(status)> ready) override;
  void finish(std::function<void(result<content_ref>)> done) override;

 private:
  /// Outlives the upload while answers are on their way.
  struct state {
    front_actor& front;
    node_id at;
    upload_handle to;
    std::size_t in_flight = 0;
    std::optional<error> failed;
    std::function<void(status)> ready;              ///< waits for room
    std::function<void(result<content_ref>)> done;  ///< waits for the last chunk, then for the sync
    bool finishing = false;
  };
  static void settle(const std::shared_ptr<state>& x);
  static void ask_finish(const std::shared_ptr<state>& x);

  std::shared_ptr<state> state_;
};

}  // namespace kaiku
