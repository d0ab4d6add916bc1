#include "kaiku/http/server/session.hpp"

#include <spdlog/spdlog.h>
#include <boost/asio/co_spawn.hpp>

#include "kaiku/http/api/access.hpp"
#include "kaiku/http/api/cors.hpp"
#include "kaiku/http/api/problem.hpp"
#include "kaiku/http/api/router.hpp"
#include "kaiku/http/api/tracing.hpp"
#include "kaiku/http/server/bridge.hpp"
#include "kaiku/http/server/reply_head.hpp"
#include "kaiku/tls/credentials.hpp"

namespace kaiku {
namespace {

/// Read at once while a header is expected: nearly every header, and a small body behind it.
constexpr std::size_t header_read_bytes = 4096;

/// Counts a request while it is answered.
struct open_request {
  open_request(server_counters& all, request_figures& told) : counters(all), figures(told) {
    ++counters.open_requests;
    figures.open.fetch_add(1, std::memory_order_relaxed);
  }
  ~open_request() {
    --counters.open_requests;
    figures.open.fetch_sub(1, std::memory_order_relaxed);
    figures.answered.fetch_add(1, std::memory_order_relaxed);
  }
  open_request(const open_request&) = delete;
  open_request& operator=(const open_request&) = delete;
  server_counters& counters;
  request_figures& figures;
};

}  // namespace

session::session(client_socket socket, const ip_address& peer, bool counted, std::shared_ptr<worker_state> worker)
    : worker_(std::move(worker)),
      peer_(peer),
      counted_(counted),
      client_(peer.to_string()),
      connection_(std::move(socket), worker_->settings.tls ? worker_->settings.tls->context() : nullptr) {}

session::~session() {
  worker_->remove(this);
  if (counted_) worker_->counters->connections_each.leave(peer_);
  --worker_->counters->connections;
}

void session::start(std::shared_ptr<session> self) {
  auto executor = self->worker_->io.get_executor();
  self->worker_->add(self.get());
  boost::asio::co_spawn(
      executor, [self = std::move(self)]() mutable { return run(std::move(self)); },
      [](std::exception_ptr failed) {
        if (!failed) return;
        try {
          std::rethrow_exception(failed);
        } catch (const session_abandoned&) {  // the server is gone
        } catch (const std::exception& e) {
          spdlog::error("an HTTP session ended: {}", e.what());
        }
      });
}

task<void> session::run(std::shared_ptr<session> self) {
  co_await self->serve();
}

void session::close_if_idle(bool also_new) {
  if (idle_ && (also_new || !first_) && !connection_.has_input()) connection_.close();
}

void session::abandon() {
  connection_.close();
  if (!exchange_) return;
  exchange_->sending.reset();
  exchange_->waiting.reset();
}

task<void> session::serve() {
  const auto first_deadline = session_clock::now() + worker_->settings.header_timeout;
  bool welcome = true;
  if (worker_->settings.tls) {
    worker_->begin_handshake(this);
    welcome = co_await connection_.shake_hands(first_deadline);
    worker_->end_handshake(this);
    if (!welcome) {
      ++worker_->counters->handshakes_failed;
      const auto& why = connection_.handshake_failure();
      spdlog::debug("HTTPS: no connection with {}: {}", client_, why.empty() ? "it took too long" : why);
      lingers_ = !why.empty();
    }
  }
  while (welcome) {
    const bool ready = co_await read_header(first_deadline);
    if (!ready) break;
    const bool go_on = co_await answer();
    if (!go_on) break;
  }
  if (refused_ && !worker_->abandoned()) co_await refuse();
  if (lingers_) co_await connection_.linger(session_clock::now() + worker_->settings.linger_timeout);
  connection_.close();
}

bool session::scan_header(std::size_t& scanned, std::size_t& size) {
  const auto most = worker_->settings.max_header_bytes;
  // An empty line in front of a request is forgiven (RFC 9112, 2.2).
  if (scanned == 0 && input_.view().starts_with("\r\n")) input_.consume(2);
  if (scanned == 0 && input_.view() == "\r") return false;
  auto scan = find_header_end(input_.view(), scanned);
  scanned = scan.size;
  if (scan.now == header_scan::state::complete && scan.size <= most) {
    size = scan.size;
    return true;
  }
  if (scan.now == header_scan::state::bad) {
    refused_ = request_refusal{400, "a line feed without a carriage return in the header"};
  } else if (input_.size() >= most) {
    refused_ = request_refusal{431, "the header is larger than " + std::to_string(most) + " bytes"};
  }
  return refused_.has_value();
}

task<bool> session::read_header(session_clock::time_point first_deadline) {
  const auto& settings = worker_->settings;
  std::size_t scanned = 0, size = 0;
  idle_ = input_.empty();
  if (idle_ && !first_ && worker_->closing() && !connection_.has_input()) co_return false;
  auto deadline = session_clock::now() + (idle_ ? settings.idle_timeout : settings.header_timeout);
  if (first_) deadline = first_deadline;
  while (!scan_header(scanned, size)) {
    if (idle_ && !input_.empty()) {
      idle_ = false;
      if (!first_) deadline = session_clock::now() + settings.header_timeout;
    }
    std::size_t got = 0;
    auto end = co_await connection_.read(input_.prepare(header_read_bytes), deadline, got);
    if (end == connection::read_end::timed_out && !idle_) refused_ = request_refusal{408, "the header took too long"};
    if (end == connection::read_end::closed && !idle_) refused_ = request_refusal{400, "the header was cut off"};
    if (end != connection::read_end::data) co_return false;
    input_.commit(got);
  }
  idle_ = first_ = false;
  co_return !refused_ && accept_header(size);
}

bool session::accept_header(std::size_t size) {
  auto header = input_.view().substr(0, size);
  framing_ = {};
  refused_ = check_framing(header, worker_->settings.max_header_fields, framing_);
  if (!refused_) refused_ = parser_.parse(header, framing_, worker_->settings.max_body_bytes, request_);
  if (refused_) return false;
  input_.consume(size);
  receiving_ = sending_ = full_patience();
  left_ = framing_.length;
  body_done_ = !framing_.chunked && left_ == 0;
  body_failed_ = errc::none;
  auto expect = request_.header("Expect");
  owes_continue_ = expect && request_.version == 11 && same_token(*expect, "100-continue") && !body_done_;
  return true;
}

task<bool> session::answer() {
  open_request counted(*worker_->counters, *worker_->settings.figures);
  const auto began = session_clock::now();
  received_ = sent_ = 0;
  const auto& settings = worker_->settings;
  auto client = peer_;
  if (!settings.trusted_proxies.empty()) {
    client = client_of(request_, peer_, settings.trusted_proxies, settings.forwarded == forwarded_field::forwarded);
    client_ = client.to_string();
  }
  address_place place(worker_->counters->requests_each, client), upload_place(worker_->counters->uploads_each, client);
  const bool crowded = settings.max_requests_each != 0 && !place.take(settings.max_requests_each);
  exchange_.emplace(exchange{.node = worker_->node,
                             .settings = settings,
                             .in = request_,
                             .body = *this,
                             .path = {},
                             .query = {},
                             .kept_query = {},
                             .segment = {},
                             .sending = nullptr,
                             .waiting = nullptr,
                             .client = client_,
                             .crowded = crowded,
                             .upload_place = upload_place,
                             .who = nullptr,
                             .route = {},
                             .meter = worker_->meter,
                             .server = {worker_->counters->connections, worker_->counters->open_requests,
                                        worker_->counters->handshakes_failed},
                             .streams = worker_->counters->streams,
                             .backups = worker_->counters->backups,
                             .draining = worker_->draining(),
                             .abandoned = worker_->abandoned()});
  routed plan = route_request(*exchange_);
  if (plan.later != nullptr) plan.now = co_await plan.later(*exchange_);
  if (worker_->abandoned()) co_return false;
  exchange_->sending.reset();
  end_trace(*exchange_, plan.now);
  // A client that was not told to go on may send its body or not: what follows can't be told from it.
  bool keep =
      parser_.keep_alive() && !plan.now.close && !plan.now.stream && !worker_->draining() && body_failed_ == errc::none;
  if (!body_done_ && (owes_continue_ || framing_.chunked || left_ > limits::http_drained_body_bytes)) keep = false;
  audit(*exchange_, plan.now.status);  // in front of the answer: a backup takes long
  const bool sent = co_await send(plan.now, keep);
  measure(began, plan.now.status);
  if (!sent) co_return false;
  if (keep && !body_done_) keep = co_await drain_body();
  lingers_ = !keep && (!body_done_ || !input_.empty());
  co_return keep;
}

/// The bytes from `done` on of a part.
status read_piece(const content_reader& file, const file_part& part, std::uint64_t done, std::string& into) {
  into.resize(piece_at(part.offset + done, part.length - done));
  return file.read(part.offset + done, into);
}

task<bool> session::send(response& what, bool keep) {
  const bool with_content = what.file && request_.method != http_method::head;
  std::string piece;
  if (with_content) {
    // In front of the header: damage that is met at once gets an answer that says so.
    auto first = read_piece(*what.file, what.parts.front(), 0, piece);
    if (!first) what = problem(first.failure());
  }
  add_cors(request_, worker_->settings, what);
  add_strict_transport(what);
  head_.clear();
  write_reply_head(what, worker_->node.view(), request_.version, keep, head_);
  sending_ = full_patience();
  if (request_.method == http_method::head) what.body.clear();
  bool sent = false;
  if (with_content && what.file) {
    sent = co_await send_parts(what, std::move(piece));
  } else if (what.stream && request_.method != http_method::head) {
    sent = co_await send_stream(*what.stream);
  } else {
    sent = co_await connection_.write(head_, what.body, sending_);
    if (sent) sent_ += what.body.size();
  }
  co_return sent;
}

task<bool> session::send_parts(const response& what, std::string piece) {
  for (const auto& part : what.parts) {
    head_ += part.head;
    sent_ += part.head.size();
    for (std::uint64_t done = 0; done < part.length; done += piece.size()) {
      // There is only one way to say it now: the connection ends before the content does.
      const bool first = done == 0 && &part == &what.parts.front();
      if (!first && !read_piece(*what.file, part, done, piece)) co_return false;
      const bool sent = co_await connection_.write(head_, piece, sending_);
      if (!sent) co_return false;
      sent_ += piece.size();
      head_.clear();
    }
  }
  if (what.body.empty()) co_return true;
  sent_ += what.body.size();
  const bool ended = co_await connection_.write(what.body, {}, sending_);
  co_return ended;
}

task<bool> session::send_stream(body_source& from) {
  for (std::string piece;;) {
    const bool sent = co_await connection_.write(head_, piece, sending_);
    if (!sent) co_return false;
    sent_ += piece.size();
    head_.clear();
    piece = co_await from.next();
    if (piece.empty()) co_return true;
    sending_ = full_patience();
  }
}

/// RFC 6797: a browser does not try plain HTTP again.
void session::add_strict_transport(response& what) const {
  if (worker_->settings.tls)
    what.add("Strict-Transport-Security", "max-age=" + std::to_string(limits::http_strict_transport_seconds));
}

void session::measure(session_clock::time_point began, unsigned code) {
  worker_->meter.count({.route = exchange_->route,
                        .method = request_.method,
                        .status = code,
                        .duration = session_clock::now() - began,
                        .received = received_,
                        .sent = sent_});
}

task<void> session::refuse() {
  response answer = refusal_problem(*refused_);
  add_strict_transport(answer);
  head_.clear();
  write_reply_head(answer, worker_->node.view(), 11, false, head_);
  worker_->meter.count({.status = answer.status});
  sending_ = full_patience();
  lingers_ = co_await connection_.write(head_, answer.body, sending_);
}

}  // namespace kaiku
