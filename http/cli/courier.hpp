#pragma once

/// Purpose: carries requests to the cluster, several at a time on kept connections, and takes each to another node when
/// one fails.
/// Owner: the connections (one libcurl multi handle), the choice of the node, what the rate allows, timers, and what is
/// computed between two looks at the network.
/// Lifecycle: requests are begun at any time and end in `run`; what is under way when it dies is given up.
/// Thread: the process's only one. Nothing is called back but from `run`.
///
/// When a node can't be reached, or answers 503 or 429, the next one is asked, round after round until the patience is
/// over. A gateway's 502 and 504 say that the node behind it gave no answer, and are taken for none. What may have
/// reached a node is sent again only when it changes nothing or has an Idempotency-Key.

#include <chrono>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kaiku/cli/addresses.hpp"
#include "kaiku/cli/allowance.hpp"
#include "kaiku/cli/message.hpp"

namespace kaiku::cli {

using steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

struct exchange;

struct courier_settings {
  addresses nodes;
  std::string token = {};  ///< empty: none
  std::string ca_file = {}, certificate_file = {}, key_file = {};
  std::chrono::seconds patience{};
  bool follows = true;                ///< redirections, to the same place on another node
  unsigned parallel = 1;              ///< connections that are worth keeping
  std::uint64_t most_per_second = 0;  ///< bytes of all bodies together, either way; 0: no bound
};

class courier {
 public:
  using then = std::function<void(answer)>;

  explicit courier(courier_settings settings);
  ~courier();
  courier(const courier&) = delete;
  courier& operator=(const courier&) = delete;

  void send(request what, then with);
  void later(milliseconds delay, std::function<void()> what);
  /// Calls `slice` between looks at the network until it gives false.
  void compute(std::function<bool()> slice);

  /// Until `is_done`. False: a signal came first (`interrupted`).
  bool run(const std::function<bool()>& is_done);
  /// Sends one request and runs until it is answered; empty: a signal came first.
  std::optional<answer> ask(request what);

  /// Called with each turn of `run`, at most `limits::look_up_ms` apart, and at once when `descriptor` (unless -1) can
  /// be read.
  void on_turn(std::function<void()> what, int watched = -1);

  /// Requests that were sent, those sent again counted each time.
  std::uint64_t sent() const { return sent_; }

 private:
  struct handles;
  enum class verdict { deliver, repeat, redirect };

  void start(std::unique_ptr<exchange> one);
  std::unique_ptr<exchange> take_off(void* easy);
  void collect();
  std::vector<exchange*> paused() const;
  void resume();
  void finish(std::unique_ptr<exchange> one, int result);
  verdict judge(const exchange& one) const;
  bool is_patient(const exchange& one) const;
  milliseconds delay_of(const exchange& one) const;
  bool prepare_again(exchange& one) const;
  void run_timers();
  void run_slices();
  int next_wait();

  courier_settings settings_;
  allowance rate_;
  std::unique_ptr<handles> handles_;
  std::multimap<steady::time_point, std::function<void()>> timers_;
  std::list<std::function<bool()>> slices_;
  std::function<void()> turn_;
  int watched_ = -1;
  bool ever_answered_ = false;
  std::uint64_t sent_ = 0;
};

/// From now on SIGINT and SIGTERM end `courier::run` instead of the process, and SIGPIPE does nothing.
void catch_signals();
bool interrupted();

}  // namespace kaiku::cli
