#include "kaiku/link/tls_scribe.hpp"

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>
#include <caf/io/network/default_multiplexer.hpp>
#include <caf/io/network/native_socket.hpp>
#include <caf/io/network/stream_impl.hpp>

namespace kaiku {
namespace {

namespace cafnet = caf::io::network;
using cafnet::rw_state;
using step = tls_session::step;

/// Written in one go, before other connections have their turn: a chunk of content.
constexpr std::size_t write_turn_bytes = 16 * tls_record_bytes;

/// What CAF's stream reads and writes with.
class tls_policy {
 public:
  explicit tls_policy(std::unique_ptr<tls_session> session) : session_(std::move(session)) {}

  rw_state read_some(std::size_t& count, cafnet::native_socket, void* to, std::size_t most) {
    const auto last = session_->read(static_cast<char*>(to), most);
    count = last.bytes;
    return state_of(last.now);
  }
  rw_state write_some(std::size_t& count, cafnet::native_socket, const void* from, std::size_t size) {
    count = 0;
    auto last = step::done;
    while (last == step::done && count < std::min(size, write_turn_bytes)) {
      const auto sent = session_->write(static_cast<const char*>(from) + count, size - count);
      count += sent.bytes;
      last = sent.now;
    }
    return state_of(last);
  }
  /// What is in hand the socket does not announce.
  bool must_read_more(cafnet::native_socket, std::size_t) const { return session_->pending() != 0; }

 private:
  rw_state state_of(step now) {
    // That a link has ended the link layer says.
    if (now == step::failed && session_->broke_protocol() && !std::exchange(told_, true))
      spdlog::warn("link: TLS with a member failed: {}", session_->failure());
    return now == step::ended || now == step::failed ? rw_state::failure : rw_state::success;
  }

  std::unique_ptr<tls_session> session_;
  bool told_ = false;
};

/// As CAF's own `scribe_impl`, whose stream can't be chosen.
class tls_scribe final : public caf::io::scribe {
 public:
  tls_scribe(cafnet::default_multiplexer& backend, proven_connection connection)
      : scribe(cafnet::conn_hdl_from_socket(connection.socket)),
        stream_(backend, connection.socket, std::move(connection.tls)) {}

  void configure_read(caf::io::receive_policy::config config) override {
    stream_.configure_read(config);
    if (launched_) return;
    launched_ = true;
    stream_.start(this);
  }
  void ack_writes(bool enable) override { stream_.ack_writes(enable); }
  std::vector<char>& wr_buf() override { return stream_.wr_buf(); }
  std::vector<char>& rd_buf() override { return stream_.rd_buf(); }
  void graceful_shutdown() override {
    stream_.graceful_shutdown();
    detach(&stream_.backend(), false);
  }
  void flush() override { stream_.flush(this); }
  std::string addr() const override {
    const auto known = cafnet::remote_addr_of_fd(stream_.fd());
    return known ? *known : "";
  }
  std::uint16_t port() const override {
    const auto known = cafnet::remote_port_of_fd(stream_.fd());
    return known ? *known : std::uint16_t{0};
  }
  void add_to_loop() override { stream_.activate(this); }
  void remove_from_loop() override { stream_.passivate(); }

 private:
  bool launched_ = false;
  cafnet::stream_impl<tls_policy> stream_;
};

}  // namespace

caf::io::scribe_ptr make_tls_scribe(cafnet::multiplexer& backend, proven_connection connection) {
  return caf::make_counted<tls_scribe>(static_cast<cafnet::default_multiplexer&>(backend), std::move(connection));
}

}  // namespace kaiku
