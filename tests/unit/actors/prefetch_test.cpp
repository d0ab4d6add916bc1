// Large content: followers pull it while the leader still receives it, and go on where they stopped.

#include <caf/all.hpp>

#include <filesystem>

#include "fixture.hpp"

namespace kaiku::test {

BOOST_AUTO_TEST_SUITE(prefetch)

namespace {

namespace fs = std::filesystem;
constexpr std::size_t piece = limits::chunk_bytes;

std::string large_bytes(std::size_t size, char first = 'a') {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(first + (i / 1000 + i) % 26);
  return bytes;
}

/// A front that sends a body: the upload lives as long as this does.
class sender : public caf::event_based_actor {
 public:
  sender(caf::actor_config& cfg, content_handle to, byte_count expected, std::shared_ptr<upload_handle> opened,
         std::shared_ptr<std::size_t> written)
      : event_based_actor(cfg),
        to_(std::move(to)),
        expected_(expected),
        opened_(std::move(opened)),
        written_(std::move(written)) {}

  caf::behavior make_behavior() override {
    request(to_, caf::infinite, open_upload{expected_}).then([this](const upload_opened& x) { *opened_ = x.upload; });
    to_ = nullptr;
    return {[this](const upload_chunk& x) {
      request(*opened_, caf::infinite, x)
          .then([this](const upload_written&) { ++*written_; }, [](const caf::error&) {});
    }};
  }

 private:
  content_handle to_;
  byte_count expected_;
  std::shared_ptr<upload_handle> opened_;
  std::shared_ptr<std::size_t> written_;
};

class test_upload {
 public:
  test_upload(actor_cluster& nodes, std::size_t at, byte_count expected = {}) : nodes_(nodes) {
    client_ = nodes.system().spawn<sender>(nodes.node(at).actors.content, expected, to_, written_);
    nodes.settle();
    BOOST_REQUIRE(*to_);
  }
  ~test_upload() { give_up(); }
  test_upload(const test_upload&) = delete;
  test_upload& operator=(const test_upload&) = delete;

  void write(std::string_view bytes) {
    for (std::size_t at = 0; at < bytes.size(); at += piece)
      caf::anon_send(client_, upload_chunk{chunk{std::string{bytes.substr(at, piece)}}});
    nodes_.settle();
  }
  const upload_handle& handle() const { return *to_; }
  /// Chunks of which the client has heard.
  std::size_t written() const { return *written_; }
  void finish() {
    caf::anon_send(*to_, upload_finish{});
    nodes_.settle();
  }
  /// Also what a front does when the write is answered.
  void give_up() {
    caf::anon_send_exit(client_, caf::exit_reason::user_shutdown);
    *to_ = nullptr;
    nodes_.settle();
  }

 private:
  actor_cluster& nodes_;
  std::shared_ptr<upload_handle> to_ = std::make_shared<upload_handle>();
  std::shared_ptr<std::size_t> written_ = std::make_shared<std::size_t>();
  caf::actor client_;
};

/// Bytes, and files, in a node's staging directory.
std::pair<std::size_t, std::size_t> staged(actor_cluster& nodes, std::size_t at) {
  std::size_t bytes = 0, files = 0;
  for (const auto& one : fs::directory_iterator(*nodes.node(at).directory / "data" / "staging"))
    bytes += one.file_size(), ++files;
  return {bytes, files};
}
std::size_t staged_bytes(actor_cluster& nodes, std::size_t at) {
  return staged(nodes, at).first;
}

bool is_staged(actor_cluster& nodes, std::size_t at, std::string_view bytes) {
  return nodes.disk(at).content().is_staged(sha256(bytes));
}
bool stands(actor_cluster& nodes, std::size_t at, std::string_view path, const std::string& bytes) {
  return bytes_at(nodes.disk(at), path) == bytes;
}

/// Each message takes a hundredth of a second, as between towns.
void slow_down(actor_cluster& nodes) {
  nodes.network().set_quality({0, microseconds{10'000}, microseconds{10'000}, true});
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_upload_reaches_the_followers_while_it_grows_and_is_complete_before_its_entry) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  const auto bytes = large_bytes(9 * piece + 17);
  test_upload upload{nodes, first};
  upload.write(std::string_view{bytes}.substr(0, 5 * piece));
  nodes.run_for(milliseconds{50});
  for (auto i : nodes.others(first)) BOOST_TEST(staged_bytes(nodes, i) == 5 * piece);
  upload.write(std::string_view{bytes}.substr(5 * piece));
  upload.finish();
  nodes.run_for(milliseconds{50});
  for (auto i : nodes.others(first)) BOOST_TEST(is_staged(nodes, i, bytes));
  const auto sent = nodes.network().delivered_bytes();
  auto written = nodes.put(first, "large", bytes, durability::majority);
  BOOST_REQUIRE(nodes.run_until([&] { return recorded(written) && all_equal(nodes); }, milliseconds{100}));
  BOOST_TEST(nodes.network().delivered_bytes() - sent < piece);
  upload.give_up();
  nodes.run_for(milliseconds{2 * limits::fetch_sweep_ms});
  for (std::size_t i = 0; i < nodes.size(); ++i) BOOST_TEST(staged(nodes, i).second == 0u);
  BOOST_TEST((bytes_at(nodes.disk(nodes.others(first)[0]), "large") == bytes));
}

BOOST_AUTO_TEST_CASE(an_upload_of_who_does_not_lead_is_followed_by_nobody) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  const auto liar = nodes.others(first)[0];
  test_upload upload{nodes, liar};
  upload.write(large_bytes(3 * piece));
  nodes.run_for(milliseconds{50});
  for (auto i : nodes.others(liar)) BOOST_TEST(staged(nodes, i).second == 0u);
}

BOOST_AUTO_TEST_CASE(an_upload_is_followed_to_the_end_that_was_said_and_no_further) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  const auto bytes = large_bytes(3 * piece);
  test_upload upload{nodes, first, {bytes.size()}};
  upload.write(bytes);
  nodes.run_for(milliseconds{50});
  for (auto i : nodes.others(first)) BOOST_TEST(staged_bytes(nodes, i) == bytes.size());
  upload.write("x");
  nodes.run_for(milliseconds{50});
  for (auto i : nodes.others(first)) BOOST_TEST(staged(nodes, i).second == 0u);
}

BOOST_AUTO_TEST_CASE(an_upload_is_not_followed_where_space_runs_short_and_comes_with_its_entry) {
  cluster_settings settings;
  settings.reserve_bytes = fs::space(fs::temp_directory_path()).available / (limits::prefetch_reserves - 2);
  checked_cluster nodes{settings};
  const auto first = nodes.elect();
  const auto bytes = large_bytes(3 * piece);
  test_upload upload{nodes, first, {bytes.size()}};
  upload.write(bytes);
  nodes.run_for(milliseconds{50});
  for (auto i : nodes.others(first)) BOOST_TEST(staged(nodes, i).second == 0u);
  upload.finish();
  auto written = nodes.put(first, "large", bytes, durability::majority);
  BOOST_REQUIRE(nodes.run_until([&] { return recorded(written); }));
  BOOST_TEST(stands(nodes, nodes.others(first)[0], "large", bytes));
}

BOOST_AUTO_TEST_CASE(an_upload_takes_bytes_and_its_end_from_its_client_alone) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  const auto bytes = large_bytes(2 * piece);
  test_upload upload{nodes, first};
  upload.write(bytes);
  caf::scoped_actor stranger{nodes.system()};
  errc written = errc::none, finished = errc::none;
  stranger->send(upload.handle(), upload_chunk{chunk{"more"}});
  stranger->send(upload.handle(), upload_finish{});
  nodes.settle();
  stranger->receive([&](const upload_written& x) { written = x.failure.code; });
  stranger->receive([&](const upload_finished& x) { finished = x.failure.code; });
  BOOST_TEST((written == errc::bad_request));
  BOOST_TEST((finished == errc::bad_request));
  upload.finish();
  nodes.run_for(milliseconds{50});
  for (auto i : nodes.others(first)) BOOST_TEST(is_staged(nodes, i, bytes));
}

BOOST_AUTO_TEST_CASE(every_byte_of_a_slow_upload_is_passed_on_at_once) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  const auto bytes = large_bytes(100'000);
  test_upload upload{nodes, first};
  for (std::size_t at = 0; at < bytes.size(); at += 1000) {
    upload.write(std::string_view{bytes}.substr(at, 1000));
    nodes.run_for(milliseconds{50});
    for (auto i : nodes.others(first)) BOOST_REQUIRE_EQUAL(staged_bytes(nodes, i), at + 1000);
  }
  upload.finish();
  nodes.run_for(milliseconds{50});
  for (auto i : nodes.others(first)) BOOST_TEST(is_staged(nodes, i, bytes));
}

BOOST_AUTO_TEST_CASE(an_upload_given_up_leaves_nothing_on_the_followers) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  test_upload upload{nodes, first};
  upload.write(large_bytes(3 * piece));
  nodes.run_for(milliseconds{50});
  for (auto i : nodes.others(first)) BOOST_TEST(staged_bytes(nodes, i) == 3 * piece);
  upload.give_up();
  nodes.run_for(milliseconds{50});
  for (std::size_t i = 0; i < nodes.size(); ++i) BOOST_TEST(staged(nodes, i).second == 0u);
}

BOOST_AUTO_TEST_CASE(content_that_no_entry_names_is_kept_for_a_while_and_then_dropped) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  const auto bytes = large_bytes(piece);
  {
    test_upload upload{nodes, first};
    upload.write(bytes);
    upload.finish();
    nodes.run_for(milliseconds{50});
  }
  nodes.run_for(milliseconds{limits::staged_keep_ms / 2});
  for (auto i : nodes.others(first)) BOOST_TEST(is_staged(nodes, i, bytes));
  nodes.run_for(milliseconds{limits::staged_keep_ms});
  for (std::size_t i = 0; i < nodes.size(); ++i) BOOST_TEST(staged(nodes, i).second == 0u);
}

BOOST_AUTO_TEST_CASE(an_append_waits_for_the_pull_that_is_under_way_and_nothing_is_sent_twice) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  slow_down(nodes);
  const auto bytes = large_bytes(20 * piece + 5);
  const auto sent = nodes.network().delivered_bytes();
  test_upload upload{nodes, first};
  upload.write(bytes);
  nodes.run_for(milliseconds{50});
  upload.finish();
  auto written = nodes.put(first, "large", bytes, durability::majority);
  for (auto i : nodes.others(first)) BOOST_TEST(!is_staged(nodes, i, bytes));
  BOOST_REQUIRE(nodes.run_until([&] { return recorded(written) && all_equal(nodes); }, milliseconds{2000}));
  BOOST_TEST(nodes.network().delivered_bytes() - sent < 2 * bytes.size() + piece);
}

// A front ends the upload as soon as its write is answered, which with `leader` is long before a slow follower is done.
BOOST_AUTO_TEST_CASE(a_follower_that_lags_reads_the_rest_from_the_file_when_the_upload_is_gone) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  slow_down(nodes);
  const auto bytes = large_bytes(20 * piece + 5);
  const auto sent = nodes.network().delivered_bytes();
  {
    test_upload upload{nodes, first};
    upload.write(bytes);
    upload.finish();
    auto written = nodes.put(first, "large", bytes);
    nodes.settle();
    BOOST_REQUIRE(recorded(written));
  }
  for (auto i : nodes.others(first)) BOOST_TEST(staged_bytes(nodes, i) == 0u);
  BOOST_REQUIRE(nodes.run_until([&] { return all_equal(nodes); }, milliseconds{3000}));
  // What was on its way when the source changed may come twice.
  BOOST_TEST(nodes.network().delivered_bytes() - sent < 2 * (bytes.size() + 2 * limits::chunk_window * piece));
}

BOOST_AUTO_TEST_CASE(a_follower_whose_link_comes_up_during_an_upload_joins_in) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  const auto late = nodes.others(first)[0];
  nodes.disconnect(first, late);
  const auto bytes = large_bytes(6 * piece);
  test_upload upload{nodes, first};
  upload.write(std::string_view{bytes}.substr(0, 3 * piece));
  nodes.run_for(milliseconds{50});
  BOOST_TEST(staged(nodes, late).second == 0u);
  nodes.connect(first, late);
  nodes.run_for(milliseconds{50});
  BOOST_TEST(staged_bytes(nodes, late) == 3 * piece);
  upload.write(std::string_view{bytes}.substr(3 * piece));
  upload.finish();
  nodes.run_for(milliseconds{50});
  BOOST_TEST(is_staged(nodes, late, bytes));
}

BOOST_AUTO_TEST_CASE(a_link_that_breaks_during_an_upload_costs_no_byte_that_had_come) {
  checked_cluster nodes(with_nodes(2));
  const auto first = nodes.elect();
  const auto other = nodes.others(first)[0];
  const auto bytes = large_bytes(20 * piece);
  const auto sent = nodes.network().delivered_bytes();
  test_upload upload{nodes, first};
  for (std::size_t at = 0; at < bytes.size(); at += 5 * piece) {
    upload.write(std::string_view{bytes}.substr(at, 5 * piece));
    nodes.run_for(milliseconds{50});
    nodes.disconnect(first, other);
    nodes.run_for(milliseconds{50});
    BOOST_TEST(staged_bytes(nodes, other) == at + 5 * piece);
    nodes.connect(first, other);
  }
  upload.finish();
  nodes.run_for(milliseconds{50});
  BOOST_TEST(is_staged(nodes, other, bytes));
  BOOST_TEST(nodes.network().delivered_bytes() - sent < bytes.size() + piece);
}

BOOST_AUTO_TEST_CASE(an_upload_that_ended_while_the_link_was_down_is_recognised) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  const auto away = nodes.others(first)[0];
  const auto bytes = large_bytes(20 * piece);
  {
    test_upload upload{nodes, first};
    upload.write(std::string_view{bytes}.substr(0, 15 * piece));
    nodes.run_for(milliseconds{50});
    nodes.disconnect(first, away);
    upload.write(std::string_view{bytes}.substr(15 * piece));
    upload.finish();
    nodes.run_for(milliseconds{50});
    auto written = nodes.put(first, "large", bytes, durability::majority);
    nodes.run_for(milliseconds{50});
    BOOST_REQUIRE(recorded(written));
  }
  BOOST_TEST(staged_bytes(nodes, away) == 15 * piece);
  const auto sent = nodes.network().delivered_bytes();
  nodes.connect(first, away);
  BOOST_REQUIRE(nodes.run_until([&] { return stands(nodes, away, "large", bytes); }, milliseconds{2000}));
  // On top comes a window for the pull that began from nothing, when the append was faster than that word.
  BOOST_TEST(nodes.network().delivered_bytes() - sent < (6 + limits::chunk_window) * piece);
}

BOOST_AUTO_TEST_CASE(when_the_source_dies_midway_another_one_serves_the_rest) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  const auto quick = nodes.others(first)[0];
  const auto slow = nodes.others(first)[1];
  const auto bytes = large_bytes(40 * piece);
  nodes.disconnect(first, slow);
  nodes.disconnect(quick, slow);
  {
    test_upload upload{nodes, first};
    upload.write(bytes);
    upload.finish();
    auto written = nodes.put(first, "large", bytes, durability::majority);
    BOOST_REQUIRE(nodes.run_until([&] { return recorded(written); }, milliseconds{2000}));
  }
  slow_down(nodes);
  nodes.connect(first, slow);
  BOOST_REQUIRE(nodes.run_until([&] { return staged_bytes(nodes, slow) >= 20 * piece; }, milliseconds{2000}));
  nodes.stop(first);
  nodes.connect(quick, slow);
  const auto sent = nodes.network().delivered_bytes();
  BOOST_REQUIRE(nodes.run_until([&] { return stands(nodes, slow, "large", bytes); }));
  BOOST_TEST(nodes.leader().value() == quick);
  BOOST_TEST(nodes.network().delivered_bytes() - sent < 21 * piece);
}

BOOST_AUTO_TEST_CASE(what_an_append_names_does_not_wait_for_the_uploads_of_one_that_has_gone_silent) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  slow_down(nodes);
  std::vector<std::unique_ptr<test_upload>> uploads;
  for (std::size_t i = 0; i * limits::chunk_window < limits::pull_window; ++i) {
    uploads.push_back(std::make_unique<test_upload>(nodes, first));
    uploads.back()->write(large_bytes(20 * piece));
  }
  nodes.run_for(milliseconds{50});
  nodes.cut_off(first);
  BOOST_REQUIRE(nodes.run_until([&] { return nodes.leader() && *nodes.leader() != first; }));
  for (auto i : nodes.others(first)) BOOST_TEST(staged(nodes, i).second == uploads.size());
  const auto bytes = large_bytes(3 * piece);
  const auto next = nodes.leader().value();
  const auto file = nodes.stage(next, bytes);
  auto written = nodes.put(next, "large", bytes, durability::majority);
  BOOST_TEST(nodes.run_until([&] { return recorded(written); }, milliseconds{limits::chunk_timeout_ms / 10}));
}

// The append that comes again after a link broke asks for the rest only.
BOOST_AUTO_TEST_CASE(content_that_came_is_kept_for_its_append_however_long_the_rest_takes) {
  checked_cluster nodes(with_nodes(2));
  const auto first = nodes.elect();
  const auto other = nodes.others(first)[0];
  const auto early = large_bytes(piece), late = large_bytes(100 * piece, 'b');
  nodes.disconnect(first, other);
  {
    const auto one = nodes.stage(first, early), two = nodes.stage(first, late);
    nodes.put(first, "early", early);
    nodes.put(first, "late", late);
    nodes.settle();
  }
  nodes.network().set_quality({0, milliseconds{350}, milliseconds{350}, true});
  nodes.connect(first, other);
  BOOST_REQUIRE(nodes.run_until([&] { return is_staged(nodes, other, early); }));
  nodes.disconnect(first, other);
  nodes.connect(first, other);
  const auto began = nodes.now();
  const auto is_kept = [&] { return is_staged(nodes, other, early) || stands(nodes, other, "early", early); };
  BOOST_TEST(nodes.run_until([&] { return !is_kept() || stands(nodes, other, "late", late); }));
  BOOST_TEST(is_kept());
  BOOST_TEST((nodes.now() - began > milliseconds{limits::staged_keep_ms}));
}

BOOST_AUTO_TEST_CASE(when_the_source_restarts_midway_it_serves_the_rest) {
  checked_cluster nodes(with_nodes(2));
  const auto first = nodes.elect();
  const auto other = nodes.others(first)[0];
  const auto bytes = large_bytes(40 * piece);
  nodes.disconnect(first, other);
  {
    test_upload upload{nodes, first};
    upload.write(bytes);
    upload.finish();
    nodes.put(first, "large", bytes);
    nodes.settle();
  }
  slow_down(nodes);
  nodes.connect(first, other);
  BOOST_REQUIRE(nodes.run_until([&] { return staged_bytes(nodes, other) >= 20 * piece; }, milliseconds{2000}));
  nodes.stop(first);
  const auto sent = nodes.network().delivered_bytes();
  nodes.start(first);
  BOOST_REQUIRE(nodes.run_until([&] { return stands(nodes, other, "large", bytes); }));
  BOOST_TEST(nodes.network().delivered_bytes() - sent < 21 * piece);
}

BOOST_AUTO_TEST_CASE(no_more_uploads_are_followed_than_the_bound_says_and_the_others_come_with_their_entries) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  std::vector<std::unique_ptr<test_upload>> uploads;
  std::vector<std::string> bodies;
  for (std::size_t i = 0; i < limits::prefetches + 4; ++i) {
    bodies.push_back(large_bytes(2 * piece + i));
    uploads.push_back(std::make_unique<test_upload>(nodes, first));
    uploads.back()->write(bodies.back());
  }
  nodes.run_for(milliseconds{200});
  for (auto i : nodes.others(first)) BOOST_TEST(staged(nodes, i).second == limits::prefetches);
  std::vector<asked_ptr<write_reply>> written;
  for (std::size_t i = 0; i < uploads.size(); ++i) {
    uploads[i]->finish();
    written.push_back(nodes.put(first, "f" + std::to_string(i), bodies[i], durability::majority));
  }
  BOOST_REQUIRE(nodes.run_until([&] { return std::all_of(written.begin(), written.end(), recorded); }));
  BOOST_REQUIRE(nodes.run_until([&] { return all_equal(nodes); }));
  uploads.clear();
  nodes.run_for(milliseconds{2 * limits::fetch_sweep_ms});
  for (std::size_t i = 0; i < nodes.size(); ++i) BOOST_TEST(staged(nodes, i).second == 0u);
}

BOOST_AUTO_TEST_CASE(a_client_far_ahead_of_the_followers_is_held_back_for_a_moment) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  slow_down(nodes);
  test_upload upload{nodes, first};
  nodes.run_for(milliseconds{50});  // both followers have asked for the first bytes
  const std::size_t ahead = limits::upload_lead_bytes / piece;
  upload.write(large_bytes((ahead + 2) * piece));
  BOOST_TEST(upload.written() == ahead);
  nodes.run_for(milliseconds{limits::upload_hold_ms * 2});
  BOOST_TEST(upload.written() == ahead + 2);
}

BOOST_AUTO_TEST_CASE(an_upload_does_not_wait_for_followers_that_ask_for_nothing) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  test_upload upload{nodes, first};
  nodes.run_for(milliseconds{50});
  nodes.cut_off(first);
  const std::size_t ahead = limits::upload_lead_bytes / piece;
  upload.write(large_bytes((ahead + 2) * piece));
  nodes.run_for(milliseconds{limits::upload_silence_ms * 2});
  BOOST_TEST(upload.written() == ahead + 2);
  upload.write(large_bytes(10 * piece));
  BOOST_TEST(upload.written() == ahead + 12);
}

BOOST_AUTO_TEST_CASE(two_uploads_of_the_same_content_are_pulled_as_one_once_that_is_known) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  const auto bytes = large_bytes(4 * piece);
  test_upload one{nodes, first}, two{nodes, first};
  one.write(bytes), two.write(bytes);
  nodes.run_for(milliseconds{50});
  one.finish(), two.finish();
  nodes.run_for(milliseconds{50});
  for (auto i : nodes.others(first)) BOOST_TEST(staged(nodes, i).second == 1u);
  auto written = nodes.put(first, "f", bytes, durability::majority);
  nodes.run_for(milliseconds{50});
  BOOST_TEST(recorded(written));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace kaiku::test
