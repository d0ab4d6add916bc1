#pragma once

/// Purpose: strangers on a member's port, many at once and again and again: silent ones, plain ones, noise, halves
/// of a record, and a third that do all of TLS that they can, without a certificate or with one of their own authority.
/// Lifecycle: they come from the constructor on, until the destructor. Whoever is cut off is followed by another, at a
/// pace, so that what is measured beside them is what a node does with strangers, and not how fast a loop can connect.
/// Owner: owns their connections. Thread: one of its own; the counts from any.

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "support/tcp.hpp"

namespace kaiku::test {

struct crowd_options {
  endpoint at;
  std::size_t at_once = 1000;
  std::chrono::microseconds pace{10'000};  ///< between two that come later
  tls_context bare, foreign;               ///< what those speak that do TLS: without a certificate, and with one
};

class crowd {
 public:
  explicit crowd(crowd_options options);
  ~crowd();
  crowd(const crowd&) = delete;
  crowd& operator=(const crowd&) = delete;

  std::size_t came() const { return came_; }
  std::size_t cut_off() const { return cut_off_; }
  /// Those for whom a node has computed all of its part.
  std::size_t handshakes() const { return handshakes_; }

 private:
  enum class kind : std::uint8_t { silent, plain, half, noise, bare, foreign };
  static constexpr std::size_t kinds = 6;
  struct stranger {
    int socket = -1;
    std::unique_ptr<tls_session> tls;
    bool has_spoken = false;
    bool has_keys = false;  ///< the handshake is done, as far as it can tell
  };

  void run(const std::stop_token& stopped);
  void come(std::size_t i);
  /// What can be done now; false: it has been cut off.
  bool go_on(std::size_t i);
  void speak(std::size_t i);

  const crowd_options options_;
  const std::string noise_;
  int poll_ = -1;
  std::vector<stranger> members_;
  std::atomic<std::size_t> came_{0}, cut_off_{0}, handshakes_{0};
  std::jthread thread_;
};

}  // namespace kaiku::test
