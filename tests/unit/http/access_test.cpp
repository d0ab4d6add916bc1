// Who may do what: every route with every kind of token, and what tokens are not for.

#include <openssl/evp.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "http_fixture.hpp"
#include "kaiku/core/wall_clock.hpp"
#include "kaiku/http/access/control.hpp"
#include "kaiku/http/access/signed_url.hpp"
#include "kaiku/http/api/http_date.hpp"
#include "kaiku/http/api/router.hpp"
#include "temporary_directory.hpp"

namespace kaiku::test {
namespace {

const std::string url_secret = "0123456789abcdef0123456789abcdef";

std::string bearer(const std::string& token) {
  return "Authorization: Bearer " + token + "\r\n";
}

std::string base64(const std::string& text) {
  std::string out(4 * ((text.size() + 2) / 3) + 1, '\0');
  out.resize(static_cast<std::size_t>(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                                      reinterpret_cast<const unsigned char*>(text.data()),
                                                      static_cast<int>(text.size()))));
  return out;
}

std::string basic(const std::string& user, const std::string& token) {
  return "Authorization: Basic " + base64(user + ":" + token) + "\r\n";
}

/// A server whose access file has a token of every kind.
struct access_fixture : http_fixture {
  access_fixture() {
    std::ofstream(folder / "url.key") << url_secret << "\n";
    std::filesystem::permissions(folder / "url.key", std::filesystem::perms::owner_read);
    add("read", {"read"});
    add("write", {"write"});
    add("admin", {"admin"});
    add("metrics", {"metrics"});
    add("here", {"read", "write"}, "/a/b");
    add("elsewhere", {"read", "write"}, "/a/bc");
    add("expired", {"admin"}, {}, "2020-01-01T00:00:00Z");
    save();
    auto opened = access_control::open(folder / "auth.json");
    BOOST_REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? "" : opened.failure().detail));
    control = *opened;
    settings.access = control;
    tokens["wrong"] =
        tokens["admin"].substr(0, tokens["admin"].size() - 1) + (tokens["admin"].back() == '0' ? "1" : "0");
  }

  void add(const std::string& name, const std::vector<std::string>& scopes, const std::string& path = {},
           const std::string& expires = {}) {
    const auto token = make_token();
    tokens[name] = token.text;
    nlohmann::json entry{{"id", token.id}, {"name", name}, {"hash", token.hash.text()}, {"scopes", scopes}};
    if (!path.empty()) entry["paths"] = {path};
    if (!expires.empty()) entry["expires"] = expires;
    document["tokens"].push_back(entry);
  }
  void save() {
    document["url_keys"] = {{{"id", "k1"}, {"key", "url.key"}}};
    std::ofstream(folder / "auth.json.new") << document.dump();
    std::filesystem::rename(folder / "auth.json.new", folder / "auth.json");
  }

  temporary_directory folder;
  nlohmann::json document;
  std::map<std::string, std::string> tokens;
  std::shared_ptr<access_control> control;
};

/// What each route needs, written down a second time: a route that is not here fails the test.
struct expected {
  std::string read, change;
};
const std::map<std::string_view, expected> needs{
    {"/files/{path}", {"read", "write"}},
    {"/writes/{token}", {"read or write", "read or write"}},
    {"/set-aside", {"admin", "admin"}},
    {"/set-aside/{token}", {"admin", "admin"}},
    {"/set-aside/{token}/content", {"admin", "admin"}},
    {"/healthz/live", {"nothing", "nothing"}},
    {"/healthz/ready", {"nothing", "nothing"}},
    {"/healthz/leader", {"nothing", "nothing"}},
    {"/healthz/replica", {"nothing", "nothing"}},
    {"/cluster", {"metrics", "admin"}},
    {"/cluster/members", {"metrics", "admin"}},
    {"/cluster/members/{id}", {"metrics", "admin"}},
    {"/cluster/leader", {"metrics", "admin"}},
    {"/cluster/backup", {"admin", "admin"}},
    {"/cluster/scrub", {"metrics", "admin"}},
    {"/actors", {"metrics", "admin"}},
    {"/actors/stream", {"metrics", "admin"}},
    {"/actors/timeline", {"metrics", "admin"}},
    {"/actors/traces", {"admin", "admin"}},
    {"/actors/trace/{id}", {"admin", "admin"}},
    {"/actors/{id}", {"admin", "admin"}},
    {"/metrics", {"metrics", "admin"}},
    {"/openapi.json", {"a token", "a token"}},
    {"/assets/{name}", {"a token", "a token"}},
    {"/console/{path}", {"nothing", "nothing"}},
};

bool changes(const std::string& method) {
  return method != "GET" && method != "HEAD" && method != "OPTIONS";
}

/// 401, 403, or 0 for neither.
int refusal_of(std::string_view pattern, const std::string& method, const std::string& who) {
  const auto& both = needs.at(pattern);
  auto need = changes(method) ? both.change : both.read;
  if (need == "nothing") return 0;
  if (who == "none" || who == "wrong" || who == "expired") return 401;
  const bool files = pattern == "/files/{path}";
  if (files && method == "OPTIONS") need = "a token";
  const bool reads_and_writes = who == "here" || who == "elsewhere";
  const bool has = need == "a token" || who == "admin" || need.find(who) != std::string::npos ||
                   (reads_and_writes && need != "metrics" && need != "admin");
  if (!has || (files && who == "elsewhere")) return 403;
  return 0;
}

std::string target_of(std::string_view pattern) {
  std::string out(pattern);
  for (const auto& [name, value] : std::map<std::string, std::string>{
           {"{path}", "a/b/f"}, {"{token}", "x"}, {"{id}", "node-1"}, {"{name}", "listing.css"}})
    if (const auto at = out.find(name); at != std::string::npos) out.replace(at, name.size(), value);
  return out;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(http_access, access_fixture)

BOOST_AUTO_TEST_CASE(every_route_asks_every_token_for_what_it_needs) {
  for (const auto& one : routes()) {
    BOOST_REQUIRE_MESSAGE(needs.contains(one.pattern), one.pattern << " is a new route: say above what it needs");
    for (const std::string method : {"GET", "HEAD", "OPTIONS", "PUT", "POST", "DELETE", "PATCH"}) {
      for (const std::string who :
           {"none", "wrong", "expired", "read", "write", "admin", "metrics", "here", "elsewhere"}) {
        BOOST_TEST_CONTEXT(method << " " << one.pattern << " by " << who) {
          raw_http client(port());
          const auto got =
              client.ask(method, target_of(one.pattern), who == "none" ? "" : bearer(tokens.at(who))).status;
          const auto refusal = refusal_of(one.pattern, method, who);
          if (refusal != 0)
            BOOST_TEST(got == refusal);
          else
            BOOST_TEST((got != 0 && got != 401 && got != 403), "got " << got);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(what_is_nowhere_is_told_to_who_has_a_token_only) {
  raw_http client(port());
  BOOST_TEST(client.ask("GET", "/nowhere").status == 401);
  BOOST_TEST(client.ask("GET", "/nowhere", bearer(tokens["metrics"])).status == 404);
}

BOOST_AUTO_TEST_CASE(a_refusal_says_how_to_ask_and_what_is_missing) {
  raw_http client(port());
  auto none = client.ask("GET", "/files/a/b/f");
  BOOST_TEST(none.header("WWW-Authenticate") == "Bearer realm=\"kaiku\", Basic realm=\"kaiku\", charset=\"UTF-8\"");
  auto wrong = client.ask("GET", "/files/a/b/f", bearer(tokens["wrong"]));
  BOOST_TEST(wrong.header("WWW-Authenticate").starts_with("Bearer realm=\"kaiku\", error=\"invalid_token\""));
  auto late = client.ask("GET", "/files/a/b/f", bearer(tokens["expired"]));
  BOOST_TEST(nlohmann::json::parse(late.body)["detail"] == "the token has expired");
  auto low = client.ask("PUT", "/files/a/b/f", bearer(tokens["read"]), "x");
  BOOST_TEST(low.status == 403);
  BOOST_TEST(low.header("WWW-Authenticate") == "Bearer realm=\"kaiku\", error=\"insufficient_scope\", scope=\"write\"");
  BOOST_TEST(node.last_write.small_content.empty());
}

BOOST_AUTO_TEST_CASE(a_token_is_also_taken_as_the_password_of_any_user) {
  raw_http client(port());
  BOOST_TEST(client.ask("GET", "/openapi.json", basic("me", tokens["read"])).status == 200);
  BOOST_TEST(client.ask("GET", "/openapi.json", basic("", tokens["read"])).status == 200);
  BOOST_TEST(client.ask("GET", "/openapi.json", basic("me", tokens["wrong"])).status == 401);
  BOOST_TEST(client.ask("GET", "/openapi.json", basic(tokens["read"], "")).status == 401);
  for (const std::string field : {"Basic", "Basic ", "Basic !!!!", "Basic QQ", "Basic QQ==", "Bearer", "Digest x",
                                  "Bearer kaiku__", "Bearer kaiku_00000000_", "Basic ===="})
    BOOST_TEST_CONTEXT(field)
  BOOST_TEST(client.ask("GET", "/openapi.json", "Authorization: " + field + "\r\n").status == 401);
}

BOOST_AUTO_TEST_CASE(what_a_change_names_besides_its_target_is_within_reach_too) {
  node.add_file("a/b/f", "x");
  raw_http client(port());
  const auto here = bearer(tokens["here"]);
  for (const std::string op : {"move", "copy"}) {
    BOOST_TEST(client.ask("POST", "/files/a/b/f?op=" + op + "&to=/a/b/g", here).status != 403);
    BOOST_TEST(!std::holds_alternative<no_operation>(node.last_write.what));
    node.last_write = {};
    for (const std::string to : {"/a/c", "/a/bb", "/a", "/a%2fc", "a/c"}) {
      BOOST_TEST_CONTEXT(op << " to " << to) {
        BOOST_TEST(client.ask("POST", "/files/a/b/f?op=" + op + "&to=" + to, here).status == 403);
        BOOST_TEST(std::holds_alternative<no_operation>(node.last_write.what));
      }
    }
    BOOST_TEST(client.ask("POST", "/files/a/c?op=" + op + "&to=/a/b/g", here).status == 403);
  }
  BOOST_TEST(client.ask("POST", "/files/a/b/f?op=copy&to=/a/b/g", bearer(tokens["write"])).status == 403);
  BOOST_TEST(client.ask("POST", "/files/a/b/f?op=move&to=/a/b/g", bearer(tokens["write"])).status != 403);
}

BOOST_AUTO_TEST_CASE(a_path_is_judged_as_it_is_decoded) {
  raw_http client(port());
  const auto here = bearer(tokens["here"]);
  BOOST_TEST(client.ask("PUT", "/files/a/%62/f", here, "x").status < 300);
  BOOST_TEST(client.ask("GET", "/files/a/b/", here).status == 200);
  BOOST_TEST(client.ask("PUT", "/files/a/%62c", here, "x").status == 403);
  BOOST_TEST(client.ask("PUT", "/files/a/b/../c", here, "x").status == 400);
  BOOST_TEST(client.ask("GET", "/files/", here).status == 403);
  BOOST_TEST(client.ask("GET", "/files/a/", here).status == 403);
}

BOOST_AUTO_TEST_CASE(a_signed_url_is_leave_for_one_method_of_one_path_until_a_time) {
  raw_http client(port());
  node.add_file("a/b/f", "content");
  const auto path = *file_path::parse("a/b/f");
  const auto now = static_cast<std::uint64_t>(wall_clock().value / 1000);
  const auto url = [&](const std::string& where, const std::string& method, std::uint64_t expires) {
    return "/files/" + where + "?key=k1&expires=" + std::to_string(expires) +
           "&signature=" + sign_url(url_secret, method, path, expires);
  };
  const auto read = url("a/b/f", "GET", now + 60), write = url("a/b/f", "PUT", now + 60);
  BOOST_TEST(client.ask("GET", read).body == "content");
  BOOST_TEST(client.ask("HEAD", read).status == 200);
  BOOST_TEST(client.ask("PUT", read, {}, "x").status == 401);
  BOOST_TEST(client.ask("PUT", write + "&durability=majority", {}, "x").status < 300);
  BOOST_TEST(client.ask("GET", write).status == 401);
  BOOST_TEST(client.ask("DELETE", write).status == 401);
  BOOST_TEST(client.ask("POST", write + "&op=mkdir").status == 401);
  BOOST_TEST(client.ask("GET", url("a/b/g", "GET", now + 60)).status == 401);
  BOOST_TEST(client.ask("GET", url("a/b/f", "GET", now - 1)).status == 401);
  auto later = read;
  later.replace(later.find("expires=") + 8, 10, std::to_string(now + 3600));
  BOOST_TEST(client.ask("GET", later).status == 401);
  auto other_key = read;
  other_key.replace(other_key.find("k1"), 2, "k2");
  BOOST_TEST(client.ask("GET", other_key).status == 401);
  BOOST_TEST(client.ask("GET", "/files/a/b/f?signature=").status == 401);
  BOOST_TEST(client.ask("GET", read + "&recursive=true").status == 401);
}

BOOST_AUTO_TEST_CASE(a_put_that_is_repeated_with_a_newly_signed_url_is_the_same_request) {
  raw_http client(port());
  const auto now = static_cast<std::uint64_t>(wall_clock().value / 1000);
  const auto put = [&](std::uint64_t seconds, const std::string& more) {
    const auto signature = sign_url(url_secret, "PUT", *file_path::parse("a/b/f"), now + seconds);
    const auto url = "/files/a/b/f?key=k1&expires=" + std::to_string(now + seconds) + "&signature=" + signature + more;
    return client.ask("PUT", url, "Idempotency-Key: one\r\n", "x").status;
  };
  BOOST_TEST(put(60, "") == 201);
  BOOST_TEST(put(120, "") == 201);
  BOOST_TEST(put(60, "&durability=majority") == 422);
}

BOOST_AUTO_TEST_CASE(a_token_that_is_taken_out_of_the_file_works_no_longer) {
  raw_http client(port());
  BOOST_TEST(client.ask("GET", "/openapi.json", bearer(tokens["read"])).status == 200);
  BOOST_TEST(control->reload_if_changed().value() == false);
  document["tokens"].erase(document["tokens"].begin());
  save();
  BOOST_TEST(control->reload_if_changed().value() == true);
  BOOST_TEST(client.ask("GET", "/openapi.json", bearer(tokens["read"])).status == 401);
  BOOST_TEST(client.ask("GET", "/openapi.json", bearer(tokens["write"])).status == 200);
  std::ofstream(folder / "auth.json") << "{";
  BOOST_TEST(!control->reload_if_changed().ok());
  BOOST_TEST(control->reload_if_changed().value() == false);  // said once
  BOOST_TEST(client.ask("GET", "/openapi.json", bearer(tokens["write"])).status == 200);
}

BOOST_AUTO_TEST_CASE(a_stream_ends_with_the_token_that_it_was_asked_for_with) {
  node.reported.members.resize(1);
  node.reported.members[0].id = {"n1"};
  raw_http client(port());
  client.request("GET", "/actors/stream", bearer(tokens["metrics"]));
  BOOST_TEST(client.read(true).status == 200);
  auto line = client.read_line();
  while (line && line->empty()) line = client.read_line();
  BOOST_REQUIRE(line.has_value());  // it goes on as long as the token is known
  std::erase_if(document["tokens"].get_ref<nlohmann::json::array_t&>(),
                [](const auto& one) { return one["name"] == "metrics"; });
  save();
  BOOST_TEST(control->reload_if_changed().value() == true);
  while (client.read_line()) {
  }
  BOOST_TEST(client.at_end());
}

BOOST_AUTO_TEST_CASE(the_audit_log_has_a_line_for_every_change_and_every_backup) {
  std::ostringstream told;
  const auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(told);
  sink->set_pattern("%v");
  auto& sinks = spdlog::default_logger()->sinks();
  sinks.push_back(sink);
  node.add_file("f", "content");
  {
    raw_http client(port());
    client.ask("PUT", "/files/g?op=x&signature=y", bearer(tokens["read"]), "x");
    client.ask("GET", "/files/f", bearer(tokens["read"]));
    client.ask("GET", "/set-aside", bearer(tokens["admin"]));
    client.ask("OPTIONS", "/cluster/backup", bearer(tokens["admin"]));
    client.ask("GET", "/cluster/backup", bearer(tokens["read"]));
    client.ask("GET", "/cluster/backup");
    client.request("GET", "/cluster/backup?consistency=committed", bearer(tokens["admin"]));
    BOOST_TEST(client.read(true).status == 200);
  }
  stop();
  sinks.pop_back();
  std::string audited;
  std::istringstream lines(told.str());
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("audit ")) audited += line + "\n";
  BOOST_TEST(audited ==
             "audit who=\"read\" from=127.0.0.1 method=PUT path=/files/g?op=x status=403\n"
             "audit who=\"read\" from=127.0.0.1 method=GET path=/cluster/backup status=403\n"
             "audit who=\"\" from=127.0.0.1 method=GET path=/cluster/backup status=401\n"
             "audit who=\"admin\" from=127.0.0.1 method=GET path=/cluster/backup status=200\n");
}

BOOST_AUTO_TEST_CASE(a_key_that_is_replaced_or_comes_late_is_noticed) {
  const auto write_key = [&](std::size_t size, std::filesystem::perms mode) {
    std::filesystem::remove(folder / "url.key");
    std::ofstream(folder / "url.key") << std::string(size, 'x');
    std::filesystem::permissions(folder / "url.key", mode);
  };
  write_key(33, std::filesystem::perms::owner_read);
  BOOST_TEST(control->reload_if_changed().value() == true);
  write_key(34, std::filesystem::perms::owner_read | std::filesystem::perms::others_read);
  BOOST_TEST(!control->reload_if_changed().ok());  // everybody could sign
  std::filesystem::remove(folder / "url.key");
  BOOST_TEST(!control->reload_if_changed().ok());
  BOOST_TEST(control->reload_if_changed().value() == false);
  write_key(35, std::filesystem::perms::owner_read);
  BOOST_TEST(control->reload_if_changed().value() == true);
}

BOOST_AUTO_TEST_CASE(a_preflight_of_an_allowed_page_needs_no_token_and_shows_nothing) {
  settings.cors_origins = {"https://page.example"};
  raw_http client(port());
  const std::string preflight = "Access-Control-Request-Method: PUT\r\nOrigin: https://";
  BOOST_TEST(client.ask("OPTIONS", "/files/a/b/f", preflight + "page.example\r\n").status == 204);
  BOOST_TEST(client.ask("OPTIONS", "/files/a/b/f", preflight + "other.example\r\n").status == 401);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(access_files)

BOOST_AUTO_TEST_CASE(a_file_that_is_not_wholly_understood_is_refused_with_the_place) {
  temporary_directory folder;
  const auto token = make_token();
  const auto hash = "\"hash\": \"" + token.hash.text() + "\"";
  const auto good = R"({"id": "a", "name": "n", "scopes": ["read"], )" + hash + "}";
  std::ofstream(folder / "short.key") << "short";
  std::filesystem::permissions(folder / "short.key", std::filesystem::perms::owner_read);
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "not JSON"},
      {"[]", "an object is expected"},
      {R"({"token": []})", "\"token\" is not known here"},
      {R"({"tokens": {}})", "tokens is a list"},
      {R"({"tokens": [{"id": "a"}]})", "tokens[0]: hash is missing"},
      {R"({"tokens": [{"id": "a", "name": "n", "scopes": ["read"], "hash": "secret"}]})", "hash is not as"},
      {R"({"tokens": [{"id": "a", "name": "n", "scopes": ["root"], )" + hash + "}]}", "not \"root\""},
      {R"({"tokens": [{"id": "a", "name": "n", )" + hash + "}]}", "scopes are missing"},
      {R"({"tokens": [{"id": "a", "name": "n", "scopes": ["read"], "paths": ["a"], )" + hash + "}]}", "begins with /"},
      {R"({"tokens": [{"id": "a", "name": "n", "scopes": ["read"], "paths": [], )" + hash + "}]}", "paths is a list"},
      {R"({"tokens": [{"id": "a", "name": "n", "scopes": ["read"], "expires": "soon", )" + hash + "}]}", "expires"},
      {R"({"tokens": [{"id": "a", "name": "n", "scopes": ["read"], "scope": "x", )" + hash + "}]}", "\"scope\""},
      {R"({"tokens": [)" + good + "," + good + "]}", "tokens[1]: another token has the id a"},
      {R"({"url_keys": [{"id": "k", "key": "short.key"}]})", "at least 32 bytes"},
      {R"({"url_keys": [{"id": "k", "key": "none.key"}]})", "No such file"},
      {R"({"jwt": [{"algorithm": "RS256", "key": "none.key", "audience": "a"}]})", "can't be read"},
      {R"({"jwt": [{"algorithm": "RS256", "key": "short.key", "audience": "a"}]})", "not a public key"},
      {R"({"jwt": [{"algorithm": "HS256", "key": "short.key", "audience": "a"}]})", "not \"HS256\""}};
  for (const auto& [text, what] : cases) {
    BOOST_TEST_CONTEXT(text) {
      std::ofstream(folder / "auth.json") << text;
      const auto outcome = access_rules::load(folder / "auth.json");
      BOOST_REQUIRE(!outcome.ok());
      BOOST_TEST(outcome.failure().detail.find(what) != std::string::npos, outcome.failure().detail);
    }
  }
  BOOST_TEST(!access_rules::load(folder / "nowhere.json").ok());
  std::ofstream(folder / "auth.json") << R"({"tokens": [)" + good + "]}";
  BOOST_TEST(access_rules::load(folder / "auth.json").ok());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace kaiku::test
