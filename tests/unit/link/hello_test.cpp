#include <random>

#include <boost/test/unit_test.hpp>

#include "kaiku/core/limits.hpp"
#include "kaiku/link/hello.hpp"

namespace kaiku {
namespace {

template <class Id>
Id id_of(std::uint8_t x) {
  Id out;
  out.bytes.back() = x;
  return out;
}

hello hello_of(const std::string& name, std::uint8_t number) {
  hello x;
  x.cluster = id_of<cluster_id>(1);
  x.name = {name};
  x.disk = id_of<incarnation>(number);
  x.boot = id_of<boot_id>(number);
  x.caf_node = std::string(40, 'A') + "#" + std::to_string(number);
  x.has_secret = true;
  x.nonce.fill(number);
  return x;
}

/// As `n2`, which knows `n1` and `n3`; the disks of `n2` and `n3` are not known yet.
hello_rules rules_of(link_role role) {
  hello_rules rules;
  rules.self = hello_of("n2", 2);
  rules.members = {{{"n1"}, id_of<incarnation>(1), "n1:9000"}, {{"n2"}, {}, "n2:9000"}, {{"n3"}, {}, "n3:9000"}};
  rules.role = role;
  if (role == link_role::dialler) rules.dialled = {"n3"};
  return rules;
}

welcome welcome_of_three() {
  return {id_of<cluster_id>(1), rules_of(link_role::acceptor).members};
}

std::string payload_of(const link_frame& frame) {
  return encode(frame).substr(frame_prefix_bytes);
}

BOOST_AUTO_TEST_SUITE(link_hello)

BOOST_AUTO_TEST_CASE(every_frame_reads_back_as_it_was_written) {
  link_proof proof;
  proof.mac.fill(7);
  auto asking = hello_of("n1", 1);
  asking.purpose = hello_purpose::join;
  asking.peer_address = "[::1]:9000";
  asking.since = {7};
  for (const link_frame& frame :
       {link_frame{hello_of("n1", 1)}, link_frame{hello{{}, {}, {}, {"a"}, {}, {}, "A#1"}}, link_frame{asking},
        link_frame{proof}, link_frame{refusal{refusal_reason::cluster, "another"}}, link_frame{welcome_of_three()}}) {
    auto bytes = encode(frame);
    auto length = frame_length(std::string_view{bytes}.substr(0, frame_prefix_bytes));
    BOOST_REQUIRE(length);
    BOOST_TEST(*length == bytes.size() - frame_prefix_bytes);
    auto back = decode_frame(std::string_view{bytes}.substr(frame_prefix_bytes));
    BOOST_REQUIRE(back.ok());
    BOOST_TEST((*back == frame));
  }
}

BOOST_AUTO_TEST_CASE(a_hello_of_a_later_version_may_be_longer) {
  auto back = decode_frame(payload_of(hello_of("n1", 1)) + "new fields");
  BOOST_REQUIRE(back.ok());
  BOOST_TEST((std::get<hello>(*back) == hello_of("n1", 1)));
}

/// Bytes of the fields behind the nonce: purpose, an empty address, the members' entry.
constexpr std::size_t later_fields_bytes = 1 + 1 + 8;

BOOST_AUTO_TEST_CASE(a_hello_of_the_first_builds_lacks_the_last_fields) {
  auto payload = payload_of(hello_of("n1", 1));
  auto back = decode_frame(std::string_view{payload}.substr(0, payload.size() - later_fields_bytes));
  BOOST_REQUIRE(back.ok());
  BOOST_TEST((std::get<hello>(*back) == hello_of("n1", 1)));
}

BOOST_AUTO_TEST_CASE(a_frame_cut_anywhere_is_an_error) {
  for (const link_frame& frame :
       {link_frame{hello_of("n1", 1)}, link_frame{link_proof{}},
        link_frame{refusal{refusal_reason::cluster, "another"}}, link_frame{welcome_of_three()}}) {
    auto payload = payload_of(frame);
    for (std::size_t size = 0; size < payload.size(); ++size) {
      if (std::holds_alternative<hello>(frame) && size + later_fields_bytes == payload.size()) continue;
      BOOST_TEST(!decode_frame(std::string_view{payload}.substr(0, size)).ok(), "cut to " << size);
    }
  }
}

BOOST_AUTO_TEST_CASE(who_asks_without_an_address_or_with_an_unprintable_one_is_not_understood) {
  auto asking = hello_of("n1", 1);
  asking.purpose = hello_purpose::join;
  BOOST_TEST(!decode_frame(payload_of(asking)).ok());
  asking.peer_address = "n1:9000\n";
  BOOST_TEST(!decode_frame(payload_of(asking)).ok());
  asking.purpose = static_cast<hello_purpose>(3);
  asking.peer_address = "n1:9000";
  BOOST_TEST(!decode_frame(payload_of(asking)).ok());
}

BOOST_AUTO_TEST_CASE(the_longest_welcome_fits_a_frame) {
  welcome longest{id_of<cluster_id>(1), {}};
  for (std::size_t i = 0; i < limits::members; ++i)
    longest.members.push_back(
        {{std::string(63, static_cast<char>('a' + i))}, id_of<incarnation>(1), std::string(253, 'h') + ":65535"});
  auto back = decode_frame(payload_of(longest));
  BOOST_REQUIRE(back.ok());
  BOOST_TEST((std::get<welcome>(*back) == longest));
  BOOST_TEST(payload_of(longest).size() <= limits::link_frame_bytes);
}

BOOST_AUTO_TEST_CASE(no_length_above_the_bound_is_believed) {
  BOOST_TEST(!frame_length(std::string_view{"\0\0\0\0", 4}));
  BOOST_TEST(!frame_length("\xff\xff\xff\xff"));
  BOOST_TEST(!frame_length("GET "));
  BOOST_TEST(!frame_length(std::string_view{"\0\0\x10\x01", 4}));
  BOOST_TEST((frame_length(std::string_view{"\0\0\x10\0", 4}) == limits::link_frame_bytes));
  BOOST_TEST(!frame_length(std::string_view{"\0\0\x10", 3}));
}

BOOST_AUTO_TEST_CASE(random_and_damaged_bytes_give_errors_and_nothing_else) {
  auto seed = std::random_device{}();
  BOOST_TEST_MESSAGE("seed " << seed);
  std::mt19937 random{seed};
  auto good = payload_of(hello_of("n1", 1));
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = good;
    if (round % 2 == 0) bytes.resize(random() % 300);
    for (std::size_t i = 0; i <= (round % 2 == 0 ? bytes.size() : random() % 8); ++i)
      if (!bytes.empty()) bytes[random() % bytes.size()] = static_cast<char>(random());
    auto back = decode_frame(bytes);
    if (!back) continue;
    if (auto* x = std::get_if<hello>(&*back)) {
      BOOST_TEST(is_valid_node_name(x->name.name), "seed " << seed);
      BOOST_TEST(x->caf_node.size() <= 64u, "seed " << seed);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_refusal_can_put_nothing_but_text_into_the_log) {
  auto back = decode_frame(payload_of(refusal{refusal_reason::cluster, "line\nnext \x1b[31m"}));
  BOOST_REQUIRE(back.ok());
  BOOST_TEST(std::get<refusal>(*back).text == "line?next ?[31m");
  auto longest = decode_frame(payload_of(refusal{refusal_reason::cluster, std::string(5000, 'x')}));
  BOOST_REQUIRE(longest.ok());
  BOOST_TEST(std::get<refusal>(*longest).text.size() <= 300u);
}

BOOST_AUTO_TEST_CASE(a_proof_holds_for_one_secret_one_role_and_one_pair_of_hellos) {
  auto one = payload_of(hello_of("n1", 1)), two = payload_of(hello_of("n2", 2));
  auto other_nonce = hello_of("n2", 2);
  other_nonce.nonce.back() ^= 1;
  auto proof = make_proof("secret", link_role::dialler, one, two);
  BOOST_TEST(is_same_proof(proof, make_proof("secret", link_role::dialler, one, two)));
  BOOST_TEST(!is_same_proof(proof, make_proof("Secret", link_role::dialler, one, two)));
  BOOST_TEST(!is_same_proof(proof, make_proof("secret", link_role::acceptor, one, two)));
  BOOST_TEST(!is_same_proof(proof, make_proof("secret", link_role::dialler, two, one)));
  BOOST_TEST(!is_same_proof(proof, make_proof("secret", link_role::dialler, one, payload_of(other_nonce))));
  BOOST_TEST(!is_same_proof(proof, link_proof{}));
}

BOOST_AUTO_TEST_CASE(a_member_is_welcome_on_both_sides) {
  BOOST_TEST(!judge(hello_of("n1", 1), rules_of(link_role::acceptor)));
  BOOST_TEST(!judge(hello_of("n3", 3), rules_of(link_role::dialler)));
}

BOOST_AUTO_TEST_CASE(a_cluster_or_disk_that_is_not_known_yet_is_no_reason_to_refuse) {
  auto young = hello_of("n1", 1);
  young.cluster = {};
  BOOST_TEST(!judge(young, rules_of(link_role::acceptor)));
  auto rules = rules_of(link_role::acceptor);
  rules.self.cluster = {};
  rules.members[0].disk = {};
  BOOST_TEST(!judge(hello_of("n1", 9), rules));
}

BOOST_AUTO_TEST_CASE(a_node_of_a_later_version_that_still_speaks_ours_is_welcome) {
  auto later = hello_of("n1", 1);
  later.version_max = 9;
  BOOST_TEST(!judge(later, rules_of(link_role::acceptor)));
}

hello question_of(const std::string& name, std::uint8_t number) {
  auto out = hello_of(name, number);
  out.cluster = {};
  out.purpose = hello_purpose::join;
  out.peer_address = name + ":9000";
  return out;
}

BOOST_AUTO_TEST_CASE(who_only_asks_needs_neither_membership_nor_the_smaller_name_nor_a_known_disk) {
  auto rules = rules_of(link_role::acceptor);
  BOOST_TEST(!judge(question_of("n9", 9), rules));
  BOOST_TEST(!judge(question_of("n1", 9), rules));
  rules = rules_of(link_role::dialler);
  rules.dialled = {};
  rules.self = question_of("n9", 9);
  rules.members = {};
  rules.stands = standing::joining;
  BOOST_TEST(!judge(hello_of("n1", 1), rules));
}

BOOST_AUTO_TEST_CASE(one_that_joins_links_with_the_members_it_was_told) {
  auto rules = rules_of(link_role::acceptor);
  rules.self.cluster = {};
  rules.stands = standing::joining;
  BOOST_TEST(!judge(hello_of("n1", 1), rules));
}

BOOST_AUTO_TEST_CASE(whoever_knows_newer_members_of_the_same_cluster_is_no_stranger) {
  auto rules = rules_of(link_role::acceptor);
  rules.self.since = {7};
  for (auto theirs : {hello_of("n9", 9), hello_of("n1", 9)}) {
    theirs.since = {8};
    BOOST_TEST(!judge(theirs, rules));
    theirs.since = {7};
    BOOST_TEST(judge(theirs, rules).has_value());
    theirs.since = {8};
    theirs.cluster = {};
    BOOST_TEST(judge(theirs, rules).has_value());
  }
}

BOOST_AUTO_TEST_CASE(whoever_is_missing_from_members_that_may_be_taken_back_is_no_stranger_but_another_disk_is) {
  auto rules = rules_of(link_role::acceptor);
  rules.unsettled = true;
  BOOST_TEST(!judge(hello_of("n9", 9), rules));
  BOOST_TEST(judge(hello_of("n1", 9), rules).has_value());
  rules.self.cluster = {};
  BOOST_TEST(judge(hello_of("n9", 9), rules).has_value());
  rules.unsettled = false;
  rules.self.cluster = hello_of("n9", 9).cluster;
  BOOST_TEST(judge(hello_of("n9", 9), rules).has_value());
}

struct refused_case {
  const char* what;
  link_role role;
  hello theirs;
  refusal_reason reason;
  const char* text;  ///< a part of what is said
  hello_rules rules;
};

template <class Change>
refused_case refused(const char* what, link_role role, refusal_reason reason, const char* text, Change change) {
  refused_case x{what,   role, role == link_role::acceptor ? hello_of("n1", 1) : hello_of("n3", 3),
                 reason, text, rules_of(role)};
  change(x);
  return x;
}

BOOST_AUTO_TEST_CASE(every_mismatch_is_refused_with_its_reason) {
  constexpr auto acceptor = link_role::acceptor, dialler = link_role::dialler;
  using why = refusal_reason;
  using c = refused_case;
  for (const auto& x : {
           refused("a version before ours", acceptor, why::version, "speaks protocol versions 0 to 0",
                   [](c& t) { t.theirs.version_min = t.theirs.version_max = 0; }),
           refused("a version after ours", acceptor, why::version, "speaks protocol versions 4 to 5",
                   [](c& t) { t.theirs.version_min = 4, t.theirs.version_max = 5; }),
           refused("another cluster", acceptor, why::cluster, "belongs to cluster",
                   [](c& t) { t.theirs.cluster = id_of<cluster_id>(2); }),
           refused("another cluster, dialled", dialler, why::cluster, "belongs to cluster",
                   [](c& t) { t.theirs.cluster = id_of<cluster_id>(2); }),
           refused("no member", acceptor, why::unknown_name, "n0 is not a member",
                   [](c& t) { t.theirs.name = {"n0"}; }),
           refused("its own name", acceptor, why::unknown_name, "two nodes are called n2",
                   [](c& t) { t.theirs.name = {"n2"}; }),
           refused("not whom it dialled", dialler, why::wrong_name, "dialled n3 and reached n1",
                   [](c& t) { t.theirs.name = {"n1"}; }),
           refused("the larger name dials", acceptor, why::wrong_direction, "the smaller name does",
                   [](c& t) { t.theirs.name = {"n3"}; }),
           refused("a wiped disk", acceptor, why::wrong_disk, "this disk is not the one the cluster knows",
                   [](c& t) { t.theirs.disk = id_of<incarnation>(9); }),
           refused("itself", dialler, why::same_process, "reached itself", [](c& t) { t.theirs = t.rules.self; }),
           refused("the same CAF node id as this node", acceptor, why::same_caf_node, "have the same CAF node id",
                   [](c& t) { t.theirs.caf_node = t.rules.self.caf_node; }),
           refused("the same CAF node id as another peer", acceptor, why::same_caf_node, "n1 and n3 have the same",
                   [](c& t) {
                     t.rules.linked = {{{"n3"}, t.theirs.caf_node, {}}};
                   }),
           refused("a question to one that asks itself", acceptor, why::no_cluster, "does not belong to a cluster yet",
                   [](c& t) { t.theirs = question_of("n9", 9), t.rules.stands = standing::asking; }),
           refused("a question to one that joins", acceptor, why::no_cluster, "does not belong to a cluster yet",
                   [](c& t) { t.theirs = question_of("n9", 9), t.rules.stands = standing::joining; }),
           refused("a question to one without a cluster", acceptor, why::no_cluster, "does not belong to a cluster yet",
                   [](c& t) { t.theirs = question_of("n9", 9), t.rules.self.cluster = {}; }),
           refused("a question of another cluster's member", acceptor, why::cluster, "belongs to cluster",
                   [](c& t) { t.theirs = question_of("n9", 9), t.theirs.cluster = id_of<cluster_id>(2); }),
           refused("a question of its own process", acceptor, why::same_process, "reached itself",
                   [](c& t) { t.theirs = question_of("n2", 2); }),
           refused("a question under its own name", acceptor, why::name_taken, "two nodes are called n2",
                   [](c& t) { t.theirs = question_of("n2", 9); }),
           refused("a question under a linked peer's name", acceptor, why::name_taken, "another node called n1 is here",
                   [](c& t) {
                     t.theirs = question_of("n1", 9);
                     t.rules.linked = {{{"n1"}, "A#1", id_of<incarnation>(1)}};
                   }),
           refused("a link while it asks", acceptor, why::no_cluster, "still asks around",
                   [](c& t) { t.rules.stands = standing::asking; }),
           refused("a link before it was told the members", acceptor, why::no_cluster, "has not been told the members",
                   [](c& t) { t.rules.stands = standing::joining, t.rules.members = {}; }),
           refused("no secret", acceptor, why::secret, "n2 has a shared secret and n1 has none",
                   [](c& t) { t.theirs.has_secret = false; }),
           refused("a secret where none is", dialler, why::secret, "n3 has a shared secret and n2 has none",
                   [](c& t) { t.rules.self.has_secret = false; }),
       }) {
    BOOST_TEST_CONTEXT(x.what) {
      auto no = judge(x.theirs, x.rules);
      BOOST_REQUIRE(no);
      BOOST_TEST((no->reason == x.reason), no->text);
      BOOST_TEST(no->text.find(x.text) != std::string::npos, no->text);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_member_that_comes_back_with_its_own_caf_node_id_is_welcome) {
  auto rules = rules_of(link_role::acceptor);
  rules.linked = {{{"n1"}, hello_of("n1", 1).caf_node, {}}};
  BOOST_TEST(!judge(hello_of("n1", 1), rules));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace kaiku
