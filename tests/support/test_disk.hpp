#pragma once

/// Purpose: a disk of a test's own that can fail, as its power can: ext4 in a file, mounted at a directory.
/// Lifecycle: mounted from the constructor on; the destructor unmounts it, even under a running process, and leaves the
/// file that holds it.
/// Thread: one.

#include <filesystem>
#include <string>

namespace kaiku::test {

class test_disk {
 public:
  /// Makes the file `<where>.img` and mounts it at `where`. Throws std::runtime_error.
  explicit test_disk(std::filesystem::path where);
  ~test_disk();
  test_disk(const test_disk&) = delete;
  test_disk& operator=(const test_disk&) = delete;

  /// Why there can be none on this machine (needs root, a loop device, e2fsprogs); empty when there can.
  static const std::string& unavailable();

  /// The power fails (EXT4_IOC_SHUTDOWN without flushing the journal): what was not synced never gets to the disk, and
  /// whoever still uses it gets EIO.
  void cut_power();
  /// The file system finds an error in itself and takes no more writes (EROFS), as a failing disk makes it do.
  void fail_to_read_only();
  /// Whoever writes to it waits for as long as this lives, without an error (FIFREEZE): a process that does can't be
  /// killed before its end, nor ends before it. Throws std::runtime_error.
  class hang {
   public:
    explicit hang(const test_disk& disk);
    ~hang();
    hang(const hang&) = delete;
    hang& operator=(const hang&) = delete;

   private:
    int directory_;
  };
  /// Unmounted and mounted again, which replays the journal. Nobody may use it any more. Throws std::runtime_error.
  void restore();

 private:
  void mount();

  std::filesystem::path where_;
  std::filesystem::path image_;
};

}  // namespace kaiku::test
