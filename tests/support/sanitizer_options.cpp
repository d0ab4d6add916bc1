/// What the thread sanitizer is told in every program of the tests. RocksDB and CAF are libraries of the system, not
/// built with it: their lock-free structures look like races, and so does everything that CAF hands from one thread to
/// another (messages, the state of an actor that another thread of the scheduler runs next), because the sanitizer does
/// not see the atomics in between. What only runs under CAF is therefore left out: its order is CAF's promise. Watched
/// are the link layer, the HTTP server and the store, with all that they share with actors outside of messages.

#ifdef __SANITIZE_THREAD__
// NOLINTNEXTLINE: the sanitizer gives the names.
extern "C" const char* __tsan_default_options() {
  return "ignore_noninstrumented_modules=1";
}
// NOLINTNEXTLINE
extern "C" const char* __tsan_default_suppressions() {
  return "race:libcaf_core.so\nrace:libcaf_io.so\n";
}
#endif
