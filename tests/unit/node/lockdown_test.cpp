#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include "kaiku/node/lockdown.hpp"

namespace {

struct given_up {
  bool new_privileges = false;
  bool dumps = false;
  bool others_read = false;
};

/// In a process of its own: it is for good.
given_up after_lock_down(bool core_dumps) {
  const pid_t child = ::fork();
  if (child == 0) {
    kaiku::lock_down(core_dumps);
    const int privileges = ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 1 : 0;
    const int undumpable = ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? 2 : 0;
    const int private_files = ::umask(0) == 077 ? 4 : 0;
    ::_exit(privileges | undumpable | private_files);
  }
  BOOST_REQUIRE(child > 0);
  int ended = 0;
  BOOST_REQUIRE_EQUAL(::waitpid(child, &ended, 0), child);
  BOOST_REQUIRE(WIFEXITED(ended));
  const int code = WEXITSTATUS(ended);
  return {(code & 1) != 0, (code & 2) != 0, (code & 4) != 0};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(lock_down)

BOOST_AUTO_TEST_CASE(gives_up_privileges_dumps_and_files_that_others_read) {
  const auto x = after_lock_down(false);
  BOOST_TEST(x.new_privileges);
  BOOST_TEST(x.dumps);
  BOOST_TEST(x.others_read);
}

BOOST_AUTO_TEST_CASE(leaves_dumps_to_who_wants_them) {
  const auto x = after_lock_down(true);
  BOOST_TEST(x.new_privileges);
  BOOST_TEST(!x.dumps);
  BOOST_TEST(x.others_read);
}

BOOST_AUTO_TEST_SUITE_END()
