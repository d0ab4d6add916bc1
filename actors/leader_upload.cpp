#include "kaiku/actors/leader_upload.hpp"

#include "kaiku/actors/front_ask.hpp"

namespace kaiku {

front_actor::leader_upload::leader_upload(front_actor& front, node_id at, upload_handle to)
    : state_(std::make_shared<state>(state{front, std::move(at), std::move(to), 0, {}, {}, {}, false})) {}

front_actor::leader_upload::~leader_upload() {
  state_->ready = nullptr;
  state_->done = nullptr;
  state_->front.send_exit(state_->to, caf::exit_reason::user_shutdown);
}

void front_actor::leader_upload::write(std::string bytes, std::function<void(status)> ready) {
  auto x = state_;
  INVARIANT(!x->ready && !x->done, "one piece at a time");
  x->ready = std::move(ready);
  if (!x->failed) {
    ++x->in_flight;
    x->front.ask<upload_written>(
        x->at, x->to, milliseconds(limits::chunk_timeout_ms), upload_chunk{chunk{std::move(bytes)}}, upload_lost(),
        [x](const upload_written& reply) {
          --x->in_flight;
          // The first failure says why; the chunks behind it only hear that the upload is over.
          if (!x->failed && reply.failure.code != errc::none) x->failed = reply.failure;
          settle(x);
        },
        [x](error why) {
          --x->in_flight;
          if (!x->failed) x->failed = std::move(why);
          settle(x);
        });
  }
  x->front.post([x] { settle(x); });
}

void front_actor::leader_upload::finish(std::function<void(result<content_ref>)> done) {
  auto x = state_;
  x->done = std::move(done);
  x->front.post([x] { settle(x); });
}

void front_actor::leader_upload::settle(const std::shared_ptr<state>& x) {
  if (x->ready && (x->failed || x->in_flight < limits::chunk_window)) {
    auto ready = std::exchange(x->ready, nullptr);
    ready(x->failed ? status{*x->failed} : success());
  }
  if (!x->done || x->finishing) return;
  if (x->failed) {
    auto done = std::exchange(x->done, nullptr);
    done(*x->failed);
  } else if (x->in_flight == 0) {
    ask_finish(x);
  }
}

void front_actor::leader_upload::ask_finish(const std::shared_ptr<state>& x) {
  x->finishing = true;
  auto answer = [x](result<content_ref> content) {
    if (auto done = std::exchange(x->done, nullptr)) done(std::move(content));
  };
  x->front.ask<upload_finished>(
      x->at, x->to, milliseconds(limits::upload_finish_timeout_ms), upload_finish{}, upload_lost(),
      [answer](const upload_finished& reply) {
        if (reply.failure.code != errc::none) return answer(reply.failure);
        answer(reply.content);
      },
      [answer](error why) { answer(std::move(why)); });
}

}  // namespace kaiku
