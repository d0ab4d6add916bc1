/// What the thread sanitizer is told in every program of the tests. RocksDB and CAF are libraries of the system, not
/// built with it: their lock-free structures look like races, and a message that CAF hands from one thread to another
/// looks unsynchronised. What they do themselves is left out, our own accesses are watched.

#ifdef __SANITIZE_THREAD__
// NOLINTNEXTLINE: the sanitizer gives the names.
extern "C" const char* __tsan_default_options() {
  return "ignore_noninstrumented_modules=1";
}
// NOLINTNEXTLINE
extern "C" const char* __tsan_default_suppressions() {
  return "race:caf::detail::tuple_vals_impl\n";
}
#endif
