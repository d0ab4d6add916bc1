#include "kaiku/actors/front_actor.hpp"

#include <boost/asio/post.hpp>

#include <caf/all.hpp>

#include "kaiku/actors/clock.hpp"
#include "kaiku/actors/front_ask.hpp"
#include "kaiku/actors/leader_upload.hpp"

namespace kaiku {
namespace {

/// Tells the scrubber when a read fails.
class watched_reader final : public content_reader {
 public:
  watched_reader(std::unique_ptr<content_reader> from, content_ref what, scrub_handle scrub)
      : from_(std::move(from)), what_(what), scrub_(std::move(scrub)) {}

  status read(std::uint64_t offset, std::span<char> into) const override {
    auto done = from_->read(offset, into);
    if (!done && done.failure().code != errc::overloaded) caf::anon_send(scrub_, suspect_content{what_});
    return done;
  }
  void drop_cached() const override { from_->drop_cached(); }

 private:
  std::unique_ptr<content_reader> from_;
  content_ref what_;
  scrub_handle scrub_;
};

}  // namespace

front_actor::front_actor(caf::actor_config& cfg, boost::asio::io_context& io, front_settings settings,
                         std::shared_ptr<const store> disk)
    : observed(cfg, io),
      settings_(std::move(settings)),
      disk_(std::move(disk)),
      picture_({settings_.self, settings_.http_address, settings_.election_timeout, disk_, settings_.redis}) {}

instant front_actor::now() const {
  return kaiku::now(system());
}

front_actor::behavior_type front_actor::make_behavior() {
  return {
      [this](const role_change& x) {
        picture_.on(x);
        retry_parked();
      },
      [this](const log_progress& x) {
        picture_.on(x);
        settle_reads();
      },
      [this](const quorum_contact& x) { picture_.on(x); },
      [this](const leader_contact& x) { picture_.on(x, now()); },
      [this](const peer_up& x) {
        picture_.on(x);
        retry_parked();
      },
      [this](const peer_down& x) {
        picture_.on(x);
        lose([&](const asked& one) { return one.at == x.id; });
      },
      [this](const members_changed& x) { picture_.on(x); },
      [this](const local_handles& x) { local_ = x; },
      [this](const timer_due&) { on_timer(); },
  };
}

std::string front_actor::state_line() {
  return std::to_string(in_flight_.size()) + " asked, " + std::to_string(parked_.size()) + " wait for a leader, " +
         std::to_string(reads_.size()) + " reads wait";
}

// --- views ---------------------------------------------------------------------------------------------------------

node_view front_actor::view() const {
  return picture_.view(now());
}

cluster_view front_actor::cluster() const {
  auto v = picture_.cluster(now());
  v.actors = actor_registry::instance().snapshot();
  return v;
}

result<file_info> front_actor::stat(const file_path& path) const {
  return disk_->stat(path);
}

result<directory_page> front_actor::list(const file_path& path, std::string_view after, std::size_t limit,
                                         const list_filter& what) const {
  return disk_->list(path, after, limit, what);
}

result<opened_content> front_actor::open(const content_ref& content) const {
  auto opened = disk_->open_content(content);
  if (!local_.scrub) return opened;
  if (opened.ok() && opened->file)
    opened->file = std::make_unique<watched_reader>(std::move(opened->file), content, local_.scrub);
  const auto why = opened.ok() ? errc::none : opened.failure().code;
  if (why == errc::corrupt || why == errc::io_error || why == errc::content_missing)
    caf::anon_send(local_.scrub, suspect_content{content});
  return opened;
}

// --- to the leader -------------------------------------------------------------------------------------------------

std::optional<front_actor::leader_actors> front_actor::leader() const {
  const auto& leader = picture_.current_role().leader;
  if (leader.name.empty()) return std::nullopt;
  if (leader == settings_.self) return leader_actors{settings_.self, local_.replication, local_.content};
  auto peer = picture_.peers().find(leader);
  if (peer == picture_.peers().end()) return std::nullopt;
  return leader_actors{peer->first, peer->second.actors.replication, peer->second.actors.content};
}

void front_actor::post(std::function<void()> later) {
  boost::asio::post(io(), [keep = caf::strong_actor_ptr{ctrl()}, later = std::move(later), of = trace_scope::now()] {
    const trace_scope scope{of};
    later();
  });
}

std::uint8_t front_actor::version_of(const node_id& at) const {
  const auto known = picture_.peers().find(at);
  return known == picture_.peers().end() ? 0 : known->second.version;
}

void front_actor::end_step(open_span step, const std::string& what, std::string note) const {
  trace_span like;
  like.actor = {id()};
  like.name = name();
  like.what = what;
  like.note = std::move(note);
  step.end(std::move(like));
}

void front_actor::dispatch(const call_ptr& x) {
  const trace_scope scope{x->of};  // it may have waited for a leader
  if (auto to = leader()) {
    x->attempt(*to);
  } else {
    park(x);
  }
}

void front_actor::park(const call_ptr& x) {
  parked_.push_back(x);
  set_timer();
}

void front_actor::set_timer() {
  if (std::exchange(timer_set_, true)) return;
  delayed_send(this, milliseconds(limits::leader_poll_ms), timer_due{});
}

void front_actor::on_timer() {
  timer_set_ = false;
  retry_parked();
  settle_reads();
  lose([at = now()](const asked& one) { return at >= one.deadline; });
  if (!in_flight_.empty() || !reads_.empty()) set_timer();
}

void front_actor::lose(const std::function<bool(const asked&)>& is_lost) {
  std::vector<asked> lost;
  for (auto it = in_flight_.begin(); it != in_flight_.end();) {
    auto next = std::next(it);
    if (is_lost(it->second)) lost.push_back(std::move(in_flight_.extract(it).mapped()));
    it = next;
  }
  for (auto& one : lost) one.fail(one.lost);
}

void front_actor::retry_parked() {
  for (auto& x : std::exchange(parked_, {})) {
    if (now() >= x->deadline) {
      x->fail({errc::no_leader, "no leader is known to this node; try again shortly"});
    } else {
      dispatch(x);
    }
  }
}

void front_actor::write(client_write what, std::function<void(result<write_outcome>)> then) {
  if (auto* put = std::get_if<put_file>(&what.what); put && put->content == content_ref{})
    put->content = {sha256(what.small_content), {what.small_content.size()}};
  auto request = std::make_shared<write_request>();
  request->encoded_command = encode(what.what);
  request->when = std::move(what.when);
  request->small_content = chunk{std::move(what.small_content)};
  request->want = what.want.value_or(settings_.default_durability);

  auto x = std::make_shared<call>();
  x->deadline = now() + milliseconds(limits::leader_wait_ms);
  x->fail = [then](error why) { then(std::move(why)); };
  // The call holds its attempt, so the attempt holds the call weakly.
  x->attempt = [this, weak = std::weak_ptr{x}, request, then](const leader_actors& to) {
    send_write(weak.lock(), to, request, then);
  };
  post([this, x] { dispatch(x); });
}

void front_actor::send_write(const call_ptr& x, const leader_actors& to, std::shared_ptr<const write_request> request,
                             std::function<void(result<write_outcome>)> then) {
  ask<write_reply>(
      to.id, to.replication, milliseconds(limits::forwarded_write_timeout_ms), *request,
      {errc::outcome_unknown, "the leader did not answer; the change may or may not stand"},
      [this, x, request, then](const write_reply& reply) {
        // Not recorded for certain: the next leader may have it.
        if (reply.failure.code == errc::not_leader) return park(x);
        // The body went to a leader before this one, and only there it is staged.
        if (reply.failure.code == errc::content_missing)
          return then({errc::not_leader, "the leader changed while the content was sent; send it again"});
        if (reply.failure.code != errc::none) return then(reply.failure);
        then(write_outcome{reply.token, reply.file, reply.created, reply.repeated, request->want, reply.achieved,
                           reply.holders, reply.voters});
      },
      x->fail);
}

void front_actor::begin_upload(byte_count expected, std::function<void(result<std::unique_ptr<upload>>)> then) {
  auto x = std::make_shared<call>();
  x->deadline = now() + milliseconds(limits::leader_wait_ms);
  x->fail = [then](error why) { then(std::move(why)); };
  x->attempt = [this, expected, then, fail = x->fail](const leader_actors& to) {
    ask<upload_opened>(
        to.id, to.content, milliseconds(limits::chunk_timeout_ms), open_upload{expected}, upload_lost(),
        [this, at = to.id, then](const upload_opened& reply) {
          if (reply.failure.code != errc::none) return then(reply.failure);
          then(std::unique_ptr<upload>{std::make_unique<leader_upload>(*this, at, reply.upload)});
        },
        fail);
  };
  post([this, x] { dispatch(x); });
}

}  // namespace kaiku
