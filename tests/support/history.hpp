#pragma once

/// Purpose: clients that write while a cluster is tormented and record every answer, and a checker that compares what
/// they were told with what is there afterwards.
///
/// Each path is written by one client only, one request after the other, so what may stand there at the end follows
/// from that client's answers alone:
///   acknowledged at majority   it stands, or a later write of the path does
///   acknowledged by the leader it stands, or it was displaced by a failover: counted, and compared with what the nodes
///   set aside refused                    it never stands no clear answer            it may stand or not, from then on
///
/// An answer also says whether a file stood there before: a write that meets nothing where something must stand has
/// lost it.
///
/// Thread: `history` any; `load` starts threads of its own, is made and stopped on one.

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "support/http_client.hpp"
#include "support/tree.hpp"

namespace kaiku::test {

enum class outcome { majority, leader, refused, unknown };

struct operation {
  std::string path;
  std::optional<generated_bytes> content;  ///< empty: removed
  outcome told = outcome::unknown;
  std::optional<bool> stood_before;  ///< whether the answer says that a file stood there (201 or 404: no; 204: yes)
  std::string answer;                ///< for messages: node, status, code
  std::string token;                 ///< the write's name, as the answer gave it; may be empty
  clock::time_point begin;
  clock::time_point end;
};

/// Classifies the answer to a write that asked for `majority` or not.
outcome classify(const http_response& answer, bool asked_majority);
/// What the answer to a write says about the path before it.
std::optional<bool> stood_before(const http_response& answer);

class history {
 public:
  void add(operation what);
  std::vector<operation> operations() const;
  std::size_t count(outcome told) const;

 private:
  mutable std::mutex mutex_;
  std::vector<operation> operations_;
};

struct verdict {
  std::vector<std::string> violations;
  std::vector<operation> displaced;  ///< leader-acknowledged writes that are gone
};

/// Compares. `there` is what stands below `directory`; files there that nobody wrote are violations too.
verdict check(const history& told, const tree& there, const std::string& directory);

struct load_options {
  std::string directory;  ///< everything is written below it
  std::uint64_t seed = 1;
  std::size_t clients = 4;
  std::size_t per_second = 60;  ///< of each client, at most
  /// Of 100 writes, how many ask for majority.
  unsigned majority_percent = 50;
  /// So many of the clients ask for the leader only: a leader that was cut off holds them up least.
  std::size_t leader_only = 0;
  /// Every so many writes one is larger than what fits a log message.
  unsigned large_every = 40;
  /// Each client keeps to one node, so that a node that lets its clients wait holds up nobody else's.
  bool one_node_each = false;
};

/// Clients that put new files, replace and remove older ones, through nodes picked at random or one each.
class load {
 public:
  load(history& told, std::vector<endpoint> nodes, load_options options);
  ~load() { stop(); }
  load(const load&) = delete;
  load& operator=(const load&) = delete;

  /// Returns once every client has its last answer.
  void stop();

 private:
  void run(std::size_t client, const std::stop_token& stopped);

  history& told_;
  std::vector<endpoint> nodes_;
  load_options options_;
  std::vector<std::jthread> clients_;
};

}  // namespace kaiku::test
