// What is told of messages, to whoever looks on: which entry, which path, how many bytes; never what is in a file, and
// nothing that clients keep with one.

#include <boost/test/unit_test.hpp>

#include <caf/all.hpp>

#include "kaiku/actors/message_text.hpp"
#include "kaiku/messages/messages.hpp"
#include "kaiku/storage/content_store.hpp"

namespace kaiku::test {
namespace {

const std::string secret = "s3cr3t-bytes";

file_path path_of(std::string_view text) {
  auto parsed = file_path::parse(text);
  BOOST_REQUIRE(parsed.ok());
  return *parsed;
}

file_properties secret_properties() {
  return {secret, secret, {{"a-" + secret, secret}}};
}

/// Each kind, with the secret wherever a client's own words may stand.
std::vector<command> secret_commands() {
  const auto shown = path_of("shown");
  const content_ref content{sha256(secret), {secret.size()}};
  return {no_operation{},
          set_members{},
          put_file{shown, content, secret_properties(), {0}, true},
          make_directory{shown, {0}},
          remove_path{shown, false, {0}},
          move_path{shown, path_of("to"), false, true, {0}},
          copy_path{shown, path_of("to"), false, true, {0}},
          change_properties{shown, {secret, secret, {{"a-" + secret, secret}}}, {0}},
          remove_expired{{0}}};
}

precondition secret_condition() {
  precondition x;
  x.if_match = x.if_none_match = {secret};
  return x;
}

file_info secret_file() {
  file_info x;
  x.type = file_info::kind::file;
  x.properties = secret_properties();
  return x;
}

template <class T>
void check_told(const char* what, const T& message, bool tells_more = true) {
  const auto text = kaiku::text_of(*caf::make_message(message).cvals());
  BOOST_TEST_CONTEXT(what << ": " << text) {
    BOOST_TEST(text.empty() != tells_more);
    BOOST_TEST(text.find(secret) == std::string::npos);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(told)

BOOST_AUTO_TEST_CASE(a_command_is_told_by_its_paths_and_sizes) {
  const auto all = secret_commands();
  BOOST_REQUIRE(all.size() == std::variant_size_v<command>);
  for (std::size_t i = 0; i < all.size(); ++i) {
    BOOST_REQUIRE(all[i].index() == i);  // each kind once
    const auto text = kaiku::text_of(all[i]);
    BOOST_TEST(text.find(secret) == std::string::npos, text);
    write_request asked;
    asked.encoded_command = encode(all[i]);
    asked.when = secret_condition();
    asked.small_content = chunk{secret};
    check_told("write_request", asked);
    check_told("propose", propose{{1}, {{all[i], secret_condition(), secret}, {all[i], secret_condition(), secret}}});
  }
}

BOOST_AUTO_TEST_CASE(entries_and_what_they_name_are_told_by_their_number) {
  std::vector<log_entry> entries;
  for (const auto& one : secret_commands()) entries.push_back({{{1}, {entries.size() + 1}}, encode(one)});
  append_entries sent;
  sent.leader = {"n1"};
  sent.entries = entries;
  sent.small_contents = {chunk{secret}};
  check_told("append_entries", sent);
  check_told("append", append{{{1}, {}, entries, {secret}}});
}

BOOST_AUTO_TEST_CASE(what_comes_back_is_told_without_the_file) {
  write_reply written;
  written.file = secret_file();
  check_told("write_reply", written);
  propose_outcome logged;
  logged.results.resize(1);
  logged.results[0].file = secret_file();
  check_told("propose_outcome", logged);
}

BOOST_AUTO_TEST_CASE(pieces_of_content_are_told_by_their_length) {
  const auto with_bytes = [](auto x) {
    x.bytes = chunk{secret};
    return x;
  };
  check_told("upload_chunk", with_bytes(upload_chunk{}));
  check_told("content_range", with_bytes(content_range{}));
  check_told("upload_range", with_bytes(upload_range{}));
  auto of_state = with_bytes(snapshot_range{});
  of_state.next = secret;
  check_told("snapshot_range", of_state);
  // These have no line of their own.
  check_told("install_piece", with_bytes(install_piece{}), false);
  repair_content repair;
  repair.small_content = chunk{secret};
  check_told("repair_content", repair, false);
  read_snapshot further;
  further.after = secret;
  check_told("read_snapshot", further, false);
  check_told("a text", secret, false);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace kaiku::test
