#include "support/actor_network.hpp"

#include <algorithm>
#include <vector>

#include <caf/all.hpp>
#include <caf/detail/sync_request_bouncer.hpp>
#include <caf/monitorable_actor.hpp>

#include "kaiku/core/invariant.hpp"
#include "kaiku/messages/messages.hpp"

namespace kaiku::test {

/// Stands for an actor on the other side of a link.
class actor_network::link_proxy : public caf::monitorable_actor {
 public:
  link_proxy(caf::actor_config& cfg, actor_network& network, node_id source, node_id destination,
             caf::strong_actor_ptr target, bool local)
      : monitorable_actor(cfg),
        from(std::move(source)),
        to(std::move(destination)),
        is_local(local),
        network_(network),
        target_(std::move(target)) {}

  const char* name() const override { return "link_proxy"; }

  using abstract_actor::enqueue;
  void enqueue(caf::mailbox_element_ptr x, caf::execution_unit*) override {
    if (target_) {
      network_.carry(*this, *x);
    } else if (x->mid.is_request()) {
      caf::detail::sync_request_bouncer{caf::exit_reason::remote_link_unreachable}(x->sender, x->mid);
    }
  }

  void on_destroy() override {
    let_go();
    if (!getf(is_cleaned_up_flag)) cleanup(caf::exit_reason::unreachable, nullptr);
  }

  void break_off() {
    let_go();
    cleanup(caf::exit_reason::remote_link_unreachable, nullptr);
  }
  void let_go() {
    target_ = nullptr;
    answers_.clear();
  }

  const caf::strong_actor_ptr& target() const { return target_; }
  /// Answers travel back over the same link.
  caf::strong_actor_ptr way_back(const caf::strong_actor_ptr& asker) {
    auto& way = answers_[asker->id()];
    if (!way) way = network_.proxy(to, from, asker, is_local);
    return way;
  }

  const node_id from;
  const node_id to;
  const bool is_local;

 private:
  actor_network& network_;
  caf::strong_actor_ptr target_;
  std::map<caf::actor_id, caf::strong_actor_ptr> answers_;
};

actor_network::actor_network(caf::actor_system& system, std::uint64_t seed)
    : system_(system), scheduler_(dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler())), random_(seed) {}

actor_network::~actor_network() {
  disconnect_all();
}

caf::strong_actor_ptr actor_network::proxy(const node_id& from, const node_id& to, caf::strong_actor_ptr target,
                                           bool local) {
  caf::actor_config cfg;
  proxies_.push_back(caf::make_actor<link_proxy, caf::strong_actor_ptr>(
      system_.next_actor_id(), system_.node(), &system_, cfg, *this, from, to, std::move(target), local));
  return proxies_.back();
}

caf::strong_actor_ptr actor_network::known_proxy(const node_id& from, const node_id& to,
                                                 const caf::strong_actor_ptr& target) {
  for (const auto& one : proxies_) {
    const auto& x = *static_cast<link_proxy*>(caf::actor_cast<caf::abstract_actor*>(one));
    if (x.from == from && x.to == to && x.target() == target) return one;
  }
  return proxy(from, to, target, false);
}

caf::message actor_network::over_the_wire(const caf::message& x) {
  std::vector<char> bytes;
  caf::binary_serializer out{system_, bytes};
  auto sent = out(x);
  INVARIANT(!sent, "what goes to a peer can be serialized");
  delivered_bytes_ += bytes.size();
  caf::message received;
  caf::binary_deserializer in{system_, bytes};
  auto read = in(received);
  INVARIANT(!read, "what was serialized can be read");
  return received;
}

void actor_network::carry(link_proxy& over, caf::mailbox_element& x) {
  const auto& quality = over.is_local ? disk_ : quality_;
  const direction way{over.from, over.to};
  const bool dropped = std::uniform_real_distribution<>(0, 1)(random_) < quality.drop;
  const microseconds delay{
      std::uniform_int_distribution<std::int64_t>(quality.min_delay.count(), quality.max_delay.count())(random_)};
  if (dropped || cut_.contains(way)) return;
  auto sender = x.sender ? over.way_back(x.sender) : nullptr;
  auto message = x.move_content_to_message();
  if (!over.is_local) {
    message = over_the_wire(message);
    if (message.match_elements<upload_begun>()) {
      // Actors named in it are the sender's: the receiver reaches them over the link, too.
      auto& begun = message.get_mutable_as<upload_begun>(0);
      if (begun.upload) begun.upload = known_link(over.to, over.from, begun.upload);
      begun.source = known_link(over.to, over.from, begun.source);
    }
  }
  auto at = scheduler_.clock().now() + delay;
  if (quality.in_order) {
    auto& last = last_delivery_[way];
    at = last = std::max(at, last);
  }
  ++delivered_;
  scheduler_.clock().schedule_message(at, over.target(),
                                      caf::make_mailbox_element(std::move(sender), x.mid, {}, std::move(message)));
}

void actor_network::cut(const node_id& a, const node_id& b) {
  cut_.insert({a, b});
  cut_.insert({b, a});
}

void actor_network::heal(const node_id& a, const node_id& b) {
  cut_.erase({a, b});
  cut_.erase({b, a});
}

void actor_network::break_link(const node_id& a, const node_id& b) {
  const auto first = std::stable_partition(proxies_.begin(), proxies_.end(), [&](const auto& one) {
    const auto& x = *static_cast<link_proxy*>(caf::actor_cast<caf::abstract_actor*>(one));
    return !(x.from == a && x.to == b) && !(x.from == b && x.to == a);
  });
  const std::vector<caf::strong_actor_ptr> broken{first, proxies_.end()};
  proxies_.erase(first, proxies_.end());
  for (const auto& one : broken) static_cast<link_proxy*>(caf::actor_cast<caf::abstract_actor*>(one))->break_off();
}

void actor_network::disconnect_all() {
  auto all = std::move(proxies_);
  proxies_.clear();
  for (const auto& one : all) static_cast<link_proxy*>(caf::actor_cast<caf::abstract_actor*>(one))->let_go();
}

}  // namespace kaiku::test
