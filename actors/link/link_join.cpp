// How a node whose disk knows no cluster finds one: it asks, and goes on asking while it is to be taken in.

#include "kaiku/link/link_impl.hpp"

#include <utility>

#include <algorithm>

#include <spdlog/spdlog.h>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <caf/send.hpp>

namespace kaiku {

namespace net = boost::asio;
using boost::system::error_code;
using net::use_awaitable;
using net::ip::tcp;

namespace {

/// Before the log says that a node does not answer: those that begin a cluster together are not started in the same
/// moment.
constexpr milliseconds quiet_time{5000};

}  // namespace

/// At every address where nobody does so yet.
void link_layer::impl::ask_around() {
  for (const auto& x : asked) {
    if (x->running) continue;
    x->running = true;
    run(ask_at(x));
  }
}

/// Until this node is settled. Who knows of no cluster is asked again as well: it may be in one before the others have
/// answered. And a cluster that has never seen this node may be told so by a member who missed that it has: while
/// another is not heard, this may be a wiped disk, which must not vote again.
net::awaitable<void> link_layer::impl::ask_at(asked_address_ptr where) {
  auto keep = shared_from_this();
  error_code ignored;
  auto wait = milliseconds{limits::link_retry_first_ms};
  for (;;) {
    where->answer = co_await ask_once(where);
    if (stopping) break;
    if (nobody_knows_this_disk()) settle();
    if (stands == standing::settled) break;
    where->timer.expires_after(wait);
    co_await where->timer.async_wait(net::redirect_error(use_awaitable, ignored));
    if (stopping || stands == standing::settled) break;
    wait = std::min(wait * 2, milliseconds{limits::link_retry_max_ms});
  }
  where->running = false;
}

/// Say all where it was told to ask, and all whom those name by their latest word: who was named, and is removed since,
/// is not waited for.
bool link_layer::impl::nobody_knows_this_disk() const {
  const auto has_said = [](const auto& x) { return x->answer != asked_answer::none; };
  const auto is_heard = [&](const member& one) {
    return one.id == settings.self || std::any_of(asked.begin(), asked.end(), [&](const auto& x) {
             return x->answer == asked_answer::never_seen ? x->by == one.id
                                                          : has_said(x) && x->address == one.peer_address;
           });
  };
  const auto names_nobody_else = [&](const auto& x) {
    return x->answer != asked_answer::never_seen || std::all_of(x->named.begin(), x->named.end(), is_heard);
  };
  const auto told = asked.begin() + static_cast<std::ptrdiff_t>(settings.ask_at.size());
  return std::all_of(asked.begin(), told, has_said) && std::all_of(asked.begin(), asked.end(), names_nobody_else);
}

/// There is nothing more to ask for: it links with the members that it was told.
void link_layer::impl::settle() {
  if (stands != standing::asking) return;
  stands = standing::settled;
  for (const auto& x : asked) x->timer.cancel();
  dial_all();
}

/// Whether whoever is there knows of no cluster, or of no disk of this node. One that is not heard may hold the files
/// of one, so nobody founds another without it.
net::awaitable<asked_answer> link_layer::impl::ask_once(asked_address_ptr where) {
  auto session = std::make_shared<link_session>(tcp::socket{io});
  auto mine = dialling.insert(dialling.end(), session);
  session->start_deadline(settings.handshake_timeout);
  auto reached = co_await reach(session, where->address, where->resolving);
  auto answer = asked_answer::none;
  std::string trouble;
  if (reached) {
    auto side = side_for(session, link_role::dialler, {});
    side.rules.self.purpose = settings.wants_in ? hello_purpose::join : hello_purpose::come_back;
    auto end = co_await dial_handshake(session, side);
    const bool is_refused = end.how == handshake_outcome::kind::turned_away;
    if (end.how == handshake_outcome::kind::proven) {
      answer = take_welcome(end.found, where->address);
      const auto here = [&](const member& x) { return x.peer_address == where->address; };
      const auto expected = std::find_if(members.begin(), members.end(), here);
      if (answer == asked_answer::never_seen && expected != members.end() && expected->id != end.peer.name) {
        answer = asked_answer::none;
        trouble = end.peer.name.name + " answers there instead of " + expected->id.name + ": check the addresses";
      }
      where->by = end.peer.name;
      where->named = std::move(end.found.members);
    } else {
      if (is_refused && end.why.reason == refusal_reason::no_cluster) answer = asked_answer::no_cluster;
      trouble = end.why.text;
    }
  } else {
    trouble = reached.failure().detail;
  }
  dialling.erase(mine);
  session->abort();
  if (!stopping) log_question(*where, answer, trouble);
  co_return answer;
}

/// Once for each reason.
void link_layer::impl::log_question(asked_address& where, asked_answer answer, const std::string& trouble) {
  using std::chrono::steady_clock;
  const auto now = steady_clock::now();
  if (answer != asked_answer::none || where.waited_since == steady_clock::time_point{}) where.waited_since = now;
  const bool joins = stands == standing::joining;
  const bool matters = joins || (stands == standing::asking && now - where.waited_since >= quiet_time);
  if (!matters || trouble == where.last_failure) return;
  where.last_failure = trouble;
  if (trouble.empty()) return;
  const auto is_unseen = [](const auto& x) { return x->answer == asked_answer::never_seen; };
  if (joins)
    spdlog::warn("link: asked {} for its cluster, trying on: {}", where.address, trouble);
  else if (std::any_of(asked.begin(), asked.end(), is_unseen))
    spdlog::warn(
        "link: {} votes in no cluster before all the others say that they never saw a disk of it; {} does not: {}",
        settings.self.name, where.address, trouble);
  else
    spdlog::warn("link: {} founds no cluster before all of --cluster say that they know of none; {} does not: {}",
                 settings.self.name, where.address, trouble);
}

asked_answer link_layer::impl::take_welcome(const welcome& found, const std::string& from) {
  if (stopping) return asked_answer::none;
  auto is_self = [&](const member& x) { return x.id == settings.self; };
  const auto known = std::find_if(found.members.begin(), found.members.end(), is_self);
  const bool is_known = known != found.members.end();
  if (stands != standing::joining) {
    // A voter that was never seen may be this one, and its vote may be needed. The other members must say so too: one
    // that `--cluster` does not name may have seen a disk of it that is lost by now.
    if (is_known && !known->disk.known()) {
      if (stands == standing::asking) {
        ask_members_too(found.members);
        ask_around();
      }
      return asked_answer::never_seen;
    }
    const bool is_this = is_known && known->disk == settings.disk;
    const bool knows_cluster = settings.knows_cluster();
    if (knows_cluster && (is_this || !may_be_taken_back())) return asked_answer::none;
    stands = standing::joining;
    if (knows_cluster)
      spdlog::warn("link: {} was taken in by a leader that is gone before a majority knew; it asks again at {}",
                   settings.self.name, from);
    else if (is_this)
      // It was taken in, and restarted before its log could say by whom. `--cluster` may name members of long ago.
      spdlog::info("link: the members at {} have this disk as {}: it founds nothing", from, settings.self.name);
    else if (is_known)
      spdlog::warn("link: the members at {} know {} by another disk: this one joins in its place", from,
                   settings.self.name);
    else
      spdlog::error(
          "link: the cluster at {} has no member {}, so this node waits; to bring it in, start it with --join {}", from,
          settings.self.name, from);
    caf::anon_send(directory, forget_bootstrap{!is_this});
  }
  ask_members_too(found.members);
  ask_around();
  replace_members(found.members);
  dial_all();
  return asked_answer::none;
}

/// Those that it was told to ask may be gone before it is a member.
void link_layer::impl::ask_members_too(const std::vector<member>& found) {
  for (const auto& one : found) {
    const auto is_asked = [&](const auto& x) { return x->address == one.peer_address; };
    if (one.id == settings.self || std::any_of(asked.begin(), asked.end(), is_asked)) continue;
    if (asked.size() >= limits::asked_addresses) return;
    asked.push_back(std::make_shared<asked_address>(io, one.peer_address));
  }
}

/// A peer may know better who the members are: it belongs to a cluster while this node's log names none, or lacks the
/// entry that this node has them from, which only a leader that is gone may ever have had.
void link_layer::impl::learn_from(const hello& peer) {
  if (stands != standing::settled || !peer.cluster.known()) return;
  const bool lacks_entry = may_be_taken_back() && peer.cluster == own.cluster && peer.since < own.since;
  if (lacks_entry || !settings.knows_cluster()) ask_again();
}

/// This process was taken in by an entry that is not known committed. (One that was a member before it started does not
/// ask: it may have been replaced for good.)
bool link_layer::impl::may_be_taken_back() const {
  return was_taken_in && unsettled;
}

void link_layer::impl::ask_again() {
  if (settings.knows_cluster()) ask_members_too(members);
  ask_around();
}

/// A peer has refused this node; unproven.
void link_layer::impl::turned_away(const node_id& by, const refusal& why) {
  if (why.reason != refusal_reason::wrong_disk && why.reason != refusal_reason::unknown_name) return;
  if (stands != standing::settled) return;
  if (!settings.knows_cluster() || may_be_taken_back()) return ask_again();
  refused_by.insert(by);
  auto is_linked = [](const auto& x) { return x.second->link.has_value(); };
  const auto refusing =
      std::count_if(members.begin(), members.end(), [this](const member& x) { return refused_by.contains(x.id); });
  const bool most_refuse = 2 * static_cast<std::size_t>(refusing) > members.size();
  // One that has missed the latest members says so too; then there are others. But two that were removed may be linked.
  if (outcast_told || (!most_refuse && std::any_of(peers.begin(), peers.end(), is_linked))) return;
  outcast_told = true;
  spdlog::error(
      "link: the members refuse this node: {}. If it was removed or replaced, end it; to bring it back, empty its data "
      "directory and start it with --join and a member's peer address",
      why.text);
}

}  // namespace kaiku
