#pragma once

/// Purpose: makes fsync and fdatasync of this test program fail, those inside RocksDB too.
/// Thread: any.

namespace kaiku::test {

/// While one lives, every fsync and fdatasync fails with EIO.
class failing_syncs {
 public:
  failing_syncs();
  ~failing_syncs();
  failing_syncs(const failing_syncs&) = delete;
  failing_syncs& operator=(const failing_syncs&) = delete;
};

}  // namespace kaiku::test
