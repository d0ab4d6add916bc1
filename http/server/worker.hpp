#pragma once

/// Purpose: what the sessions of one I/O thread share: their list, their clock, and what the server has told them.
/// Owner: the server makes one per thread; sessions keep it alive, so that the last may end after the server.
/// Thread: that thread, but for `counters`.

#include <atomic>
#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <unordered_set>

#include "kaiku/http/server/task.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include "kaiku/http/server/meter.hpp"
#include "kaiku/http/server/server.hpp"

namespace kaiku {

class session;

/// Of the whole server.
struct server_counters {
  std::atomic<std::size_t> connections{0};
  std::atomic<std::size_t> open_requests{0};
  std::atomic<std::uint64_t> handshakes_failed{0};
  std::atomic<std::size_t> streams{0};
  std::atomic<std::size_t> backups{0};
  std::atomic<std::chrono::steady_clock::time_point> last_taken{};  ///< a connection
  address_counter connections_each, requests_each, uploads_each;
  const std::shared_ptr<request_registry> requests = std::make_shared<request_registry>();
};

using session_clock = std::chrono::steady_clock;

class worker_state : public std::enable_shared_from_this<worker_state> {
 public:
  worker_state(http_worker worker, const http_settings& settings, std::shared_ptr<server_counters> counters);

  void add(session* one);
  void remove(session* one) { sessions_.erase(one); }
  /// A session begins with TLS. With `limits::http_handshakes` under way, the oldest gives up.
  void begin_handshake(session* one);
  void end_handshake(session* one) { handshakes_.remove(one); }
  /// Probes say so from now on, and every answer ends its connection.
  void announce_end() { draining_ = true; }
  /// Closes idle sessions, the others after their answer. One whose first request is on its way may yet send it.
  void drain();
  /// Closes all sockets and drops all uploads; from now on nobody may use `node`.
  void abandon();

  /// Between `announce_end` and the end.
  const bool& draining() const { return draining_; }
  /// From `drain` on.
  bool closing() const { return closing_; }
  const bool& abandoned() const { return abandoned_; }

  boost::asio::io_context& io;
  gateway& node;
  const http_settings settings;
  const std::shared_ptr<server_counters> counters;
  request_meter meter;

 private:
  using timer = boost::asio::basic_waitable_timer<session_clock, boost::asio::wait_traits<session_clock>, io_executor>;

  void tick();

  /// One timer looks at all deadlines now and then: setting a deadline costs a store, not a timer operation.
  timer timer_;
  timer last_look_;  ///< of `drain`
  milliseconds tick_interval_;
  std::unordered_set<session*> sessions_;
  std::list<session*> handshakes_;  ///< under way, oldest first
  bool ticking_ = false;
  bool draining_ = false;
  bool closing_ = false;
  bool abandoned_ = false;
};

}  // namespace kaiku
