#include "install_fixture.hpp"
#include "kaiku/core/codec.hpp"

namespace kaiku::test {
namespace {

/// What a leader that has gone wrong might send: well wrapped, whatever the records.
struct forged_record {
  std::uint8_t part;
  std::string key;
  std::string value;
};
std::string number(std::uint64_t x) {
  return encoder{}.u64(x).take();
}
std::string directory_inode(std::uint64_t version = 1, std::uint64_t parent = 0) {
  return encoder{}.u8(2).u64(parent).u64(1).u64(version).u64(0).u64(0).take();
}
std::string without_properties() {
  return encoder{}.text("").text("").varint(0).u8(0).take();
}
std::string file_inode(std::string_view bytes) {
  return encoder{}
      .u8(1)
      .u64(1)
      .u64(1)
      .u64(0)
      .u64(0)
      .bytes(sha256(bytes).bytes)
      .varint(bytes.size())
      .raw(without_properties())
      .take();
}
forged_record term_start(std::uint64_t first, std::uint64_t in_term) {
  return {2, number(first), number(in_term)};
}
forged_record orphan(std::uint64_t inode) {
  return {3, number(1) + number(inode), ""};
}
forged_record name(const std::string& text, std::uint64_t inode, std::uint8_t kind = 1) {
  return {6, number(1) + text, encoder{}.u64(inode).u8(kind).take()};
}
forged_record inode(std::uint64_t number_of, std::string value) {
  return {7, number(number_of), std::move(value)};
}
const forged_record root = inode(1, directory_inode());
const forged_record end{9, "", ""};
forged_record request(const std::string& key, const std::string& value) {
  return {4, key, value};
}
std::string answered(std::uint64_t index, std::uint8_t flag = 0) {
  return encoder{}.bytes(digest{}.bytes).u64(1).u64(index).u8(flag).u8(0).take();
}
forged_record expiry(std::uint64_t expires, std::uint64_t inode, const std::string& name_key) {
  return {5, number(expires) + number(inode), name_key};
}

forged_record members_of(std::vector<member> voters, std::uint64_t since = 1, cluster_id cluster = {{7}}) {
  return {1, "", number(since) + encode(set_members{cluster, std::move(voters), {}})};
}
/// The n-th of the requests, and the window of their numbers.
forged_record numbered(std::uint64_t n) {
  return request("n" + number(n), number(1) + std::string(32, 'k'));
}
forged_record window(std::uint64_t first, std::uint64_t next) {
  return request("w", number(first) + number(next));
}

std::string forge(log_position at, std::string_view after, const std::vector<forged_record>& records) {
  encoder out;
  out.u8(3).u64(at.in_term.value).u64(at.index.value).text(after);
  for (const auto& x : records) out.u8(x.part).text(x.key).text(x.value);
  auto body = out.take();
  return encoder{}.bytes(sha256(body).bytes).raw(body).take();
}

constexpr std::uint64_t first_inode = limits::inodes_per_entry;

BOOST_FIXTURE_TEST_SUITE(forged_pieces, install_fixture)

BOOST_AUTO_TEST_CASE(a_record_that_no_state_has_is_refused_and_not_stored) {
  const auto behind = at.index.value + 1;
  const auto text = [](std::size_t size) { return std::string(size, 'n'); };
  std::vector<member> many;
  for (std::size_t i = 0; i <= limits::members; ++i) many.push_back({{"n" + std::to_string(i)}, {}, "host:1"});
  const std::vector<std::vector<forged_record>> wrong{
      {},
      {{0, "", ""}},
      {{10, "", ""}},
      {{1, "", ""}},
      {{1, "", "members?"}},
      {members_of({{{"a"}, {}, "host:1"}}, behind)},
      {members_of({{{"a"}, {}, "host:1"}, {{"a"}, {}, "host:2"}})},
      {members_of({{{"a"}, {}, "host\n:1"}})},
      {members_of({{{"A B"}, {}, "host:1"}})},
      {members_of({{{"a"}, {}, std::string(limits::address_bytes + 1, 'h')}})},
      {members_of({})},
      {members_of({{{"a"}, {}, "host:1"}}, 1, {})},
      {members_of(many)},
      {{2, "short", number(1)}},
      {{2, number(1) + "x", number(1)}},
      {{2, number(1), "short"}},
      {term_start(0, 1)},
      {term_start(1, 0)},
      {term_start(1, at.in_term.value + 1)},
      {term_start(behind, 1)},
      {term_start(2, 1), term_start(1, 1)},
      {term_start(1, 1), term_start(1, 1)},
      {{3, "short", ""}},
      {{3, number(1), ""}},
      {{3, number(behind) + number(first_inode), ""}},
      {{3, number(1) + number(first_inode), "value"}},
      {request("", number(1))},
      {request("w", number(1))},
      {window(2, 1)},
      {window(0, behind)},
      {request("n" + number(1), number(1))},
      {request("n", number(1) + std::string(32, 'k'))},
      {request("k", answered(1))},
      {request("k" + std::string(32, 'k'), answered(0))},
      {request("k" + std::string(32, 'k'), answered(behind))},
      {request("k" + std::string(32, 'k'), answered(1, 2))},
      {request("k" + std::string(32, 'k'), answered(1) + "more")},
      {expiry(1, first_inode, number(1))},
      {expiry(1, first_inode, number(behind * limits::inodes_per_entry) + "a")},
      {expiry(1, behind * limits::inodes_per_entry, number(1) + "a")},
      {expiry(~std::uint64_t{0}, first_inode, number(1) + "a")},
      {{5, number(1), number(1) + "a"}},
      {{6, "short", name("a", first_inode).value}},
      {name("", first_inode)},
      {name("a/b", first_inode)},
      {name("/a", first_inode)},
      {name("..", first_inode)},
      {name(text(limits::name_bytes + 1), first_inode)},
      {name("a", 0)},
      {name("a", behind * limits::inodes_per_entry)},
      {name("a", first_inode, 3)},
      {{6, number(1) + "a", "short"}},
      {{6, number(behind * limits::inodes_per_entry) + "a", name("a", first_inode).value}},
      {{7, "short", directory_inode()}},
      {inode(1, "")},
      {inode(1, directory_inode().substr(1))},
      {inode(1, directory_inode() + "more")},
      {inode(1, directory_inode(behind))},
      {inode(1, file_inode("f").substr(0, 40))},
      {{8, encoder{}.bytes(sha256("f").bytes).take(), "f"}},
      {name("a", first_inode), root, {8, encoder{}.bytes(sha256("f").bytes).take(), "f"}},
      {name("a", first_inode), root, inode(first_inode, file_inode("f")), {8, "short", "f"}},
      {root, name("a", first_inode)},
      {root, {9, "key", ""}},
      {root, end, end},
  };
  BOOST_REQUIRE(disk->begin_install(at).ok());
  for (std::size_t i = 0; i < wrong.size(); ++i) {
    BOOST_TEST_CONTEXT("piece " << i) {
      BOOST_TEST(disk->install_piece(forge(at, "", wrong[i])).failure().code == errc::corrupt);
      BOOST_TEST((disk->installing() == install_progress{at, {}, false}));
    }
  }
  receive();
  fetch();
  BOOST_REQUIRE(disk->finish_install({5}, at).ok());
  is_installed();
}

BOOST_AUTO_TEST_CASE(a_state_in_which_names_and_inodes_do_not_match_ends_the_install) {
  const auto file = inode(first_inode, file_inode("f"));
  const std::vector<std::vector<forged_record>> wrong{
      {name("a", first_inode), root, end},
      {name("a", first_inode), file, end},
      {name("a", first_inode), name("b", first_inode), root, file, end},
      {name("a", 1, 2), root, end},
      {name("a", first_inode, 2), root, file, end},
      {name("a", first_inode, 2), root, inode(first_inode, directory_inode(1, 7)), end},
      {inode(1, directory_inode(1, 1)), end},
      {name("a", first_inode), root, file, inode(first_inode + 1, directory_inode()), end},
      {root, file, end},
      {orphan(first_inode), root, end},
      {orphan(first_inode), root, file, end},
      {orphan(first_inode), name("a", first_inode, 2), root, inode(first_inode, directory_inode()), end},
      {inode(1, file_inode("f")), end},
      {term_start(1, 1), end},
      {window(0, 1), root, end},
      {numbered(0), root, end},
      {numbered(1), window(0, 2), root, end},
      {numbered(0), window(0, 2), root, end},
      {numbered(0), numbered(1), window(0, 1), root, end},
      {numbered(1), numbered(3), window(1, 4), root, end},
      {numbered(0), window(1, 2), root, end},
  };
  for (std::size_t i = 0; i < wrong.size(); ++i) {
    for (const bool one_by_one : {false, true}) {
      BOOST_TEST_CONTEXT("state " << i << (one_by_one ? ", one by one" : "")) {
        begin();
        errc outcome = errc::none;
        if (one_by_one) {
          for (std::size_t next = 0; outcome == errc::none && next < wrong[i].size(); ++next) {
            const auto taken = disk->install_piece(forge(at, disk->installing()->cursor, {wrong[i][next]}));
            if (!taken) outcome = taken.failure().code;
            if (taken.ok()) reopen();
          }
        } else {
          outcome = disk->install_piece(forge(at, "", wrong[i])).failure().code;
        }
        BOOST_TEST(outcome == errc::corrupt);
        BOOST_TEST(!disk->installing());
        is_as_before();
      }
    }
  }
  install();
}

BOOST_AUTO_TEST_CASE(terms_that_do_not_lead_to_the_position_end_the_install) {
  const std::vector<std::vector<forged_record>> wrong{
      {root, end},
      {term_start(1, 1), root, end},
      {term_start(1, 3), term_start(2, 1), term_start(3, 5), root, end},
  };
  for (const auto& records : wrong) {
    begin();
    BOOST_REQUIRE(disk->install_piece(forge(at, "", records)).ok());
    BOOST_TEST(disk->finish_install({5}, at).failure().code == errc::corrupt);
    BOOST_TEST(!disk->installing());
    is_as_before();
  }
  install();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace kaiku::test
