#pragma once

/// Purpose: a connection to Redis that waits for its answers: the mirror's own. Reads of clients go through
/// `reader.hpp`. Owner: the mirror. Lifecycle: after an `io_error` it is of no use any more. Thread: one at a time.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kaiku/core/error.hpp"
#include "kaiku/storage/redis/address.hpp"

struct redisContext;
struct redisReply;

namespace kaiku::redis {

using command = std::vector<std::string>;

/// A command as hiredis takes it; views into it.
class argument_list {
 public:
  explicit argument_list(const command& of) {
    for (const auto& word : of) {
      texts_.push_back(word.data());
      sizes_.push_back(word.size());
    }
  }
  int count() const { return static_cast<int>(texts_.size()); }
  const char** texts() { return texts_.data(); }
  const std::size_t* sizes() const { return sizes_.data(); }

 private:
  std::vector<const char*> texts_;
  std::vector<std::size_t> sizes_;
};

/// What makes a new connection ours: its password and its database. The same for every connection.
std::vector<command> greeting(const redis_address& at);

/// What Redis answered. Errors of Redis are `result`'s: `disk_full` (it has no memory left), `overloaded` (it is
/// loading, or refuses for now), `bad_request` (anything else).
struct reply {
  bool nil = false;
  std::string text;  ///< of a string, a status or a number
  std::vector<reply> items;
};

class connection {
 public:
  /// Connects and says the greeting. Errors: `io_error`, and those of a reply.
  static result<std::unique_ptr<connection>> open(const redis_address& at);
  ~connection();
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  result<reply> call(const command& what);
  /// All of them, `limits::redis_pipeline` at a time; the first failure ends it.
  status send(std::span<const command> what);
  /// All of them in one transaction, or none. Errors: `busy` (a watched key has changed), those of a reply, also of one
  /// command within (`corrupt`: then the rest is done).
  status transact(std::span<const command> what);

 private:
  explicit connection(redisContext* context);
  status append(const command& what);
  result<reply> read();

  struct closer {
    void operator()(redisContext* context) const;
  };
  std::unique_ptr<redisContext, closer> context_;
};

}  // namespace kaiku::redis
