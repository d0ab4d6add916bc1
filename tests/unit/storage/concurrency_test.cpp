/// Readers of several threads while the writer works; tells most under the thread sanitizer.

#include <atomic>
#include <thread>

#include "fixture.hpp"

namespace kaiku::test {
namespace {

constexpr int rounds = 60;

/// Counts what a reader found wrong; Boost.Test's own checks belong to the main thread.
struct watch {
  const store& disk;
  std::atomic<int> wrong{0};
  std::atomic<bool> over{false};

  void expect(bool holds) {
    if (!holds) ++wrong;
  }

  /// The writer changes `d/a` and `d/b` together: a listing must see both or neither.
  void listing() {
    const auto page = disk.list(path("d"), "", 10);
    expect(page.ok() && page->entries.size() == 2);
    if (!page || page->entries.size() != 2) return;
    expect(page->entries[0].info.content == page->entries[1].info.content);
    const auto opened = disk.open_content(page->entries[0].info.content);
    expect(opened.ok() && sha256(opened->bytes) == page->entries[0].info.content.sha256);
  }

  void log() {
    const auto before = disk.state();
    const auto entries = disk.read_log({1}, 1 << 20);
    for (std::size_t i = 0; i < entries.size(); ++i) expect(entries[i].at.index.value == i + 1);
    expect(entries.size() >= before.last.index.value);
    expect(disk.position(before.last.index).ok());
    expect(disk.state().last >= before.last);
    expect(disk.members().voters.empty());
    expect(disk.small_contents(entries).ok());
    expect(disk.missing_content(entries)->empty());
  }
};

BOOST_FIXTURE_TEST_CASE(readers_see_whole_batches_while_the_writer_works, store_fixture) {
  const std::vector<proposal> first{put("d/a", "0"), put("d/b", "0")};
  disk->propose({1}, first);
  watch seen{*disk};
  std::vector<std::jthread> readers;
  readers.emplace_back([&] {
    while (!seen.over) seen.listing();
  });
  readers.emplace_back([&] {
    while (!seen.over) seen.log();
  });
  readers.emplace_back([&] {
    // Uploads come and go meanwhile.
    while (!seen.over) {
      auto file = disk->content().begin({});
      seen.expect(file.ok() && (*file)->write(large('u')).ok() && (*file)->finish().ok());
      seen.expect(disk->content().is_staged(sha256(large('u'))));
    }
  });
  for (int round = 1; round <= rounds; ++round) {
    const auto text = std::to_string(round);
    const std::vector<proposal> both{put("d/a", text), put("d/b", text), {put_command("big", large('u')), {}, {}}};
    const auto outcome = disk->propose({1}, both);
    BOOST_TEST(outcome.failure.code == errc::none);
    // The upload may be dropped just now, or not be there yet.
    const auto big = outcome.results[2].failure.code;
    BOOST_TEST((big == errc::none || big == errc::content_missing));
  }
  seen.over = true;
  readers.clear();
  BOOST_TEST(seen.wrong == 0);
}

}  // namespace
}  // namespace kaiku::test
