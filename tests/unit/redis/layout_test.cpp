#include <boost/test/unit_test.hpp>

#include "kaiku/storage/redis/layout.hpp"

namespace kaiku::test {
namespace {

using redis::generation;
using redis::layout;

file_info sample() {
  file_info x;
  x.type = file_info::kind::file;
  x.inode = {65'537};
  x.content.size = {12'345'678'901};
  x.content.sha256.bytes.fill(0xab);
  x.version = {{7}, {42}};
  x.created = {1'700'000'000'001};
  x.modified = {-5};
  x.properties.content_type = "text/plain; charset=\"x=y\"";
  x.properties.content_encoding = "gzip";
  x.properties.metadata = {{"a", "b=c=d"}, {"empty", ""}, {"z", "long value"}};
  x.properties.expires = unix_time_ms{1'800'000'000'000};
  return x;
}

std::string joined(const std::vector<std::string>& values) {
  std::string out;
  for (const auto& value : values) out += (out.empty() ? "" : std::string(1, '\0')) + value;
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(redis_layout)

BOOST_AUTO_TEST_CASE(a_record_comes_back_as_it_was) {
  const layout of{"p:", generation::make()};
  file_info directory;
  directory.inode = {1};
  for (const auto& x : {sample(), directory}) {
    const auto back = of.read_record(x.inode, joined(of.record(x)));
    BOOST_REQUIRE(back.has_value());
    BOOST_TEST((*back == x));
  }
}

BOOST_AUTO_TEST_CASE(a_record_with_any_field_changed_is_refused) {
  const layout of{"p:", generation::make()};
  const auto values = of.record(sample());
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto changed = values;
    changed[i] += '1';
    BOOST_TEST(!of.read_record(sample().inode, joined(changed)).has_value(), redis::inode_fields.at(i));
  }
}

BOOST_AUTO_TEST_CASE(a_record_of_another_inode_or_generation_is_refused) {
  const auto made = generation::make();
  const layout of{"p:", made}, other{"p:", generation::make()};
  const auto text = joined(of.record(sample()));
  BOOST_TEST(!of.read_record({2}, text).has_value());
  BOOST_TEST(!other.read_record(sample().inode, text).has_value());
  BOOST_TEST(!of.read_record(sample().inode, "").has_value());
}

BOOST_AUTO_TEST_CASE(a_member_counts_only_behind_the_name_it_was_written_behind) {
  const layout of{"p:", generation::make()};
  const auto member = of.member({7}, "alpha", "beta", {9});
  const auto entry = of.read_member({7}, "alpha", member);
  BOOST_REQUIRE(entry.has_value());
  BOOST_TEST(entry->name == "beta");
  BOOST_TEST((entry->leads_to == inode_id{9}));
  BOOST_TEST(!of.read_member({7}, "", member).has_value());
  BOOST_TEST(!of.read_member({8}, "alpha", member).has_value());
  BOOST_TEST(!of.read_member({7}, "alpha", of.member({7}, "alpha", "beta", {10}).substr(1)).has_value());
  BOOST_TEST(!of.read_member({7}, "alpha", "beta").has_value());
}

BOOST_AUTO_TEST_CASE(members_stand_in_the_order_of_their_names_and_the_end_behind_all) {
  const layout of{"p:", generation::make()};
  BOOST_TEST((of.member({1}, "", "a", {2}) < of.member({1}, "", "a!", {2})));
  BOOST_TEST((of.member({1}, "", "a", {2}) < layout::behind_member("a")));
  BOOST_TEST((layout::behind_member("a") < of.member({1}, "", "a!", {2})));
  BOOST_TEST((of.member({1}, "", "\xf4\x8f\xbf\xbf", {2}) < of.end({1}, "")));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace kaiku::test
