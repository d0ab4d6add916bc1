#pragma once

/// Purpose: receives one large body into a staged file, and lets peers read it while it grows. A follower's fetch takes
/// one too, to write what it pulls.
/// Owner: owns the staged file with whoever spawned it, and lets go of it when its client goes away, ends it, or falls
/// silent; until then nobody else uses the file.
/// Lifecycle: from `spawn_upload` until then. Blocks on the disk: in a thread of its own but in tests. Windows are kept
/// by the senders.
///
/// A front is much quicker than followers are, and what they lack at the end is what a majority write behind it waits
/// for. So an upload that is far ahead of the readers that make a majority holds its word to the client back, each time
/// for `limits::upload_hold_ms` at most: readers that are slower than that lag, and silent ones count no more.

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include <caf/typed_response_promise.hpp>

#include "kaiku/actors/disk_steps.hpp"
#include "kaiku/actors/observed.hpp"
#include "kaiku/messages/messages.hpp"
#include "kaiku/storage/store.hpp"

namespace kaiku {

/// Where actors that block on the disk run: tests run all in one thread.
enum class threads : bool { own, shared };

/// An upload of `client`, with which it ends, or when it hears nothing of it for as long as `idle`.
upload_handle spawn_upload(caf::actor_system& system, threads where, std::shared_ptr<store> disk,
                           std::shared_ptr<disk_steps> steps, std::shared_ptr<staged_file> file,
                           const caf::strong_actor_ptr& client, std::optional<milliseconds> idle);

class upload_actor : public observed<upload_handle::base> {
 public:
  upload_actor(caf::actor_config& cfg, std::shared_ptr<store> disk, std::shared_ptr<disk_steps> steps,
               std::shared_ptr<staged_file> file, caf::actor_addr client, std::optional<milliseconds> idle);

  const char* name() const override { return "upload"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 protected:
  std::string state_line() override;

 private:
  using range_promise = caf::typed_response_promise<upload_range>;
  using end_promise = caf::typed_response_promise<upload_ended>;
  using write_promise = caf::typed_response_promise<upload_written>;
  struct waiting_reader {
    read_upload wants;
    range_promise promise;
  };

  bool is_of_client();
  write_promise write(const upload_chunk& x);
  upload_finished finish();
  range_promise read(const read_upload& x);
  end_promise watch();
  upload_range range(const read_upload& x) const;
  /// Answers who waited for bytes that are there now; at the end everybody.
  void serve_readers();
  /// Written so much more than the slowest of the quicker half of the readers has asked for.
  bool is_far_ahead() const;
  /// Answers the client what was held back, once it was for long enough or the readers are near.
  void let_go(bool at_once);
  void on_silence();
  void end(const upload_ended& how);
  void give_up(const error& why);

  std::shared_ptr<store> disk_;  ///< outlives `file_`
  std::shared_ptr<disk_steps> steps_;
  std::shared_ptr<staged_file> file_;
  caf::actor_addr client_;
  std::optional<milliseconds> idle_;
  std::optional<upload_ended> ended_;                  ///< all came, or it failed: nothing more is taken
  std::multimap<byte_count, waiting_reader> waiting_;  ///< by the offset they want to read at
  std::vector<end_promise> watching_;
  std::map<caf::actor_addr, byte_count> readers_;  ///< where each last asked to read
  std::vector<write_promise> held_;                ///< of chunks that are written
  instant held_since_{};
  instant heard_{};  ///< from the client
};

}  // namespace kaiku
