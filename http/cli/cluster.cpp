// kaiku cluster: the members and who leads; kaiku health: one node's probes.

#include "kaiku/cli/remote.hpp"
#include "kaiku/cli/text.hpp"

namespace kaiku::cli {
namespace {

std::string figure(const json& of, const char* name, const char* unit = "") {
  return of.is_object() && of.contains(name) && of[name].is_number_unsigned() ? with_commas(number_in(of, name)) + unit
                                                                              : "-";
}

std::string role_of(const json& member, const std::string& leader) {
  if (text_in(member, "id") == leader) return "leader";
  return flag_in(member, "voter") ? "voter" : "learner";
}

void tell_members(session& with, const json& members, const std::string& leader, const std::string& here) {
  with.out.line(padded("MEMBER", 16) + padded("ROLE", 9) + padded("CONNECTED", 11) + right("LAST HEARD", 12) +
                right("HOLDS", 14) + "  " + padded("HTTP", 24) + "PEERS");
  if (!members.is_array()) return;
  for (const auto& member : members) {
    const auto id = text_in(member, "id");
    const bool is_self = id == here;
    with.out.line(
        padded(with.out.name(id), 16) + padded(role_of(member, leader), 9) +
        padded(is_self                        ? "itself"
               : flag_in(member, "connected") ? "yes"
                                              : "no",
               11) +
        right(is_self ? "-" : figure(member, "last_heard_ms", " ms"), 12) + right(figure(member, "match"), 14) + "  " +
        padded(with.out.name(text_in(member, "http_address")), 24) + with.out.name(text_in(member, "peer_address")));
  }
}

request with_document(std::string method, std::string target, const json& document) {
  return {.method = std::move(method),
          .target = std::move(target),
          .fields = {{"Content-Type", "application/json"}},
          .body = document.dump(-1, ' ', false, json::error_handler_t::replace)};
}

/// A change of the cluster has no key: whoever is told that nobody knows has to look.
exit_code told_to_look(exit_code code, session& with) {
  if (code == exit_code::unavailable || code == exit_code::unknown)
    with.out.remark("kaiku: `kaiku cluster` shows whether it was done");
  return code;
}

}  // namespace

exit_code run_cluster_status(session& with) {
  const auto done = ask_document(with, {.target = "/cluster"}, "the cluster");
  if (!done.got) return done.code;
  const auto& all = *done.got;
  with.out.record(all);
  const auto name = [&](const char* of) { return with.out.name(text_in(all, of)); };
  const auto leader = text_in(all, "leader");
  with.out.line("cluster " + name("cluster") + ", term " + figure(all, "term") + ", " +
                (leader.empty() ? "no leader known" : "led by " + with.out.name(leader)));
  with.out.line("seen by " + name("node") + ": " + name("role") + ", " +
                (flag_in(all, "ready") ? "ready" : "not ready: " + name("not_ready_reason")) + ", applied " +
                figure(all, "applied") + ", committed " + figure(all, "committed") + ", " +
                in_bytes(number_in(all, "free_space")) + " free, " + figure(all, "set_aside") + " set aside");
  if (all.contains("possibly_lost") && all["possibly_lost"].is_object())
    with.out.line("possibly lost with the last leader: entries " + figure(all["possibly_lost"], "first") + " to " +
                  figure(all["possibly_lost"], "last") + " of term " + figure(all["possibly_lost"], "term"));
  with.out.line("");
  tell_members(with, all.contains("members") ? all["members"] : json(), leader, text_in(all, "node"));
  return exit_code::done;
}

exit_code run_members_list(session& with) {
  const auto done = ask_document(with, {.target = "/cluster"}, "the members");
  if (!done.got) return done.code;
  const auto& all = *done.got;
  const auto members = all.contains("members") ? all["members"] : json::array();
  if (members.is_array())
    for (const auto& member : members) with.out.record(member);
  tell_members(with, members, text_in(all, "leader"), text_in(all, "node"));
  return exit_code::done;
}

exit_code run_members_add(session& with) {
  const auto& name = with.asked.name;
  const auto done = ask_document(
      with, with_document("POST", "/cluster/members", {{"id", name}, {"peer_address", with.asked.address}}), name);
  if (!done.got) return told_to_look(done.code, with);
  with.out.record(*done.got);
  with.out.line(with.out.name(name) + ": is a member now, and votes once it has caught up");
  return exit_code::done;
}

exit_code run_members_remove(session& with) {
  const auto& name = with.asked.name;
  const auto done = ask(with, {.method = "DELETE", .target = "/cluster/members/" + query_value(name)}, name);
  if (!done.got) return told_to_look(done.code, with);
  with.out.record({{"id", name}, {"result", "removed"}});
  with.out.line(with.out.name(name) + ": is no member any more");
  return exit_code::done;
}

exit_code run_transfer(session& with) {
  const auto& name = with.asked.name;
  const auto body = name.empty() ? json::object() : json{{"id", name}};
  const auto done = ask_document(with, with_document("POST", "/cluster/leader", body), "the lead");
  if (!done.got) return told_to_look(done.code, with);
  with.out.record(*done.got);
  with.out.line(with.out.name(text_in(*done.got, "leader")) + " leads in term " + figure(*done.got, "term"));
  return exit_code::done;
}

exit_code run_health(session& with) {
  const auto probe = with.asked.name.empty() ? "ready" : with.asked.name;
  // Without patience it is about one node: another's good health would hide that this one is not well.
  const auto got = with.net.ask({.target = "/healthz/" + probe, .asked_once = with.asked.wait_s == 0});
  if (!got) return exit_code::interrupted;
  const auto document = got->document();
  const auto reason = text_in(document, "reason");
  if (reason.empty() || (got->code != 200 && got->code != 503)) {
    const auto why = explain(*got, "the probe " + probe);
    with.out.complain(why);
    return why.code;
  }
  const auto node = text_in(document, "node");
  if (got->code == 503) {
    with.out.complain({exit_code::unavailable, node + " is not " + probe + ": " + reason, {}});
    return exit_code::unavailable;
  }
  with.out.record(document);
  with.out.line(with.out.name(node) + ": " + with.out.name(reason));
  return exit_code::done;
}

}  // namespace kaiku::cli
