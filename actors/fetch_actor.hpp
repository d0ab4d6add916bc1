#pragma once

/// Purpose: brings large content from peers: follows their uploads while they receive them, and pulls what an append
/// names. One content is one transfer, whoever it comes from: a transfer whose source is gone keeps its bytes and goes
/// on from another one.
/// Owner: owns the transfers; each has an upload actor of its own until it is whole, which writes, hashes and syncs.
/// Learns uploads from the peers' content actors, what is needed from replication, what has been adopted from the
/// store. Lifecycle: as long as the node. In a thread of its own but in tests: it makes files.
///
///             upload_begun                     fetch_content
///                  |                                 |
///                  v           upload_ended          v
///          follows an upload -------------->  pulls content by name --- all came, digest right ---> staged
///             |        |  link down              |        ^                                           |
///   given up  |        +---------->  rests  <----+        |                  adopted, or never named  |
///             v                        +--- a source -----+                                           v
///          dropped <------------------ too long -------------------------------------------------  dropped

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include <caf/typed_response_promise.hpp>

#include "kaiku/actors/observed.hpp"
#include "kaiku/actors/pull.hpp"
#include "kaiku/actors/upload_actor.hpp"
#include "kaiku/messages/messages.hpp"
#include "kaiku/storage/store.hpp"

namespace kaiku {

class fetch_actor : public observed<fetch_handle::base> {
 public:
  /// `where`: of the actors that write.
  fetch_actor(caf::actor_config& cfg, std::shared_ptr<store> disk, std::shared_ptr<disk_steps> steps, threads where);

  const char* name() const override { return "fetch"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 protected:
  std::string state_line() override;

 private:
  using serial = counter<struct transfer_serial_tag>;
  enum class stage { pulling, finishing, staged };

  struct transfer {
    upload_id id;                           ///< of the upload it follows or followed; unknown when an append came first
    caf::node_id announced_by;              ///< who told of it: others may have ids that are the same
    byte_count most{limits::peer_counter};  ///< as long as it was said to become at most
    std::optional<content_ref> content;     ///< once it is known
    upload_handle upload;                   ///< read while it is there,
    content_handle source;                  ///< otherwise this is, once `content` is known
    std::shared_ptr<staged_file> file;      ///< used by `sink` alone until it is staged
    upload_handle sink;                     ///< null once it is staged
    pull bytes;
    stage now = stage::pulling;
    instant changed;  ///< when something came, was written, or its source changed

    bool has_source() const { return upload || (source && content); }
  };
  using transfer_map = std::map<serial, transfer>;

  instant now();
  /// What following uploads may still take.
  byte_count room() const;

  // --- what is asked of this actor ---
  caf::typed_response_promise<fetched> start(const fetch_content& x);
  void begin_wanted();
  void settle_wanted();
  void end_fetch(error why);
  bool is_wanted(const transfer& x) const;
  void on_begun(const upload_begun& x);

  // --- transfers ---
  /// Errors: `disk_full`, `io_error`.
  result<serial> begin(byte_count expected);
  transfer_map::iterator of_content(const content_ref& x);
  void follow(serial which, const upload_begun& x);
  void read_from(transfer& x, const content_handle& source);
  void on_ended(serial which, std::uint64_t attempt, const upload_ended& x);
  void set_content(serial which, const content_ref& content);
  /// Two transfers turn out to be of one content: the one that has less ends. True when that is `which`.
  bool merge(serial which, const content_ref& content);
  void ask_more();
  void ask(serial which, transfer& x, const pull::question& what);
  void on_range(serial which, const pull::question& asked, const error& failure, const chunk& bytes,
                byte_count available);
  void write(serial which, transfer& x, const chunk& bytes);
  void finish_if_whole(serial which, transfer& x);
  void on_finished(serial which, const upload_finished& x);
  /// The source is gone: reads from the other one if there is one, or rests.
  void lose_source(serial which, const error& why);
  void on_down(const caf::down_msg& x);
  void watch_source(const content_handle& x);
  void rest(transfer& x);
  /// Its bytes are of no use.
  void fail(serial which, const error& why);
  void drop(serial which);
  void sweep();

  std::shared_ptr<store> disk_;
  std::shared_ptr<disk_steps> steps_;
  threads where_;
  transfer_map transfers_;
  serial last_;
  std::set<caf::actor_addr> monitored_;  ///< sources, once each
  std::vector<content_ref> wanted_;      ///< what `promise_` is for
  content_handle wanted_from_;
  std::optional<caf::typed_response_promise<fetched>> promise_;
  instant swept_{};
};

}  // namespace kaiku
