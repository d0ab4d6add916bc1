#include "kaiku/kubernetes/label.hpp"

#include <algorithm>

#include "kaiku/core/invariant.hpp"
#include "kaiku/core/membership.hpp"
#include "kaiku/kubernetes/limits.hpp"

namespace kaiku::kubernetes {
namespace {

constexpr unsigned unauthorized = 401;
constexpr unsigned conflict = 409;
constexpr unsigned server_failed = 500;

}  // namespace

std::string_view to_string(pod_role x) {
  switch (x) {
    case pod_role::none: return "none";
    case pod_role::follower: return "follower";
    case pod_role::leader: return "leader";
    case pod_role::learner: return "learner";
  }
  return "?";
}

std::optional<pod_role> label_of(const node_id& self, role now, const std::optional<membership>& members) {
  if (now == role::leader) return pod_role::leader;
  if (!members) return std::nullopt;
  if (find_member(members->voters, self) != nullptr) return pod_role::follower;
  if (find_member(members->learners, self) != nullptr) return pod_role::learner;
  return pod_role::none;
}

std::string patch_for(pod_role x) {
  const auto value = x == pod_role::none ? std::string("null") : "\"" + std::string(to_string(x)) + "\"";
  return R"({"metadata":{"labels":{"kaiku.io/role":)" + value + "}}}";
}

void label_upkeep::want(instant now, pod_role x) {
  if (wanted_ == x) return;
  wanted_ = x;
  if (!told_to_wait_) next_ = std::max(now, began_ + milliseconds(limits::request_gap_ms));
}

std::optional<pod_role> label_upkeep::begin(instant now) {
  if (now < due()) return std::nullopt;
  under_way_ = wanted_;
  began_ = now;
  told_to_wait_ = false;
  return under_way_;
}

instant label_upkeep::due() const {
  return wanted_ && !under_way_ ? next_ : instant::max();
}

news label_upkeep::end(instant now, const answer& x) {
  INVARIANT(under_way_.has_value(), "an answer to nothing");
  const auto sent = *under_way_;
  under_way_.reset();
  return x.is_good() ? on_done(now, sent) : on_failed(now, x);
}

news label_upkeep::on_done(instant now, pod_role sent) {
  const news out{.changed = told_ != sent, .failing = false, .recovered = failing_};
  told_ = sent;
  stands_ = sent;
  failing_ = false;
  failures_ = 0;
  if (wanted_ != sent)
    next_ = std::max(now, began_ + milliseconds(limits::request_gap_ms));
  else if (now < unsettled_until_)
    next_ = unsettled_until_;
  else
    next_ = now + milliseconds(limits::check_ms + random_(limits::check_ms / 4));
  return out;
}

news label_upkeep::on_failed(instant now, const answer& x) {
  ++failures_;
  if (x.may_stand || x.code >= server_failed) {
    unsettled_until_ = now + milliseconds(limits::settle_ms);
    stands_.reset();
  }
  // A token is replaced while it is in use, and somebody else may change the pod: once, that is no failure.
  if (failures_ == 1 && (x.code == unauthorized || x.code == conflict)) {
    next_ = now;
    return {};
  }
  next_ = now + back_off();
  if (x.retry_after) {
    told_to_wait_ = true;
    next_ = std::max(next_, now + std::min(*x.retry_after, milliseconds(limits::retry_after_most_ms)));
  }
  const news out{.changed = false, .failing = !failing_, .recovered = false};
  failing_ = true;
  return out;
}

milliseconds label_upkeep::back_off() {
  const auto doublings = std::min(failures_ - 1, 10u);
  const auto most = std::min<std::uint64_t>(std::uint64_t{limits::retry_least_ms} << doublings, limits::retry_most_ms);
  return milliseconds(most / 2 + random_(most / 2 + 1));
}

}  // namespace kaiku::kubernetes
