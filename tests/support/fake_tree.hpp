#pragma once

/// Purpose: the tree of files behind `fake_gateway`, and what commands do to it. Thread: the gateway's.

#include <openssl/evp.h>
#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "kaiku/core/path.hpp"
#include "kaiku/messages/gateway.hpp"

namespace kaiku::test {

inline digest hash(std::string_view bytes) {
  digest out;
  unsigned size = 0;
  EVP_Digest(bytes.data(), bytes.size(), out.bytes.data(), &size, EVP_sha256(), nullptr);
  return out;
}

class fake_tree {
 public:
  fake_tree() {
    file_info root;
    root.inode = {1};
    tree_[""] = root;
  }

  /// Puts a file there without a request. From the test's thread, while nothing else runs.
  file_info add_file(const std::string& path, std::string bytes, std::string type = "text/plain",
                     std::int64_t modified = 784'111'777'000) {
    file_info info;
    info.type = file_info::kind::file;
    info.content = {hash(bytes), {bytes.size()}};
    info.version = {{1}, {++version_}};
    info.modified = {modified};
    info.properties.content_type = std::move(type);
    contents_[info.content.sha256] = std::move(bytes);
    make_parents(path);
    tree_[path] = info;
    return info;
  }
  void add_directory(const std::string& path) {
    make_parents(path);
    file_info info;
    info.version = {{1}, {++version_}};
    info.modified = {784'111'777'000};
    tree_[path] = info;
  }
  void replace(const std::string& path, const file_info& info) { tree_[path] = info; }
  /// What is kept for the content of a file is something else from now on.
  void spoil(const std::string& path, std::string bytes) {
    contents_.at(tree_.at(path).content.sha256) = std::move(bytes);
  }
  bool has(const std::string& path) const { return tree_.count(path) > 0; }
  const std::string& bytes_at(const std::string& path) const { return contents_.at(tree_.at(path).content.sha256); }

 protected:
  void make_parents(const std::string& path) {
    for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1))
      tree_.emplace(path.substr(0, slash), file_info{});
  }

  errc check(const precondition& when, const std::string& path) const {
    auto found = tree_.find(path);
    const bool there = found != tree_.end();
    auto tag = there ? found->second.etag() : std::string{};
    auto in = [&](const std::vector<std::string>& tags) {
      return std::find(tags.begin(), tags.end(), tag) != tags.end();
    };
    if (when.if_match_any && !there) return errc::precondition_failed;
    if (!when.if_match.empty() && (!there || !in(when.if_match))) return errc::precondition_failed;
    if (when.if_none_match_any && there) return errc::precondition_failed;
    if (!when.if_none_match.empty() && there && in(when.if_none_match)) return errc::precondition_failed;
    if (when.if_match.empty() && when.if_unmodified_since && there &&
        found->second.modified.value / 1000 > when.if_unmodified_since->value / 1000)
      return errc::precondition_failed;
    return errc::none;
  }

  errc fold(put_file& put, client_write& what, write_outcome& out) {
    const auto& path = put.path.text();
    if (auto failed = check(what.when, path); failed != errc::none) return failed;
    if (!put.make_parents && tree_.count(put.path.parent().text()) == 0) return errc::parent_missing;
    auto found = tree_.find(path);
    if (found != tree_.end() && found->second.is_directory()) return errc::is_a_directory;
    out.created = found == tree_.end();
    if (put.content == content_ref{}) {
      put.content = {hash(what.small_content), {what.small_content.size()}};
      contents_[put.content.sha256] = std::move(what.small_content);
    }
    make_parents(path);
    file_info info;
    info.type = file_info::kind::file;
    info.content = put.content;
    info.properties = put.properties;
    info.version = {{1}, {version_}};
    info.modified = {784'111'777'000};
    tree_[path] = out.file = info;
    return errc::none;
  }
  errc fold(make_directory& make, client_write& what, write_outcome& out) {
    const auto& path = make.path.text();
    if (auto failed = check(what.when, path); failed != errc::none) return failed;
    if (tree_.count(path) > 0) return errc::already_exists;
    if (!make.make_parents && tree_.count(make.path.parent().text()) == 0) return errc::parent_missing;
    add_directory(path);
    out.created = true;
    out.file = tree_[path];
    return errc::none;
  }
  errc fold(remove_path& remove, client_write& what, write_outcome&) {
    const auto path = remove.path.text();
    if (tree_.count(path) == 0 || (remove.directory_only && !tree_[path].is_directory())) return errc::not_found;
    if (auto failed = check(what.when, path); failed != errc::none) return failed;
    auto below = [&](const auto& item) { return item.first.starts_with(path + "/"); };
    if (!remove.recursive && std::any_of(tree_.begin(), tree_.end(), below)) return errc::directory_not_empty;
    std::erase_if(tree_, [&](const auto& item) { return item.first == path || below(item); });
    return errc::none;
  }
  errc fold(change_properties& change, client_write& what, write_outcome& out) {
    const auto& path = change.path.text();
    auto found = tree_.find(path);
    if (found == tree_.end()) return errc::not_found;
    if (auto failed = check(what.when, path); failed != errc::none) return failed;
    if (found->second.is_directory()) return errc::is_a_directory;
    found->second.properties = *kaiku::apply(change.patch, found->second.properties);
    found->second.version = {{1}, {version_}};
    out.file = found->second;
    return errc::none;
  }
  errc fold(move_path& move, client_write& what, write_outcome& out) {
    auto failed = transfer(move.from.text(), move.to.text(), move.overwrite, what, out);
    if (failed != errc::none) return failed;
    const auto from = move.from.text();
    std::erase_if(tree_, [&](const auto& item) { return item.first == from || item.first.starts_with(from + "/"); });
    return errc::none;
  }
  errc fold(copy_path& copy, client_write& what, write_outcome& out) {
    return transfer(copy.from.text(), copy.to.text(), copy.overwrite, what, out);
  }
  errc transfer(const std::string& from, const std::string& to, bool overwrite, client_write& what,
                write_outcome& out) {
    if (tree_.count(from) == 0) return errc::not_found;
    if (from == to || to.starts_with(from + "/")) return errc::bad_request;
    out.created = tree_.count(to) == 0;
    if (!out.created && !overwrite) return errc::precondition_failed;
    if (auto failed = check(what.when, from); failed != errc::none) return failed;
    make_parents(to);
    std::map<std::string, file_info> fresh;
    for (const auto& [path, info] : tree_)
      if (path == from || path.starts_with(from + "/")) fresh[to + path.substr(from.size())] = info;
    for (auto& [path, info] : fresh) tree_[path] = info;
    out.file = tree_[to];
    return errc::none;
  }
  template <class Other>
  errc fold(Other&, client_write&, write_outcome&) {
    return errc::bad_request;
  }

  std::map<std::string, file_info> tree_;
  std::map<digest, std::string> contents_;
  std::uint64_t version_ = 100;
};

}  // namespace kaiku::test
