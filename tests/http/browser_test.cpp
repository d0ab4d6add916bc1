/// A browser on the listing page: Chromium without a window, driven over WebDriver (W3C), which is HTTP and JSON.

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <stdexcept>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "http/clients.hpp"
#include "support/bytes.hpp"
#include "support/child_process.hpp"

namespace {

using namespace kaiku::test;
using nlohmann::json;
namespace fs = std::filesystem;
namespace utf = boost::unit_test;

constexpr milliseconds page_deadline{20'000};

/// One browser with a profile of its own, for the time of a test case.
class browser {
 public:
  explicit browser(bool with_scripts = true) : driver_at_{"127.0.0.1", port_.number()} {
    driver_ = std::make_unique<child_process>(
        std::vector<std::string>{find_program("chromedriver"), "--port=" + std::to_string(port_.number())},
        work() / "chromedriver.log");
    const bool up = wait_until(page_deadline, [&] { return is_up(); });
    if (!up) throw std::runtime_error("chromedriver does not answer:\n" + tail_of(work() / "chromedriver.log", 20));
    json preferences{{"download.default_directory", downloads().string()}, {"download.prompt_for_download", false}};
    if (!with_scripts) preferences["profile.managed_default_content_settings.javascript"] = 2;
    const json options{
        {"args",
         {"--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
          "--disable-background-networking", "--no-proxy-server", "--user-data-dir=" + (work() / "profile").string()}},
        {"prefs", preferences}};
    const auto made =
        ask("POST", "/session",
            {{"capabilities",
              {{"alwaysMatch", {{"goog:chromeOptions", options}, {"goog:loggingPrefs", {{"browser", "ALL"}}}}}}}});
    session_ = "/session/" + made["sessionId"].get<std::string>();
  }
  ~browser() {
    try {
      ask("DELETE", session_, nullptr);
    } catch (const std::exception&) {  // it ends with its driver
    }
  }

  fs::path downloads() const { return work() / "downloads"; }
  void open(const std::string& url) { ask("POST", session_ + "/url", {{"url", url}}); }
  std::string title() { return ask("GET", session_ + "/title", nullptr); }
  void type(const std::string& css, const std::string& text) {
    ask("POST", session_ + "/element/" + find(css) + "/value", {{"text", text}});
  }
  void click(const std::string& css) { ask("POST", session_ + "/element/" + find(css) + "/click", json::object()); }
  bool has(const std::string& css) {
    return !ask("POST", session_ + "/elements", {{"using", "css selector"}, {"value", css}}).empty();
  }
  void wait_for(const std::string& css) {
    if (!wait_until(page_deadline, [&] { return has(css); }))
      throw std::runtime_error("no '" + css + "' on the page:\n" +
                               ask("GET", session_ + "/source", nullptr).get<std::string>());
  }
  json run(const std::string& script) {
    return ask("POST", session_ + "/execute/sync", {{"script", script}, {"args", json::array()}});
  }
  /// What the console says: what a policy has kept from loading, and errors of scripts.
  std::string complaints() {
    std::string out;
    for (const auto& line : ask("POST", session_ + "/se/log", {{"type", "browser"}}))
      if (line["message"].get<std::string>().find("favicon.ico") == std::string::npos)
        out += line["message"].get<std::string>() + "\n";
    return out;
  }

 private:
  bool is_up() {
    try {
      return ask("GET", "/status", nullptr)["ready"].get<bool>();
    } catch (const std::exception&) {
      return false;
    }
  }
  json ask(const std::string& method, const std::string& target, const json& body) {
    http_client client(driver_at_, milliseconds{60'000});
    const auto answer =
        client.request(method, target, {{"Content-Type", "application/json"}}, body.is_null() ? "" : body.dump());
    const auto document = json::parse(answer.body);
    if (answer.status != 200) throw std::runtime_error(method + " " + target + ": " + document.dump());
    return document["value"];
  }
  std::string find(const std::string& css) {
    const auto found = ask("POST", session_ + "/element", {{"using", "css selector"}, {"value", css}});
    return found.begin().value();
  }

  reserved_port port_;
  endpoint driver_at_;
  std::unique_ptr<child_process> driver_;
  std::string session_;
};

fs::path local_file(const std::string& name, const std::string& content) {
  std::ofstream(work() / name, std::ios::binary) << content;
  return work() / name;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(clients)

BOOST_AUTO_TEST_CASE(chromium_uploads_and_downloads_through_the_listing_page, *utf::precondition(with<chromium>)) {
  upload("browser/old file.txt", "old");
  const auto large = generated_bytes{7, 3'000'000}.all();
  const auto one = local_file("one \u00e4.bin", large), two = local_file("two.txt", "two");
  browser page;
  page.open(url("browser/"));
  BOOST_TEST(page.title() == "/browser/");
  page.wait_for("a[href='old%20file.txt']");
  page.type("#files", one.string() + "\n" + two.string());
  page.click("#upload button");
  page.wait_for("a[href='two.txt']");
  BOOST_TEST((download("browser/one \u00e4.bin") == large));
  BOOST_TEST(download("browser/two.txt") == "two");
  BOOST_TEST(page.complaints() == "");

  page.click("a[href='one%20%C3%A4.bin']");
  const auto there = page.downloads() / "one \u00e4.bin";
  BOOST_TEST(wait_until(page_deadline, [&] { return fs::exists(there) && fs::file_size(there) == large.size(); }));
  BOOST_TEST((read_file(there) == large));
}

BOOST_AUTO_TEST_CASE(chromium_uploads_what_is_dropped_on_the_listing_page, *utf::precondition(with<chromium>)) {
  upload("dropped/old.txt", "old");
  browser page;
  page.open(url("dropped/"));
  page.run(
      "const files = new DataTransfer();"
      "files.items.add(new File(['dropped'], 'new & <file>.txt', {type: 'text/plain'}));"
      "document.body.dispatchEvent(new DragEvent('drop', {bubbles: true, cancelable: true, dataTransfer: files}));");
  page.wait_for("a[href='new%20%26%20%3Cfile%3E.txt']");
  BOOST_TEST(download("dropped/new & <file>.txt") == "dropped");
  BOOST_TEST(page.complaints() == "");
}

BOOST_AUTO_TEST_CASE(chromium_uploads_by_the_form_alone_without_scripts, *utf::precondition(with<chromium>)) {
  upload("plain/old.txt", "old");
  const auto one = local_file("one.txt", "one"), two = local_file("two \u00e4.txt", "two");
  browser page(false);
  page.open(url("plain/"));
  page.type("#files", one.string() + "\n" + two.string());
  page.click("#upload button");
  page.wait_for("a[href='one.txt']");
  BOOST_TEST(page.title() == "/plain/");
  BOOST_TEST(download("plain/one.txt") == "one");
  BOOST_TEST(download("plain/two \u00e4.txt") == "two");
}

BOOST_AUTO_TEST_CASE(chromium_runs_no_script_of_a_stored_page, *utf::precondition(with<chromium>)) {
  auto client = client_cluster().node(client_cluster().wait_for_leader()).client();
  client.put("stored/page.html", "<title>stored</title><script>document.title = 'run'</script>",
             {{"Content-Type", "text/html"}, {"Kaiku-Durability", "all"}});
  browser page;
  page.open(url("stored/page.html"));
  BOOST_TEST(page.title() == "stored");
}

BOOST_AUTO_TEST_SUITE_END()
