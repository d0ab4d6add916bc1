#pragma once

/// Purpose: follows traced requests within a process: which of them what a thread does now belongs to, and the steps
/// that they have left. Between nodes `trace_mark` carries them. Owner: the store is the process's, and bounded; a
/// scope belongs to the block it stands in. Thread: a scope is its thread's, the store any.

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kaiku/core/limits.hpp"
#include "kaiku/messages/inspection.hpp"

namespace kaiku {

/// A few traced requests, each once; what is more is not followed.
class trace_set {
 public:
  bool empty() const { return size_ == 0; }
  std::span<const trace_context> all() const { return {of_.data(), size_}; }
  void add(const trace_context& x);
  void add(const trace_set& more);

 private:
  std::array<trace_context, limits::traces_in_message> of_{};
  std::size_t size_ = 0;
};
/// Null: none.
using trace_set_ptr = std::shared_ptr<const trace_set>;

/// As long as it stands, what this thread does belongs to these.
class trace_scope {
 public:
  /// Null: to none.
  explicit trace_scope(trace_set_ptr x) : kept_(std::move(x)), before_(now_) { now_ = &kept_; }
  ~trace_scope() { now_ = before_; }
  trace_scope(const trace_scope&) = delete;
  trace_scope& operator=(const trace_scope&) = delete;

  static bool active() { return now_ != nullptr && *now_ != nullptr; }
  static trace_set_ptr now() { return now_ == nullptr ? nullptr : *now_; }

 private:
  static inline thread_local const trace_set_ptr* now_ = nullptr;
  trace_set_ptr kept_;
  const trace_set_ptr* before_;
};

trace_set_ptr set_of(const trace_context& x);
/// What an `open_span` records of a wait for the disk.
trace_span sync_span(actor_number actor, std::string name, std::string note);
span_id new_span();
trace_id new_trace();

/// One step, begun for each of several traced requests: what is done meanwhile hangs below it.
class open_span {
 public:
  /// Below these; null: nothing is traced, and nothing happens.
  explicit open_span(const trace_set_ptr& below);
  /// For what belongs to the step; null: nothing is traced.
  const trace_set_ptr& inside() const { return inside_; }
  /// Records it. `like`: all but ids, times and what it took.
  void end(trace_span like);
  /// Records it with times of its own.
  void end_at(trace_span like);

 private:
  trace_set_ptr below_, inside_;
  std::uint64_t began_us_ = 0;
};

class trace_store {
 public:
  static trace_store& instance();

  /// A traced request has come to this node.
  void begin(const trace_id& id, const std::string& what);
  /// Of many steps alike, those of one actor about one thing, the first `limits::trace_spans_alike` are kept, and the
  /// last of these says how many more there were.
  void add(const trace_id& id, trace_span x);
  /// It was answered; its last span is the root.
  void end(const trace_id& id, trace_span root);
  /// Lets go of what is older than `limits::trace_keep_ms`.
  void drop_old();

  struct known_trace {
    trace_id id;
    std::string what;  ///< empty: it did not come to this node
    std::uint64_t start_us = 0;
    std::optional<std::uint64_t> took_us;  ///< once it was answered
    std::vector<trace_span> spans;
  };
  std::optional<known_trace> find(const trace_id& id) const;
  /// Those that came to this node, newest first.
  std::vector<trace_summary> roots() const;

 private:
  struct entry {
    known_trace what;
    std::map<std::size_t, std::uint64_t> left_out;  ///< behind the span with this index, like it
  };
  // With `mutex_`:
  entry& entry_of(const trace_id& id);
  void drop_oldest();
  void drop_older_than(std::uint64_t now_us);
  void keep(entry& to, trace_span x);

  mutable std::mutex mutex_;
  std::deque<entry> traces_;  ///< oldest first
  std::size_t spans_ = 0;     ///< in all of them
};

}  // namespace kaiku
