#pragma once

/// Purpose: a state on its way from a leader's disk to a follower's, in pieces. A piece is a run of records behind a
/// cursor; the records of all pieces, in order, are the whole state. Described in `docs/storage-format.md`.
/// Included by this folder only.
/// Thread: values.

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "kaiku/storage/database.hpp"

namespace kaiku {

/// What a record is; they come in this order, but for `content`, which follows the first inode that names it.
enum class piece_part : std::uint8_t {
  members = 1,
  terms,
  orphans,
  requests,
  expiries,
  dentries,
  inodes,
  content,
  end
};

struct piece_record {
  piece_part part = piece_part::end;
  std::string_view key;
  std::string_view value;
};

/// A piece taken apart; views into its bytes.
struct read_piece {
  log_position at;         ///< of the state it belongs to
  std::string_view after;  ///< the cursor that it follows
  std::vector<piece_record> records;

  /// The cursor behind it.
  std::string cursor() const;
  bool is_last() const { return !records.empty() && records.back().part == piece_part::end; }
};

/// Errors: `corrupt`: also if a record can't be one of a state at the piece's position, or is out of order.
result<read_piece> decode_piece(std::string_view bytes);

/// Puts one piece together.
class piece_writer {
 public:
  /// `state`: `from`, or `from` rewound to `at`.
  piece_writer(const kaiku::snapshot& from, const view& state, log_position at, std::string_view after,
               std::size_t max_bytes);

  /// Records behind the cursor, until it is full: at least one.
  std::string write();
  /// The cursor behind what was written.
  const std::string& cursor() const { return cursor_; }
  bool done() const { return done_; }

 private:
  bool write_members();
  bool write_family(piece_part part, family where);
  /// False when it does not fit.
  bool add(piece_part part, std::string_view key, std::string_view value);
  std::string small_content(std::string_view inode);

  const kaiku::snapshot& from_;
  const view& state_;
  log_position at_;
  std::string after_;
  std::size_t max_bytes_;
  std::string cursor_;
  std::string records_;
  std::set<digest> sent_;  ///< small content in this piece
  bool done_ = false;
};

}  // namespace kaiku
