#pragma once

/// Purpose: what peers (and this node's fronts) reach of a node's large content: it opens uploads and tells the peers
/// of them, serves ranges of blobs, and passes on to its own fetch what peers tell.
/// Owner: owns which uploads are open here, and how the latest of them ended. Learns links from the directory.
/// Lifecycle: as long as the node. Blocks on the disk: in a thread of its own but in tests.

#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "kaiku/actors/observed.hpp"
#include "kaiku/actors/upload_actor.hpp"
#include "kaiku/messages/messages.hpp"
#include "kaiku/storage/store.hpp"

namespace kaiku {

class content_actor : public observed<content_handle::base> {
 public:
  /// `where`: of the uploads.
  content_actor(caf::actor_config& cfg, std::shared_ptr<store> disk, std::shared_ptr<disk_steps> steps, threads where);

  const char* name() const override { return "content"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 protected:
  std::string state_line() override;

 private:
  struct open_one {
    upload_begun begun;
    caf::node_id client;
  };

  upload_opened open(const open_upload& x);
  content_range read(const read_content& x);
  snapshot_range read(const read_snapshot& x);
  /// A read of it failed: somebody should look.
  void suspect(const content_ref& what);
  void on_begun(const upload_begun& x);
  void on_peer_up(const peer_up& x);
  bool has_its_share(const caf::node_id& client) const;
  /// An upload's last byte has come.
  void on_ended(const upload_id& id, const content_ref& content);

  content_handle self_as_source() { return caf::actor_cast<content_handle>(this); }

  std::shared_ptr<store> disk_;
  std::shared_ptr<disk_steps> steps_;
  threads where_;
  fetch_handle fetch_;
  scrub_handle scrub_;
  std::map<node_id, content_handle> peers_;
  node_id leader_;                                ///< empty: not known
  std::vector<open_one> open_;                    ///< at most `limits::uploads_in_flight`
  std::deque<upload_begun> ended_;                ///< at most `limits::ended_uploads`
  std::shared_ptr<const store_view> offered_;     ///< what followers install; null: nothing
  std::map<content_ref, opened_content> served_;  ///< large content being read, open; at most `limits::served_blobs`
};

}  // namespace kaiku
