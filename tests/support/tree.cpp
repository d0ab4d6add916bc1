#include "support/tree.hpp"

#include <atomic>
#include <mutex>
#include <thread>

namespace kaiku::test {

namespace {

void list_below(http_client& client, const std::string& directory, tree& out) {
  for (auto& entry : list_directory(client, percent_encode(directory))) {
    std::string path = directory.empty() ? entry.name : directory + "/" + entry.name;
    out[path] = {entry.is_directory, entry.size, entry.etag, {}};
    if (entry.is_directory) list_below(client, path, out);
  }
}

/// What is wrong with the file, or empty.
std::string read_one(http_client& client, const std::string& path, tree_entry& entry) {
  auto answer = client.get_digest(percent_encode(path));
  entry.digest = answer.body_digest;
  if (answer.status != 200) return "listed, but GET answers " + std::to_string(answer.status);
  if (answer.header("Repr-Digest") != answer.body_digest) return "its bytes do not match its Repr-Digest";
  if (answer.body_bytes != entry.size) return "its length is not the one listed";
  if (answer.header("ETag") != entry.etag) return "its entity tag is not the one listed";
  return {};
}

}  // namespace

tree read_tree(const endpoint& node, const std::string& directory, std::vector<std::string>& violations) {
  tree out;
  http_client lister(node, milliseconds{30'000});
  if (!directory.empty() && lister.head(percent_encode(directory)).status == 404) return out;
  list_below(lister, directory, out);
  std::vector<tree::value_type*> files;
  for (auto& entry : out)
    if (!entry.second.is_directory) files.push_back(&entry);

  std::mutex mutex;
  std::atomic<std::size_t> next{0};
  auto read_some = [&] {
    http_client client(node, milliseconds{60'000});
    for (std::size_t i = next++; i < files.size(); i = next++) {
      std::string wrong;
      try {
        wrong = read_one(client, files[i]->first, files[i]->second);
      } catch (const network_failure& e) {
        wrong = e.what();
      }
      if (wrong.empty()) continue;
      std::lock_guard lock(mutex);
      violations.push_back(to_string(node) + ": /" + files[i]->first + ": " + wrong);
    }
  };
  std::vector<std::jthread> readers;
  for (int i = 0; i < 4; ++i) readers.emplace_back(read_some);
  readers.clear();
  return out;
}

std::vector<std::string> differences(const tree& a, const tree& b, std::size_t most) {
  std::vector<std::string> out;
  auto note = [&](const std::string& path, const char* what) {
    if (out.size() < most) out.push_back("/" + path + ": " + what);
  };
  for (const auto& [path, entry] : a) {
    auto other = b.find(path);
    if (other == b.end()) {
      note(path, "only on the first");
    } else if (other->second != entry) {
      note(path, other->second.digest == entry.digest ? "same bytes, different metadata" : "different bytes");
    }
  }
  for (const auto& [path, entry] : b)
    if (!a.contains(path)) note(path, "only on the second");
  return out;
}

}  // namespace kaiku::test
