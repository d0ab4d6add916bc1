// How fresh a read is asked to be, and what became of a write.

#include <nlohmann/json.hpp>

#include "http_fixture.hpp"

namespace {

using namespace kaiku;
using namespace kaiku::test;

const std::string token = "ab000000.3.41";

std::string code_of(const raw_answer& answer) {
  auto document = nlohmann::json::parse(answer.body, nullptr, false);
  return document.is_object() && document.contains("code") ? document["code"].get<std::string>() : "";
}

std::string level(const std::string& value) {
  return "Kaiku-Consistency: " + value + "\r\n";
}
std::string with_token(const std::string& value) {
  return "Kaiku-Token: " + value + "\r\n";
}

/// A tree of its own, as a snapshot of another moment is.
class other_moment final : public file_view {
 public:
  std::map<std::string, file_info> tree;

  result<file_info> stat(const file_path& path) const override {
    auto found = tree.find(path.text());
    if (found == tree.end()) return {errc::not_found, "nothing here at that moment"};
    return found->second;
  }
  result<directory_page> list(const file_path&, std::string_view, std::size_t, const list_filter&) const override {
    directory_page page;
    for (const auto& [name, info] : tree)
      if (!name.empty()) page.entries.push_back({name, info});
    return page;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(http_freshness, http_fixture)

BOOST_AUTO_TEST_CASE(a_read_without_a_wish_and_one_at_any_do_not_ask_the_node_for_a_view) {
  node.add_file("f", "x");
  raw_http client(port());
  BOOST_TEST(client.ask("GET", "/files/f").status == 200);
  BOOST_TEST(client.ask("GET", "/files/f", level("any")).status == 200);
  BOOST_TEST(client.ask("HEAD", "/files/f?consistency=any").status == 200);
  BOOST_TEST(client.ask("GET", "/files/?consistency=any").status == 200);
  BOOST_TEST(node.reads == 0);
}

BOOST_AUTO_TEST_CASE(each_level_reaches_the_node_from_a_field_and_from_a_parameter) {
  struct row {
    std::string text;
    consistency level;
    int bound = 0;
  };
  node.add_file("f", "x");
  raw_http client(port());
  for (const auto& one : {row{"committed", consistency::committed}, row{"linearizable", consistency::linearizable},
                          row{"bounded=250", consistency::bounded, 250}, row{"bounded=0", consistency::bounded}}) {
    for (const auto& [target, fields] : {std::pair{std::string("/files/f"), level(one.text)},
                                         std::pair{"/files/f?consistency=" + one.text, std::string{}},
                                         std::pair{"/files/f?consistency=" + one.text, level(one.text)}}) {
      BOOST_TEST_CONTEXT(target << " " << fields) {
        node.last_freshness = {};
        auto got = client.ask("GET", target, fields);
        BOOST_TEST(got.status == 200);
        BOOST_TEST(got.body == "x");
        BOOST_TEST(got.header("Kaiku-Consistency") == one.text.substr(0, one.text.find('=')));
        BOOST_TEST((node.last_freshness.level == one.level));
        BOOST_TEST(node.last_freshness.bound.count() == one.bound);
        BOOST_TEST(!node.last_freshness.token.has_value());
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_token_alone_asks_for_its_session) {
  node.add_file("f", "x");
  raw_http client(port());
  for (const auto& [target, fields] :
       {std::pair{std::string("/files/f"), with_token(token)},
        std::pair{std::string("/files/f"), with_token(token) + level("session")},
        std::pair{"/files/f?token=" + token, std::string{}}, std::pair{"/files/f?token=" + token, level("session")},
        std::pair{"/files/?consistency=session&token=" + token, std::string{}}}) {
    BOOST_TEST_CONTEXT(target << " " << fields) {
      node.last_freshness = {};
      auto got = client.ask("GET", target, fields);
      BOOST_TEST(got.status == 200);
      BOOST_TEST(got.header("Kaiku-Consistency") == "session");
      BOOST_TEST((node.last_freshness.level == consistency::session));
      BOOST_REQUIRE(node.last_freshness.token.has_value());
      BOOST_TEST(to_string(*node.last_freshness.token) == token);
    }
  }
}

BOOST_AUTO_TEST_CASE(unknown_and_contradictory_wishes_are_refused) {
  node.add_file("f", "x");
  raw_http client(port());
  for (const auto& [target, fields] : std::vector<std::pair<std::string, std::string>>{
           {"/files/f", level("session")},
           {"/files/f?consistency=session", ""},
           {"/files/f", level("any") + with_token(token)},
           {"/files/f", level("linearizable") + with_token(token)},
           {"/files/f?consistency=committed", level("linearizable")},
           {"/files/f?consistency=bounded=1", level("bounded=2")},
           {"/files/f?consistency=any", level("committed")},
           {"/files/f?token=ab000000.3.42", with_token(token)},
           {"/files/f", level("bounded")},
           {"/files/f", level("bounded=")},
           {"/files/f", level("bounded=-1")},
           {"/files/f", level("bounded=1s")},
           {"/files/f", level("bounded=99999999999")},
           {"/files/f", level("Any")},
           {"/files/f", level("any") + level("any")},
           {"/files/f", with_token("")},
           {"/files/f", with_token("ab000000.3")},
           {"/files/f", with_token("ab000000.03.41")},
           {"/files/f", with_token("AB000000.3.41")},
           {"/files/f", with_token("ab000000.3.0")},
           {"/files/f?token=", ""},
       }) {
    BOOST_TEST_CONTEXT(target << " " << fields) {
      auto got = client.ask("GET", target, fields);
      BOOST_TEST(got.status == 400);
      BOOST_TEST(code_of(got) == "bad_request");
    }
  }
  BOOST_TEST(node.reads == 0);
  BOOST_TEST(client.ask("GET", "/files/f?limit=1", level("committed")).status == 400);
}

BOOST_AUTO_TEST_CASE(a_wish_for_reads_does_not_hinder_a_write) {
  raw_http client(port());
  BOOST_TEST(client.ask("PUT", "/files/f", level("linearizable"), "x").status == 201);
  BOOST_TEST(client.ask("DELETE", "/files/f", with_token(token)).status == 204);
  BOOST_TEST(node.reads == 0);
}

BOOST_AUTO_TEST_CASE(what_the_node_can_not_give_is_said_with_its_reason) {
  struct row {
    errc code;
    int status;
    const char* retry;
  };
  node.add_file("f", "x");
  raw_http client(port());
  for (const auto& one : {row{errc::not_fresh, 503, "1"}, row{errc::no_leader, 503, "1"}, row{errc::set_aside, 409, ""},
                          row{errc::bad_request, 400, ""}}) {
    BOOST_TEST_CONTEXT(to_string(one.code)) {
      node.fail_read = one.code;
      auto got = client.ask("GET", "/files/f", with_token(token));
      BOOST_TEST(got.status == one.status);
      BOOST_TEST(got.header("Retry-After") == one.retry);
      BOOST_TEST(code_of(got) == to_string(one.code));
      BOOST_TEST(got.header("Kaiku-Consistency").empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(metadata_content_and_listings_come_from_the_view_that_was_given) {
  auto old = node.add_file("f", "old content");
  auto now = node.add_file("f", "new content, longer");
  auto then = std::make_shared<other_moment>();
  then->tree["f"] = old;
  then->tree[""] = file_info{};
  node.fresher = then;
  raw_http client(port());
  BOOST_TEST(client.ask("GET", "/files/f").header("ETag") == now.etag());
  auto got = client.ask("GET", "/files/f", level("committed"));
  BOOST_TEST(got.header("ETag") == old.etag());
  BOOST_TEST(got.body == "old content");
  BOOST_TEST(client.ask("HEAD", "/files/f", level("committed")).header("ETag") == old.etag());
  node.add_file("g", "x");
  auto listing = nlohmann::json::parse(client.ask("GET", "/files/?limit=5", level("linearizable")).body);
  BOOST_TEST(listing["entries"].size() == 1U);
  BOOST_TEST(client.ask("GET", "/files/g", level("committed")).status == 404);
  BOOST_TEST(client.ask("GET", "/files/f", level("committed") + "If-None-Match: " + old.etag() + "\r\n").status == 304);
}

BOOST_AUTO_TEST_CASE(an_append_is_not_refused_for_what_a_follower_saw_in_the_way_before) {
  const auto file = node.add_file("f", "one, ");
  node.view_.now = role::follower;
  auto newest = std::make_shared<other_moment>();
  newest->tree["f"] = file;
  node.fresher = newest;
  node.before_write = [&] {
    for (const auto& [path, info] : newest->tree) node.replace(path, info);
  };
  raw_http client(port());
  node.add_directory("f");
  BOOST_TEST(client.ask("POST", "/files/f?op=append", {}, "two").status == 204);
  BOOST_TEST(node.bytes_at("f") == "one, two");
  BOOST_TEST((node.last_freshness.level == consistency::linearizable));
  node.before_write = nullptr;
  node.add_directory("g");
  newest->tree["g"] = file_info{};
  BOOST_TEST(code_of(client.ask("POST", "/files/g?op=append", {}, "x")) == "is_a_directory");
  BOOST_TEST((node.last_freshness.level == consistency::linearizable));
  // The leader's own state is the newest.
  node.view_.now = role::leader;
  node.reads = 0;
  BOOST_TEST(code_of(client.ask("POST", "/files/g?op=append", {}, "x")) == "is_a_directory");
  BOOST_TEST(node.reads == 0);
}

BOOST_AUTO_TEST_CASE(content_that_is_gone_from_a_view_is_looked_for_in_newer_ones_a_few_times) {
  node.add_file("f", "x");
  node.fail_open = errc::content_missing;
  raw_http client(port());
  auto got = client.ask("GET", "/files/f", level("committed"));
  BOOST_TEST(got.status == 500);
  BOOST_TEST(code_of(got) == "content_missing");
  BOOST_TEST(node.reads == 3);
}

BOOST_AUTO_TEST_CASE(a_fresh_read_keeps_its_place_in_a_pipeline) {
  node.add_file("f", "first");
  node.add_file("g", "second");
  raw_http client(port());
  client.request("GET", "/files/f", level("linearizable"));
  client.request("GET", "/files/g");
  client.request("HEAD", "/files/f", level("linearizable"));
  client.request("GET", "/files/g", level("committed"));
  BOOST_TEST(client.read().body == "first");
  BOOST_TEST(client.read().body == "second");
  BOOST_TEST(client.read(true).header("Content-Length") == "5");
  BOOST_TEST(client.read().body == "second");
}

BOOST_AUTO_TEST_CASE(durability_all_is_asked_for_and_answered_202_when_less_was_achieved) {
  raw_http client(port());
  node.achieved = durability::all;
  auto got = client.ask("PUT", "/files/f?durability=all", {}, "x");
  BOOST_TEST(got.status == 201);
  BOOST_TEST((node.last_write.want == durability::all));
  BOOST_TEST(got.header("Kaiku-Durability") == "all");
  BOOST_TEST(got.header("Kaiku-Replicas") == "3/3");
  for (const auto& [achieved, word] :
       {std::pair{durability::majority, "majority"}, std::pair{durability::leader, "leader"}}) {
    node.achieved = achieved;
    node.asked_by_default = durability::all;
    got = client.ask("PUT", "/files/f", {}, "y");
    BOOST_TEST(got.status == 202);
    BOOST_TEST(got.header("Kaiku-Durability") == word);
    auto document = nlohmann::json::parse(got.body);
    BOOST_TEST(document["asked"] == "all");
    BOOST_TEST(document["achieved"] == word);
    BOOST_TEST(document["token"] == got.header("Kaiku-Token"));
    const bool may_be_lost = document["detail"].get<std::string>().find("lost") != std::string::npos;
    BOOST_TEST(may_be_lost == (achieved == durability::leader));
  }
}

BOOST_AUTO_TEST_CASE(the_fate_of_a_write_is_told_in_the_words_of_the_protocol) {
  using fate = write_status::fate;
  raw_http client(port());
  for (const auto& [what, word] :
       {std::pair{fate::unknown, "unknown"}, std::pair{fate::leader, "leader"}, std::pair{fate::majority, "majority"},
        std::pair{fate::all, "all"}, std::pair{fate::set_aside, "set_aside"}}) {
    node.fate = {what, 2, 3};
    auto got = client.ask("GET", "/writes/" + token);
    BOOST_TEST(got.status == 200);
    auto document = nlohmann::json::parse(got.body);
    BOOST_TEST(document["token"] == token);
    BOOST_TEST(document["status"] == word);
    BOOST_TEST(document["holders"] == 2);
    BOOST_TEST(document["voters"] == 3);
    BOOST_TEST(to_string(node.last_token) == token);
  }
  BOOST_TEST(client.ask("HEAD", "/writes/" + token).status == 200);
}

BOOST_AUTO_TEST_CASE(what_is_no_token_of_this_cluster_has_no_fate) {
  raw_http client(port());
  for (const auto* bad : {"x", "ab000000", "ab000000.3", "ab000000.3.x", "ab000000.3.41.1", "ab000000.3.041"})
    BOOST_TEST(client.ask("GET", std::string("/writes/") + bad).status == 400);
  BOOST_TEST(client.ask("GET", "/writes/" + token + "?x=1").status == 400);
  for (const auto* none : {"/writes", "/writes/", "/writes/a/b"})
    BOOST_TEST(client.ask("GET", none).status == 404, none);
  BOOST_TEST(client.ask("DELETE", "/writes/" + token).header("Allow") == "GET, HEAD, OPTIONS");
  node.fail_question = errc::bad_request;
  BOOST_TEST(client.ask("GET", "/writes/" + token).status == 400);
  node.fail_question = errc::no_leader;
  BOOST_TEST(client.ask("GET", "/writes/" + token).header("Retry-After") == "1");
}

BOOST_AUTO_TEST_SUITE_END()
