#pragma once

/// Purpose: what Kubernetes' API server is to be asked next, so that the label `kaiku.io/role` of this node's pod says
/// its role. Pure: the time and chance come in from outside, so does each answer. Owner: the publisher, which carries
/// it out. Thread: the publisher's own.
///
///            want           begin          end, done
///   (none) -------> (due) --------> (asked) --------> (stands) -- `check_ms` --> (due)
///                     ^               |
///                     +-- back-off ---+  end, failed
///
/// At most one request is under way. The newest role is sent, and those between are not.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "kaiku/core/election.hpp"
#include "kaiku/core/fence.hpp"
#include "kaiku/core/ids.hpp"

namespace kaiku::kubernetes {

/// What the label says: no label, or the name of the enumerator.
enum class pod_role : std::uint8_t { none, follower, leader, learner };
std::string_view to_string(pod_role x);

/// `leader` as long as it leads; then by its place among the members; `none` when it is not one of them. Empty: not
/// known yet. Whether it serves is for the readiness probe to say.
std::optional<pod_role> label_of(const node_id& self, role now, const std::optional<membership>& members);

/// The body of the request, a JSON merge patch (RFC 7396) of the pod.
std::string patch_for(pod_role x);

/// How a request has ended.
struct answer {
  unsigned code = 0;       ///< HTTP status; 0: there was no answer
  bool may_stand = false;  ///< without an answer: the server may have done it, or may yet
  std::optional<milliseconds> retry_after{};
  std::string words{};  ///< why it failed, for a person

  bool is_good() const { return code >= 200 && code < 300; }
};

/// What a person is to be told after an answer.
struct news {
  bool changed = false;    ///< the label says something new
  bool failing = false;    ///< the first failure that is more than a token that was replaced, or a conflict
  bool recovered = false;  ///< the first success after that
};

class label_upkeep {
 public:
  /// `random(bound)` gives a number below `bound`.
  explicit label_upkeep(std::function<std::uint64_t(std::uint64_t bound)> random) : random_(std::move(random)) {}

  void want(instant now, pod_role x);
  /// The request to be sent now; empty: there is none before `due`. Each is ended by `end`.
  std::optional<pod_role> begin(instant now);
  news end(instant now, const answer& x);

  /// When `begin` has something; `instant::max()`: not before `want` or `end`.
  instant due() const;
  std::optional<pod_role> wanted() const { return wanted_; }
  /// What the label says as far as is known; empty: it is not.
  std::optional<pod_role> stands() const { return stands_; }
  /// A failure was told, and no success since.
  bool is_failing() const { return failing_; }

 private:
  news on_done(instant now, pod_role sent);
  news on_failed(instant now, const answer& x);
  milliseconds back_off();

  std::function<std::uint64_t(std::uint64_t)> random_;
  std::optional<pod_role> wanted_, under_way_, stands_;
  std::optional<pod_role> told_;  ///< what `changed` told of last
  instant began_ = instant::min();
  instant next_ = instant::min();
  bool told_to_wait_ = false;                 ///< `next_` is what the server asked for: a new role waits too
  instant unsettled_until_ = instant::min();  ///< a request that was given up may arrive until then
  bool failing_ = false;
  unsigned failures_ = 0;  ///< since the last success
};

}  // namespace kaiku::kubernetes
