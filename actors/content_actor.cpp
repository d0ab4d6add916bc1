#include "kaiku/actors/content_actor.hpp"

#include <algorithm>
#include <random>

#include <spdlog/spdlog.h>
#include <caf/all.hpp>

#include "kaiku/actors/clock.hpp"

namespace kaiku {
namespace {

upload_id random_upload_id() {
  upload_id id;
  std::random_device random;
  for (auto& byte : id.bytes) byte = static_cast<std::uint8_t>(random());
  return id;
}

}  // namespace

content_actor::content_actor(caf::actor_config& cfg, std::shared_ptr<store> disk, std::shared_ptr<disk_steps> steps,
                             threads where)
    : observed(cfg), disk_(std::move(disk)), steps_(std::move(steps)), where_(where) {
  set_down_handler([this](const caf::down_msg& x) {
    std::erase_if(open_, [&](const auto& one) { return one.begun.upload.address() == x.source; });
  });
}

content_actor::behavior_type content_actor::make_behavior() {
  return {
      [this](const open_upload& x) { return open(x); },
      [this](const read_content& x) { return read(x); },
      [this](const upload_begun& x) { on_begun(x); },
      [this](const peer_up& x) { on_peer_up(x); },
      [this](const peer_down& x) { peers_.erase(x.id); },
      [this](const role_change& x) { leader_ = x.leader; },
      [this](const local_handles& x) {
        fetch_ = x.fetch;
        scrub_ = x.scrub;
      },
      [this](const read_snapshot& x) { return read(x); },
      [this](const offer_snapshot& x) { offered_ = x.view; },
  };
}

std::string content_actor::state_line() {
  return std::to_string(open_.size()) + " uploads, " + std::to_string(served_.size()) + " contents open for peers" +
         (offered_ ? ", offers the state at " + to_string(offered_->last().index) : "");
}

void content_actor::on_exit() {
  fetch_ = nullptr;
  scrub_ = nullptr;
  peers_.clear();
  open_.clear();
  ended_.clear();
  offered_.reset();
}

// --- uploads -------------------------------------------------------------------------------------------------------

upload_opened content_actor::open(const open_upload& x) {
  const auto client = current_sender() ? current_sender()->node() : node();
  if (open_.size() >= limits::uploads_in_flight || (client != node() && has_its_share(client)))
    return {{errc::overloaded, "too many uploads at once on the leader; try again shortly"}, {}};
  const disk_steps::step on_disk{*steps_, kaiku::now(system())};
  auto file = disk_->content().begin(x.expected);
  if (!file) return {file.failure(), {}};
  auto upload = spawn_upload(system(), where_, disk_, steps_, std::move(*file), current_sender(),
                             milliseconds(limits::upload_idle_timeout_ms));
  monitor(upload.address());
  const upload_begun begun{random_upload_id(), x.expected, upload, self_as_source(), {}};
  open_.push_back({begun, client});
  for (const auto& [id, peer] : peers_) send(peer, begun);
  request(upload, caf::infinite, watch_upload{})
      .then(
          [this, id = begun.id](const upload_ended& how) {
            if (how.failure.code == errc::none && !how.content.is_small()) on_ended(id, how.content);
          },
          [](const caf::error&) {});
  return {{}, upload};
}

bool content_actor::has_its_share(const caf::node_id& client) const {
  const auto open = std::count_if(open_.begin(), open_.end(), [&](const auto& one) { return one.client == client; });
  return static_cast<std::size_t>(open) >= limits::uploads_of_peer;
}

void content_actor::on_ended(const upload_id& id, const content_ref& content) {
  if (ended_.size() >= limits::ended_uploads) ended_.pop_front();
  ended_.push_back({id, content.size, {}, self_as_source(), content});
}

void content_actor::on_peer_up(const peer_up& x) {
  peers_[x.id] = x.actors.content;
  for (const auto& one : open_) send(x.actors.content, one.begun);
  for (const auto& one : ended_) send(x.actors.content, one);
}

void content_actor::on_begun(const upload_begun& x) {
  const auto from = current_sender();
  const auto theirs = [&](const auto& handle) { return handle && handle.node() == from->node(); };
  if (!from || !theirs(x.source) || (x.upload ? !theirs(x.upload) : x.content.is_small())) {
    spdlog::error("content: somebody told of an upload that is not its own, dropped");
    return;
  }
  // Uploads go to the leader: following another's would only take space. Of a new link this may be the first word.
  const auto teller =
      std::find_if(peers_.begin(), peers_.end(), [&](const auto& one) { return one.second == x.source; });
  if (!leader_.name.empty() && teller != peers_.end() && teller->first != leader_) return;
  if (fetch_) send(fetch_, x);
}

// --- blobs ---------------------------------------------------------------------------------------------------------

content_range content_actor::read(const read_content& x) {
  const disk_steps::step on_disk{*steps_, kaiku::now(system())};
  auto blob = served_.find(x.content);
  if (blob != served_.end() && !disk_->holds(x.content)) {  // found damaged since it was opened
    served_.erase(blob);
    blob = served_.end();
  }
  if (blob == served_.end()) {
    auto opened = disk_->open_content(x.content);
    if (!opened) {
      const auto why = opened.failure().code;
      if (why != errc::not_found && why != errc::overloaded) suspect(x.content);
      return {opened.failure(), {}};
    }
    if (!opened->file) {
      if (sha256(opened->bytes) != x.content.sha256) {
        suspect(x.content);
        return {{errc::corrupt, "content " + to_string(x.content.sha256) + " is damaged"}, {}};
      }
      return {{}, chunk{opened->bytes.substr(std::min<std::uint64_t>(x.offset.value, opened->bytes.size()))}};
    }
    if (served_.size() >= limits::served_blobs) served_.clear();
    blob = served_.emplace(x.content, std::move(*opened)).first;
  }
  if (x.offset.value >= x.content.size.value)
    return {{errc::bad_request, "the offset is behind the content's end"}, {}};
  std::string bytes(std::min<std::uint64_t>(limits::chunk_bytes, x.content.size.value - x.offset.value), '\0');
  if (auto read = blob->second.file->read(x.offset.value, bytes); !read) {
    suspect(x.content);
    return {read.failure(), {}};
  }
  // Who has the last byte has the rest, most likely: an open file keeps its space when it is removed.
  if (x.offset.value + bytes.size() == x.content.size.value) served_.erase(blob);
  return {{}, chunk{std::move(bytes)}};
}

void content_actor::suspect(const content_ref& what) {
  served_.erase(what);
  if (scrub_) send(scrub_, suspect_content{what});
}

// --- snapshots -----------------------------------------------------------------------------------------------------

snapshot_range content_actor::read(const read_snapshot& x) {
  const disk_steps::step on_disk{*steps_, kaiku::now(system())};
  if (!offered_ || offered_->last() != x.at)
    return {{errc::not_found, "the state at entry " + to_string(x.at.index) + " is no longer offered"}, {}, {}, false};
  auto piece = offered_->read_piece(x.after, limits::snapshot_piece_bytes);
  return {{}, chunk{std::move(piece.bytes)}, std::move(piece.cursor), piece.done};
}

}  // namespace kaiku
