#pragma once

/// Purpose: front_actor::ask, a template that the two files of the front's code share.

#include <typeinfo>

#include "kaiku/actors/front_actor.hpp"
#include "kaiku/actors/message_text.hpp"

namespace kaiku {

/// What no answer to a piece of an upload means.
inline error upload_lost() {
  return {errc::no_leader, "the leader went away during the upload; nothing was recorded, send it again"};
}

template <class Reply, class Handle, class Message>
void front_actor::ask(const node_id& at, const Handle& to, milliseconds timeout, Message message, error lost,
                      std::function<void(const Reply&)> answer, std::function<void(error)> fail) {
  const auto id = ++next_ask_;
  in_flight_.emplace(id, asked{at, now() + timeout, std::move(lost), std::move(fail)});
  set_timer();
  // From here until the answer is one step, also when that comes from another node.
  open_span step{trace_scope::now()};
  const trace_scope scope{step.inside()};
  if (step.inside()) mark_next(*this, caf::actor_cast<caf::strong_actor_ptr>(to), version_of(at));
  const auto what = step.inside() ? name_of(reinterpret_cast<message_key>(&typeid(Message))) : std::string{};
  // CAF would keep a timer of its own for each request long after the answer; `on_timer` looks at all deadlines
  // instead.
  request(to, caf::infinite, std::move(message))
      .then(
          [this, id, answer = std::move(answer), step, what](const Reply& reply) {
            if (step.inside()) end_step(step, what, text_of(*caf::make_message(reply).cvals()));
            if (in_flight_.erase(id) != 0) answer(reply);
          },
          [this, id](const caf::error&) {
            auto waiting = in_flight_.extract(id);
            if (!waiting.empty())
              waiting.mapped().fail(
                  {errc::outcome_unknown, "the leader did not answer; the change may or may not stand"});
          });
}

}  // namespace kaiku
