/// A cluster that asks for tokens.

#include <fstream>

#include "cli/command_line.hpp"
#include "support/command.hpp"

namespace {

using namespace kaiku::test;

struct guarded {
  guarded() {
    reader = make("reader", "read");
    admin = make("operator", "admin");
    cluster = std::make_unique<test_cluster>(cluster_options{.nodes = 1, .extra = {"--auth-file", file()}});
  }
  std::string file() const { return (cli_work() / "auth.json").string(); }
  std::string make(const std::string& name, const std::string& scope) const {
    auto token = run_command({kaikud_program(), "token", "new", "--file", file(), "--name", name, "--scope", scope});
    token.erase(token.find_last_not_of('\n') + 1);
    return token;
  }
  environment as(const std::string& token) const {
    environment out{{"KAIKU_URL", "http://" + to_string(cluster->node(0).http())}};
    if (!token.empty()) out["KAIKU_TOKEN"] = token;
    return out;
  }

  std::string reader, admin;
  std::unique_ptr<test_cluster> cluster;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(access_, guarded)

BOOST_AUTO_TEST_CASE(a_token_comes_from_the_environment_or_a_file_and_what_it_may_not_is_said) {
  const auto nobody = run_kaiku({"ls"}, as(""));
  BOOST_TEST(nobody.code == 5, nobody);
  BOOST_TEST(nobody.err.find("set KAIKU_TOKEN or --token-file") != std::string::npos, nobody);
  BOOST_TEST(run_kaiku({"ls"}, as(reader)).code == 0);
  write_file(cli_work() / "f", "x");
  const auto refused = run_kaiku({"put", cli_work() / "f", "f"}, as(reader));
  BOOST_TEST(refused.code == 5, refused);
  BOOST_TEST(refused.err.find("/f: not allowed: ") != std::string::npos, refused);
  BOOST_TEST(refused.err.find("write") != std::string::npos, refused);
  write_file(cli_work() / "token", admin + "\n");
  BOOST_TEST(run_kaiku({"put", cli_work() / "f", "f", "--token-file", cli_work() / "token"}, as("")).code == 0);
  BOOST_TEST(run_kaiku({"cluster"}, as(reader)).code == 5);
  BOOST_TEST(run_kaiku({"cluster"}, as(admin)).code == 0);
  BOOST_TEST(run_kaiku({"ls"}, as("with spaces in it")).code == 2);
  for (const auto& token : {reader, admin}) BOOST_TEST((refused.err + nobody.err).find(token) == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_token_that_may_only_write_puts_directories) {
  const auto writer = make("writer", "write");
  write_file(cli_work() / "here/a/f", "x");
  cluster->wait_for("the token is known", milliseconds{10'000}, [&] {
    return run_kaiku({"put", "-r", cli_work() / "here", "written"}, as(writer)).code == 0;
  });
  BOOST_TEST(run_kaiku({"cat", "written/a/f"}, as(reader)).out == "x");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(tls_)

BOOST_AUTO_TEST_CASE(nodes_are_believed_by_the_authority_that_signs_their_certificates) {
  test_cluster cluster({.nodes = 1, .tls = true});
  const environment of{{"KAIKU_URL", "https://" + to_string(cluster.node(0).http())}};
  write_file(cli_work() / "f", "x");
  const auto unknown = run_kaiku({"put", cli_work() / "f", "f"}, of);
  BOOST_TEST(unknown.code == 6, unknown);
  BOOST_TEST(unknown.err.find("certificate") != std::string::npos, unknown);
  BOOST_TEST(run_kaiku({"put", cli_work() / "f", "f", "--cacert", cluster.authority().file()}, of).code == 0);
  auto with_authority = of;
  with_authority["KAIKU_CACERT"] = cluster.authority().file();
  BOOST_TEST(run_kaiku({"cat", "f"}, with_authority).out == "x");
}

BOOST_AUTO_TEST_SUITE_END()
