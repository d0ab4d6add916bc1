// What a disk has lost: who is asked for it, and what counts as lost for good.

#include <caf/all.hpp>

#include "fixture.hpp"

namespace kaiku::test {

BOOST_AUTO_TEST_SUITE(scrub)

namespace {

content_ref named(std::string_view bytes) {
  return {sha256(bytes), {bytes.size()}};
}

/// Answers every fetch with the error that the test has set.
class failing_fetch : public fetch_handle::base {
 public:
  failing_fetch(caf::actor_config& cfg, std::shared_ptr<errc> why) : fetch_handle::base(cfg), why_(std::move(why)) {}

  behavior_type make_behavior() override {
    return {
        [this](const fetch_content&) {
          return fetched{{*why_, "as the test said"}};
        },
        [](const upload_begun&) {},
    };
  }

 private:
  std::shared_ptr<errc> why_;
};

std::uint64_t unrepairable(actor_cluster& nodes, const scrub_handle& scrub) {
  caf::scoped_actor self{nodes.system()};
  auto answer = self->request(scrub, caf::infinite, ask_scrub{});
  nodes.settle();
  std::uint64_t count = 0;
  answer.receive([&](const scrub_view& x) { count = x.unrepairable; },
                 [](const caf::error&) { BOOST_ERROR("the scrub did not answer"); });
  return count;
}

}  // namespace

BOOST_AUTO_TEST_CASE(content_that_could_not_be_brought_counts_as_unrepairable_only_if_no_member_has_it) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  const std::string large(200'000, 'y');
  auto staged = nodes.stage(first, large);
  BOOST_REQUIRE(nodes.run_until([&, x = nodes.put(first, "large", large, durability::all)] { return recorded(x); }));
  staged.reset();
  BOOST_REQUIRE(nodes.disk(first).quarantine(named(large)).ok());
  const auto why = std::make_shared<errc>(errc::disk_full);
  const auto fetch = nodes.system().spawn<failing_fetch>(why);
  nodes.node(first).spawned.push_back(caf::actor_cast<caf::actor>(fetch));
  const auto scrub = add_scrub(nodes, first, nodes.others(first), fetch);
  for (const auto code : {errc::disk_full, errc::content_missing, errc::overloaded, errc::corrupt, errc::io_error}) {
    *why = code;
    nodes.run_for(milliseconds{2 * limits::scrub_look_ms});
    const bool lost = code == errc::content_missing || code == errc::corrupt;
    BOOST_TEST(unrepairable(nodes, scrub) == (lost ? 1u : 0u), "after " << to_string(code));
  }
}

BOOST_AUTO_TEST_CASE(what_one_member_has_lost_is_brought_from_the_next) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  BOOST_REQUIRE(nodes.run_until([&, x = nodes.put(first, "f", "small", durability::all)] { return recorded(x); }));
  const auto others = nodes.others(first);
  for (auto i : {first, others[1]}) BOOST_REQUIRE(nodes.disk(i).quarantine(named("small")).ok());
  const auto scrub = add_scrub(nodes, first, {others[1]});
  nodes.run_for(milliseconds{2 * limits::scrub_look_ms});
  BOOST_TEST(unrepairable(nodes, scrub) == 1u);
  add_scrub(nodes, others[1], {others[0]});
  BOOST_REQUIRE(nodes.run_until([&] { return nodes.disk(first).holds(named("small")); },
                                milliseconds{3 * limits::scrub_look_ms}));
  BOOST_TEST(unrepairable(nodes, scrub) == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace kaiku::test
