#include "support/haproxy.hpp"

#include <fstream>
#include <sstream>

#include "support/command.hpp"
#include "support/raw_http.hpp"

namespace kaiku::test {
namespace {

constexpr const char* mark = "request ";

/// One thread, so that its log is in order; no second try, so that what it sends is counted once.
std::filesystem::path configure(std::uint16_t port, const endpoint& server, const std::filesystem::path& directory) {
  auto file = directory / "haproxy.cfg";
  std::ofstream(file) << "global\n"
                         "  nbthread 1\n"
                         "  log stdout format raw local0\n"
                         "defaults\n"
                         "  mode http\n"
                         "  log global\n"
                         "  option dontlognull\n"
                         "  http-reuse always\n"
                         "  retries 0\n"
                         "  timeout connect 5s\n"
                         "  timeout client 5s\n"
                         "  timeout server 10s\n"
                         "frontend clients\n"
                         "  bind 127.0.0.1:"
                      << port << "\n  log-format \"" << mark
                      << "%s %ST %{+Q}r\"\n"
                         "  default_backend nodes\n"
                         "backend nodes\n"
                         "  server node "
                      << to_string(server) << "\n";
  return file;
}

}  // namespace

haproxy::haproxy(const endpoint& server, const std::filesystem::path& directory)
    : log_(directory / "haproxy.log"),
      process_({find_program("haproxy"), "-db", "-f", configure(port_.number(), server, directory).string()}, log_) {
  const bool listens = wait_until(milliseconds{10'000}, [this] { return raw_http(port_.number()).connected(); });
  if (!listens) throw std::runtime_error("haproxy does not listen: " + tail_of(log_, 20));
}

std::vector<proxied_request> haproxy::requests() const {
  std::vector<proxied_request> out;
  std::istringstream lines(read_file(log_));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(mark) || lines.eof()) continue;  // one that is not yet written to its end
    std::istringstream words(line.substr(std::string_view(mark).size()));
    proxied_request one;
    std::string server;
    words >> server >> one.status;
    one.passed_on = server == "node";
    std::getline(words >> std::ws, one.line);
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace kaiku::test
