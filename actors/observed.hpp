#pragma once

/// Purpose: what can be known of an actor from outside: the base class of all of Kaiku's actors counts what comes in
/// and what is done (`figures.hpp`), and lets an actor say how it is; CAF's own profiler is not compiled into Debian's
/// library. It also looks at what peers send before the actor does. Owner: each actor owns its figures; the registry
/// holds them weakly. Thread: the registry locks; the rest as `figures.hpp` says.
///
/// With `KAIKU_NO_OBSERVATION` nothing is counted: for benchmarks of what counting costs, and nothing else.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <caf/event_based_actor.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/message_view.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "kaiku/actors/figures.hpp"
#include "kaiku/messages/gateway.hpp"
#include "kaiku/messages/messages.hpp"

namespace kaiku {

#ifdef KAIKU_NO_OBSERVATION
inline constexpr bool observing = false;
#else
inline constexpr bool observing = true;
#endif

/// What every observed actor is.
class describable {
 public:
  virtual ~describable() = default;
  /// Lets the actor say how it is, when its turn comes (`actor_figures::state`). Thread: any.
  virtual void describe_soon() = 0;
};

/// The living actors of this process.
class actor_registry {
 public:
  static actor_registry& instance();
  void add(std::weak_ptr<const actor_figures> figures);
  /// By number; the dead are dropped on the way.
  std::vector<std::shared_ptr<const actor_figures>> all();
  /// The same, in short.
  std::vector<actor_view> snapshot();

 private:
  struct impl;
  actor_registry();
  ~actor_registry();
  std::unique_ptr<impl> impl_;
};

/// The actor whose handler runs on this thread: the parent of what it spawns.
class current_actor {
 public:
  explicit current_actor(actor_number x) : before_(std::exchange(now_, x)) {}
  ~current_actor() { now_ = before_; }
  current_actor(const current_actor&) = delete;
  current_actor& operator=(const current_actor&) = delete;
  static actor_number now() { return now_; }

 private:
  static thread_local inline actor_number now_;
  actor_number before_;
};

/// One message that is more than counted, from before the actor gets it until it is done.
class close_look {
 public:
  close_look(actor_figures& at, const caf::mailbox_element& x);
  void end();

 private:
  actor_figures& at_;
  actor_figures::arrival arrival_;
  open_span step_;
  trace_scope scope_;
  actor_figures::looked_at seen_;
  figures_clock::time_point began_;
};

/// A message of another node that no honest peer can have sent, or that speaks for somebody else (`peer_check.hpp`):
/// its link is ended, and it is not to be used.
bool is_refused(const caf::scheduled_actor& self, const caf::mailbox_element& x);
/// What nobody on this node waits for: dropped, with a line in the log.
caf::result<caf::message> on_unexpected(caf::scheduled_actor& self, caf::message_view& x);

trace_set_ptr traces_of(const trace_mark& x);
/// Tells `to`, on another node, that the message which `self` sends it next belongs to what this thread does now, if it
/// belongs to anything, and if the node speaks `version`.
void mark_next(caf::scheduled_actor& self, const caf::strong_actor_ptr& to, std::uint8_t version);

/// What an actor does about an error that it has no handler for. One that comes by itself is logged; one in the place
/// of an answer ends the actor, and with it the process (`supervisor`).
void on_error_message(caf::scheduled_actor& self, caf::error& e);

template <class Base>
class observed : public Base, public describable {
 public:
  template <class... Ts>
  explicit observed(caf::actor_config& cfg, Ts&&... xs)
      : Base(cfg, std::forward<Ts>(xs)...), figures_(std::make_shared<actor_figures>()) {
    figures_->parent = current_actor::now();
    // By default an error that comes back to a message nobody waits on ends the actor that sent it, and anybody, also
    // on another node, can ask an actor to end.
    this->set_error_handler([this](caf::scheduled_actor* self, caf::error& e) {
      actor_figures::bump(figures_->errors);
      on_error_message(*self, e);
    });
    this->set_exit_handler([](caf::scheduled_actor* self, caf::exit_msg& x) {
      if (!x.source || x.source.node() == self->node()) caf::scheduled_actor::default_exit_handler(self, x);
    });
    this->set_default_handler([this](caf::scheduled_actor* self, caf::message_view& x) {
      actor_figures::bump(figures_->errors);
      return on_unexpected(*self, x);
    });
  }

  using Base::enqueue;
  void enqueue(caf::mailbox_element_ptr x, caf::execution_unit* unit) override {
    if constexpr (observing) {
      figures_->received.fetch_add(1, std::memory_order_relaxed);
      if (watching::on.load(std::memory_order_relaxed) || trace_scope::active()) figures_->note_arrival(*x);
    }
    Base::enqueue(std::move(x), unit);
  }

  caf::invoke_message_result consume(caf::mailbox_element& x) override {
    const auto type = key_of(x.content());
    if (type == describe_key) {
      figures_->set_state(state_line());
      return caf::invoke_message_result::consumed;
    }
    if (type == mark_key && x.sender) return take_mark(x);
    if constexpr (!observing) return admit(x);
    const current_actor scope{figures_->number};
    if (figures_->looks_closely()) return consume_watched(x);
    const auto outcome = admit(x);
    figures_->count(type);  // no actor of ours puts a message aside for later: each comes once
    return outcome;
  }

  void initialize() override {
    figures_->name = this->name();
    figures_->number = {this->id()};
    figures_->address = this->address();
    actor_registry::instance().add(figures_);
    Base::initialize();
  }

  bool cleanup(caf::error&& reason, caf::execution_unit* host) override {
    figures_->alive.store(false, std::memory_order_relaxed);
    return Base::cleanup(std::move(reason), host);
  }

  void describe_soon() override {
    // Past `enqueue`: it is no message of the actor's.
    Base::enqueue(caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, describe_yourself{}), nullptr);
  }

 protected:
  /// A line about what the actor is at, for a person; no content, nothing secret. Called in its turn.
  virtual std::string state_line() { return {}; }

 private:
  static inline const message_key describe_key = reinterpret_cast<message_key>(&typeid(describe_yourself));
  static inline const message_key mark_key = reinterpret_cast<message_key>(&typeid(trace_mark));

  /// Not inline: what is seldom done is to cost nothing where it is not.
  [[gnu::noinline]] caf::invoke_message_result consume_watched(caf::mailbox_element& x) {
    close_look look{*figures_, x};
    const auto outcome = admit(x);
    look.end();
    return outcome;
  }

  /// `node()` would give a copy, and count its owners for that.
  bool is_from_elsewhere(const caf::mailbox_element& x) const {
    return x.sender && x.sender->node() != this->ctrl()->node();
  }

  caf::invoke_message_result take_mark(caf::mailbox_element& x) {
    if (!is_from_elsewhere(x) || !is_refused(*this, x))
      figures_->mark_next(x.sender, traces_of(x.content().get_as<trace_mark>(0)));
    actor_figures::bump(figures_->processed);
    return caf::invoke_message_result::consumed;
  }

  caf::invoke_message_result admit(caf::mailbox_element& x) {
    if (is_from_elsewhere(x) && is_refused(*this, x)) {
      actor_figures::bump(figures_->errors);
      if (!x.mid.is_response()) return caf::invoke_message_result::dropped;
      // Whoever waits for an answer is not to wait for ever.
      const auto failed = caf::make_mailbox_element(x.sender, x.mid, {}, caf::make_error(caf::sec::invalid_argument));
      return Base::consume(*failed);
    }
    return Base::consume(x);
  }

  std::shared_ptr<actor_figures> figures_;
};

}  // namespace kaiku
