#include "kaiku/link/link_impl.hpp"

#include <utility>

#include <algorithm>

#include <spdlog/spdlog.h>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <caf/send.hpp>

#include "kaiku/core/membership.hpp"

namespace kaiku {

namespace net = boost::asio;
using boost::system::error_code;
using net::use_awaitable;
using net::ip::tcp;

namespace {

/// When descriptors have run out, accepting at once again would spin.
constexpr milliseconds accept_retry{100};

}  // namespace

net::awaitable<void> link_layer::impl::accept_all() {
  auto keep = shared_from_this();
  net::steady_timer retry{io};
  while (!stopping) {
    error_code failed;
    tcp::socket socket{io};
    co_await acceptor.async_accept(socket, net::redirect_error(use_awaitable, failed));
    if (stopping) break;
    if (failed) {
      strangers.warn("can't accept a connection: {}", failed.message());
      retry.expires_after(accept_retry);
      co_await retry.async_wait(net::redirect_error(use_awaitable, failed));
      continue;
    }
    tune_for_link(socket);
    auto session = std::make_shared<link_session>(std::move(socket));
    auto from = session->socket().remote_endpoint(failed);
    if (!failed) session->remote = text_of(from);
    admit(session);
    run(serve(session));
  }
}

/// At the bound the oldest goes that has said nothing, then one that has shown no certificate, and only then one that
/// has not said a legal hello: silent strangers push out each other, also when this node is too busy to read at once.
void link_layer::impl::admit(const link_session_ptr& session) {
  if (unproven.size() >= limits::unproven_links) {
    auto first = [&](auto wanted) { return std::find_if(unproven.begin(), unproven.end(), wanted); };
    auto oldest = first([](const auto& x) { return !x->has_said_hello && !x->is_in_tls && !x->has_unread_bytes(); });
    if (oldest == unproven.end()) oldest = first([](const auto& x) { return !x->has_said_hello && !x->is_secured; });
    if (oldest == unproven.end()) oldest = first([](const auto& x) { return !x->has_said_hello; });
    if (oldest == unproven.end()) oldest = unproven.begin();
    strangers.warn("closed a connection of {}: more than {} that have not said who they are", (*oldest)->remote,
                   limits::unproven_links);
    (*oldest)->made_room = true;
    (*oldest)->abort();
    unproven.erase(oldest);
  }
  unproven.push_back(session);
}

net::awaitable<void> link_layer::impl::serve(link_session_ptr session) {
  auto keep = shared_from_this();
  session->start_deadline(settings.handshake_timeout);
  auto side = side_for(session, link_role::acceptor, {});
  auto end = co_await accept_handshake(session, side);
  unproven.remove(session);
  using kind = handshake_outcome::kind;
  const bool proven = end.how == kind::proven && !stopping;
  if (proven && end.peer.purpose != hello_purpose::link)
    answered(end.peer);
  else if (proven && !session->aborted() && !is_shunned(end.peer.name))
    publish(session, end.peer);
  else if (!stopping && !session->made_room)
    log_accepted(*session, end);
  if (end.how == kind::turned_away && end.said_hello && !stopping) turned_away(end.peer.name, end.why);
  session->abort();
}

/// Somebody who asked has been told who the members are.
void link_layer::impl::answered(const hello& theirs) {
  const auto* known = find_member(theirs.name);
  const bool has_other_disk = known != nullptr && is_another_disk(*known, theirs.disk);
  if (!has_other_disk && (known != nullptr || theirs.purpose != hello_purpose::join)) return;
  spdlog::info("link: {} at {} asks to be taken in{}", theirs.name.name, theirs.peer_address,
               has_other_disk ? " with a new disk" : "");
  caf::anon_send(directory, join_wanted{{theirs.name, theirs.disk, theirs.peer_address}});
}

void link_layer::impl::log_accepted(const link_session& session, const handshake_outcome& end) {
  using kind = handshake_outcome::kind;
  if (end.how == kind::refused && end.why.reason == refusal_reason::no_cluster) return;  // it asks again
  auto who = end.said_hello ? end.peer.name.name + " at " + session.remote : session.remote;
  auto& log = end.said_hello ? refused_members : strangers;
  if (end.how == kind::refused) log.warn("refused {}: {}", who, end.why.text);
  if (end.how == kind::turned_away) log.warn("{} refused this node: {}", who, end.why.text);
  if (end.how == kind::broken) log.warn("no link with {}: {}", who, end.why.text);
}

}  // namespace kaiku
