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
    std::optional<content_ref> lost;
    expect(disk.small_contents(entries, lost).ok());
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

BOOST_FIXTURE_TEST_CASE(views_stay_whole_while_the_writer_compacts_and_reclaims, store_fixture) {
  watch seen{*disk};
  const auto read = [&] {
    const auto view = disk->snapshot();
    const auto page = view->list(path("d"), "", 10);
    if (!page) return;  // just removed
    for (const auto& entry : page->entries) {
      seen.expect(*view->stat(path("d/" + entry.name)) == entry.info);
      auto check = disk->verify(entry.info.content);
      const auto verdict = check.step(std::size_t{1} << 20);
      seen.expect(verdict && verdict->ok());
    }
    std::string cursor;
    for (bool done = false; !done;) {
      const auto piece = view->read_piece(cursor, 100);
      done = piece.done;
      cursor = piece.cursor;
    }
    seen.expect(disk->first_index().value <= disk->state().last.index.value + 1);
    seen.expect(disk->position(view->last().index).ok());
  };
  std::vector<std::jthread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      while (!seen.over) read();
    });
  }
  for (int round = 1; round <= rounds; ++round) {
    const auto bytes = large(static_cast<char>('a' + round % 3));
    {
      const auto file = stage(bytes);
      logged({put_command("d/large", bytes), {}, {}});
    }
    logged(put("d/small", std::to_string(round)));
    if (round % 4 == 0) logged(remove("d", true));
    BOOST_REQUIRE(disk->compact(disk->state().last.index).ok());
    let_grace_pass();
    while (disk->collect_garbage(10)) continue;
  }
  seen.over = true;
  readers.clear();
  BOOST_TEST(seen.wrong == 0);
}

}  // namespace
}  // namespace kaiku::test
