#pragma once

/// Purpose: receives one large body into a staged file, and lets peers read it while it grows. A follower's fetch takes
/// one too, to write what it pulls.
/// Owner: owns the staged file with whoever spawned it, and lets go of it when its client goes away, ends it, or falls
/// silent; until then nobody else uses the file.
/// Lifecycle: from `spawn_upload` until then. Blocks on the disk: in a thread of its own but in tests. Windows are kept
/// by the senders. A reader waits while a piece is synced, `limits::staging_flush_bytes` at most; a reader that is slow
/// holds up nobody.

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include <caf/duration.hpp>
#include <caf/typed_response_promise.hpp>

#include "kaiku/actors/observed.hpp"
#include "kaiku/messages/messages.hpp"
#include "kaiku/storage/store.hpp"

namespace kaiku {

/// Where actors that block on the disk run: tests run all in one thread.
enum class threads : bool { own, shared };

/// An upload of `client`, with which it ends, or when it hears nothing for as long as `idle`.
upload_handle spawn_upload(caf::actor_system& system, threads where, std::shared_ptr<store> disk,
                           std::shared_ptr<staged_file> file, const caf::strong_actor_ptr& client, caf::duration idle);

class upload_actor : public observed<upload_handle::base> {
 public:
  upload_actor(caf::actor_config& cfg, std::shared_ptr<store> disk, std::shared_ptr<staged_file> file,
               caf::actor_addr client, caf::duration idle);

  const char* name() const override { return "upload"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  using range_promise = caf::typed_response_promise<upload_range>;
  using end_promise = caf::typed_response_promise<upload_ended>;
  struct waiting_reader {
    read_upload wants;
    range_promise promise;
  };

  upload_written write(const upload_chunk& x);
  upload_finished finish();
  range_promise read(const read_upload& x);
  end_promise watch();
  upload_range range(const read_upload& x) const;
  /// Answers who waited for bytes that are there now; at the end everybody.
  void serve_readers();
  void end(const upload_ended& how);
  void give_up(const error& why);

  std::shared_ptr<store> disk_;  ///< outlives `file_`
  std::shared_ptr<staged_file> file_;
  caf::actor_addr client_;
  caf::duration idle_;
  std::optional<upload_ended> ended_;                  ///< all came, or it failed: nothing more is taken
  std::multimap<byte_count, waiting_reader> waiting_;  ///< by the offset they want to read at
  std::vector<end_promise> watching_;
};

}  // namespace kaiku
