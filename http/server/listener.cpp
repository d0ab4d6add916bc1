// The acceptor, and the life of the server.

#include "kaiku/http/server/server.hpp"

#include <spdlog/spdlog.h>
#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <future>

#include "kaiku/http/server/session.hpp"

namespace kaiku {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

/// Out of file descriptors: the next attempt comes when some may have been closed, not at once.
constexpr milliseconds accept_retry{100};
/// A gateway with a connection for each request comes again within that.
constexpr milliseconds in_use_for{2000};

result<asio::ip::tcp::endpoint> resolve(asio::io_context& io, const http_settings& settings) {
  error_code failed;
  auto numeric = asio::ip::make_address(settings.address, failed);
  if (!failed) return asio::ip::tcp::endpoint{numeric, settings.port};
  asio::ip::tcp::resolver resolver(io);
  auto found =
      resolver.resolve(settings.address, std::to_string(settings.port), asio::ip::tcp::resolver::passive, failed);
  if (failed || found.empty())
    return {errc::bad_request, "the HTTP address '" + settings.address + "' can't be resolved: " + failed.message()};
  return found.begin()->endpoint();
}

}  // namespace

struct http_server::impl : std::enable_shared_from_this<http_server::impl> {
  impl(http_settings all, const std::vector<http_worker>& given)
      : settings(std::move(all)),
        counters(std::make_shared<server_counters>()),
        acceptor(*given.front().io),
        retry(*given.front().io) {
    for (const auto& worker : given) workers.push_back(std::make_shared<worker_state>(worker, settings, counters));
  }

  status listen();
  void accept_next();
  void take(client_socket socket, worker_state& worker);
  /// Connections that the system has made already are nobody's fault.
  void take_waiting();
  void stop_accepting() {
    stopped = true;
    error_code ignored;
    acceptor.close(ignored);
    retry.cancel();
  }
  /// Runs `what` on the worker's thread and waits for it; right here when that thread is this one or has ended.
  template <class F>
  void run_on(worker_state& worker, F what);

  const http_settings settings;
  const std::shared_ptr<server_counters> counters;
  std::vector<std::shared_ptr<worker_state>> workers;
  std::uint16_t port = 0;

  // The first worker's thread only.
  asio::ip::tcp::acceptor acceptor;
  asio::steady_timer retry;
  std::size_t next = 0;
  bool stopped = false;
  bool abandoned = false;  ///< nobody may be served any more
};

status http_server::impl::listen() {
  auto where = resolve(workers.front()->io, settings);
  if (!where) return where.failure();
  error_code failed;
  acceptor.open(where->protocol(), failed);
  if (!failed) acceptor.set_option(asio::socket_base::reuse_address(true), failed);
  if (!failed) acceptor.bind(*where, failed);
  if (!failed) acceptor.listen(asio::socket_base::max_listen_connections, failed);
  if (!failed) port = acceptor.local_endpoint(failed).port();
  if (!failed) return success();
  auto text =
      "HTTP can't listen on " + settings.address + ":" + std::to_string(settings.port) + ": " + failed.message();
  return {failed == asio::error::address_in_use ? errc::in_use : errc::bad_request, std::move(text)};
}

void http_server::impl::accept_next() {
  if (stopped) return;
  auto& worker = *workers[next++ % workers.size()];
  acceptor.async_accept(worker.io, [self = shared_from_this(), &worker](error_code failed, client_socket socket) {
    if (!failed && !self->abandoned) self->take(std::move(socket), worker);
    if (self->stopped) return;
    if (!failed) {
      self->accept_next();
    } else if (failed == asio::error::connection_aborted) {
      self->accept_next();
    } else {
      spdlog::warn("HTTP accept: {}; the next attempt in {} ms", failed.message(), accept_retry.count());
      self->retry.expires_after(accept_retry);
      self->retry.async_wait([self](error_code cancelled) {
        if (!cancelled) self->accept_next();
      });
    }
  });
}

void http_server::impl::take_waiting() {
  error_code failed;
  acceptor.non_blocking(true, failed);
  for (auto most = settings.max_connections; most != 0 && !failed; --most) {
    auto& worker = *workers[next++ % workers.size()];
    client_socket socket(worker.io);
    acceptor.accept(socket, failed);
    if (!failed) take(std::move(socket), worker);
  }
}

void http_server::impl::take(client_socket socket, worker_state& worker) {
  counters->last_taken = session_clock::now();
  if (counters->connections >= settings.max_connections) return;  // closed at once
  error_code gone;
  const auto peer = socket.remote_endpoint(gone).address();
  if (gone) return;
  const auto& trusted = settings.trusted_proxies;
  const bool counted =
      settings.max_connections_each != 0 &&
      std::none_of(trusted.begin(), trusted.end(), [&](const auto& one) { return one.contains(peer); });
  if (counted && !counters->connections_each.enter(peer, settings.max_connections_each)) return;
  ++counters->connections;
  auto one = std::make_shared<session>(std::move(socket), peer, counted, worker.shared_from_this());
  asio::post(worker.io, [one = std::move(one)]() mutable {
    if (!one->abandoned()) session::start(std::move(one));
  });
}

template <class F>
void http_server::impl::run_on(worker_state& worker, F what) {
  if (worker.io.stopped() || worker.io.get_executor().running_in_this_thread()) return what();
  auto done = std::make_shared<std::promise<void>>();
  auto finished = done->get_future();
  asio::post(worker.io, [what, done] {
    what();
    done->set_value();
  });
  while (finished.wait_for(milliseconds{10}) != std::future_status::ready)
    if (worker.io.stopped()) return what();
}

result<std::unique_ptr<http_server>> http_server::start(http_settings settings, std::vector<http_worker> workers) {
  INVARIANT(!workers.empty(), "an HTTP server without I/O threads");
  auto state = std::make_shared<impl>(std::move(settings), workers);
  auto listening = state->listen();
  if (!listening) return listening.failure();
  asio::post(state->workers.front()->io, [state] { state->accept_next(); });
  return std::unique_ptr<http_server>(new http_server(std::move(state)));
}

http_server::http_server(std::shared_ptr<impl> state) : impl_(std::move(state)) {}

http_server::~http_server() {
  impl_->run_on(*impl_->workers.front(), [state = impl_] {
    state->abandoned = true;
    state->stop_accepting();
  });
  for (auto& worker : impl_->workers) impl_->run_on(*worker, [worker] { worker->abandon(); });
  // A cancelled accept may keep the rest alive until its io_context ends; the timers of the others must not wait for
  // it.
  impl_->workers.clear();
}

std::uint16_t http_server::port() const {
  return impl_->port;
}

void http_server::announce_end() {
  for (auto& worker : impl_->workers) asio::post(worker->io, [worker] { worker->announce_end(); });
}

void http_server::drain() {
  asio::post(impl_->workers.front()->io, [state = impl_] {
    state->take_waiting();
    state->stop_accepting();
  });
  for (auto& worker : impl_->workers) asio::post(worker->io, [worker] { worker->drain(); });
}

std::size_t http_server::open_requests() const {
  return impl_->counters->open_requests;
}

std::size_t http_server::connections() const {
  return impl_->counters->connections;
}

bool http_server::is_in_use() const {
  return connections() != 0 || session_clock::now() - impl_->counters->last_taken.load() < in_use_for;
}

}  // namespace kaiku
