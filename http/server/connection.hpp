#pragma once

/// Purpose: bytes in and out of one client socket, with a deadline on every wait.
/// Owner: a session. Thread: the session's.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kaiku/http/server/worker.hpp"

#include <boost/asio/ip/tcp.hpp>

namespace kaiku {

using client_socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, io_executor>;

/// Bytes that were read and not yet used.
class input_buffer {
 public:
  std::string_view view() const { return {bytes_.data() + begin_, end_ - begin_}; }
  std::size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }
  void consume(std::size_t count);
  /// Room for at least `count` more bytes; `commit` says how many came.
  std::span<char> prepare(std::size_t count);
  void commit(std::size_t count) { end_ += count; }
  /// Gives memory back after a large body.
  void shrink();

 private:
  std::vector<char> bytes_;
  std::size_t begin_ = 0, end_ = 0;
};

class connection {
 public:
  enum class read_end { data, closed, timed_out, failed };

  explicit connection(client_socket socket);

  /// Reads what comes into `to`; `got` bytes. `closed`: the client sends no more.
  task<read_end> read(std::span<char> to, session_clock::time_point deadline, std::size_t& got);
  /// Sends both, in one system call when the socket takes it; `stall` without progress ends it. False: it is broken.
  task<bool> write(std::string_view head, std::string_view body, milliseconds stall);
  /// Ends the sending side, then reads and drops until the client ends its own or `deadline`.
  task<void> linger(session_clock::time_point deadline);

  /// Called by the worker's tick.
  void check_deadline(session_clock::time_point now);
  /// Whatever is awaited ends with an error.
  void close();

 private:
  void arm(session_clock::time_point deadline) {
    deadline_ = deadline;
    timed_out_ = false;
  }
  void disarm() { deadline_ = session_clock::time_point::max(); }

  client_socket socket_;
  session_clock::time_point deadline_ = session_clock::time_point::max();
  bool timed_out_ = false;
};

}  // namespace kaiku
