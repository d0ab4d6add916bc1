#pragma once

/// Purpose: how large content lies in its file: the bytes, then a checksum for each block of them, so that a part can
/// be checked without reading the whole.
///
///   content (size bytes) | XXH3-64 of block 0, of block 1, ... (u64 little-endian each)
///
/// A block has `limits::content_block_bytes`, the last one what is left. The digest in the file's name says what the
/// content is; the checksums only whether the disk still gives what was written.
/// Owner: `content_store`. Thread: a value; one owner at a time.

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "kaiku/core/content.hpp"

namespace kaiku {

/// Bytes of the file that holds content of this size.
std::uint64_t blob_file_size(byte_count content);

/// Takes the checksums of content that comes in pieces.
class block_sums {
 public:
  block_sums();
  ~block_sums();
  block_sums(block_sums&&) noexcept;
  block_sums& operator=(block_sums&&) noexcept;

  void update(std::string_view bytes);
  /// All checksums, as they stand in the file. Ends it: no other call may follow.
  std::string finish();

 private:
  struct state;
  std::unique_ptr<state> state_;
};

/// Reads such a file, each block checked. Holds the file open.
class blob_reader final : public content_reader {
 public:
  /// `path`: for messages. The file's size has been checked.
  blob_reader(unique_fd file, std::filesystem::path path, byte_count size);

  status read(std::uint64_t offset, std::span<char> into) const override;
  void drop_cached() const override;

 private:
  /// Whole blocks, from `first` on, straight into `into`, which ends at a block's end or the content's.
  status read_blocks(std::uint64_t first, std::span<char> into) const;
  status read_file(std::uint64_t offset, std::span<char> into) const;

  unique_fd file_;
  std::filesystem::path path_;
  byte_count size_;
};

}  // namespace kaiku
