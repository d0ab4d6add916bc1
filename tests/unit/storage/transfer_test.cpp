/// Moves and copies.

#include "install_fixture.hpp"

namespace kaiku::test {
namespace {

proposal move(std::string_view from, std::string_view to, bool overwrite = false, bool make_parents = true) {
  return {move_path{path(from), path(to), overwrite, make_parents, {50}}, {}, {}};
}
proposal copy(std::string_view from, std::string_view to, bool overwrite = false, bool make_parents = true) {
  return {copy_path{path(from), path(to), overwrite, make_parents, {50}}, {}, {}};
}

BOOST_FIXTURE_TEST_SUITE(transfers, store_fixture)

BOOST_AUTO_TEST_CASE(a_moved_file_keeps_what_it_is_and_makes_the_directories_it_needs) {
  logged(put("a/f", "bytes"));
  const auto before = *disk->stat(path("a/f"));
  const auto moved = propose(move("a/f", "b/c/g"));
  BOOST_TEST(moved.created);
  // But for its date: something newer may have stood at the new path.
  auto there = before;
  there.modified = {50};
  BOOST_TEST((moved.file == there));
  BOOST_TEST((*disk->stat(path("b/c/g")) == there));
  BOOST_TEST(moved.file.etag() == before.etag());
  BOOST_TEST(text_at("b/c/g") == "bytes");
  BOOST_TEST(text_at("a/f") == "(not_found)");
  BOOST_TEST(disk->stat(path("a"))->version.index.value == 2u);
  BOOST_TEST(disk->stat(path("a"))->modified.value == 50);
  BOOST_TEST(disk->stat(path("b/c"))->version.index.value == 2u);
}

BOOST_AUTO_TEST_CASE(a_moved_directory_takes_all_below_it_along_in_an_entry_of_the_same_size) {
  logged(put("d/e/one", "1"));
  const auto small = disk->log_bytes().value;
  logged(move("d", "m"));
  const auto of_one = disk->log_bytes().value - small;
  for (int i = 0; i < 200; ++i) logged(put("m/e/" + std::to_string(i), "x"));
  const auto before = *disk->stat(path("m"));
  const auto large_log = disk->log_bytes().value;
  logged(move("m", "d"));
  BOOST_TEST(disk->log_bytes().value - large_log == of_one);
  BOOST_TEST(disk->stat(path("d"))->etag() == before.etag());
  BOOST_TEST(disk->list(path("d/e"), "", 1000)->entries.size() == 201u);
  BOOST_TEST(text_at("m") == "(not_found)");
}

BOOST_AUTO_TEST_CASE(what_stands_at_the_target_is_replaced_only_by_its_like_and_only_if_asked) {
  for (auto* transfer : {&move, &copy}) {
    logged(put("f", "f"));
    logged(put("g", "g"));
    logged(put("full/x", "x"));
    logged(mkdir("empty"));
    logged(put("d/y", "y"));
    const auto refusal = [&](std::string_view from, std::string_view to, bool overwrite) {
      return refused(transfer(from, to, overwrite, true));
    };
    BOOST_TEST(refusal("f", "g", false) == errc::precondition_failed);
    BOOST_TEST(refusal("d", "empty", false) == errc::precondition_failed);
    BOOST_TEST(refusal("f", "empty", true) == errc::is_a_directory);
    BOOST_TEST(refusal("d", "g", true) == errc::not_a_directory);
    BOOST_TEST(refusal("d", "full", true) == errc::directory_not_empty);
    BOOST_TEST(refusal("full/x", "full", true) == errc::is_a_directory);
    BOOST_TEST(refusal("f", "g", true) == errc::none);
    BOOST_TEST(refusal("d", "empty", true) == errc::none);
    BOOST_TEST(text_at("g") == "f");
    BOOST_TEST(text_at("empty/y") == "y");
    for (const char* one : {"f", "g", "full", "empty", "d"}) propose(remove(one, true));
  }
}

BOOST_AUTO_TEST_CASE(nothing_goes_onto_itself_or_below_itself_or_to_where_it_can_not_be) {
  logged(put("d/f", "f"));
  for (auto* transfer : {&move, &copy}) {
    const auto refusal = [&](std::string_view from, std::string_view to) {
      return refused(transfer(from, to, true, false));
    };
    BOOST_TEST(refusal("d", "d") == errc::bad_request);
    BOOST_TEST(refusal("d", "d/e") == errc::bad_request);
    BOOST_TEST(refusal("d/f", "d/f") == errc::bad_request);
    BOOST_TEST(refusal("", "x") == errc::method_not_allowed);
    BOOST_TEST(refusal("d", "") == errc::method_not_allowed);
    BOOST_TEST(refusal("nowhere", "x") == errc::not_found);
    BOOST_TEST(refusal("d", "nowhere/x") == errc::parent_missing);
    BOOST_TEST(refusal("d", "d2/x") == errc::parent_missing);
  }
  BOOST_TEST(refused(move("d", "d/f/x")) == errc::bad_request);
  logged(put("e", "e"));
  BOOST_TEST(refused(move("d", "e/x")) == errc::not_a_directory);
}

BOOST_AUTO_TEST_CASE(a_precondition_is_about_what_is_moved) {
  logged(put("f", "f"));
  logged(put("g", "g"));
  auto other = move("f", "g", true);
  other.when.if_match = {disk->stat(path("g"))->etag()};
  BOOST_TEST(refused(other) == errc::precondition_failed);
  other.when.if_match = {disk->stat(path("f"))->etag()};
  BOOST_TEST(refused(other) == errc::none);
}

BOOST_AUTO_TEST_CASE(a_copied_directory_is_all_new_and_shares_its_content) {
  auto file = put("d/e/f", "bytes");
  std::get<put_file>(file.what).properties.metadata = {{"who", "me"}};
  logged(file);
  logged(put("d/g", "more"));
  const auto copied = propose(copy("d", "c"));
  BOOST_TEST(copied.created);
  BOOST_TEST(copied.file.version.index.value == 3u);
  const auto from = *disk->stat(path("d/e/f")), to = *disk->stat(path("c/e/f"));
  BOOST_TEST((to.content == from.content));
  BOOST_TEST((to.properties == from.properties));
  BOOST_TEST(to.version.index.value == 3u);
  BOOST_TEST(to.created.value == 50);
  BOOST_TEST((to.inode != from.inode));
  logged(remove("d", true));
  compact_all();
  collect_all_garbage();
  BOOST_TEST(text_at("c/e/f") == "bytes");
  BOOST_TEST(text_at("c/g") == "more");
  logged(remove("c", true));
  compact_all();
  collect_all_garbage();
  BOOST_TEST(content_outcome("bytes") == errc::not_found);
}

BOOST_AUTO_TEST_CASE(a_copy_of_more_than_one_step_may_make_is_refused_and_leaves_nothing) {
  std::vector<proposal> some;
  for (std::size_t i = 0; i < limits::copy_entries; ++i) {
    some.push_back(put("big/" + std::to_string(i), "x"));
    if (some.size() < limits::batch_entries && i + 1 < limits::copy_entries) continue;
    BOOST_REQUIRE(disk->propose({1}, some).failure.code == errc::none);
    some.clear();
  }
  logged(copy("big", "same"));
  BOOST_TEST(disk->list(path("same"), "", limits::copy_entries + 1)->entries.size() == limits::copy_entries);
  logged(put("big/one more", "x"));
  BOOST_TEST(refused(copy("big", "too big")) == errc::too_many_entries);
  BOOST_TEST(text_at("too big") == "(not_found)");
  // What a move does is the same whatever the size.
  BOOST_TEST(refused(move("big", "moved")) == errc::none);
}

BOOST_AUTO_TEST_CASE(a_copy_that_another_leader_displaces_leaves_the_contents_that_it_named_where_they_were) {
  logged(put("d/f", "bytes"));
  logged(put("g", "over"));
  logged(copy("d/f", "g", true));
  logged(move("g", "h"));
  append(2, {{1}, {2}}, {entry({2}, 3, no_operation{})});
  BOOST_TEST(text_at("g") == "over");
  BOOST_TEST(text_at("h") == "(not_found)");
  BOOST_TEST(text_at("d/f") == "bytes");
}

BOOST_AUTO_TEST_CASE(followers_get_a_copy_alone_because_of_what_it_comes_to) {
  logged(put("d/f", "f"));
  for (int i = 0; i < 3; ++i) logged(copy("d", "c" + std::to_string(i)));
  logged(put("e", "e"));
  BOOST_TEST(disk->read_log({1}, limits::append_batch_bytes).size() == 1u);
  BOOST_TEST(disk->read_log({2}, limits::append_batch_bytes).size() == 1u);
  BOOST_TEST(disk->read_log({1}, std::size_t{1} << 30).size() == 5u);
}

/// The pieces of a state are taken only if each inode is what one name, in the directory that it says, leads to.
BOOST_FIXTURE_TEST_CASE(moves_and_copies_leave_no_inode_without_a_name, install_fixture) {
  auto expired = put("over/f", "f");
  std::get<put_file>(expired.what).properties.expires = unix_time_ms{1};
  for (const auto& one : {put("x/y/f", "f"), mkdir("empty"), put("g", "g"), put("h", "h"), expired}) lead(5, one);
  lead(5, copy("x", "empty", true));
  lead(5, mkdir("empty too"));
  lead(5, move("empty", "empty too", true));
  lead(5, move("x/y", "over", true));
  lead(5, move("g", "h", true));
  lead(5, copy("h", "empty too/y/f", true));
  lead(5, move("empty too", "x/z"));
  install();
  BOOST_TEST(text_at("over/f") == "f");
  BOOST_TEST(text_at("x/z/y/f") == "g");
  const list_filter all{"", true};
  BOOST_TEST(disk->list({}, "", 100, all)->entries.size() == source->list({}, "", 100, all)->entries.size());
}

BOOST_FIXTURE_TEST_CASE(a_state_can_be_installed_at_every_step_of_reclaiming_what_was_removed, install_fixture) {
  lead(5, put("t/a/b/f", "f"));
  lead(5, put("t/c/g", "g"));
  lead(5, remove("t", true));
  at = source->state().last;
  BOOST_REQUIRE(source->compact(at.index).ok());
  for (bool more = true; more;) {
    more = source->collect_garbage(2);
    begin();
    receive();
    disk->abandon_install();
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace kaiku::test
