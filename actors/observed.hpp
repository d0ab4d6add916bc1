#pragma once

/// Purpose: what can be known of an actor from outside: the base class of all of Kaiku's actors counts what comes in
/// and what is done, at a few nanoseconds a message (CAF's own profiler is not compiled into Debian's library). Owner:
/// each actor owns its counters; the registry holds them weakly. Thread: counters are atomic, the registry locks.

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <caf/event_based_actor.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/message_view.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "kaiku/messages/gateway.hpp"

namespace kaiku {

struct actor_counters {
  std::string name;  ///< set once, before the counters are registered
  std::uint64_t id = 0;
  std::atomic<std::uint64_t> received{0};
  std::atomic<std::uint64_t> processed{0};
};

/// The living actors of this process.
class actor_registry {
 public:
  static actor_registry& instance();
  void add(std::weak_ptr<actor_counters> counters);
  /// By id; the dead are dropped on the way.
  std::vector<actor_view> snapshot();

 private:
  struct impl;
  actor_registry();
  ~actor_registry();
  std::unique_ptr<impl> impl_;
};

/// A message of another node that no honest peer can have sent, or that speaks for somebody else (`peer_check.hpp`):
/// its link is ended, and it is not to be used.
bool is_refused(const caf::scheduled_actor& self, const caf::mailbox_element& x);
/// What nobody on this node waits for: dropped, with a line in the log.
caf::result<caf::message> on_unexpected(caf::scheduled_actor& self, caf::message_view& x);

/// What an actor does about an error that it has no handler for. One that comes by itself is logged; one in the place
/// of an answer ends the actor, and with it the process (`supervisor`).
void on_error_message(caf::scheduled_actor& self, caf::error& e);

template <class Base>
class observed : public Base {
 public:
  template <class... Ts>
  explicit observed(caf::actor_config& cfg, Ts&&... xs)
      : Base(cfg, std::forward<Ts>(xs)...), counters_(std::make_shared<actor_counters>()) {
    // By default an error that comes back to a message nobody waits on ends the actor that sent it, and anybody, also
    // on another node, can ask an actor to end.
    this->set_error_handler([](caf::scheduled_actor* self, caf::error& e) { on_error_message(*self, e); });
    this->set_exit_handler([](caf::scheduled_actor* self, caf::exit_msg& x) {
      if (!x.source || x.source.node() == self->node()) caf::scheduled_actor::default_exit_handler(self, x);
    });
    this->set_default_handler([](caf::scheduled_actor* self, caf::message_view& x) { return on_unexpected(*self, x); });
  }

  using Base::enqueue;
  void enqueue(caf::mailbox_element_ptr x, caf::execution_unit* unit) override {
    counters_->received.fetch_add(1, std::memory_order_relaxed);
    Base::enqueue(std::move(x), unit);
  }

  caf::invoke_message_result consume(caf::mailbox_element& x) override {
    if (x.sender && x.sender->node() != this->node() && is_refused(*this, x)) {
      if (!x.mid.is_response()) return caf::invoke_message_result::dropped;
      // Whoever waits for an answer is not to wait for ever.
      const auto failed = caf::make_mailbox_element(x.sender, x.mid, {}, caf::make_error(caf::sec::invalid_argument));
      return Base::consume(*failed);
    }
    auto outcome = Base::consume(x);
    if (outcome != caf::invoke_message_result::skipped) counters_->processed.fetch_add(1, std::memory_order_relaxed);
    return outcome;
  }

  void initialize() override {
    counters_->name = this->name();
    counters_->id = this->id();
    actor_registry::instance().add(counters_);
    Base::initialize();
  }

 private:
  std::shared_ptr<actor_counters> counters_;
};

}  // namespace kaiku
