// The file of large content: what comes back is what was written, or nothing.

#include <fcntl.h>
#include <unistd.h>

#include <fstream>

#include "fixture.hpp"
#include "kaiku/storage/blob_file.hpp"

namespace fs = std::filesystem;

namespace kaiku::test {
namespace {

constexpr std::uint64_t block = limits::content_block_bytes;

struct blob_fixture {
  temporary_directory directory;
  fs::path path = directory / "blob";
  std::string bytes;

  /// `size` bytes, no two blocks of which are alike.
  void write(std::size_t size, std::size_t piece = 7777) {
    bytes.clear();
    for (std::size_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>((i * 31 + i / block) % 251));
    block_sums sums;
    for (std::size_t i = 0; i < size; i += piece) sums.update(std::string_view{bytes}.substr(i, piece));
    std::ofstream{path, std::ios::binary} << bytes << sums.finish();
  }
  void flip(std::uint64_t at) const {
    std::fstream file{path, std::ios::in | std::ios::out | std::ios::binary};
    file.seekg(static_cast<std::streamoff>(at));
    const auto old = static_cast<char>(file.get());
    file.seekp(static_cast<std::streamoff>(at));
    file.put(static_cast<char>(old ^ 4));
  }
  blob_reader open() const { return {unique_fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)}, path, {bytes.size()}}; }
  errc read(std::uint64_t offset, std::size_t size) const {
    std::string got(size, '?');
    const auto done = open().read(offset, got);
    if (!done) return done.failure().code;
    BOOST_TEST((got == bytes.substr(offset, size)));
    return errc::none;
  }
};

BOOST_FIXTURE_TEST_SUITE(blob_file, blob_fixture)

BOOST_AUTO_TEST_CASE(every_range_comes_back_as_it_was_written) {
  for (std::size_t size : {std::size_t{1}, std::size_t{block - 1}, std::size_t{block}, std::size_t{block + 1},
                           std::size_t{3 * block}, std::size_t{5 * block + 123}}) {
    write(size);
    BOOST_TEST(fs::file_size(path) == blob_file_size({size}));
    for (std::uint64_t from : {std::uint64_t{0}, std::uint64_t{1}, block - 1, block, block + 1, 2 * block + 77}) {
      for (std::uint64_t length : {std::uint64_t{0}, std::uint64_t{1}, block, block + 5, 4 * block}) {
        if (from > size) continue;
        BOOST_TEST(read(from, std::min<std::uint64_t>(length, size - from)) == errc::none);
      }
      if (from <= size) BOOST_TEST(read(from, size - from) == errc::none);
    }
  }
}

BOOST_AUTO_TEST_CASE(checksums_do_not_depend_on_how_the_bytes_came) {
  write(3 * block + 9, 1000);
  BOOST_TEST(read(0, bytes.size()) == errc::none);
  write(3 * block + 9, 2 * block);
  BOOST_TEST(read(0, bytes.size()) == errc::none);
}

BOOST_AUTO_TEST_CASE(a_flipped_bit_keeps_its_block_from_being_read_and_no_other) {
  const std::size_t size = 3 * block + 500;
  for (std::uint64_t at : {std::uint64_t{0}, block + 17, 2 * block - 1, 3 * block, std::uint64_t{size - 1}}) {
    write(size);
    flip(at);
    const auto damaged = at / block;
    for (std::uint64_t one = 0; one * block < size; ++one) {
      const auto expected = one == damaged ? errc::corrupt : errc::none;
      BOOST_TEST(read(one * block, 1) == expected);
      BOOST_TEST(read(one * block, std::min<std::size_t>(block, size - one * block)) == expected);
    }
    BOOST_TEST(read(0, size) == errc::corrupt);
  }
}

BOOST_AUTO_TEST_CASE(a_flipped_bit_in_a_checksum_counts_as_damage_to_its_block) {
  write(2 * block);
  flip(2 * block + 8);
  BOOST_TEST(read(0, block) == errc::none);
  BOOST_TEST(read(block, 1) == errc::corrupt);
}

BOOST_AUTO_TEST_CASE(a_file_that_was_cut_short_is_damaged) {
  write(2 * block);
  const auto reader = open();
  fs::resize_file(path, block);
  std::string got(2 * block, '?');
  BOOST_TEST(reader.read(0, got).failure().code == errc::corrupt);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace kaiku::test
