// /cluster/backup: the whole tree at one moment, as an archive (storage/archive/backup.hpp), while the node goes on.

#include <spdlog/spdlog.h>

#include <array>
#include <charconv>

#include "kaiku/archive/backup.hpp"
#include "kaiku/archive/limits.hpp"
#include "kaiku/core/wall_clock.hpp"
#include "kaiku/http/api/access.hpp"
#include "kaiku/http/api/freshness.hpp"
#include "kaiku/http/api/handlers.hpp"
#include "kaiku/http/api/problem.hpp"
#include "kaiku/http/server/bridge.hpp"
#include "kaiku/messages/committed_view.hpp"

namespace kaiku {
namespace {

using view_ptr = std::shared_ptr<const committed_view>;

/// Frames its own bytes as chunks (RFC 9112, 7.1), so that a client can tell an archive that broke off from one that
/// has ended: the last chunk comes behind a whole archive only.
class backup_stream final : public body_source {
 public:
  backup_stream(exchange& ex, view_ptr from, backup_moment of, std::unique_ptr<counted_place> place)
      : ex_(ex), from_(std::move(from)), writer_(of), place_(std::move(place)), chunked_(ex.in.version == 11) {}

  task<std::string> next() override { co_return produce(); }

 private:
  enum class stage { manifest, root, entries, content, end, over };

  std::string produce() {
    std::string out;
    while (stage_ != stage::over && out.size() < archive_limits::piece_bytes) {
      if (ex_.draining || ex_.abandoned) return break_off("this node is stopping");
      if (auto stepped = step(out); !stepped) return break_off(stepped.failure().detail);
    }
    if (out.empty() || !chunked_) return out;
    std::array<char, 16> size{};
    const auto digits = std::to_chars(size.data(), size.data() + size.size(), out.size(), 16);
    auto framed = std::string(size.data(), digits.ptr) + "\r\n" + out + "\r\n";
    return stage_ == stage::over ? framed + "0\r\n\r\n" : framed;
  }

  std::string break_off(const std::string& why) {
    spdlog::error("the backup of entry {} broke off: {}", from_->last().index.value, why);
    stage_ = stage::over;
    return {};
  }

  /// Adds what comes next.
  status step(std::string& out) {
    switch (stage_) {
      case stage::manifest:
        out += writer_.begin();
        stage_ = stage::root;
        return success();
      case stage::root: {
        auto root = from_->stat({});
        if (!root) return root.failure();
        out += writer_.head({}, *root);
        stage_ = stage::entries;
        return success();
      }
      case stage::entries: return step_entry(out);
      case stage::content: return step_content(out);
      case stage::end:
        out += writer_.end();
        stage_ = stage::over;
        spdlog::info("the backup of entry {} is written: {} files, {} bytes", from_->last().index.value,
                     writer_.totals().files, writer_.totals().bytes.value);
        return success();
      case stage::over: break;
    }
    return success();
  }

  status step_entry(std::string& out) {
    if (at_ == page_.entries.size()) {
      if (looked_ && !page_.more) {
        stage_ = stage::end;
        return success();
      }
      auto page = from_->list({}, page_.next, archive_limits::page_entries, {{}, true});
      if (!page) return page.failure();
      page_ = std::move(*page);
      at_ = 0;
      looked_ = true;
      return success();
    }
    const auto& [name, info] = page_.entries[at_++];
    if (name.size() > archive_limits::path_bytes) return too_deep(name);
    auto path = file_path::parse_any_length(name);
    INVARIANT(path.ok(), "a tree has names that were checked");
    if (!info.is_directory()) {
      auto opened = ex_.node.open(info.content);
      if (!opened) return about(*path, opened.failure());
      file_ = open_file{*path, info.content, std::move(*opened), {}, {}};
      stage_ = stage::content;
    }
    out += writer_.head(*path, info);
    return success();
  }

  status step_content(std::string& out) {
    auto& x = *file_;
    if (x.done < x.what.size) {
      std::string piece;
      if (x.content.file) {
        piece.resize(piece_at(x.done.value, x.what.size.value - x.done.value));
        if (auto read = x.content.file->read(x.done.value, piece); !read) return about(x.path, read.failure());
      } else {
        piece = std::move(x.content.bytes);
      }
      x.sum.add(piece);
      x.done.value += piece.size();
      if (x.done > x.what.size || piece.empty()) return about(x.path, {errc::corrupt, "its content has another size"});
      out += piece;
      return success();
    }
    if (x.sum.so_far() != x.what.sha256) return about(x.path, {errc::corrupt, "its content does not match its digest"});
    out += writer_.end_of_content(x.what.size);
    file_.reset();
    stage_ = stage::entries;
    return success();
  }

  static status too_deep(std::string_view path) {
    // As much of it as can be named.
    return {errc::invalid_path, "/" + std::string{path.substr(0, path.rfind('/', limits::path_bytes))} +
                                    " has a path of " + std::to_string(path.size()) +
                                    " bytes below it, more than an archive takes; move a part of it up"};
  }

  static status about(const file_path& path, const error& why) {
    return {why.code, "/" + path.text() + ": " + why.detail +
                          "; what is damaged here is brought again from another node, so try again, or there"};
  }

  /// A file whose content is being written.
  struct open_file {
    file_path path;
    content_ref what;
    opened_content content;
    running_sum sum;
    byte_count done;
  };

  exchange& ex_;
  view_ptr from_;
  backup_writer writer_;
  std::unique_ptr<counted_place> place_;
  bool chunked_;
  stage stage_ = stage::manifest;
  directory_page page_;
  std::size_t at_ = 0;   ///< in the page
  bool looked_ = false;  ///< there is a page
  std::optional<open_file> file_;
};

result<freshness> parse_moment(const exchange& ex) {
  const auto query = query_parameters::parse(ex.query, {"consistency"});
  if (!query) return query.failure();
  auto how = parse_freshness(ex.in, *query);
  if (!how) return how.failure();
  // What only this node knows committed may be as old as its last contact: who wants that has to say so.
  if (how->level == consistency::any) how->level = consistency::linearizable;
  if (how->level != consistency::committed && how->level != consistency::linearizable)
    return {errc::bad_request, "a backup is of a committed state: consistency is committed or linearizable"};
  return how;
}

}  // namespace

task<response> write_backup(exchange& ex) {
  const auto how = parse_moment(ex);
  if (!how) co_return problem(how.failure());
  // All there is: not for a token that is for a part of it.
  if (auto refused = check_reach(ex, make_directory{})) co_return std::move(*refused);
  auto place = std::make_unique<counted_place>(ex.backups, archive_limits::backups_at_once);
  if (!place->has()) co_return problem({errc::overloaded, "this node writes as many backups as it does at once"});
  auto view = co_await ask<result<std::shared_ptr<const file_view>>>(
      ex, [&](auto done) { ex.node.read(*how, std::move(done)); });
  if (!view) co_return problem(view.failure());
  auto from = std::dynamic_pointer_cast<const committed_view>(*view);
  INVARIANT(from != nullptr, "a committed read gives a view that knows its moment");
  const auto node = ex.node.view();
  const backup_moment moment{node.cluster, node.self, from->last(), wall_clock()};
  const write_token token{tag_of(node.cluster), moment.at};
  spdlog::info("a backup of entry {} begins, {}, for {}", moment.at.index.value, to_string(how->level), ex.client);
  response out;
  out.add("Content-Type", "application/x-tar");
  out.add("Content-Disposition", "attachment; filename=\"kaiku-" + to_string(moment.at.index) + ".tar\"");
  out.add("Cache-Control", "no-store");
  out.add("X-Content-Type-Options", "nosniff");
  out.add("Kaiku-Token", to_string(token));
  if (ex.in.version == 11) out.add("Transfer-Encoding", "chunked");
  out.stream = std::make_unique<backup_stream>(ex, std::move(from), moment, std::move(place));
  co_return out;
}

}  // namespace kaiku
