#pragma once

/// Purpose: a backup: the whole tree of files at one moment, as a tar archive that other programs can look into and
/// extract. Described in `docs/backup-format.md`. Written front to back and read the same way, with bounded memory.
/// Owner: `backup_writer` the one who writes, `backup_reader` the one who reads. Thread: values; one owner at a time.
///
///   kaiku-backup.json   files/  files/...   kaiku-backup-end.json
///
/// The digest at the end is of all bytes in front of it but the content of files, each of which has its own.

#include <optional>
#include <span>
#include <string>

#include "kaiku/archive/running_sum.hpp"
#include "kaiku/archive/tar.hpp"
#include "kaiku/core/command.hpp"
#include "kaiku/core/error.hpp"

namespace kaiku {

/// The moment that a backup is of.
struct backup_moment {
  cluster_id cluster;
  node_id node;       ///< that wrote it
  log_position at;    ///< the last entry that is in it; everything up to it is
  unix_time_ms time;  ///< when the node began to write the archive

  friend bool operator==(const backup_moment&, const backup_moment&) = default;
};

struct backup_totals {
  std::uint64_t directories = 0;  ///< with the root
  std::uint64_t files = 0;
  byte_count bytes;  ///< of all content

  friend bool operator==(const backup_totals&, const backup_totals&) = default;
};

/// Gives the bytes of an archive. The order of calls: `begin`; for each entry, directories in front of what is in them
/// and the root first, `head`, and for a file its content, then `end_of_content`; `end`.
class backup_writer {
 public:
  explicit backup_writer(backup_moment of) : of_(std::move(of)) {}

  std::string begin();
  std::string head(const file_path& path, const file_info& what);
  std::string end_of_content(byte_count size);
  std::string end();

  const backup_totals& totals() const { return totals_; }

 private:
  friend class backup_reader;
  std::string take(std::string bytes);
  std::string write_end() const;

  backup_moment of_;
  backup_totals totals_;
  running_sum sum_;
};

/// Where an archive comes from.
class byte_source {
 public:
  virtual ~byte_source() = default;
  /// Some bytes, at least one; 0 at the end. May block. Errors: `io_error`.
  virtual result<std::size_t> read(std::span<char> into) = 0;
};

struct backup_entry {
  file_path path;
  file_info info;  ///< without an inode
};

/// Takes an archive apart and checks every byte of it.
class backup_reader {
 public:
  /// `from` outlives it.
  explicit backup_reader(byte_source& from) : from_(from) {}

  /// Once, first. Errors: `bad_request` (no backup of Kaiku, or of a later version of the format), `corrupt`,
  /// `io_error`.
  result<backup_moment> begin();
  /// The next entry; empty: that was all, nothing is missing, and nothing follows. Before it is called again all of a
  /// file's content must have been read. Errors: `corrupt` (also: it ends too early), `io_error`.
  result<std::optional<backup_entry>> next();
  /// A piece of the content of the file that `next` gave; empty behind its end, where it was found to be what its
  /// digest says. Errors: as `next`, naming the file.
  result<std::string> read_content();

  const backup_totals& totals() const { return expected_->totals_; }

 private:
  status fill(std::span<char> into);
  result<std::string> take(std::size_t bytes);
  result<std::string> take_document(std::string_view name);
  result<std::optional<tar::member>> read_member();
  result<std::optional<backup_entry>> read_end(const tar::member& head);

  byte_source& from_;
  std::optional<backup_writer> expected_;  ///< its sum and totals are those of what was read
  std::string read_;                       ///< header and padding of the member that is read, as they came
  std::optional<backup_entry> open_;       ///< whose content is read
  byte_count left_;
  running_sum content_;
};

}  // namespace kaiku
