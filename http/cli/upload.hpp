#pragma once

/// Purpose: one file or one empty directory on its way into the store. Lifecycle: `begin` once; it lives until `then`
/// was called. Thread: the process's only one.
///
/// The file is hashed, the store is asked whether it has that already (when it may be spared), and it is sent with its
/// digest, so that a node refuses what is not the same. Resumption is by whole files: the store has no partial uploads.

#include <filesystem>
#include <functional>
#include <memory>

#include "kaiku/cli/copying.hpp"
#include "kaiku/cli/descriptor.hpp"
#include "kaiku/cli/remote.hpp"

namespace kaiku::cli {

struct upload_order {
  std::filesystem::path local;  ///< `-`: standard input; empty: an empty directory is made
  file_path to;
  /// What stands there may be the same: ask. With an ETag, only when it is still this one.
  bool may_stand = false;
  std::string standing_etag = {};
};

class upload : public std::enable_shared_from_this<upload> {
 public:
  using then = std::function<void(copied)>;

  static std::shared_ptr<upload> make(session& with, upload_order what, then done) {
    return std::shared_ptr<upload>(new upload(with, std::move(what), std::move(done)));
  }
  void begin();

 private:
  upload(session& with, upload_order what, then done) : with_(with), what_(std::move(what)), then_(std::move(done)) {}

  status open();
  void hash();
  void look();
  void send();
  void make_directory();
  void look_for_directory(const answer& refusal);
  void sent(const answer& got);
  void check_stream(const std::string& token);
  request put_request();
  void end(std::optional<failure> failed = std::nullopt);

  session& with_;
  upload_order what_;
  then then_;
  descriptor file_;
  bool stream_ = false;
  std::uint64_t size_ = 0;
  std::string small_;  ///< the content of a small file
  sha256_sum sum_;
  sha256 digest_{};
  std::shared_ptr<body_source> source_;
  std::uint64_t counted_ = 0;  ///< bytes of this attempt that the progress knows
  copied out_;
};

}  // namespace kaiku::cli
