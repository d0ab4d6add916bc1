#pragma once

/// Purpose: one `redis-server` as a test sees it: a process with nothing on disk, reached by a unix socket, or by TCP
/// too. Lifecycle: runs from construction on; `start` begins again, empty. Thread: as `child_process`; the questions
/// from any, each on a connection of its own.

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kaiku/storage/redis/connection.hpp"
#include "support/child_process.hpp"

namespace kaiku::test {

class test_redis {
 public:
  /// In a directory of the test's. `extra`: pairs of option and value.
  explicit test_redis(std::filesystem::path directory, std::vector<std::string> extra = {});

  void start();
  void kill() { process_->kill(); }
  void freeze() { process_->freeze(); }
  void thaw() { process_->thaw(); }

  redis_address address() const;
  /// For `--redis`.
  std::string url() const { return "unix://" + socket_.string(); }

  /// Throws unless Redis answers well.
  redis::reply call(const redis::command& what) const;
  /// All keys that match, in byte order.
  std::vector<std::string> keys(const std::string& pattern) const;
  /// The generation that the node's token names; empty: there is no token.
  std::string generation(const std::string& node) const;
  /// The tree that Redis shows of a node, read as any other program would: by path its type, size and entity tag.
  std::map<std::string, std::string> tree(const std::string& node) const;
  process_usage usage() const { return process_->usage(); }

 private:
  /// What the keys of a node begin with; empty: there are none.
  std::string prefix(const std::string& node) const;

  std::filesystem::path directory_, socket_;
  std::vector<std::string> extra_;
  std::unique_ptr<child_process> process_;
};

}  // namespace kaiku::test
