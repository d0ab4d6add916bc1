/// RocksDB is a library of the system, not built with the thread sanitizer: its lock-free tables look like races.
/// Accesses made inside such libraries are left out; ours are watched.
// NOLINTNEXTLINE: the sanitizer gives the name.
extern "C" const char* __tsan_default_options() {
  return "ignore_noninstrumented_modules=1";
}
