#define BOOST_TEST_MODULE kaiku
#include <boost/test/unit_test.hpp>

#ifdef __SANITIZE_THREAD__
/// RocksDB and CAF are libraries of the system, not built with the thread sanitizer: their lock-free structures look
/// like races. Accesses made inside such libraries are left out; ours are watched.
// NOLINTNEXTLINE: the sanitizer gives the name.
extern "C" const char* __tsan_default_options() {
  return "ignore_noninstrumented_modules=1";
}
#endif
