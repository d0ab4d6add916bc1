#include "fixture.hpp"

#include <csignal>
#include <future>

namespace kaiku::test {

mirrored_store::mirrored_store(const redis_address& at, const std::string& node, std::uint8_t cluster,
                               std::size_t feed_bound, bool settled)
    : feed(std::make_shared<change_feed>(feed_bound)) {
  std::signal(SIGPIPE, SIG_IGN);  // as kaikud does: hiredis writes to connections that are closed
  const auto wall = [] { return test_time(); };
  auto opened =
      store::open({directory / "data", 0,
                   [](const std::string& why) { BOOST_FAIL("the store stopped the node: " << why); }, wall, feed});
  BOOST_REQUIRE(opened.ok());
  disk = std::move(opened).value();
  disk->adopt_term({1});
  cluster_id id;
  id.bytes.fill(cluster);
  logged({set_members{id, {member{{node}, disk->disk(), "127.0.0.1:1"}}}, {}, {}});
  if (settled) disk->confirm_cluster();
  mirror = std::make_unique<redis_mirror>(at, node_id{node}, disk, feed, wall);
}

proposed mirrored_store::propose(proposal what) {
  auto outcome = disk->propose(disk->state().current, std::span{&what, 1});
  BOOST_REQUIRE_EQUAL(outcome.failure.code, errc::none);
  return outcome.results.front();
}

std::optional<file_answer> mirrored_store::ask(const std::string& where, const std::string& after, std::size_t limit,
                                               const std::string& prefix) {
  std::promise<std::optional<file_answer>> promise;
  auto answer = promise.get_future();
  const bool asked = mirror->ask(disk->state().last, {path(where), after, limit, {prefix, false}},
                                 [&](std::optional<file_answer> x) { promise.set_value(std::move(x)); });
  return asked ? answer.get() : std::nullopt;
}

bool mirrored_store::answers(const std::string& where) {
  return wait_until(milliseconds{30'000}, [&] { return ask(where).has_value(); });
}

bool mirrored_store::leaves(const std::string& where) {
  const auto before = mirror->view().left_to_store;
  return wait_until(milliseconds{30'000},
                    [&] { return !ask(where).has_value() && mirror->view().left_to_store > before; });
}

void mirrored_store::settle() {
  const bool shown = answers("");
  const auto now = mirror->view();
  BOOST_REQUIRE_MESSAGE(shown, "Redis does not come to show the log's end: it is "
                                   << to_string(now.now) << ", asked " << now.asked << ", lag " << now.lag << ", wrong "
                                   << now.wrong << ", late " << now.answered_late << ", behind " << now.behind);
}

bool mirrored_store::compare(const std::string& where, const std::string& after, std::size_t limit,
                             const std::string& prefix) {
  const auto said = ask(where, after, limit, prefix);
  if (!said) return false;
  const auto info = disk->stat(path(where));
  BOOST_REQUIRE_MESSAGE(info.ok(), "nothing is at /" << where);
  BOOST_TEST((said->info == *info), "/" << where);
  const auto page = disk->list(path(where), after, limit, {prefix, false});
  BOOST_REQUIRE_EQUAL(page.ok(), said->page.has_value());
  if (!page.ok()) return true;
  BOOST_TEST(said->page->more == page->more, "/" << where << " after " << after << " prefix " << prefix);
  BOOST_TEST(said->page->next == page->next);
  BOOST_REQUIRE_EQUAL(said->page->entries.size(), page->entries.size());
  for (std::size_t i = 0; i < page->entries.size(); ++i) {
    BOOST_TEST(said->page->entries[i].name == page->entries[i].name);
    BOOST_TEST((said->page->entries[i].info == page->entries[i].info), page->entries[i].name);
  }
  return true;
}

std::map<std::string, std::string> mirrored_store::tree() const {
  std::map<std::string, std::string> out;
  std::string after;
  for (bool more = true; more;) {
    const auto page = disk->list({}, after, 1000, {"", true});
    BOOST_REQUIRE(page.ok());
    for (const auto& [name, info] : page->entries) {
      const auto size = info.is_directory() ? "" : to_string(info.content.size);
      out[name] = std::string{info.is_directory() ? "directory " : "file "} + size + ' ' + info.etag();
    }
    more = page->more;
    after = page->next;
  }
  return out;
}

}  // namespace kaiku::test
