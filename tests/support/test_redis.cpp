#include "support/test_redis.hpp"

#include <algorithm>
#include <stdexcept>

namespace kaiku::test {

test_redis::test_redis(std::filesystem::path directory, std::vector<std::string> extra)
    : directory_(std::move(directory)), socket_(directory_ / "redis.sock"), extra_(std::move(extra)) {
  std::filesystem::create_directories(directory_);
  start();
}

void test_redis::start() {
  process_.reset();
  std::vector<std::string> arguments{
      "/usr/bin/env", "redis-server", "--port",       "0",  "--unixsocket", socket_.string(),
      "--dir",        directory_,     "--appendonly", "no", "--save",       ""};
  arguments.insert(arguments.end(), extra_.begin(), extra_.end());
  process_ = std::make_unique<child_process>(std::move(arguments), directory_ / "redis.log");
  const bool up = wait_until(milliseconds{10'000}, [this] {
    auto to = redis::connection::open(address());
    return to.ok() && (*to)->call({"PING"}).ok();
  });
  if (!up) throw std::runtime_error("redis-server does not answer:\n" + tail_of(directory_ / "redis.log", 20));
}

redis_address test_redis::address() const {
  redis_address out;
  out.path = socket_.string();
  return out;
}

redis::reply test_redis::call(const redis::command& what) const {
  auto to = redis::connection::open(address());
  if (!to) throw std::runtime_error(to.failure().detail);
  auto answer = (*to)->call(what);
  if (!answer) throw std::runtime_error(what.front() + ": " + answer.failure().detail);
  return *std::move(answer);
}

std::vector<std::string> test_redis::keys(const std::string& pattern) const {
  std::vector<std::string> out;
  for (const auto& one : call({"KEYS", pattern}).items) out.push_back(one.text);
  std::sort(out.begin(), out.end());
  return out;
}

std::string test_redis::prefix(const std::string& node) const {
  const auto tokens = keys("kaiku:{*:" + node + "}:token");
  if (tokens.empty()) return {};
  return tokens.front().substr(0, tokens.front().size() - std::string_view{"token"}.size());
}

std::string test_redis::generation(const std::string& node) const {
  const auto begin = prefix(node);
  return begin.empty() ? "" : call({"HGET", begin + "token", "generation"}).text;
}

std::map<std::string, std::string> test_redis::tree(const std::string& node) const {
  std::map<std::string, std::string> out;
  const auto begin = prefix(node) + generation(node);
  std::vector<std::pair<std::string, std::string>> directories{{"", "1"}};  // path and inode
  while (!directories.empty()) {
    const auto [path, inode] = directories.back();
    directories.pop_back();
    for (const auto& member : call({"ZRANGE", begin + ":index:" + inode, "0", "-1"}).items) {
      const auto name = member.text.substr(0, member.text.find('\0'));
      if (name == "\xff") continue;
      const auto rest = member.text.substr(name.size() + 1);
      const auto which = rest.substr(0, rest.find('\0'));
      const auto fields = call({"HMGET", begin + ":inode:" + which, "type", "size", "version", "sha256"}).items;
      const auto here = path.empty() ? name : path + "/" + name;
      const auto digest = fields[3].text.empty() ? std::string(64, '0') : fields[3].text;
      out[here] = fields[0].text + ' ' + fields[1].text + " \"" + fields[2].text + '-' + digest.substr(0, 16) + '"';
      if (fields[0].text == "directory") directories.emplace_back(here, which);
    }
  }
  return out;
}

}  // namespace kaiku::test
