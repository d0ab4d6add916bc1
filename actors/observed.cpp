#include "kaiku/actors/observed.hpp"

#include <algorithm>
#include <chrono>
#include <mutex>

#include <spdlog/spdlog.h>

#include <caf/actor_system.hpp>

#include "kaiku/actors/message_text.hpp"
#include "kaiku/actors/peer_check.hpp"
#include "kaiku/messages/linked_peers.hpp"

namespace kaiku {

bool is_refused(const caf::scheduled_actor& self, const caf::mailbox_element& x) {
  return is_refused(self.node(), self.name(), x);
}

caf::result<caf::message> on_unexpected(caf::scheduled_actor& self, caf::message_view& x) {
  const auto* element = self.current_mailbox_element();
  const bool remote = element != nullptr && element->sender && element->sender->node() != self.node();
  if (remote)
    linked_peers::instance().accuse(self.node(), element->sender->node(),
                                    std::string{"it sent "} + self.name() + " a message that is for another actor");
  else
    spdlog::error("{}: a message that is not for it: {}", self.name(), to_string(x.move_content_to_message()));
  return caf::sec::unexpected_message;
}

void on_error_message(caf::scheduled_actor& self, caf::error& e) {
  const auto* element = self.current_mailbox_element();
  if (element != nullptr && element->mid.is_response()) {
    // Nobody planned for this request to fail, like those to storage: without the answer there is no going on.
    spdlog::critical("{}: a request failed: {}", self.name(), self.system().render(e));
    caf::scheduled_actor::default_error_handler(&self, e);
    return;
  }
  spdlog::warn("{}: an error came back: {}", self.name(), self.system().render(e));
}

struct actor_registry::impl {
  std::mutex mutex;
  std::vector<std::weak_ptr<const actor_figures>> actors;
};

actor_registry::actor_registry() : impl_(std::make_unique<impl>()) {}
actor_registry::~actor_registry() = default;

actor_registry& actor_registry::instance() {
  static actor_registry registry;
  return registry;
}

void actor_registry::add(std::weak_ptr<const actor_figures> figures) {
  std::lock_guard guard{impl_->mutex};
  std::erase_if(impl_->actors, [](const auto& x) { return x.expired(); });
  impl_->actors.push_back(std::move(figures));
}

std::vector<std::shared_ptr<const actor_figures>> actor_registry::all() {
  std::vector<std::shared_ptr<const actor_figures>> out;
  std::lock_guard guard{impl_->mutex};
  std::erase_if(impl_->actors, [](const auto& x) { return x.expired(); });
  for (const auto& weak : impl_->actors)
    if (auto x = weak.lock()) out.push_back(std::move(x));
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a->number < b->number; });
  return out;
}

std::vector<actor_view> actor_registry::snapshot() {
  std::vector<actor_view> views;
  for (const auto& x : all()) views.push_back({x->name, x->number.value, x->received, x->processed});
  return views;
}

close_look::close_look(actor_figures& at, const caf::mailbox_element& x)
    : at_(at), arrival_(at.take_arrival(x)), step_(arrival_.of), scope_(step_.inside()) {
  seen_.type = key_of(x.content());
  seen_.sender = x.sender;
  // Before the actor has it: a handler may take what is in it.
  if (arrival_.of || at.wants_sample()) seen_.text = text_of(x.content());
  began_ = figures_clock::now();
  at_.begins(began_);
  if (arrival_.at) seen_.waited = began_ - *arrival_.at;
}

void close_look::end() {
  seen_.took = figures_clock::now() - began_;
  if (arrival_.of) {
    trace_span step;
    step.actor = at_.number;
    step.name = at_.name;
    step.what = name_of(seen_.type);
    step.note = *seen_.text;
    if (seen_.waited)
      step.waited_us = static_cast<std::uint64_t>(
          std::max<std::int64_t>(std::chrono::duration_cast<std::chrono::microseconds>(*seen_.waited).count(), 0));
    step_.end(std::move(step));
  }
  at_.note_processed(std::move(seen_));
}

trace_set_ptr traces_of(const trace_mark& x) {
  auto out = std::make_shared<trace_set>();
  for (const auto& one : x.of) out->add(one);
  return out;
}

void mark_next(caf::scheduled_actor& self, const caf::strong_actor_ptr& to, std::uint8_t version) {
  const auto now = trace_scope::now();
  if (!now || !to || version < inspection_version || to->node() == self.node()) return;
  const auto all = now->all();
  trace_mark mark{{all.begin(), all.end()}};
  to->get()->eq_impl(caf::make_message_id(), caf::actor_cast<caf::strong_actor_ptr>(&self), self.context(),
                     std::move(mark));
}

}  // namespace kaiku
