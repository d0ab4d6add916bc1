#pragma once

/// Purpose: one file on its way out of the store, to a file here or to standard output. Lifecycle: `begin` once; it
/// lives until `then` was called. Thread: the process's only one.
///
/// What is here already with the same digest is not fetched. What a broken attempt has left of the same version is
/// continued (`Range` with `If-Range`), also on another node. The whole is checked against `Repr-Digest`.

#include <functional>
#include <memory>

#include "kaiku/cli/copying.hpp"
#include "kaiku/cli/local_folder.hpp"
#include "kaiku/cli/partial_file.hpp"
#include "kaiku/cli/remote.hpp"

namespace kaiku::cli {

struct download_order {
  file_path from;
  std::uint64_t size = 0;  ///< as the listing or a HEAD has it, like the ETag; both empty for standard output
  std::string etag = {};
  std::optional<sha256> digest = {};               ///< when it is known
  std::shared_ptr<const open_folder> folder = {};  ///< empty: standard output
  std::string name = {};                           ///< in the folder
  std::string local = {};                          ///< as a person names it
};

class download : public std::enable_shared_from_this<download> {
 public:
  using then = std::function<void(copied)>;

  /// Given up before its end: what is here of it stays, for the next attempt.
  ~download() { let_go(); }

  static std::shared_ptr<download> make(session& with, download_order what, then done) {
    return std::shared_ptr<download>(new download(with, std::move(what), std::move(done)));
  }
  void begin();

 private:
  download(session& with, download_order what, then done)
      : with_(with), what_(std::move(what)), then_(std::move(done)) {}

  bool looks_the_same();
  void ask_digest();
  void compare();
  void open_partial();
  void let_go();
  void hash_partial();
  void fetch();
  request get_request();
  bool take(const answer& head, std::string_view piece);
  bool begin_answer(const answer& head);
  status start_over();
  void fetched(const answer& got);
  void check(const answer& got);
  void end(std::optional<failure> failed = std::nullopt);
  void read_all(int fd, std::function<void(std::optional<std::string> trouble)> done);

  session& with_;
  download_order what_;
  then then_;
  descriptor here_;  ///< what stands in the target's place
  std::optional<partial_file> partial_;
  sha256_sum sum_;
  std::uint64_t at_ = 0;       ///< bytes that are here and hashed
  std::uint64_t spared_ = 0;   ///< of these, left by an earlier attempt
  std::string version_;        ///< the ETag they are of
  bool answer_begun_ = false;  ///< the header of this attempt's answer was looked at
  bool damaged_before_ = false;
  std::string local_trouble_;
  copied out_;
};

}  // namespace kaiku::cli
