#include "http/conformance.hpp"

#include <algorithm>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "http/described.hpp"
#include "http/shared_cluster.hpp"
#include "support/bytes.hpp"

namespace kaiku::test {
namespace {

constexpr int attempts = 5;  ///< of a case, when the leader changes under it

// --- one run of a case ---------------------------------------------------------------------------------------------

std::string lower(std::string text) {
  for (auto& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return text;
}

/// Each `{name}` that is known, replaced.
std::string filled(std::string text, const names& known) {
  for (auto open = text.find('{'); open != std::string::npos; open = text.find('{', open)) {
    const auto close = text.find('}', open);
    if (close == std::string::npos) break;
    const auto found = known.find(text.substr(open + 1, close - open - 1));
    if (found == known.end()) {
      ++open;
      continue;
    }
    text.replace(open, close - open + 1, found->second);
    open += found->second.size();
  }
  return text;
}

std::string without(const std::string& what, const std::string& name, std::string text) {
  for (auto at = text.find(what); !what.empty() && at != std::string::npos; at = text.find(what))
    text.replace(at, what.size(), name);
  return text;
}

std::string shown(const std::string& text) {
  std::string out;
  for (char c : text.substr(0, 400)) {
    if (c == '\r') {
      out += "\\r";
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) {
      char code[5];
      std::snprintf(code, sizeof code, "\\x%02x", static_cast<unsigned char>(c));
      out += code;
    } else {
      out += c;
    }
  }
  return text.size() > 400 ? out + "..." : out;
}

/// Fields whose values may differ between the two runs.
bool is_of_moment(const std::string& name) {
  static const std::set<std::string> all{"date",           "kaiku-node",      "kaiku-term",
                                         "kaiku-applied",  "kaiku-committed", "kaiku-leader-contact-ms",
                                         "kaiku-replicas", "kaiku-durability"};
  return all.contains(lower(name));
}

class run_of_case {
 public:
  run_of_case(const http_case& what, std::size_t node) : what_(what), node_(node) {
    client_.emplace(port());
    known_ = shared().known;
    directory_ = "d" + std::to_string(1'000'000 + ++shared().directories);
    known_["d"] = directory_;
    for (const auto& one : what.steps) own_ = own_ || one.bytes.find("{d}") != std::string::npos;
  }

  void run() try {
    for (const auto& one : what_.steps) {
      if (one.on_a_new_connection) {
        client_.emplace(port());
        cut_off_ = false;
      }
      cut_off_ = cut_off_ || one.cut_off;
      send(one);
      auto got = client_->read(one.method == "HEAD");
      if (one.repeated)
        wait_until(milliseconds{5000}, [&] {
          if (got.status == one.status) return true;
          client_->send(filled(one.bytes, known_));
          got = client_->read(one.method == "HEAD");
          return false;
        });
      find_boundary(got);
      note(one, got);
      check(one, got);
      compare_head(one, got);
      if (got.status == 0) return;
      remember(one, got);
      closed_ = got.closes();
    }
    check_end();
  } catch (const std::exception& failed) {
    wrong(failed.what());
  }

  const std::vector<std::string>& complaints() const { return complaints_; }
  const std::string& transcript() const { return transcript_; }
  /// Another node leads than when the case began, or none did for a moment.
  bool disturbed() const { return disturbed_; }

 private:
  std::uint16_t port() const { return shared().cluster.node(node_).http().port; }

  template <class... Parts>
  void wrong(const Parts&... parts) {
    std::ostringstream text;
    text << "step " << steps_ << ": ";
    (text << ... << parts);
    complaints_.push_back(text.str());
  }

  void send(const step& one) {
    ++steps_;
    const auto bytes = filled(one.bytes, known_);
    if (one.byte_by_byte) {
      for (char c : bytes) client_->send({&c, 1});
    } else {
      client_->send(bytes);
    }
    if (one.cut_off) client_->finish_sending();
  }

  /// Of an answer of several parts; it is another each time.
  void find_boundary(const raw_answer& got) {
    const auto type = got.header("Content-Type");
    const auto at = type.find("boundary=");
    known_["boundary"] = at == std::string::npos ? "" : type.substr(at + 9);
  }

  /// RFC 9110, 9.3.2.
  void compare_head(const step& one, const raw_answer& got) {
    const auto request = one.bytes.substr(std::min(one.method.size(), one.bytes.size()));
    if (one.method == "GET") {
      get_request_ = request;
      get_answer_ = got;
    }
    if (one.method != "HEAD" || request.empty() || request != get_request_) return;
    for (const auto& [name, value] : get_answer_.fields)
      if (!is_of_moment(name) && !(one.of_node && name == "Content-Length"))
        check_field(name, value.empty() ? "*" : value, got);
    if (got.fields.size() != get_answer_.fields.size()) wrong("HEAD has other fields than GET");
  }

  void check(const step& wanted, const raw_answer& got) {
    if (got.status != wanted.status) wrong("status ", got.status, " instead of ", wanted.status);
    if (got.status == 0 || got.status == 100) return;
    check_every_answer(wanted, got);
    check_described(wanted, got);
    for (const auto& [name, value] : wanted.fields) check_field(name, filled(value, known_), got);
    if (wanted.content && got.body != filled(*wanted.content, known_))
      wrong("body '", shown(got.body), "' instead of '", shown(filled(*wanted.content, known_)), "'");
    for (const auto& part : wanted.parts)
      if (got.body.find(filled(part, known_)) == std::string::npos)
        wrong("the body lacks '", shown(filled(part, known_)), "'");
    if (got.closes() != wanted.closes)
      wrong(wanted.closes ? "the answer does not say Connection: close" : "the answer says Connection: close");
  }

  void check_field(const std::string& name, const std::string& value, const raw_answer& got) {
    const bool there = std::any_of(got.fields.begin(), got.fields.end(),
                                   [&](const auto& field) { return lower(field.first) == lower(name); });
    const auto is = got.header(name);
    if (value == "*" && !there) wrong("no ", name);
    if (value.empty() && there) wrong(name, " is there: '", is, "'");
    if (value.empty() || value == "*") return;
    const bool same = value.starts_with('~') ? std::regex_match(is, std::regex(value.substr(1))) : is == value;
    if (!same) wrong(name, " is '", is, "' instead of '", value, "'");
  }

  void check_every_answer(const step& wanted, const raw_answer& got) {
    static const std::string number = "~[0-9]+";
    check_field("Date", "~[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT", got);
    check_field("Kaiku-Node", shared().cluster.node(node_).name(), got);
    for (const char* name : {"Kaiku-Term", "Kaiku-Applied", "Kaiku-Committed", "Kaiku-Leader-Contact-Ms"})
      check_field(name, number, got);
    check_field("Content-Length", got.status == 204 || got.status == 304 ? "" : number, got);
    std::set<std::string> seen;
    for (const auto& [name, value] : got.fields)
      if (!seen.insert(lower(name)).second) wrong(name, " comes twice");
    if (got.status == 204 && seen.contains("content-type")) wrong("a 204 with a Content-Type");
    if (got.status >= 400 && !wanted.code.empty()) check_problem(wanted, got);
    const bool retry = got.status == 503 && wanted.code != "outcome_unknown";
    if (seen.contains("retry-after") != retry) wrong(retry ? "no Retry-After" : "Retry-After for a ", got.status);
  }

  /// Where the request is known: /openapi.json tells of the status.
  void check_described(const step& wanted, const raw_answer& got) {
    static const described_interface all(raw_http(port()).ask("GET", "/openapi.json").body);
    std::istringstream line(filled(wanted.bytes.substr(0, wanted.bytes.find('\r')), known_));
    std::string method, target;
    if (!(line >> method >> target) || method != wanted.method) return;
    if (!all.tells(method, target, got.status))
      wrong("/openapi.json does not tell of ", got.status, " for ", method, " ", target);
  }

  void check_problem(const step& wanted, const raw_answer& got) {
    check_field("Content-Type", "application/problem+json", got);
    check_field("Cache-Control", "no-store", got);
    check_field("X-Content-Type-Options", "nosniff", got);
    if (wanted.method == "HEAD") return;
    const auto document = nlohmann::json::parse(got.body, nullptr, false);
    if (!document.is_object()) return wrong("the body is no JSON object: '", shown(got.body), "'");
    const auto text = [&](const char* name) {
      return document.contains(name) && document[name].is_string() ? document[name].get<std::string>() : std::string{};
    };
    if (text("code") != wanted.code) wrong("code '", text("code"), "' instead of '", wanted.code, "'");
    if (text("type") != "urn:kaiku:problem:" + wanted.code) wrong("type '", text("type"), "'");
    if (text("title").empty() || text("detail").empty()) wrong("no title, or no detail");
    if (document.value("status", 0) != got.status) wrong("another status in the document than in the answer");
  }

  /// The connection is where the last answer said it is: at its end, or ready for another request.
  void check_end() {
    ++steps_;
    if (closed_ || cut_off_) {
      client_->finish_sending();
      if (!client_->at_end()) wrong("the connection does not end where the answer said so");
      return;
    }
    auto more = client_->ask("GET", "/healthz/live");
    if (more.status != 200) wrong("a request behind the last answer gets ", more.status);
  }

  void remember(const step& one, const raw_answer& got) {
    disturbed_ = disturbed_ || got.status == 503 ||
                 (!got.header("Kaiku-Term").empty() && got.header("Kaiku-Term") != std::to_string(shared().term));
    if (!one.kept_as.empty()) {
      known_[one.kept_as + ".etag"] = got.header("ETag");
      known_[one.kept_as + ".modified"] = got.header("Last-Modified");
      known_[one.kept_as + ".token"] = got.header("Kaiku-Token");
    }
    if (const auto token = got.header("Kaiku-Token"); !token.empty()) wait_for(token);
    // Of the last file of a form.
    static const std::string name = "\"token\":\"";
    const auto at = one.method == "POST" ? got.body.rfind(name) : std::string::npos;
    if (at != std::string::npos)
      wait_for(got.body.substr(at + name.size(), got.body.find('"', at + name.size()) - at - name.size()));
  }

  /// Until this node shows the write, whichever node led it.
  void wait_for(const std::string& token) {
    const auto index = std::stoull(token.substr(token.rfind('.') + 1));
    raw_http other(port());
    const bool there = wait_until(milliseconds{5000}, [&] {
      return std::stoull(other.ask("GET", "/healthz/live").header("Kaiku-Applied")) >= index;
    });
    if (!there) wrong("the node does not show the write ", token);
  }

  /// What both runs must have in common.
  void note(const step& one, const raw_answer& got) {
    auto body = without(known_["boundary"], "<boundary>", got.body);
    body = masked(body.size() > 4096 ? digest_of(body) : body);
    // Versions and names of nodes have more digits or fewer.
    const bool of_one_length = !one.of_node && (body == got.body || !own_);
    std::string text = std::to_string(got.status) + "\n";
    for (const auto& [name, value] : got.fields) {
      text += "  " + name;
      if (!is_of_moment(name) && (of_one_length || name != "Content-Length")) text += ": " + masked(value);
      text += "\n";
    }
    if (!one.of_node) text += body + "\n";
    transcript_ += text;
  }

  /// A case with a directory of its own has its own versions too: they count by the order in which they come.
  std::string masked(std::string text) {
    text = without(known_["boundary"], "<boundary>", std::move(text));
    if (!own_) return text;
    text = without(directory_, "{d}", std::move(text));
    static const std::regex versions(
        "[0-9]+\\.[0-9]+-[0-9a-f]{16}|[0-9a-f]{32}|[0-9a-f]{8,}\\.[0-9]+\\.[0-9]+|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z|"
        "[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT");
    std::string out;
    std::smatch found;
    for (; std::regex_search(text, found, versions); text = found.suffix()) {
      const auto name = found.str();
      out += found.prefix().str();
      if (name.ends_with("Z") || name.ends_with("GMT")) {
        out += "<time>";
      } else {
        out += "<" + std::to_string(counted_.try_emplace(name, counted_.size()).first->second) + ">";
      }
    }
    return out + text;
  }

  const http_case& what_;
  std::size_t node_;
  std::optional<raw_http> client_;
  std::string get_request_;  ///< the last, without its method, and its answer
  raw_answer get_answer_;
  names known_;
  std::string directory_;
  bool own_ = false;
  bool closed_ = false;
  bool cut_off_ = false;
  bool disturbed_ = false;
  int steps_ = 0;
  std::map<std::string, std::size_t> counted_;
  std::string transcript_;
  std::vector<std::string> complaints_;
};

/// The first lines in which the two differ.
std::string difference(const std::string& a, const std::string& b) {
  std::istringstream one(a), other(b);
  std::string left, right;
  while (std::getline(one, left)) {
    if (!std::getline(other, right)) right = "(nothing)";
    if (left != right) return "'" + shown(left) + "' and '" + shown(right) + "'";
  }
  return "one has more than the other";
}

void run_case(const http_case& what) {
  for (int attempt = 1;; ++attempt) {
    auto& all = shared();
    run_of_case leading(what, all.leader), following(what, all.follower);
    leading.run();
    following.run();
    if ((leading.disturbed() || following.disturbed()) && attempt < attempts) {
      const auto before = all.term;
      all.look();
      if (all.term != before) continue;
    }
    for (const auto& text : leading.complaints()) BOOST_ERROR("on the leader, " << text);
    for (const auto& text : following.complaints()) BOOST_ERROR("through a follower, " << text);
    const bool alike = leading.transcript() == following.transcript();
    if (!alike)
      BOOST_ERROR(
          "leader and follower answer differently: " << difference(leading.transcript(), following.transcript()));
    const bool good = alike && leading.complaints().empty() && following.complaints().empty();
    if (!good) BOOST_TEST_MESSAGE("answers of the leader:\n" << leading.transcript());
    BOOST_TEST(good);
    return;
  }
}

class row_generator : public boost::unit_test::test_unit_generator {
 public:
  explicit row_generator(std::vector<http_case> rows) : rows_(std::move(rows)) {}
  boost::unit_test::test_unit* next() const override {
    if (at_ == rows_.size()) return nullptr;
    const auto& row = rows_[at_++];
    return new boost::unit_test::test_case(row.name, __FILE__, __LINE__, [row] { run_case(row); });
  }

 private:
  std::vector<http_case> rows_;
  mutable std::size_t at_ = 0;
};

}  // namespace

cases::cases(std::vector<http_case> rows) {
  boost::unit_test::ut_detail::auto_test_unit_registrar here(row_generator(std::move(rows)),
                                                             boost::unit_test::decorator::collector_t::instance());
}

}  // namespace kaiku::test
