#include "kaiku/link/link_impl.hpp"

#include <utility>

#include <algorithm>

#include <spdlog/spdlog.h>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "kaiku/link/resolve.hpp"

namespace kaiku {

namespace net = boost::asio;
using boost::system::error_code;
using net::use_awaitable;
using net::ip::tcp;
using std::chrono::steady_clock;

namespace {

/// A link that stood this long was good: the next dial begins with the first wait again.
constexpr milliseconds good_link{2000};

}  // namespace

net::awaitable<void> link_layer::impl::dial_forever(linked_peer_ptr target) {
  auto keep = shared_from_this();
  error_code ignored;
  milliseconds wait = milliseconds{limits::link_retry_first_ms};
  // It dials; this node only when it does not, and only for what it may not know: the members.
  const bool is_smaller = target->who.id < settings.self;
  while (!stopping && !target->removed) {
    if (is_smaller) {
      error_code woken;
      target->timer.expires_after(settings.undialled_wait);
      co_await target->timer.async_wait(net::redirect_error(use_awaitable, woken));
      if (woken) continue;  // a link has ended: from now on, then
    }
    const bool wanted = !is_smaller || (!target->link && stands == standing::settled && own.cluster.known());
    const bool due = wanted && !is_shunned(target->who.id);
    if (due) co_await dial(target);
    auto since = steady_clock::now();
    while (target->link && !stopping && !target->removed) {
      target->timer.expires_at(steady_clock::time_point::max());
      co_await target->timer.async_wait(net::redirect_error(use_awaitable, ignored));
    }
    if (stopping || target->removed) break;
    if (is_smaller) continue;
    if (steady_clock::now() - since >= good_link) wait = milliseconds{limits::link_retry_first_ms};
    target->timer.expires_after(wait);
    co_await target->timer.async_wait(net::redirect_error(use_awaitable, ignored));
    wait = std::min(wait * 2, milliseconds{limits::link_retry_max_ms});
  }
}

net::awaitable<void> link_layer::impl::dial(const linked_peer_ptr& target) {
  auto session = std::make_shared<link_session>(tcp::socket{io});
  auto mine = dialling.insert(dialling.end(), session);
  session->start_deadline(settings.handshake_timeout);
  auto reached = co_await reach(session, target->who.peer_address, target->resolving);
  if (reached) {
    auto side = side_for(session, link_role::dialler, target->who.id);
    auto end = co_await dial_handshake(session, side);
    using kind = handshake_outcome::kind;
    if (end.how == kind::proven && !session->aborted() && !stopping)
      connect(session, end.peer);
    else if (end.how == kind::turned_away)
      log_dial_failure(*target, "it refused this node: " + end.why.text);
    else if (end.how == kind::refused)
      log_dial_failure(*target, "refused it: " + end.why.text);
    else
      log_dial_failure(*target, end.why.text);
    if (end.how == kind::turned_away && !stopping) turned_away(target->who.id, end.why);
  } else {
    log_dial_failure(*target, reached.failure().detail);
  }
  dialling.erase(mine);
  session->abort();
}

/// Resolves and connects. Errors, for a person: `io_error`.
net::awaitable<status> link_layer::impl::reach(link_session_ptr session, std::string address,
                                               std::shared_ptr<bool> resolving) {
  session->remote = address;
  auto where = parse_endpoint(address);
  if (!where) co_return error{errc::io_error, where.failure().detail};
  auto endpoints = numeric_endpoint(*where);
  if (endpoints.empty()) {
    if (*resolving) co_return error{errc::io_error, "looking up " + where->host + " takes long"};
    auto found = std::make_shared<std::vector<tcp::endpoint>>();
    *resolving = true;
    resolve_elsewhere(*where, [keep = shared_from_this(), found, resolving,
                               weak = std::weak_ptr{session}](std::vector<tcp::endpoint> got) {
      net::post(keep->io, [found, resolving, weak, got = std::move(got)]() mutable {
        *found = std::move(got);
        *resolving = false;
        if (auto s = weak.lock()) s->wake();
      });
    });
    co_await session->pause(settings.handshake_timeout);
    endpoints = *found;
    if (endpoints.empty()) co_return error{errc::io_error, "no address is known for " + where->host};
  }
  auto connected = co_await session->connect(endpoints);
  if (!connected) co_return error{errc::io_error, "can't be reached at " + address};
  tune_for_link(session->socket());
  co_return success();
}

void link_layer::impl::log_dial_failure(linked_peer& target, const std::string& what) {
  if (stopping || what.empty() || target.last_failure == what) return;
  target.last_failure = what;
  spdlog::warn("link: no link to {} yet, trying on: {}", target.who.id.name, what);
}

}  // namespace kaiku
