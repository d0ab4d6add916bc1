/// The harness itself: a client or a checker that can't see a fault proves nothing.

#include <thread>

#include <sys/socket.h>
#include <unistd.h>
#include <boost/test/unit_test.hpp>

#include "support/child_process.hpp"
#include "support/history.hpp"
#include "support/http_client.hpp"
#include "support/test_cluster.hpp"

namespace {

using namespace kaiku::test;

/// Accepts one connection after the other and answers each request it reads there with the next prepared text,
/// byte by byte when told so; closes a connection after an answer that says so.
class scripted_server {
 public:
  explicit scripted_server(std::vector<std::string> answers, bool one_byte_at_a_time = false)
      : listener_(port_.number()), answers_(std::move(answers)), split_(one_byte_at_a_time) {
    thread_ = std::jthread([this] { serve(); });
  }
  ~scripted_server() { ::shutdown(listener_.descriptor(), SHUT_RDWR); }

  endpoint where() const { return {"127.0.0.1", port_.number()}; }
  /// What was received; only once the server has given all its answers.
  const std::string& received() {
    if (thread_.joinable()) thread_.join();
    return received_;
  }

 private:
  void serve() {
    for (std::size_t next = 0; next < answers_.size();) {
      int fd = ::accept(listener_.descriptor(), nullptr, nullptr);
      if (fd < 0) return;
      while (next < answers_.size() && read_request(fd)) {
        std::string_view answer = answers_[next++];
        for (std::size_t step = split_ ? 1 : answer.size(); !answer.empty(); answer.remove_prefix(step))
          if (::send(fd, answer.data(), step, MSG_NOSIGNAL) < 0) break;
        if (answers_[next - 1].find("close") != std::string::npos) break;
      }
      ::close(fd);
    }
  }

  /// A header and the body that its Content-Length announces.
  bool read_request(int fd) {
    std::string text;
    std::size_t needed = std::string::npos;
    while (text.size() < needed) {
      char bytes[4096];
      ssize_t n = ::recv(fd, bytes, sizeof bytes, 0);
      if (n <= 0) return false;
      text.append(bytes, static_cast<std::size_t>(n));
      auto end = text.find("\r\n\r\n");
      if (end == std::string::npos) continue;
      auto length = text.find("Content-Length: ");
      needed = end + 4 + (length < end ? std::stoul(text.substr(length + 16)) : 0);
    }
    received_ += text;
    return true;
  }

  reserved_port port_;
  tcp_listener listener_;
  std::vector<std::string> answers_;
  bool split_;
  std::string received_;
  std::jthread thread_;
};

operation put_of(const std::string& path, std::uint64_t seed, outcome told) {
  return {path, generated_bytes{seed, 10}, told, std::nullopt, "scripted", {}, {}, {}};
}

tree standing(const std::string& path, std::uint64_t seed) {
  return {{path, {false, 10, "\"1\"", generated_bytes{seed, 10}.digest()}}};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(harness)

BOOST_AUTO_TEST_CASE(client_reads_length_and_chunks_and_nothing_over_one_connection) {
  for (bool split : {false, true}) {
    scripted_server server({"HTTP/1.1 200 OK\r\nkaiku-TERM: 7\r\nContent-Length: 5\r\n\r\nhello",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
                            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n",
                            "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n"},
                           split);
    http_client client(server.where());
    auto first = client.get("a");
    BOOST_TEST(first.body == "hello");
    BOOST_TEST(first.number_header("Kaiku-Term") == 7u);
    BOOST_TEST(client.get_digest("b").body_digest == digest_of("abcde"));
    BOOST_TEST(client.put("c", "body").status == 201);
    BOOST_TEST(client.head("d").status == 200);
    BOOST_TEST(client.remove("e").status == 204);
    BOOST_TEST(server.received().find("PUT /files/c HTTP/1.1\r\n") != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(client_opens_anew_what_the_server_closed_and_never_repeats_a_request) {
  scripted_server server({"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
                          "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nclose"});
  http_client client(server.where());
  BOOST_TEST(client.get("a").status == 200);
  BOOST_CHECK_EXCEPTION(client.get("b"), network_failure,
                        [](const auto& e) { return e.which() == network_failure::kind::cut_off; });
  BOOST_TEST(server.received().find("/files/b") == server.received().rfind("/files/b"));
}

BOOST_AUTO_TEST_CASE(client_gives_up_at_its_deadline) {
  reserved_port port;
  tcp_listener silent(port.number());
  http_client client({"127.0.0.1", port.number()}, milliseconds{50});
  BOOST_CHECK_EXCEPTION(client.get("a"), network_failure,
                        [](const auto& e) { return e.which() == network_failure::kind::timed_out; });
  BOOST_CHECK_EXCEPTION(client.put("a", generated_bytes{1, 64 << 20}), network_failure,
                        [](const auto& e) { return e.which() == network_failure::kind::timed_out; });
}

BOOST_AUTO_TEST_CASE(pieces_of_generated_bytes_are_the_same_wherever_they_are_cut) {
  const generated_bytes content{42, 100'003};
  const std::string whole = content.all();
  BOOST_TEST(whole.size() == content.size);
  for (std::uint64_t at : {0u, 1u, 7u, 8u, 4095u, 100'000u, 100'002u, 100'003u})
    BOOST_TEST(content.piece(at, 5000) == whole.substr(at, 5000));
  BOOST_TEST(content.digest() == digest_of(whole));
  BOOST_TEST(digest_of("") == "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:");
  BOOST_TEST((generated_bytes{43, 10}.all() != generated_bytes{42, 10}.all()));
}

BOOST_AUTO_TEST_CASE(checker_sees_a_lost_majority_write_and_a_wrong_one) {
  history told;
  told.add(put_of("d/a", 1, outcome::majority));
  BOOST_TEST(check(told, standing("d/a", 1), "d").violations.empty());
  BOOST_TEST(check(told, {}, "d").violations.size() == 1u);
  BOOST_TEST(check(told, standing("d/a", 2), "d").violations.size() == 1u);
  told.add(put_of("d/a", 2, outcome::unknown));
  BOOST_TEST(check(told, standing("d/a", 1), "d").violations.empty());
  BOOST_TEST(check(told, standing("d/a", 2), "d").violations.empty());
  told.add(put_of("d/a", 3, outcome::refused));
  BOOST_TEST(check(told, standing("d/a", 3), "d").violations.size() == 1u);
}

BOOST_AUTO_TEST_CASE(checker_counts_displaced_leader_writes_and_sees_files_that_nobody_wrote) {
  history told;
  told.add(put_of("d/a", 1, outcome::majority));
  told.add(put_of("d/a", 2, outcome::leader));
  told.add(put_of("d/a", 3, outcome::leader));
  BOOST_TEST(check(told, standing("d/a", 3), "d").displaced.size() == 0u);
  BOOST_TEST(check(told, standing("d/a", 2), "d").displaced.size() == 1u);
  BOOST_TEST(check(told, standing("d/a", 1), "d").displaced.size() == 2u);
  auto there = standing("d/a", 3);
  there.merge(standing("d/b", 1));
  BOOST_TEST(check(told, there, "d").violations.size() == 1u);
  BOOST_TEST(check(told, there, "elsewhere").violations.empty());
}

BOOST_AUTO_TEST_CASE(checker_sees_that_a_write_met_nothing_where_a_majority_write_stood) {
  history told;
  told.add(put_of("d/a", 1, outcome::majority));
  auto again = put_of("d/a", 2, outcome::majority);
  again.stood_before = false;
  told.add(again);
  BOOST_TEST(check(told, standing("d/a", 2), "d").violations.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_process_is_frozen_thawed_killed_and_measured) {
  const auto directory = make_test_directory();
  child_process shell({"/bin/sh", "-c", "echo started; exec sleep 600"}, directory / "log");
  BOOST_TEST(wait_until(milliseconds{5000}, [&] { return read_file(directory / "log") == "started\n"; }));
  BOOST_TEST(shell.usage().resident_bytes > 0u);
  shell.freeze();
  BOOST_TEST(shell.is_running());
  BOOST_TEST(read_file("/proc/" + std::to_string(shell.pid()) + "/status").find("T (stopped)") != std::string::npos);
  shell.thaw();
  shell.kill();
  BOOST_TEST(shell.wait_for_exit(milliseconds{0}).value_or(-1) == 128 + 9);
  child_process missing({"/nonexistent/program"}, directory / "log");
  BOOST_TEST(missing.wait_for_exit(milliseconds{5000}).value_or(-1) == 127);
  std::filesystem::remove_all(directory);
}

BOOST_AUTO_TEST_CASE(reserved_ports_differ_while_they_are_held) {
  std::vector<reserved_port> ports(50);
  std::set<std::uint16_t> numbers;
  for (const auto& port : ports) numbers.insert(port.number());
  BOOST_TEST(numbers.size() == ports.size());
}

BOOST_AUTO_TEST_SUITE_END()
