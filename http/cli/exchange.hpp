#pragma once

/// Purpose: one request on its way, as often as it is sent: its libcurl handle, what libcurl asks of it, and its answer
/// so far. Owner: the handle. Lifecycle: belongs to the courier, or to a timer of it between two attempts.
/// Thread: the process's only one.

#include <curl/curl.h>

#include <array>
#include <optional>
#include <string>

#include "kaiku/cli/courier.hpp"

namespace kaiku::cli {

/// ASCII.
std::string lower_case(std::string_view text);

/// One request, as often as it is sent.
struct exchange {
  request what;
  courier::then with;
  answer got;
  CURL* easy = nullptr;
  curl_slist* lines = nullptr;
  std::array<char, CURL_ERROR_SIZE> words{};
  std::size_t node = 0;     ///< which address
  std::string redirected;   ///< the origin that is asked instead
  std::size_t body_at = 0;  ///< of `what.body`, sent
  bool may_stand = false;   ///< as in `answer`
  bool any_taken = false;   ///< `sink` has had something of this attempt
  bool is_paused = false;   ///< libcurl waits until the courier lets it go on
  /// It has moved nothing since then, for want of allowance.
  std::optional<steady::time_point> waiting_since;
  std::size_t tries = 0;  ///< since the request was given
  unsigned silent = 0;    ///< of these, those that reached nobody
  unsigned redirections = 0;
  steady::time_point begun;  ///< the attempt
  std::optional<steady::time_point> first_failure;
  allowance& rate;  ///< the courier's

  exchange(request r, courier::then t, allowance& share) : what(std::move(r)), with(std::move(t)), rate(share) {}
  exchange(const exchange&) = delete;
  exchange& operator=(const exchange&) = delete;
  ~exchange();
  /// Ends the attempt.
  void close();

  /// A handle of its own, ready to be added to the multi handle; the answer so far is forgotten.
  void prepare(const courier_settings& how);
  /// Nothing can have reached a node, since no connection stood, when libcurl gave `result`.
  bool before_connection(int result) const;

 private:
  bool must_wait();
  void spend(std::size_t bytes);
  void configure(const courier_settings& how);
  void configure_body();
  long stall_after(const courier_settings& how) const;
  static std::size_t take_header(char* data, std::size_t, std::size_t size, void* self);
  static std::size_t take_body(char* data, std::size_t, std::size_t size, void* self);
  static std::size_t give_body(char* data, std::size_t, std::size_t size, void* self);
  static int seek_body(void* self, curl_off_t offset, int origin);
};

}  // namespace kaiku::cli
