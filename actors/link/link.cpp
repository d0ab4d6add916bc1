#include "kaiku/link/link.hpp"

#include <utility>

#include <algorithm>
#include <deque>
#include <list>
#include <map>
#include <thread>

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/rand.h>
#include <spdlog/spdlog.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <caf/actor_system.hpp>
#include <caf/send.hpp>

#include "kaiku/link/handover.hpp"
#include "kaiku/link/handshake.hpp"
#include "kaiku/link/quiet_log.hpp"
#include "kaiku/link/resolve.hpp"

namespace kaiku {
namespace {

namespace net = boost::asio;
using boost::system::error_code;
using net::use_awaitable;
using net::ip::tcp;
using std::chrono::steady_clock;

/// First wait before a peer is dialled again; doubles up to `limits::link_retry_max_ms`.
constexpr milliseconds retry_first{50};
/// A link that stood this long was good: the next dial begins with the first wait again.
constexpr milliseconds good_link{2000};
/// Between two looks at whether CAF has let go of an old link: it takes about a millisecond.
constexpr milliseconds old_link_poll{2};
/// When descriptors have run out, accepting at once again would spin.
constexpr milliseconds accept_retry{100};
/// Data that nobody acknowledges for this long ends the connection, so that after a partition a new one is dialled
/// instead of waiting for a retransmission that has backed off. Longer than a default election.
constexpr milliseconds unacknowledged{5000};

void tune(tcp::socket& socket) {
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  socket.set_option(tcp::socket::keep_alive(true), ignored);
  auto set = [&](int name, int value) {
    ::setsockopt(socket.native_handle(), IPPROTO_TCP, name, &value, sizeof value);
  };
  set(TCP_KEEPIDLE, 2);
  set(TCP_KEEPINTVL, 1);
  set(TCP_KEEPCNT, 3);
  set(TCP_USER_TIMEOUT, static_cast<int>(unacknowledged.count()));
  ::fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC);
}

/// A second descriptor of a connection that CAF has: ends the connection when it goes.
class link_guard {
 public:
  explicit link_guard(int descriptor) : copy_(::fcntl(descriptor, F_DUPFD_CLOEXEC, 0)) {}
  link_guard(link_guard&& other) noexcept : copy_(std::exchange(other.copy_, -1)) {}
  link_guard& operator=(link_guard&& other) noexcept {
    std::swap(copy_, other.copy_);
    return *this;
  }
  ~link_guard() {
    if (copy_ < 0) return;
    ::shutdown(copy_, SHUT_RDWR);
    ::close(copy_);
  }
  bool holds() const { return copy_ >= 0; }

 private:
  int copy_;
};

struct standing_link {
  link_serial serial;
  boot_id boot;
  incarnation disk;
  caf::node_id caf_node;
  link_guard connection;
};

/// A member other than this node.
struct peer {
  explicit peer(net::io_context& io) : timer(io) {}

  member who;
  std::optional<standing_link> link;
  net::steady_timer timer;  ///< the dialler waits on it; cancelled when there is something to do
  bool removed = false;
  bool resolving = false;    ///< a thread still looks up its name
  std::string last_failure;  ///< logged; said again only when it changes or a link stood in between
};

using peer_ptr = std::shared_ptr<peer>;
using session_ptr = std::shared_ptr<link_session>;

std::string text_of(const tcp::endpoint& x) {
  return (x.address().is_v6() ? "[" + x.address().to_string() + "]" : x.address().to_string()) + ":" +
         std::to_string(x.port());
}

}  // namespace

struct link_layer::impl : std::enable_shared_from_this<impl> {
  impl(caf::actor_system& system, link_settings s) : settings(std::move(s)), caf_side(system), acceptor(io) {
    own.name = settings.self;
    own.disk = settings.disk;
    own.boot = settings.boot;
    own.caf_node = to_string(caf_side.node());
    own.has_secret = !settings.secret.empty();
  }

  // --- set at the start
  link_settings settings;
  caf_handover caf_side;
  net::io_context io{1};
  net::executor_work_guard<net::io_context::executor_type> work{io.get_executor()};
  tcp::acceptor acceptor;
  std::uint16_t port = 0;
  std::thread thread;

  // --- used by the thread only
  hello own;  ///< all but the nonce
  std::vector<member> members;
  std::map<node_id, peer_ptr> peers;
  std::list<session_ptr> unproven;  ///< accepted, oldest first
  std::list<session_ptr> dialling;
  directory_handle directory;
  link_serial last_serial;
  bool stopping = false;
  quiet_log strangers{"strangers"};
  quiet_log refused_members{"refused hellos"};

  status listen();
  void run(net::awaitable<void> task);
  net::awaitable<void> accept_all();
  void admit(const session_ptr& session);
  net::awaitable<void> serve(session_ptr session);
  net::awaitable<void> dial_forever(peer_ptr target);
  net::awaitable<void> dial(const peer_ptr& target);
  net::awaitable<bool> reach(const session_ptr& session, const peer_ptr& target);
  net::awaitable<bool> wait_for_old_link(session_ptr session, const hello& theirs);
  handshake_side side_for(const session_ptr& session, link_role role, const node_id& dialled);
  std::optional<standing_link>* hand_over(const session_ptr& session, const hello& theirs, int& descriptor);
  void publish(const session_ptr& session, const hello& theirs);
  void connect(const session_ptr& session, const hello& theirs);
  void greeted(const node_id& id, link_serial serial, result<caf::strong_actor_ptr> remote);
  void end_link(peer& x);
  void log_accepted(const link_session& session, const handshake_outcome& end);
  void log_dial_failure(peer& target, const std::string& what);
  void take_members(const cluster_id& cluster, std::vector<member> voters);
  void stop_now();
};

status link_layer::impl::listen() {
  error_code failed;
  auto address = net::ip::make_address(settings.listen_address, failed);
  if (failed) return {errc::bad_request, "not a numeric address: " + settings.listen_address};
  tcp::endpoint endpoint{address, settings.listen_port};
  acceptor.open(endpoint.protocol(), failed);
  if (!failed) acceptor.set_option(tcp::acceptor::reuse_address(true), failed);
  if (!failed) acceptor.bind(endpoint, failed);
  if (!failed) acceptor.listen(tcp::acceptor::max_listen_connections, failed);
  if (failed) return {errc::in_use, "can't listen on " + text_of(endpoint) + ": " + failed.message()};
  ::fcntl(acceptor.native_handle(), F_SETFD, FD_CLOEXEC);
  port = acceptor.local_endpoint().port();
  return success();
}

void link_layer::impl::run(net::awaitable<void> task) {
  net::co_spawn(io, std::move(task), [](std::exception_ptr failed) {
    if (failed) std::rethrow_exception(failed);  // out of memory: ends the process
  });
}

// --- accepting -----------------------------------------------------------------------------------------------------

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
    tune(socket);
    auto session = std::make_shared<link_session>(std::move(socket));
    auto from = session->socket().remote_endpoint(failed);
    if (!failed) session->remote = text_of(from);
    admit(session);
    run(serve(session));
  }
}

/// At the bound the oldest goes that has not said a legal hello: a member says it with its first packet, so silent
/// strangers push out each other.
void link_layer::impl::admit(const session_ptr& session) {
  if (unproven.size() >= limits::unproven_links) {
    auto oldest = std::find_if(unproven.begin(), unproven.end(), [](const auto& x) { return !x->has_said_hello; });
    if (oldest == unproven.end()) oldest = unproven.begin();
    strangers.warn("closed a connection of {}: more than {} that have not said who they are", (*oldest)->remote,
                   limits::unproven_links);
    (*oldest)->abort();
    unproven.erase(oldest);
  }
  unproven.push_back(session);
}

net::awaitable<void> link_layer::impl::serve(session_ptr session) {
  auto keep = shared_from_this();
  session->start_deadline(settings.handshake_timeout);
  auto side = side_for(session, link_role::acceptor, {});
  auto end = co_await accept_handshake(session, side);
  unproven.remove(session);
  if (end.how == handshake_outcome::kind::welcome && !session->aborted() && !stopping)
    publish(session, end.peer);
  else if (!stopping)
    log_accepted(*session, end);
  session->abort();
}

void link_layer::impl::log_accepted(const link_session& session, const handshake_outcome& end) {
  using kind = handshake_outcome::kind;
  auto who = end.said_hello ? end.peer.name.name + " at " + session.remote : session.remote;
  auto& log = end.said_hello ? refused_members : strangers;
  if (end.how == kind::refused) log.warn("refused {}: {}", who, end.why.text);
  if (end.how == kind::turned_away) log.warn("{} refused this node: {}", who, end.why.text);
  if (end.how == kind::broken) log.warn("no link with {}: {}", who, end.why.text);
}

// --- dialling ------------------------------------------------------------------------------------------------------

net::awaitable<void> link_layer::impl::dial_forever(peer_ptr target) {
  auto keep = shared_from_this();
  error_code ignored;
  auto wait = retry_first;
  while (!stopping && !target->removed) {
    co_await dial(target);
    auto since = steady_clock::now();
    while (target->link && !stopping && !target->removed) {
      target->timer.expires_at(steady_clock::time_point::max());
      co_await target->timer.async_wait(net::redirect_error(use_awaitable, ignored));
    }
    if (stopping || target->removed) break;
    if (steady_clock::now() - since >= good_link) wait = retry_first;
    target->timer.expires_after(wait);
    co_await target->timer.async_wait(net::redirect_error(use_awaitable, ignored));
    wait = std::min(wait * 2, milliseconds{limits::link_retry_max_ms});
  }
}

net::awaitable<void> link_layer::impl::dial(const peer_ptr& target) {
  auto session = std::make_shared<link_session>(tcp::socket{io});
  session->remote = target->who.peer_address;
  auto mine = dialling.insert(dialling.end(), session);
  session->start_deadline(settings.handshake_timeout);
  auto reached = co_await reach(session, target);
  if (reached) {
    auto side = side_for(session, link_role::dialler, target->who.id);
    auto end = co_await dial_handshake(session, side);
    using kind = handshake_outcome::kind;
    if (end.how == kind::welcome && !session->aborted() && !stopping)
      connect(session, end.peer);
    else if (end.how == kind::turned_away)
      log_dial_failure(*target, "it refused this node: " + end.why.text);
    else if (end.how == kind::refused)
      log_dial_failure(*target, "refused it: " + end.why.text);
    else
      log_dial_failure(*target, end.why.text);
  }
  dialling.erase(mine);
  session->abort();
}

/// Resolves and connects.
net::awaitable<bool> link_layer::impl::reach(const session_ptr& session, const peer_ptr& target) {
  auto where = split_address(target->who.peer_address);
  if (!where) {
    log_dial_failure(*target, "not host:port: " + target->who.peer_address);
    co_return false;
  }
  auto endpoints = numeric_endpoint(*where);
  if (endpoints.empty()) {
    if (target->resolving) {
      log_dial_failure(*target, "looking up " + where->host + " takes long");
      co_return false;
    }
    auto found = std::make_shared<std::vector<tcp::endpoint>>();
    target->resolving = true;
    resolve_elsewhere(*where, [keep = shared_from_this(), found, weak = std::weak_ptr{session},
                               peer = std::weak_ptr{target}](std::vector<tcp::endpoint> got) {
      net::post(keep->io, [found, weak, peer, got = std::move(got)]() mutable {
        *found = std::move(got);
        if (auto p = peer.lock()) p->resolving = false;
        if (auto s = weak.lock()) s->wake();
      });
    });
    co_await session->pause(settings.handshake_timeout);
    endpoints = *found;
    if (endpoints.empty()) {
      log_dial_failure(*target, "no address is known for " + where->host);
      co_return false;
    }
  }
  auto connected = co_await session->connect(endpoints);
  if (connected) {
    tune(session->socket());
    co_return true;
  }
  log_dial_failure(*target, "can't be reached at " + target->who.peer_address);
  co_return false;
}

void link_layer::impl::log_dial_failure(peer& target, const std::string& what) {
  if (stopping || target.last_failure == what) return;
  target.last_failure = what;
  spdlog::warn("link: no link to {} yet, trying on: {}", target.who.id.name, what);
}

// --- from hello to CAF ---------------------------------------------------------------------------------------------

handshake_side link_layer::impl::side_for(const session_ptr& session, link_role role, const node_id& dialled) {
  handshake_side side;
  side.rules = {own, members, role, dialled, {}};
  auto done = RAND_bytes(side.rules.self.nonce.data(), static_cast<int>(side.rules.self.nonce.size()));
  INVARIANT(done == 1, "the system gives random numbers");
  for (const auto& [id, x] : peers)
    if (x->link) side.rules.linked.push_back({id, to_string(x->link->caf_node)});
  side.secret = settings.secret;
  // By weak pointer: the session's own coroutine holds this function.
  side.old_link_gone = [this, weak = std::weak_ptr{session}](const hello& theirs) {
    return wait_for_old_link(weak.lock(), theirs);
  };
  return side;
}

/// Ends the link that the peer itself has given up, and waits until CAF has noticed.
net::awaitable<bool> link_layer::impl::wait_for_old_link(session_ptr session, const hello& theirs) {
  std::vector<caf::node_id> nodes(1);
  if (caf::parse(theirs.caf_node, nodes.front())) co_return false;
  auto known = peers.find(theirs.name);
  if (known == peers.end()) co_return false;
  if (auto& old = known->second->link) {
    spdlog::info("link: {} comes anew {}, its old link is closed", theirs.name.name,
                 old->boot == theirs.boot ? "in the same process" : "in a new process");
    nodes.push_back(old->caf_node);
    end_link(*known->second);
  }
  // Half of the time, so that a refusal still gets through.
  auto give_up = steady_clock::now() + settings.handshake_timeout / 2;
  auto answer = caf_side.ask_for_route(nodes);
  while (!session->aborted() && !stopping && steady_clock::now() < give_up) {
    auto route = answer->load();
    if (route == caf_handover::route::gone) co_return true;
    if (route == caf_handover::route::up) answer = caf_side.ask_for_route(nodes);
    co_await session->pause(old_link_poll);
  }
  co_return false;
}

/// The place of the new link, with `descriptor` for CAF; null when there is none any more, or no directory.
std::optional<standing_link>* link_layer::impl::hand_over(const session_ptr& session, const hello& theirs,
                                                          int& descriptor) {
  auto known = peers.find(theirs.name);
  if (known == peers.end() || known->second->link || !directory) return nullptr;
  link_guard guard{session->socket().native_handle()};
  if (!guard.holds()) return nullptr;
  descriptor = session->release();
  last_serial = last_serial.next();
  caf::node_id caf_node;
  auto unreadable = caf::parse(theirs.caf_node, caf_node);
  INVARIANT(!unreadable, "parsed before, when its old link was waited for");
  known->second->link.emplace(standing_link{last_serial, theirs.boot, theirs.disk, caf_node, std::move(guard)});
  known->second->last_failure.clear();
  return &known->second->link;
}

void link_layer::impl::publish(const session_ptr& session, const hello& theirs) {
  int descriptor = -1;
  auto* link = hand_over(session, theirs, descriptor);
  if (link == nullptr) return;
  spdlog::info("link: {} at {} linked", theirs.name.name, session->remote);
  // The directory hears of the link before CAF hears the peer.
  caf::anon_send(directory,
                 link_up{theirs.name, theirs.disk, theirs.boot, (*link)->serial, (*link)->caf_node, nullptr});
  caf_side.publish(descriptor, port, directory);
}

void link_layer::impl::connect(const session_ptr& session, const hello& theirs) {
  int descriptor = -1;
  auto* link = hand_over(session, theirs, descriptor);
  if (link == nullptr) return;
  auto done = [weak = weak_from_this(), id = theirs.name,
               serial = (*link)->serial](result<caf::strong_actor_ptr> remote) {
    auto self = weak.lock();
    if (!self) return;
    net::post(self->io, [weak, id, serial, remote = std::move(remote)]() mutable {
      if (auto again = weak.lock()) again->greeted(id, serial, std::move(remote));
    });
  };
  caf_side.connect(descriptor, (*link)->caf_node, settings.handshake_timeout, std::move(done));
}

void link_layer::impl::greeted(const node_id& id, link_serial serial, result<caf::strong_actor_ptr> remote) {
  auto known = peers.find(id);
  if (stopping || known == peers.end() || !known->second->link || known->second->link->serial != serial) return;
  auto& link = *known->second->link;
  if (!remote) {
    log_dial_failure(*known->second, remote.failure().detail);
    end_link(*known->second);
    return;
  }
  spdlog::info("link: {} at {} linked", id.name, known->second->who.peer_address);
  caf::anon_send(directory, link_up{id, link.disk, link.boot, serial, link.caf_node, std::move(*remote)});
}

void link_layer::impl::end_link(peer& x) {
  x.link.reset();
  x.timer.cancel();
}

// --- members -------------------------------------------------------------------------------------------------------

void link_layer::impl::take_members(const cluster_id& cluster, std::vector<member> voters) {
  if (stopping) return;
  own.cluster = cluster;
  members = std::move(voters);
  for (auto i = peers.begin(); i != peers.end();) {
    auto is_it = [&](const member& x) { return x.id == i->first; };
    if (std::any_of(members.begin(), members.end(), is_it)) {
      ++i;
      continue;
    }
    spdlog::info("link: {} is no longer a member", i->first.name);
    i->second->removed = true;
    end_link(*i->second);
    i = peers.erase(i);
  }
  for (const auto& x : members) {
    if (x.id == settings.self) continue;
    auto& known = peers[x.id];
    bool is_new = known == nullptr;
    if (is_new) known = std::make_shared<peer>(io);
    known->who = x;
    if (is_new && directory && settings.self < x.id) run(dial_forever(known));
  }
}

void link_layer::impl::stop_now() {
  stopping = true;
  error_code ignored;
  acceptor.close(ignored);
  for (const auto& x : unproven) x->abort();
  for (const auto& x : dialling) x->abort();
  for (const auto& [id, x] : peers) end_link(*x);
  work.reset();
}

// --- the public face -----------------------------------------------------------------------------------------------

result<std::unique_ptr<link_layer>> link_layer::start(caf::actor_system& system, link_settings settings) {
  auto state = std::make_shared<impl>(system, std::move(settings));
  if (auto listening = state->listen(); !listening) return listening.failure();
  state->thread = std::thread{[io = &state->io] { io->run(); }};
  return std::unique_ptr<link_layer>{new link_layer{std::move(state)}};
}

link_layer::link_layer(std::shared_ptr<impl> state) : impl_(std::move(state)) {}

link_layer::~link_layer() {
  stop();
}

void link_layer::open(directory_handle directory) {
  net::post(impl_->io, [self = impl_.get(), directory = std::move(directory)] {
    if (self->stopping) return;
    INVARIANT(!self->directory, "opened once");
    self->directory = directory;
    self->run(self->accept_all());
    for (const auto& [id, x] : self->peers)
      if (self->settings.self < id) self->run(self->dial_forever(x));
  });
}

std::uint16_t link_layer::port() const {
  return impl_->port;
}

void link_layer::set_members(const cluster_id& cluster, std::vector<member> voters) {
  net::post(impl_->io, [self = impl_.get(), cluster, voters = std::move(voters)]() mutable {
    self->take_members(cluster, std::move(voters));
  });
}

void link_layer::on_link_down(const node_id& peer, link_serial link) {
  net::post(impl_->io, [self = impl_.get(), peer, link] {
    auto known = self->peers.find(peer);
    if (known == self->peers.end() || !known->second->link || known->second->link->serial != link) return;
    spdlog::info("link: the link with {} is down", peer.name);
    self->end_link(*known->second);
  });
}

void link_layer::stop() {
  if (!impl_->thread.joinable()) return;
  net::post(impl_->io, [self = impl_.get()] { self->stop_now(); });
  impl_->thread.join();
  impl_->directory = nullptr;
  impl_->caf_side.release();
}

}  // namespace kaiku
