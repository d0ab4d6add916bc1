#pragma once

/// Purpose: a node in memory for tests of the HTTP side: a tree of files, uploads into one string, outcomes and errors
/// as a test sets them. Callbacks come through the io_context, as the contract says. Thread: that of `io`; a test may
/// touch it from outside only while no request is under way.

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <openssl/evp.h>
#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "fake_tree.hpp"
#include "kaiku/core/invariant.hpp"
#include "kaiku/messages/committed_view.hpp"

namespace kaiku::test {

class fake_gateway final : public gateway, public fake_tree {
 public:
  explicit fake_gateway(boost::asio::io_context& io) : io_(io) {
    view_.self.name = "node-0";
    view_.now = role::leader;
    view_.in_term = {3};
    view_.leader.name = "node-0";
    view_.applied = {41};
    view_.committed = {40};
    view_.leader_contact = milliseconds{7};
    view_.ready = true;
    view_.cluster.bytes[0] = 0xab;
  }

  // --- what tests set ---------------------------------------------------------------------------------------------
  node_view view_;
  errc fail_write = errc::none;  ///< every write fails with it
  errc fail_upload_open = errc::none;
  errc fail_upload_piece = errc::none;  ///< the second piece and later ones
  errc fail_open = errc::none;
  std::optional<std::uint64_t> damaged_at;   ///< this byte of large content can't be read
  milliseconds disk_takes{};                 ///< for a piece of large content
  errc fail_read = errc::none;               ///< fresher reads than `any` fail with it
  errc fail_question = errc::none;           ///< `find_write`, `change_members`, `transfer_leadership` fail with it
  std::shared_ptr<const file_view> fresher;  ///< what fresher reads than `any` see; empty: the same tree
  write_status fate{write_status::fate::majority, 2, 3};
  durability achieved = durability::majority;
  durability asked_by_default = durability::leader;
  bool learner = false;  ///< the second member does not vote
  std::optional<lost_entries> possibly_lost;
  std::vector<displaced_write> displaced;
  scrub_view scrubbed;
  cluster_report reported;                           ///< each watcher gets it with the next beat
  std::function<void(cluster_report&)> before_beat;  ///< changes it, on the I/O thread
  actor_detail detailed;
  timeline_report happened;
  trace_report traced;
  std::function<void()> before_write;  ///< called in front of each write, once it is answered
  bool hold_writes = false;            ///< keep callbacks until `release_writes`
  bool keep_uploads = true;            ///< false: count and hash only, for bounded memory

  // --- what tests look at -----------------------------------------------------------------------------------------
  std::atomic<int> writes{0};
  std::atomic<int> uploads_open{0};
  std::atomic<int> uploads_begun{0};
  std::atomic<std::uint64_t> uploaded_bytes{0};
  std::atomic<std::size_t> largest_piece{0};
  std::atomic<int> held{0};
  client_write last_write;
  mutable std::atomic<int> pieces_read{0};  ///< of large content
  std::atomic<int> reads{0};                ///< fresher than `any`
  freshness last_freshness;
  write_token last_token;
  member_change last_member_change;
  node_id last_transfer;
  std::atomic<int> scrubs_begun{0};
  std::atomic<int> watched{0};  ///< how often a stream asked

  void release_writes() {
    boost::asio::post(io_, [this] {
      for (auto& one : held_) one();
      held_.clear();
    });
  }

  // --- gateway ----------------------------------------------------------------------------------------------------
  node_view view() const override { return view_; }

  cluster_view cluster() const override {
    cluster_view out;
    out.members.push_back({{"node-0"}, "127.0.0.1:9000", "127.0.0.1:8000", true, true, milliseconds{0}, log_index{41}});
    out.members.push_back({{"node-1"}, "127.0.0.1:9001", "", !learner, false, std::nullopt, std::nullopt});
    out.actors.push_back({"election", 5, 10, 9});
    out.free_space = {1 << 30};
    out.possibly_lost = possibly_lost;
    return out;
  }

  void read(const freshness& how, std::function<void(result<std::shared_ptr<const file_view>>)> done) override {
    last_freshness = how;
    if (how.level == consistency::any) return done(own_view());
    ++reads;
    boost::asio::post(io_, [this, done = std::move(done)] {
      if (fail_read != errc::none) return done(error{fail_read, "read fails"});
      done(fresher ? fresher : std::make_shared<moment>(*this));
    });
  }
  void find_write(const write_token& token, std::function<void(result<write_status>)> done) override {
    last_token = token;
    boost::asio::post(io_, [this, done = std::move(done)] {
      if (fail_question != errc::none) return done(error{fail_question, "question fails"});
      done(fate);
    });
  }
  void change_members(const member_change& what, std::function<void(status)> done) override {
    last_member_change = what;
    answer(std::move(done));
  }
  void transfer_leadership(const node_id& to, std::function<void(status)> done) override {
    last_transfer = to;
    answer(std::move(done));
  }

  result<displaced_page> set_aside(const log_position& after, std::size_t limit) const override {
    displaced_page page;
    for (const auto& one : displaced) {
      if (one.token.at <= after) continue;
      page.more = page.entries.size() == limit;
      if (page.more) break;
      page.entries.push_back(one);
    }
    return page;
  }
  result<displaced_write> set_aside_at(const log_position& at) const override {
    for (const auto& one : displaced)
      if (one.token.at == at) return one;
    return {errc::not_found, "nothing is set aside there"};
  }
  void purge_set_aside(const log_position& at, std::function<void(status)> done) override {
    std::erase_if(displaced, [&](const auto& one) { return one.token.at == at; });
    boost::asio::post(io_, [done = std::move(done)] { done(success()); });
  }
  void scrub(bool start, std::function<void(result<scrub_view>)> done) override {
    if (start) ++scrubs_begun;
    boost::asio::post(io_, [this, done = std::move(done)] { done(scrubbed); });
  }

  void inspect(const node_id& only, bool watch, std::function<void(result<cluster_report_ptr>)> done) override {
    boost::asio::post(io_, [this, only, watch, done = std::move(done)] {
      if (fail_question != errc::none) return done(error{fail_question, "question fails"});
      if (watch) {
        ++watched;
        if (before_beat) before_beat(reported);
        ++reported.beat;
      }
      auto told = std::make_shared<cluster_report>(reported);
      if (!only.name.empty()) std::erase_if(told->members, [&](const auto& one) { return one.id != only; });
      if (told->members.empty()) return done(error{errc::not_found, "no such member"});
      done(cluster_report_ptr{told});
    });
  }
  void inspect_actor(const node_id& at, actor_number which,
                     std::function<void(result<std::shared_ptr<const actor_detail>>)> done) override {
    boost::asio::post(io_, [this, at, which, done = std::move(done)] {
      for (const auto& member : reported.members)
        for (const auto& one : member.said.actors) {
          if (member.id != at || one.number != which) continue;
          auto detail = std::make_shared<actor_detail>(detailed);
          detail->actor = one;
          return done(std::shared_ptr<const actor_detail>{detail});
        }
      done(error{errc::not_found, "no such actor"});
    });
  }
  void timeline(std::function<void(result<std::shared_ptr<const timeline_report>>)> done) override {
    boost::asio::post(io_, [this, done = std::move(done)] { done(std::make_shared<const timeline_report>(happened)); });
  }
  void trace(const trace_id& id, std::function<void(result<std::shared_ptr<const trace_report>>)> done) override {
    boost::asio::post(io_, [this, id, done = std::move(done)] {
      if (traced.id != id) return done(error{errc::not_found, "no such trace"});
      done(std::make_shared<const trace_report>(traced));
    });
  }

  result<file_info> stat(const file_path& path) const override {
    auto found = tree_.find(path.text());
    if (found == tree_.end()) return {errc::not_found, "nothing at /" + path.text()};
    return found->second;
  }

  result<directory_page> list(const file_path& path, std::string_view after, std::size_t limit,
                              const list_filter& what) const override {
    auto info = stat(path);
    if (!info) return info.failure();
    if (!info->is_directory()) return {errc::not_a_directory, "a file"};
    const auto prefix = path.is_root() ? std::string{} : path.text() + "/";
    directory_page page;
    for (const auto& [name, child] : tree_) {
      if (name.empty() || !name.starts_with(prefix)) continue;
      auto rest = name.substr(prefix.size());
      if (rest.empty() || rest <= after || !rest.starts_with(what.prefix)) continue;
      if (!what.recursive && rest.find('/') != std::string::npos) continue;
      if (page.entries.size() == limit) {
        page.more = true;
        break;
      }
      page.entries.push_back({rest, child});
      page.next = rest;
    }
    return page;
  }

  result<opened_content> open(const content_ref& content) const override {
    if (fail_open != errc::none) return {fail_open, "open fails"};
    auto found = contents_.find(content.sha256);
    if (found == contents_.end()) return {errc::content_missing, "no such content"};
    opened_content out;
    out.size = content.size;
    if (content.is_small()) {
      out.bytes = found->second;
      return out;
    }
    out.file = std::make_unique<memory_reader>(found->second, damaged_at, *this);
    return out;
  }

  void write(client_write what, std::function<void(result<write_outcome>)> done) override {
    ++writes;
    auto answer = [this, what = std::move(what), done = std::move(done)]() mutable { done(apply(std::move(what))); };
    if (hold_writes) {
      held_.push_back(std::move(answer));
      ++held;
      return;
    }
    boost::asio::post(io_, std::move(answer));
  }

  void begin_upload(byte_count expected, std::function<void(result<std::unique_ptr<upload>>)> done) override {
    ++uploads_begun;
    last_expected = expected;
    boost::asio::post(io_, [this, done = std::move(done)] {
      if (fail_upload_open != errc::none) return done(error{fail_upload_open, "no upload now"});
      done(std::unique_ptr<upload>(std::make_unique<fake_upload>(*this)));
    });
  }

  byte_count last_expected;

 private:
  std::shared_ptr<const file_view> own_view() const { return {std::shared_ptr<void>{}, this}; }
  /// The tree as it is, under the name of what is committed.
  struct moment final : committed_view {
    explicit moment(const fake_gateway& x) : of(x) {}
    result<file_info> stat(const file_path& path) const override { return of.stat(path); }
    result<directory_page> list(const file_path& path, std::string_view after, std::size_t limit,
                                const list_filter& what) const override {
      return of.list(path, after, limit, what);
    }
    log_position last() const override { return {of.view_.in_term, of.view_.committed}; }
    const fake_gateway& of;
  };
  void answer(std::function<void(status)> done) {
    boost::asio::post(io_, [this, done = std::move(done)] {
      if (fail_question != errc::none) return done(error{fail_question, "question fails"});
      done(success());
    });
  }

  class fake_upload final : public upload {
   public:
    explicit fake_upload(fake_gateway& node) : node_(node), hash_(EVP_MD_CTX_new()) {
      EVP_DigestInit_ex(hash_, EVP_sha256(), nullptr);
      ++node_.uploads_open;
    }
    ~fake_upload() override {
      EVP_MD_CTX_free(hash_);
      --node_.uploads_open;
    }
    void write(std::string bytes, std::function<void(status)> ready) override {
      node_.largest_piece = std::max(node_.largest_piece.load(), bytes.size());
      node_.uploaded_bytes += bytes.size();
      EVP_DigestUpdate(hash_, bytes.data(), bytes.size());
      size_ += bytes.size();
      if (node_.keep_uploads) bytes_ += bytes;
      const bool fails = node_.fail_upload_piece != errc::none && ++pieces_ > 1;
      boost::asio::post(node_.io_, [fails, code = node_.fail_upload_piece, ready = std::move(ready)] {
        ready(fails ? status{code, "a piece failed"} : success());
      });
    }
    void finish(std::function<void(result<content_ref>)> done) override {
      content_ref named;
      unsigned size = 0;
      EVP_DigestFinal_ex(hash_, named.sha256.bytes.data(), &size);
      named.size = {size_};
      if (node_.keep_uploads) node_.contents_[named.sha256] = std::move(bytes_);
      boost::asio::post(node_.io_, [named, done = std::move(done)] { done(named); });
    }

   private:
    fake_gateway& node_;
    EVP_MD_CTX* hash_;
    std::string bytes_;
    std::uint64_t size_ = 0;
    int pieces_ = 0;
  };

  /// Large content: a copy.
  class memory_reader final : public content_reader {
   public:
    memory_reader(std::string bytes, std::optional<std::uint64_t> damaged_at, const fake_gateway& from)
        : bytes_(std::move(bytes)), damaged_at_(damaged_at), from_(from) {}
    status read(std::uint64_t offset, std::span<char> into) const override {
      INVARIANT(offset + into.size() <= bytes_.size(), "what is read lies within the content");
      if (damaged_at_ && *damaged_at_ >= offset && *damaged_at_ < offset + into.size())
        return {errc::corrupt, "the content is damaged"};
      ++from_.pieces_read;
      std::this_thread::sleep_for(from_.disk_takes);
      std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), into.size(), into.begin());
      return success();
    }
    void drop_cached() const override {}

   private:
    std::string bytes_;
    std::optional<std::uint64_t> damaged_at_;
    const fake_gateway& from_;
  };

  result<write_outcome> apply(client_write what) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    set_time(what.what, {std::chrono::duration_cast<milliseconds>(now).count()});  // as the leader does
    last_write = what;
    if (before_write) before_write();
    if (fail_write != errc::none) return {fail_write, "this write fails"};
    write_outcome out;
    out.token = {tag_of(view_.cluster), {view_.in_term, {++version_}}};
    out.asked = what.want.value_or(asked_by_default);
    out.achieved = achieved;
    out.holders = static_cast<std::size_t>(achieved);
    out.voters = 3;
    const auto* key = key_of(what.what);
    if (key != nullptr) {
      if (auto known = answered_.find(key->key); known != answered_.end()) {
        if (known->second.first != key->fingerprint) return {errc::key_reused, "another request had this key"};
        known->second.second.repeated = true;
        return known->second.second;
      }
    }
    auto failed = std::visit([&](auto& one) { return fold(one, what, out); }, what.what);
    if (failed != errc::none) return {failed, "refused"};
    if (key != nullptr) answered_[key->key] = {key->fingerprint, out};
    return out;
  }

  boost::asio::io_context& io_;
  std::vector<std::function<void()>> held_;
  std::map<digest, std::pair<digest, write_outcome>> answered_;  ///< by the requests' keys
};

}  // namespace kaiku::test
