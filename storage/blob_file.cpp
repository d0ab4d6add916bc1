#include "kaiku/storage/blob_file.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <xxhash.h>

#include <array>
#include <cerrno>
#include <vector>

#include "kaiku/core/invariant.hpp"
#include "kaiku/storage/files.hpp"

namespace kaiku {
namespace {

constexpr auto block_bytes = std::uint64_t{limits::content_block_bytes};
constexpr auto sum_bytes = std::uint64_t{sizeof(XXH64_hash_t)};

std::array<char, sum_bytes> encode(XXH64_hash_t sum) {
  std::array<char, sum_bytes> out{};
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<char>(static_cast<unsigned char>(sum >> (8 * i)));
  return out;
}

std::uint64_t blocks_of(std::uint64_t bytes) {
  return (bytes + block_bytes - 1) / block_bytes;
}

}  // namespace

std::uint64_t blob_file_size(byte_count content) {
  return content.value + blocks_of(content.value) * sum_bytes;
}

// --- block_sums ----------------------------------------------------------------------------------------------------

struct block_sums::state {
  std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> block{XXH3_createState(), XXH3_freeState};
  std::uint64_t in_block = 0;
  std::string sums;

  state() {
    INVARIANT(block != nullptr, "there is memory for a checksum");
    XXH3_64bits_reset(block.get());
  }
  void end_block() {
    const auto sum = encode(XXH3_64bits_digest(block.get()));
    sums.append(sum.data(), sum.size());
    XXH3_64bits_reset(block.get());
    in_block = 0;
  }
};

block_sums::block_sums() : state_(std::make_unique<state>()) {}
block_sums::~block_sums() = default;
block_sums::block_sums(block_sums&&) noexcept = default;
block_sums& block_sums::operator=(block_sums&&) noexcept = default;

void block_sums::update(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto piece = bytes.substr(0, block_bytes - state_->in_block);
    XXH3_64bits_update(state_->block.get(), piece.data(), piece.size());
    state_->in_block += piece.size();
    if (state_->in_block == block_bytes) state_->end_block();
    bytes.remove_prefix(piece.size());
  }
}

std::string block_sums::finish() {
  if (state_->in_block > 0) state_->end_block();
  return std::move(state_->sums);
}

// --- blob_reader ---------------------------------------------------------------------------------------------------

blob_reader::blob_reader(unique_fd file, std::filesystem::path path, byte_count size)
    : file_(std::move(file)), path_(std::move(path)), size_(size) {}

void blob_reader::drop_cached() const {
  ::posix_fadvise(file_.get(), 0, 0, POSIX_FADV_DONTNEED);
}

status blob_reader::read_file(std::uint64_t offset, std::span<char> into) const {
  while (!into.empty()) {
    const auto got = ::pread(file_.get(), into.data(), into.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(errno, "reading " + path_.string());
    if (got == 0) return {errc::corrupt, path_.string() + " was cut short"};
    offset += static_cast<std::uint64_t>(got);
    into = into.subspan(static_cast<std::size_t>(got));
  }
  return success();
}

status blob_reader::read_blocks(std::uint64_t first, std::span<char> into) const {
  std::string sums(blocks_of(into.size()) * sum_bytes, '\0');
  if (auto read = read_file(first * block_bytes, into); !read) return read;
  if (auto read = read_file(size_.value + first * sum_bytes, sums); !read) return read;
  std::string_view expected{sums};
  for (auto block = first; !into.empty(); ++block) {
    const auto here = into.first(std::min<std::size_t>(into.size(), block_bytes));
    const auto sum = encode(XXH3_64bits(here.data(), here.size()));
    if (expected.substr(0, sum_bytes) != std::string_view{sum.data(), sum.size()})
      return {errc::corrupt, path_.string() + " is damaged: the " + std::to_string(here.size()) + " bytes from " +
                                 std::to_string(block * block_bytes) + " on are not what was written"};
    expected.remove_prefix(sum_bytes);
    into = into.subspan(here.size());
  }
  return success();
}

status blob_reader::read(std::uint64_t offset, std::span<char> into) const {
  INVARIANT(offset <= size_.value && into.size() <= size_.value - offset, "what is read lies within the content");
  std::vector<char> whole;  // of a block that is wanted in part
  while (!into.empty()) {
    const auto block = offset / block_bytes;
    const auto in_block = static_cast<std::size_t>(offset % block_bytes);
    const bool to_end = offset + into.size() == size_.value;
    const auto straight = to_end ? into.size() : into.size() / block_bytes * block_bytes;
    if (in_block == 0 && straight > 0) {
      if (auto read = read_blocks(block, into.first(straight)); !read) return read;
      offset += straight;
      into = into.subspan(straight);
      continue;
    }
    whole.resize(static_cast<std::size_t>(std::min(block_bytes, size_.value - block * block_bytes)));
    if (auto read = read_blocks(block, whole); !read) return read;
    const auto part = std::min(into.size(), whole.size() - in_block);
    std::copy_n(whole.begin() + static_cast<std::ptrdiff_t>(in_block), part, into.begin());
    offset += part;
    into = into.subspan(part);
  }
  return success();
}

}  // namespace kaiku
