#pragma once

/// Purpose: an event-based actor that lives on an Asio io_context instead of CAF's scheduler: its handlers run on the
/// one thread that runs the io_context, so code of that thread may call its member functions directly, without a lock.
/// Lifecycle: made with `spawn_on`; ends like any actor. The io_context must outlive it.

#include <memory>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <caf/actor_system.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/make_actor.hpp>
#include <caf/scoped_execution_unit.hpp>
#include <caf/typed_event_based_actor.hpp>

namespace kaiku {

template <class Base>
class on_io_context : public Base {
 public:
  on_io_context(caf::actor_config& cfg, boost::asio::io_context& io) : Base(cfg), io_(io), unit_(&this->system()) {}

  using Base::enqueue;
  void enqueue(caf::mailbox_element_ptr x, caf::execution_unit*) override {
    // Asio's handlers are copyable, a mailbox element is not. CAF frees elements through their disposer.
    auto element = std::shared_ptr<caf::mailbox_element>(
        x.release(), [](caf::mailbox_element* raw) { caf::mailbox_element_ptr owned{raw}; });
    boost::asio::post(io_, [this, self = caf::strong_actor_ptr{this->ctrl()}, element] {
      if (!this->getf(caf::abstract_actor::is_terminated_flag)) this->activate(&unit_, *element);
    });
  }

  void launch(caf::execution_unit*, bool, bool hide) override {
    if (!hide) this->register_at_system();
    // CAF expects `initialize` from the first activation; until then the mailbox is the io_context's queue.
  }

 protected:
  boost::asio::io_context& io() { return io_; }

 private:
  boost::asio::io_context& io_;
  caf::scoped_execution_unit unit_;
};

/// Makes an `Actor` (an `on_io_context` class) and the `Handle` to it.
template <class Actor, class Handle, class... Ts>
Handle spawn_on(caf::actor_system& system, Ts&&... xs) {
  caf::actor_config cfg;
  auto handle =
      caf::make_actor<Actor, Handle>(system.next_actor_id(), system.node(), &system, cfg, std::forward<Ts>(xs)...);
  auto* actor = static_cast<Actor*>(caf::actor_cast<caf::abstract_actor*>(handle));
  actor->launch(nullptr, false, true);
  return handle;
}

}  // namespace kaiku
