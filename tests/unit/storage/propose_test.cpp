#include "fixture.hpp"

namespace kaiku::test {
namespace {

std::vector<std::string> names(const directory_page& page) {
  std::vector<std::string> out;
  for (const auto& entry : page.entries) out.push_back(entry.name);
  return out;
}

BOOST_FIXTURE_TEST_SUITE(propose, store_fixture)

BOOST_AUTO_TEST_CASE(puts_a_file_and_the_directories_above_it) {
  auto made = propose(put("a/b/c.txt", "hello"));
  BOOST_TEST(made.failure.code == errc::none);
  BOOST_TEST(made.index.value == 1u);
  BOOST_TEST(made.created);
  BOOST_TEST(made.file.version.index.value == 1u);
  BOOST_TEST(made.file.inode.value == limits::inodes_per_entry + 2);
  BOOST_TEST(text_at("a/b/c.txt") == "hello");
  BOOST_TEST(text_at("a/b") == "(directory)");
  BOOST_TEST((*disk->stat(path("a/b/c.txt")) == made.file));
}

BOOST_AUTO_TEST_CASE(replaces_a_file_keeping_its_inode_and_when_it_was_created) {
  auto first = propose({put_command("f", "one", 10), {}, "one"});
  auto second = propose({put_command("f", "two", 20), {}, "two"});
  BOOST_TEST(!second.created);
  BOOST_TEST(second.file.inode == first.file.inode);
  BOOST_TEST(second.file.created.value == 10);
  BOOST_TEST(second.file.modified.value == 20);
  BOOST_TEST(second.file.version.index.value == 2u);
  BOOST_TEST(second.file.etag() != first.file.etag());
  BOOST_TEST(text_at("f") == "two");
}

BOOST_AUTO_TEST_CASE(refuses_what_the_tree_does_not_allow_and_logs_nothing) {
  logged(put("dir/file", "x"));
  const auto before = disk->state();
  const auto syncs = disk->counters().syncs;
  auto no_parents = put("new/file", "x");
  std::get<put_file>(no_parents.what).make_parents = false;
  BOOST_TEST(refused(no_parents) == errc::parent_missing);
  BOOST_TEST(refused(put("dir/file/below", "x")) == errc::not_a_directory);
  BOOST_TEST(refused(put("dir", "x")) == errc::is_a_directory);
  BOOST_TEST(refused(mkdir("dir/file/below")) == errc::not_a_directory);
  BOOST_TEST(refused(mkdir("new/dir", false)) == errc::parent_missing);
  BOOST_TEST(refused(mkdir("dir")) == errc::already_exists);
  BOOST_TEST(refused(mkdir("dir/file")) == errc::already_exists);
  BOOST_TEST(refused(mkdir("")) == errc::already_exists);
  BOOST_TEST(refused(remove("dir")) == errc::directory_not_empty);
  BOOST_TEST(refused(remove("nothing")) == errc::not_found);
  BOOST_TEST(refused(remove("dir/file/below")) == errc::not_found);
  BOOST_TEST(refused(remove("", true)) == errc::method_not_allowed);
  BOOST_TEST((disk->state() == before));
  BOOST_TEST(disk->counters().syncs == syncs);
}

BOOST_AUTO_TEST_CASE(refuses_the_root_as_a_file) {
  BOOST_TEST(refused({put_file{{}, content_named("x"), {}, {1}, true}, {}, "x"}) == errc::is_a_directory);
}

BOOST_AUTO_TEST_CASE(makes_and_removes_directories) {
  auto made = propose(mkdir("a/b"));
  BOOST_TEST(made.created);
  BOOST_TEST(made.file.is_directory());
  logged(put("a/b/f", "x"));
  logged(remove("a/b/f"));
  BOOST_TEST(text_at("a/b/f") == "(not_found)");
  logged(remove("a/b"));
  BOOST_TEST(text_at("a/b") == "(not_found)");
  BOOST_TEST(text_at("a") == "(directory)");
}

BOOST_AUTO_TEST_CASE(removes_a_whole_directory_and_can_make_it_anew_empty) {
  logged(put("a/b/c/f", "x"));
  logged(remove("a/b", true));
  BOOST_TEST(text_at("a/b/c/f") == "(not_found)");
  logged(mkdir("a/b"));
  BOOST_TEST(disk->list(path("a/b"), "", 10)->entries.empty());
}

BOOST_AUTO_TEST_CASE(what_is_to_be_removed_as_a_directory_is_no_file) {
  logged(put("f", "x"));
  logged(mkdir("d"));
  const auto removal = [](std::string_view where) {
    return proposal{remove_path{path(where), true, {1}, {}, true}, {}, {}};
  };
  BOOST_TEST(refused(removal("f")) == errc::not_found);
  logged(removal("d"));
  BOOST_TEST(text_at("f") == "x");
}

BOOST_AUTO_TEST_CASE(a_directory_takes_version_and_time_of_the_entry_that_adds_or_removes_a_name) {
  propose({make_directory{path("d"), {10}, true}, {}, {}});
  propose({put_command("d/f", "1", 20), {}, "1"});
  BOOST_TEST(disk->stat(path("d"))->version.index.value == 2u);
  BOOST_TEST(disk->stat(path("d"))->modified.value == 20);
  propose({put_command("d/f", "2", 30), {}, "2"});
  BOOST_TEST(disk->stat(path("d"))->version.index.value == 2u);
  propose({remove_path{path("d/f"), false, {40}}, {}, {}});
  BOOST_TEST(disk->stat(path("d"))->version.index.value == 4u);
  BOOST_TEST(disk->stat(path("d"))->modified.value == 40);
  BOOST_TEST(disk->stat(path("d"))->created.value == 10);
}

BOOST_AUTO_TEST_CASE(holds_commands_to_their_preconditions) {
  const auto tag = propose(put("f", "one")).file.etag();
  precondition any;
  any.if_match_any = true;
  precondition none;
  none.if_none_match_any = true;
  const precondition same{{"\"other\"", tag}, false, {}, false};
  const precondition other{{"\"other\""}, false, {}, false};
  const precondition weak{{"W/" + tag}, false, {}, false};
  const precondition not_this{{}, false, {tag}, false};
  const precondition not_other{{}, false, {"\"other\""}, false};

  BOOST_TEST(refused(put("new", "x", any)) == errc::precondition_failed);
  BOOST_TEST(refused(put("new", "x", same)) == errc::precondition_failed);
  BOOST_TEST(refused(put("f", "x", none)) == errc::precondition_failed);
  BOOST_TEST(refused(put("f", "x", other)) == errc::precondition_failed);
  BOOST_TEST(refused(put("f", "x", weak)) == errc::precondition_failed);
  BOOST_TEST(refused(put("f", "x", not_this)) == errc::precondition_failed);
  BOOST_TEST(refused(remove("f", false, other)) == errc::precondition_failed);
  BOOST_TEST(text_at("f") == "one");
  BOOST_TEST(refused(put("new", "x", not_this)) == errc::none);
  BOOST_TEST(refused(put("new2", "x", none)) == errc::none);
  BOOST_TEST(refused(remove("new", false, any)) == errc::none);
  BOOST_TEST(refused(put("f", "two", same)) == errc::none);
  BOOST_TEST(refused(put("f", "three", same)) == errc::precondition_failed);
  BOOST_TEST(refused(put("f", "three", not_other)) == errc::none);
  BOOST_TEST(text_at("f") == "three");
}

// RFC 9110, 13.2.1: preconditions are ignored where the answer without them would not be a success.
BOOST_AUTO_TEST_CASE(says_what_is_wrong_without_the_precondition_first) {
  precondition any;
  any.if_match_any = true;
  BOOST_TEST(refused(remove("nothing", false, any)) == errc::not_found);
}

BOOST_AUTO_TEST_CASE(evaluates_each_command_on_the_state_left_by_those_before_it) {
  precondition none;
  none.if_none_match_any = true;
  const std::vector<proposal> batch{put("a/f", "1", none), put("a/f", "2", none), put("a", "3"), remove("a"),
                                    remove("a/f"),         remove("a"),           put("a", "4")};
  const auto syncs = disk->counters().syncs;
  auto outcome = disk->propose({1}, batch);
  BOOST_REQUIRE_EQUAL(outcome.results.size(), batch.size());
  const std::vector<errc> expected{
      errc::none, errc::precondition_failed, errc::is_a_directory, errc::directory_not_empty, errc::none, errc::none,
      errc::none};
  std::uint64_t next = 1;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    BOOST_TEST(outcome.results[i].failure.code == expected[i]);
    BOOST_TEST(outcome.results[i].index.value == (expected[i] == errc::none ? next++ : 0));
  }
  BOOST_TEST(outcome.after.last == (log_position{{1}, {4}}));
  BOOST_TEST(disk->counters().syncs == syncs + 1);
  BOOST_TEST(text_at("a") == "4");
}

BOOST_AUTO_TEST_CASE(is_refused_as_a_whole_in_another_term) {
  disk->adopt_term({5});
  const std::vector<proposal> batch{put("f", "x")};
  BOOST_TEST(disk->propose({4}, batch).failure.code == errc::stale_term);
  BOOST_TEST(disk->propose({6}, batch).failure.code == errc::stale_term);
  BOOST_TEST(disk->state().last.index.value == 0u);
  auto unused = open_store(directory / "unused");
  BOOST_TEST(unused->propose({0}, batch).failure.code == errc::stale_term);  // nobody leads term 0
}

BOOST_AUTO_TEST_CASE(takes_small_content_only_as_named) {
  auto wrong = put("f", "hello");
  wrong.small_content = "jello";
  BOOST_TEST(refused(wrong) == errc::digest_mismatch);
  wrong.small_content.clear();
  BOOST_TEST(refused(wrong) == errc::content_missing);
  logged(put("f", "hello"));
  BOOST_TEST(refused(wrong) == errc::none);  // it is here by now
  logged(put("empty", ""));
  BOOST_TEST(text_at("empty") == "");
}

BOOST_AUTO_TEST_CASE(takes_large_content_only_once_it_is_staged) {
  const auto bytes = large('x');
  const proposal what{put_command("big", bytes), {}, {}};
  BOOST_TEST(refused(what) == errc::content_missing);
  auto staged = stage(bytes);
  logged(what);
  staged.reset();
  BOOST_TEST((text_at("big") == bytes));
  logged({put_command("copy", bytes), {}, {}});
  reopen();
  BOOST_TEST((text_at("copy") == bytes));
}

BOOST_AUTO_TEST_CASE(keeps_malformed_commands_out_of_the_log) {
  auto what = put("f", "x");
  std::get<put_file>(what.what).properties.content_type = std::string(limits::content_type_bytes + 1, 'x');
  BOOST_TEST(refused(what) == errc::bad_request);
}

BOOST_AUTO_TEST_CASE(fixes_the_cluster_once) {
  cluster_id ours;
  ours.bytes[0] = 1;
  cluster_id theirs;
  theirs.bytes[0] = 2;
  const std::vector<member> voters{{{"a"}, {}, "host:1"}, {{"b"}, {}, "host:2"}};
  BOOST_TEST(!disk->members().cluster.known());
  logged({no_operation{}, {}, {}});
  logged({set_members{ours, voters}, {}, {}});
  BOOST_TEST(disk->members().since.value == 2u);
  BOOST_TEST(refused({set_members{theirs, voters}, {}, {}}) == errc::wrong_cluster);
  reopen();
  BOOST_TEST((disk->members().cluster == ours));
  BOOST_TEST((disk->members().voters == voters));
}

BOOST_AUTO_TEST_CASE(lists_in_byte_order_in_pages) {
  for (const char* name : {"d/b", "d/a", "d/a/x", "d/\xc3\xa9", "d/B", "d/a.txt", "e/z"}) logged(mkdir(name));
  auto all = disk->list(path("d"), "", 100);
  BOOST_REQUIRE(all.ok());
  BOOST_TEST(names(*all) == (std::vector<std::string>{"B", "a", "a.txt", "b", "\xc3\xa9"}));
  BOOST_TEST(!all->more);
  auto first = disk->list(path("d"), "", 2);
  BOOST_TEST(names(*first) == (std::vector<std::string>{"B", "a"}));
  BOOST_TEST(first->more);
  auto second = disk->list(path("d"), "a", 3);
  BOOST_TEST(names(*second) == (std::vector<std::string>{"a.txt", "b", "\xc3\xa9"}));
  BOOST_TEST(!second->more);
  BOOST_TEST(names(*disk->list(path("d"), "a0", 1)) == (std::vector<std::string>{"b"}));
  BOOST_TEST(names(*disk->list(path(""), "", 9)) == (std::vector<std::string>{"d", "e"}));
  logged(put("file", "x"));
  BOOST_TEST(disk->list(path("file"), "", 9).failure().code == errc::not_a_directory);
  BOOST_TEST(disk->list(path("nowhere"), "", 9).failure().code == errc::not_found);
  BOOST_TEST(disk->stat(path("file/below")).failure().code == errc::not_found);
}

BOOST_AUTO_TEST_CASE(everything_acknowledged_is_there_after_a_restart) {
  logged(put("a/f", "x"));
  logged(remove("a/f"));
  logged(put("a/g", "y"));
  const auto before = disk->state();
  const auto who = disk->disk();
  reopen();
  BOOST_TEST((disk->state() == before));
  BOOST_TEST((disk->disk() == who));
  BOOST_TEST(who.known());
  BOOST_TEST(text_at("a/g") == "y");
  BOOST_TEST(text_at("a/f") == "(not_found)");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace kaiku::test
