#pragma once

/// Purpose: short ways to say what the storage tests say all the time.

#include <boost/test/unit_test.hpp>
#include <map>
#include <memory>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../../support/temporary_directory.hpp"
#include "kaiku/storage/store.hpp"

namespace kaiku {

// For BOOST_TEST's messages.
inline std::ostream& operator<<(std::ostream& out, errc x) {
  return out << to_string(x);
}
template <class Tag>
std::ostream& operator<<(std::ostream& out, counter<Tag> x) {
  return out << x.value;
}
inline std::ostream& operator<<(std::ostream& out, const log_position& x) {
  return out << x.in_term << '.' << x.index;
}

namespace test {

/// Used by reader threads too, where Boost.Test's checks don't belong: an illegal path ends the program.
inline file_path path(std::string_view text) {
  return file_path::parse(text).value();
}

inline content_ref content_named(std::string_view bytes) {
  return {sha256(bytes), {bytes.size()}};
}

inline put_file put_command(std::string_view where, std::string_view bytes, std::int64_t time = 1) {
  return {path(where), content_named(bytes), {"text/plain"}, {time}, true};
}
inline proposal put(std::string_view where, std::string_view bytes, precondition when = {}) {
  return {put_command(where, bytes), std::move(when), std::string{bytes}};
}
inline proposal mkdir(std::string_view where, bool make_parents = true) {
  return {make_directory{path(where), {1}, make_parents}, {}, {}};
}
inline proposal remove(std::string_view where, bool recursive = false, precondition when = {}) {
  return {remove_path{path(where), recursive, {1}}, std::move(when), {}};
}
inline log_entry entry(term in_term, std::uint64_t index, const command& what) {
  return {{in_term, {index}}, encode(what)};
}

/// What stores in tests take for the time; passes only when a test says so.
inline unix_time_ms& test_time() {
  static unix_time_ms now{1'000'000};
  return now;
}
inline void let_grace_pass() {
  test_time().value += limits::content_grace_ms;
}

inline std::unique_ptr<store> open_store(const std::filesystem::path& directory, std::uint64_t reserve_bytes = 0) {
  auto opened = store::open({directory, reserve_bytes,
                             [](const std::string& why) { BOOST_FAIL("the store stopped the node: " << why); },
                             [] { return test_time(); }});
  BOOST_REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? "" : opened.failure().detail));
  return std::move(opened).value();
}

inline errc why_not_opened(const std::filesystem::path& directory) {
  auto opened = store::open({directory, 0, {}});
  return opened.ok() ? errc::none : opened.failure().code;
}

/// Every file below `directory`, with its size.
inline std::map<std::string, std::uintmax_t> sizes_below(const std::filesystem::path& directory) {
  std::map<std::string, std::uintmax_t> sizes;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    sizes[entry.path().string()] = entry.is_regular_file() ? entry.file_size() : 0;
  }
  return sizes;
}

/// What a killed process leaves: everything that is written, while the store is still open. RocksDB compacts in the
/// background, so a copy during which anything changed is no state that ever stood on the disk, and is made again.
inline void copy_as_after_a_crash(const std::filesystem::path& from, const std::filesystem::path& to) {
  for (int attempts = 0; attempts < 1000; ++attempts) {
    try {
      const auto before = sizes_below(from);
      std::filesystem::copy(from, to, std::filesystem::copy_options::recursive);
      if (sizes_below(from) == before) return;
    } catch (const std::filesystem::filesystem_error&) {
      // A file went away meanwhile.
    }
    std::filesystem::remove_all(to);
  }
  BOOST_FAIL("no copy of " << from);
}

/// A data directory of its own, opened, in term 1.
struct store_fixture {
  temporary_directory directory;
  std::filesystem::path data = directory / "data";
  std::unique_ptr<store> disk = open_store(data);

  store_fixture() { disk->adopt_term({1}); }

  void reopen() {
    disk.reset();
    disk = open_store(data);
  }

  /// Proposes one command in the current term.
  proposed propose(proposal what) {
    auto outcome = disk->propose(disk->state().current, std::span{&what, 1});
    BOOST_REQUIRE_EQUAL(outcome.failure.code, errc::none);
    BOOST_REQUIRE_EQUAL(outcome.results.size(), 1u);
    return outcome.results.front();
  }
  errc refused(proposal what) { return propose(std::move(what)).failure.code; }
  void logged(proposal what) {
    const auto refusal = refused(std::move(what));
    BOOST_REQUIRE_EQUAL(refusal, errc::none);
  }

  append_outcome append(std::uint64_t leader_term, log_position previous, std::vector<log_entry> entries,
                        std::vector<std::string> small_contents = {}) {
    return disk->append({{leader_term}, previous, std::move(entries), std::move(small_contents)});
  }

  void compact_all() { BOOST_REQUIRE(disk->compact(disk->state().last.index).ok()); }
  void collect_all_garbage(std::size_t budget = 100) {
    // Twice: what the first round reclaims has named content, whose grace begins then.
    for (int round = 0; round < 2; ++round) {
      let_grace_pass();
      while (disk->collect_garbage(budget)) continue;
    }
  }
  errc content_outcome(std::string_view bytes) const {
    const auto opened = disk->open_content(content_named(bytes));
    return opened.ok() ? errc::none : opened.failure().code;
  }

  std::string text_at(std::string_view where) const {
    auto info = disk->stat(path(where));
    if (!info) return "(" + std::string(to_string(info.failure().code)) + ")";
    if (info->is_directory()) return "(directory)";
    auto opened = disk->open_content(info->content);
    if (!opened) return "(" + std::string(to_string(opened.failure().code)) + ")";
    if (!opened->file) return opened->bytes;
    std::string bytes(opened->size.value, '\0');
    const auto read = opened->file->read(0, bytes);
    return read.ok() ? bytes : "(" + std::string(to_string(read.failure().code)) + ")";
  }

  /// Receives large content as an upload does.
  std::unique_ptr<staged_file> stage(std::string_view bytes) {
    auto file = disk->content().begin({bytes.size()});
    BOOST_REQUIRE(file.ok());
    BOOST_REQUIRE((*file)->write(bytes).ok());
    auto named = (*file)->finish();
    BOOST_REQUIRE(named.ok());
    BOOST_TEST((named->sha256 == sha256(bytes)));
    return std::move(file).value();
  }
};

inline std::vector<log_position> set_aside_positions(const store& disk) {
  std::vector<log_position> positions;
  for (const auto& entry : disk.set_aside()) positions.push_back(entry.at);
  return positions;
}

/// Names of the blob files.
inline std::set<std::string> blobs_in(const std::filesystem::path& data) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(data / "blobs")) {
    if (entry.is_regular_file()) names.insert(entry.path().filename().string());
  }
  return names;
}

inline std::string large(char fill, std::size_t more = 1) {
  return std::string(limits::small_content_bytes + more, fill);
}

}  // namespace test
}  // namespace kaiku
