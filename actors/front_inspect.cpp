// What the inspector tells of actors, nodes and traced requests.

#include <caf/all.hpp>

#include "kaiku/actors/front_actor.hpp"
#include "kaiku/actors/front_ask.hpp"

namespace kaiku {
namespace {

/// The inspector gives other nodes `report_timeout_ms`, after at most a beat.
constexpr milliseconds inspector_patience{4 * limits::report_timeout_ms + limits::watch_interval_ms};

error no_such(const std::string& what) {
  return {errc::not_found, what};
}

}  // namespace

template <class Reply, class Message>
void front_actor::ask_inspector(Message message, std::function<void(const Reply&)> answer,
                                std::function<void(error)> failed) {
  post([this, message = std::move(message), answer = std::move(answer), failed = std::move(failed)] {
    ask<Reply>(settings_.self, local_.inspector, inspector_patience, message,
               {errc::overloaded, "this node is too busy to look at itself; try again shortly"}, answer, failed);
  });
}

void front_actor::inspect(const node_id& only, bool watch, std::function<void(result<cluster_report_ptr>)> then) {
  ask_inspector<told_cluster>(
      ask_cluster{only, watch},
      [then, only](const told_cluster& x) {
        if (x.what->members.empty()) return then(no_such("'" + only.name + "' is not a member"));
        then(x.what);
      },
      [then](error why) { then(std::move(why)); });
}

void front_actor::inspect_actor(const node_id& at, actor_number which,
                                std::function<void(result<std::shared_ptr<const actor_detail>>)> then) {
  ask_inspector<told_actor_of>(
      ask_actor_of{at, which},
      [then](const told_actor_of& x) {
        if (!x.what) return then(x.failure);
        then(x.what);
      },
      [then](error why) { then(std::move(why)); });
}

void front_actor::timeline(std::function<void(result<std::shared_ptr<const timeline_report>>)> then) {
  ask_inspector<told_timelines>(
      ask_timelines{}, [then](const told_timelines& x) { then(x.what); }, [then](error why) { then(std::move(why)); });
}

void front_actor::trace(const trace_id& id, std::function<void(result<std::shared_ptr<const trace_report>>)> then) {
  ask_inspector<told_trace>(
      ask_trace{id},
      [then, id](const told_trace& x) {
        if (!x.what) return then(no_such("no node that answers knows of the trace " + to_string(id)));
        then(x.what);
      },
      [then](error why) { then(std::move(why)); });
}

}  // namespace kaiku
