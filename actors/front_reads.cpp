// Reads as fresh as asked for, and questions to the leader.

#include <boost/asio/post.hpp>
#include <caf/all.hpp>

#include "kaiku/actors/clock.hpp"
#include "kaiku/actors/front_actor.hpp"
#include "kaiku/actors/front_ask.hpp"
#include "kaiku/messages/committed_view.hpp"

namespace kaiku {
namespace {

class view_of_store final : public committed_view {
 public:
  explicit view_of_store(std::shared_ptr<const store_view> at) : at_(std::move(at)) {}

  result<file_info> stat(const file_path& path) const override { return at_->stat(path); }
  result<directory_page> list(const file_path& path, std::string_view after, std::size_t limit,
                              const list_filter& what) const override {
    return at_->list(path, after, limit, what);
  }
  log_position last() const override { return at_->last(); }

 private:
  std::shared_ptr<const store_view> at_;
};

/// A view, and the answer to one question about it.
class fetched_view final : public file_view {
 public:
  fetched_view(std::shared_ptr<const file_view> of, file_question what, file_answer answer)
      : of_(std::move(of)), what_(std::move(what)), answer_(std::move(answer)) {}

  result<file_info> stat(const file_path& path) const override {
    if (path == what_.path) return answer_.info;
    return of_->stat(path);
  }
  result<directory_page> list(const file_path& path, std::string_view after, std::size_t limit,
                              const list_filter& what) const override {
    const bool fetched = answer_.page && path == what_.path && after == what_.after && limit == what_.limit &&
                         what.prefix == what_.what.prefix && what.recursive == what_.what.recursive;
    if (fetched) return *answer_.page;
    return of_->list(path, after, limit, what);
  }

 private:
  std::shared_ptr<const file_view> of_;
  file_question what_;
  file_answer answer_;
};

error no_answer() {
  return {errc::no_leader, "the leader did not answer; try again shortly"};
}

}  // namespace

// --- freshness -----------------------------------------------------------------------------------------------------

/// The gateway itself, which outlives the sessions that read from it.
std::shared_ptr<const file_view> front_actor::as_it_is() const {
  return {std::shared_ptr<void>{}, this};
}

bool front_actor::is_of_this_cluster(const write_token& token) const {
  return token.cluster == tag_of(picture_.members().cluster);
}

/// Only what a majority, or the leader asked, has confirmed counts: a heartbeat may have been on its way for long.
bool front_actor::is_fresh_within(milliseconds bound) const {
  const auto known =
      picture_.current_role().now == role::leader ? std::max(picture_.quorum().at, fresh_at_) : fresh_at_;
  return known != instant::min() && now() - known <= bound;
}

void front_actor::read(const freshness& how, std::function<void(result<std::shared_ptr<const file_view>>)> then) {
  if (how.level == consistency::any) return then(as_it_is());
  auto x = std::make_shared<waiting_read>();
  x->how = how;
  x->then = std::move(then);
  post([this, x] {
    x->asked = now();
    x->deadline = x->asked + milliseconds(limits::freshness_wait_ms);
    reads_.push_back(x);
    const bool ask = x->how.level == consistency::linearizable ||
                     (x->how.level == consistency::bounded && !is_fresh_within(x->how.bound));
    if (ask) ask_read_index(x);
    settle_reads();
    if (!reads_.empty()) set_timer();
  });
}

void front_actor::look_up(const freshness& how, const file_question& what,
                          std::function<void(result<std::shared_ptr<const file_view>>)> then) {
  if (!settings_.redis) return read(how, std::move(then));
  read(how, [this, what, then = std::move(then)](result<std::shared_ptr<const file_view>> of) {
    if (!of) return then(std::move(of));
    fetch(*of, what, then);
  });
}

/// Only the very state of the view counts: of one that goes with the log, what the log's end is now.
void front_actor::fetch(const std::shared_ptr<const file_view>& of, const file_question& what,
                        std::function<void(result<std::shared_ptr<const file_view>>)> then) {
  const auto* fixed = dynamic_cast<const committed_view*>(of.get());
  const auto at = fixed != nullptr ? fixed->last() : disk_->state().last;
  auto shared_then = std::make_shared<decltype(then)>(std::move(then));
  auto answered = [this, keep = caf::strong_actor_ptr{ctrl()}, of, what, shared_then](std::optional<file_answer> x) {
    boost::asio::post(io(), [keep, of, what, shared_then, x = std::move(x)]() mutable {
      if (!x) return (*shared_then)(of);
      (*shared_then)(
          std::shared_ptr<const file_view>{std::make_shared<fetched_view>(of, std::move(what), std::move(*x))});
    });
  };
  if (!settings_.redis->ask(at, what, std::move(answered))) (*shared_then)(of);
}

void front_actor::ask_read_index(const waiting_read_ptr& x) {
  ask_leader<read_index_reply>(read_index{}, [this, weak = std::weak_ptr{x}](const result<read_index_reply>& reply) {
    auto waiting = weak.lock();
    if (!waiting) return;
    if (reply.ok()) {
      waiting->at_least = reply->index;
      settle_reads();
      return;
    }
    std::erase(reads_, waiting);
    waiting->then(reply.failure());
  });
}

std::optional<result<std::shared_ptr<const file_view>>> front_actor::try_read(waiting_read& x) {
  switch (x.how.level) {
    case consistency::any: return as_it_is();
    case consistency::session: {
      INVARIANT(x.how.token.has_value(), "a session read names a write");
      if (picture_.members().cluster.known() && !is_of_this_cluster(*x.how.token))
        return error{errc::bad_request, "the token is of another cluster"};
      const auto& wanted = x.how.token->at;
      const auto stands = disk_->position(wanted.index);
      if (stands.ok() && *stands == wanted) return as_it_is();
      if (stands.ok() && wanted.index <= picture_.progress().commit)
        return error{errc::set_aside, "another leader's write took the place of " + to_string(*x.how.token)};
      return std::nullopt;
    }
    case consistency::bounded:
      if (x.at_least && picture_.progress().commit >= *x.at_least) fresh_at_ = std::max(fresh_at_, x.asked);
      if (is_fresh_within(x.how.bound) || (x.at_least && picture_.progress().commit >= *x.at_least)) return as_it_is();
      return std::nullopt;
    case consistency::linearizable:
      if (!x.at_least || disk_->state().last.index < *x.at_least) return std::nullopt;
      break;
    case consistency::committed: break;
  }
  // A snapshot of whatever the log's end is now, good as soon as that end is committed; another, should it be
  // displaced.
  const auto displaced = [&] {
    const auto stands = disk_->position(x.candidate->last().index);
    return !stands.ok() || *stands != x.candidate->last();
  };
  if (!x.candidate || displaced()) x.candidate = disk_->snapshot();
  if (x.at_least && x.candidate->last().index < *x.at_least) {  // the log's end was displaced just now
    x.candidate.reset();
    return std::nullopt;
  }
  if (x.candidate->last().index > picture_.progress().commit || displaced()) return std::nullopt;
  if (x.at_least && picture_.progress().commit >= *x.at_least) fresh_at_ = std::max(fresh_at_, x.asked);
  return std::shared_ptr<const file_view>{std::make_shared<view_of_store>(x.candidate)};
}

void front_actor::settle_reads() {
  // Whoever is answered may ask again at once.
  std::list<std::pair<waiting_read_ptr, result<std::shared_ptr<const file_view>>>> over;
  for (auto it = reads_.begin(); it != reads_.end();) {
    auto answer = try_read(**it);
    if (!answer && now() >= (*it)->deadline)
      answer =
          error{errc::not_fresh, "this node did not get as fresh as asked for in time; try again, or another node"};
    if (!answer) {
      ++it;
      continue;
    }
    over.emplace_back(*it, std::move(*answer));
    it = reads_.erase(it);
  }
  for (auto& [x, answer] : over) x->then(std::move(answer));
}

// --- questions to the leader ---------------------------------------------------------------------------------------

template <class Reply, class Message>
void front_actor::ask_leader(Message message, std::function<void(result<Reply>)> then) {
  auto x = std::make_shared<call>();
  x->deadline = now() + milliseconds(limits::leader_wait_ms);
  x->fail = [then](error why) { then(std::move(why)); };
  x->attempt = [this, weak = std::weak_ptr{x}, message = std::move(message), then](const leader_actors& to) {
    ask<Reply>(
        to.id, to.replication, milliseconds(limits::forwarded_write_timeout_ms), message, no_answer(),
        [this, x = weak.lock(), then](const Reply& reply) {
          if (reply.failure.code == errc::not_leader) return park(x);
          if (reply.failure.code != errc::none) return then(reply.failure);
          then(reply);
        },
        [then](error why) {
          if (why.code == errc::outcome_unknown) why = no_answer();
          then(std::move(why));
        });
  };
  dispatch(x);
}

void front_actor::find_write(const write_token& token, std::function<void(result<write_status>)> then) {
  post([this, token, then = std::move(then)] {
    if (picture_.members().cluster.known() && !is_of_this_cluster(token))
      return then(error{errc::bad_request, "the token is of another cluster"});
    ask_leader<find_write_reply>(kaiku::find_write{token.at}, [then](const result<find_write_reply>& reply) {
      if (!reply) return then(reply.failure());
      then(reply->status);
    });
  });
}

void front_actor::change_members(const member_change& what, std::function<void(status)> then) {
  post([this, what, then = std::move(then)] {
    ask_leader<change_members_reply>(kaiku::change_members{what, {}},
                                     [then](const result<change_members_reply>& reply) {
                                       if (!reply) return then(reply.failure());
                                       then(success());
                                     });
  });
}

void front_actor::transfer_leadership(const node_id& to, std::function<void(status)> then) {
  post([this, to, then = std::move(then)] {
    ask_leader<handed_over>(hand_over{to}, [then](const result<handed_over>& reply) {
      if (!reply) return then(reply.failure());
      then(success());
    });
  });
}

}  // namespace kaiku
