#pragma once

/// Purpose: large content between nodes. `content_actor` is what peers (and this node's fronts) reach: it opens uploads
/// and serves ranges of blobs. `upload_actor` receives one body. `fetch_actor` pulls what an append names.
/// Owner: an upload owns its staged file, and drops it when its client goes away, falls silent, or ends it; fetch owns
/// what it staged until the store has taken it, or another source is asked; the next fetch ends one that is under way.
/// Lifecycle: content and fetch live as long as the node; an upload as long as its client wants. All three are
/// detached: they block on the disk. Windows are kept by the senders: `limits::chunk_window` chunks at most.

#include <deque>
#include <map>
#include <memory>
#include <vector>

#include <caf/typed_response_promise.hpp>

#include "kaiku/actors/observed.hpp"
#include "kaiku/messages/messages.hpp"
#include "kaiku/storage/store.hpp"

namespace kaiku {

class content_actor : public observed<content_handle::base> {
 public:
  content_actor(caf::actor_config& cfg, std::shared_ptr<store> disk);

  const char* name() const override { return "content"; }
  behavior_type make_behavior() override;

 private:
  upload_opened open(const open_upload& x);
  content_range read(const read_content& x);

  std::shared_ptr<store> disk_;
  std::size_t uploads_ = 0;
  std::map<content_ref, opened_content> served_;  ///< recently read blobs, open; at most `limits::served_blobs`
};

class upload_actor : public observed<upload_handle::base> {
 public:
  /// Ends with `client`.
  upload_actor(caf::actor_config& cfg, std::shared_ptr<store> disk, std::unique_ptr<staged_file> file,
               caf::strong_actor_ptr client);

  const char* name() const override { return "upload"; }
  behavior_type make_behavior() override;

 private:
  std::shared_ptr<store> disk_;  ///< outlives `file_`
  std::unique_ptr<staged_file> file_;
  caf::strong_actor_ptr client_;
  bool finished_ = false;  ///< or failed: nothing more is taken
};

class fetch_actor : public observed<fetch_handle::base> {
 public:
  fetch_actor(caf::actor_config& cfg, std::shared_ptr<store> disk);

  const char* name() const override { return "fetch"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  caf::typed_response_promise<fetched> start(const fetch_content& x);
  void begin_next();
  void request_more();
  void on_range(std::uint64_t attempt, byte_count offset, const content_range& range);
  void finish_current();
  void end(error why);

  std::shared_ptr<store> disk_;
  std::deque<content_ref> wanted_;  ///< the first is being pulled
  content_handle source_;
  caf::actor_addr staged_from_;
  std::map<content_ref, std::unique_ptr<staged_file>> staged_;  ///< complete
  std::unique_ptr<staged_file> current_;                        ///< being written
  caf::typed_response_promise<fetched> promise_;
  bool active_ = false;
  std::uint64_t attempt_ = 0;    ///< answers to an earlier fetch are dropped
  std::uint64_t requested_ = 0;  ///< bytes asked for
  std::size_t in_flight_ = 0;
  std::map<std::uint64_t, chunk> early_;  ///< ranges that came before the ones in front of them, by offset
};

}  // namespace kaiku
