#include "kaiku/node/offline_command.hpp"

#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

#include "kaiku/cli/courier.hpp"
#include "kaiku/cli/limits.hpp"
#include "kaiku/cli/text.hpp"
#include "kaiku/core/decimal.hpp"
#include "kaiku/http/api/http_date.hpp"
#include "kaiku/node/backup_file.hpp"
#include "kaiku/node/lockdown.hpp"
#include "kaiku/node/options.hpp"
#include "kaiku/node/recover.hpp"
#include "kaiku/node/restore.hpp"
#include "kaiku/secrets/secret_file.hpp"

namespace kaiku {
namespace {

constexpr int failed_exit_code = 1;

struct backup_request {
  std::string url = "http://127.0.0.1:8000", token_file, ca_file, certificate_file, key_file, file;
  unsigned wait_s = cli::limits::patience_s;
  bool committed = false;
};

/// Options of the node, as it would be given them.
struct node_words {
  std::string data, name, cluster, advertise_peers, config;
};

struct restore_request {
  node_words node;
  std::string archive;
  bool check = false;
};

struct recover_request {
  node_words node;
  bool force = false, yes = false;
};

// What is said may have words of an archive or a server in it, so it is made fit for a terminal.

int fail(const std::string& why, int code = failed_exit_code) {
  std::fprintf(stderr, "kaikud: %s\n", cli::printable(why).c_str());
  return code;
}

int fail(const error& why) {
  return fail(why.detail, why.code == errc::bad_request ? usage_exit_code : failed_exit_code);
}

void say(const std::string& line) {
  std::fprintf(stderr, "%s\n", cli::printable(line).c_str());
}

std::string described(const restored_backup& x) {
  return "entry " + to_string(x.moment.at.index) + " of term " + to_string(x.moment.at.in_term) + " of cluster " +
         to_string(x.moment.cluster) + ", taken by " + x.moment.node.name + " at " + format_rfc3339(x.moment.time) +
         ": " + std::to_string(x.totals.files) + " files, " + std::to_string(x.totals.directories) + " directories, " +
         std::to_string(x.totals.bytes.value) + " bytes";
}

// --- backup --------------------------------------------------------------------------------------------------------

result<cli::courier_settings> courier_for(const backup_request& asked) {
  auto nodes = cli::addresses::parse(asked.url);
  if (!nodes) return nodes.failure();
  cli::courier_settings how{.nodes = std::move(*nodes),
                            .ca_file = asked.ca_file,
                            .certificate_file = asked.certificate_file,
                            .key_file = asked.key_file,
                            .patience = std::chrono::seconds(asked.wait_s),
                            .follows = false};
  const char* token = std::getenv("KAIKU_TOKEN");
  if (token != nullptr) how.token = token;
  if (!asked.token_file.empty()) {
    auto read = read_secret(asked.token_file, limits::link_frame_bytes);
    if (!read) return read.failure();
    how.token = std::move(*read);
  }
  return how;
}

/// What was written is what will be read when it is needed.
result<restored_backup> check_file(const std::string& name) {
  auto archive = archive_file::open(name);
  if (!archive) return archive.failure();
  return check_backup(*archive);
}

/// Of a backup that no leader was asked about: for how long the node may not have known what it lacks.
std::string remark_on_age(const cli::answer& got) {
  const auto node = got.field("kaiku-node"), contact = got.field("kaiku-leader-contact-ms");
  std::uint64_t age_ms = 0;
  const auto said = "It may lack what was acknowledged elsewhere: " + node + " has ";
  if (!read_decimal(contact, age_ms)) return said + "had no contact with its cluster since it started";
  return said + "had its last contact with its cluster " + std::to_string(age_ms / 1000) + "." +
         std::to_string(age_ms / 100 % 10) + " s before";
}

/// Why there is no backup.
std::string why_none(const cli::answer& got, bool committed) {
  if (got.cut_off) return got.address + " broke the backup off; its log says why";
  if (got.code == 307 || got.code == 308)
    return got.address + " sends on to another server; a backup is taken only from those that --url names";
  auto why = cli::explain(got, "the backup").what;
  // The last of several answers may be one that did not come within the rest of the wait.
  const bool can_not = got.code == 0 ? got.reached : got.code == 503 && got.problem() != "overloaded";
  if (can_not && !committed) why += "; if that can't be mended, --committed takes what this node has";
  return why;
}

int back_up(const backup_request& asked) {
  auto how = courier_for(asked);
  if (!how) return fail(how.failure());
  auto into = new_archive::create(asked.file);
  if (!into) return fail(into.failure());
  cli::catch_signals();
  cli::courier net(std::move(*how));
  status wrote = success();
  const auto got =
      net.ask({.target = std::string("/cluster/backup?consistency=") + (asked.committed ? "committed" : "linearizable"),
               .sink = [&](const cli::answer&, std::string_view piece) {
                 wrote = into->write(piece);
                 return wrote.ok();
               }});
  if (!got) return fail("interrupted");
  if (!wrote) return fail(wrote.failure());
  if (!got->good() || !got->transport.empty()) return fail(why_none(*got, asked.committed));
  if (into->is_file()) {
    const auto checked = check_file(into->partial());
    if (!checked) return fail(checked.failure());
    if (auto kept = into->keep(); !kept) return fail(kept.failure());
    say(asked.file + " is a backup of " + described(*checked));
  }
  if (asked.committed) say(remark_on_age(*got));
  return 0;
}

// --- restore -------------------------------------------------------------------------------------------------------

/// As the node itself would understand them, with its environment and its config file.
result<options> options_of(const node_words& words) {
  std::vector<std::string> line{"kaikud"};
  const auto add = [&](const char* name, const std::string& value) {
    if (value.empty()) return;
    line.emplace_back(name);
    line.push_back(value);
  };
  add("--data", words.data);
  add("--name", words.name);
  add("--cluster", words.cluster);
  add("--advertise-peers", words.advertise_peers);
  add("--config", words.config);
  std::vector<const char*> arguments;
  for (const auto& one : line) arguments.push_back(one.c_str());
  // Nothing listens here, so it does not matter to whom.
  auto around = real_surroundings();
  around.environment = [all = around.environment](const std::string& name) {
    return name == "KAIKU_INSECURE" ? std::optional<std::string>{"true"} : all(name);
  };
  auto parsed = parse_options(static_cast<int>(arguments.size()), arguments.data(), around);
  if (!parsed) return parsed.failure();
  auto* of_node = std::get_if<options>(&*parsed);
  INVARIANT(of_node != nullptr, "nothing asks for the help");
  return std::move(*of_node);
}

set_members members_of(const options& with) {
  member self{with.name, {}, to_string(with.advertise_peers)};
  std::vector<member> others;
  for (const auto& one : with.cluster) others.push_back({one.id, {}, to_string(one.peers)});
  return new_cluster(self, others);
}

int restore(const restore_request& asked) {
  auto archive = archive_file::open(asked.archive);
  if (!archive) return fail(archive.failure());
  if (asked.check) {
    const auto checked = check_backup(*archive);
    if (!checked) return fail(checked.failure());
    say(asked.archive + " is a backup of " + described(*checked));
    return 0;
  }
  const auto with = options_of(asked.node);
  if (!with) return fail(with.failure());
  const auto members = members_of(*with);
  const auto done = restore_backup(*archive, with->data, members);
  if (!done) return fail(done.failure());
  say(with->data.string() + " holds " + described(*done));
  say("It is the first of the new cluster " + to_string(members.cluster) + ", as " + with->name.name + " at " +
      members.voters.front().peer_address +
      ". Start it, and once it is ready the others, each with an empty data directory" +
      (members.learners.empty() ? " and --join." : "."));
  return 0;
}

// --- recover -------------------------------------------------------------------------------------------------------

std::string warning_about(const recovery& x) {
  std::string others;
  const auto& before = x.before();
  for (const auto* group : {&before.voters, &before.learners})
    for (const auto& one : *group)
      if (one.id != x.self().id) others += (others.empty() ? "" : ", ") + one.id.name;
  return "This makes " + x.self().id.name +
         " the only voter of a NEW cluster, with all that its disk has: up to entry " + to_string(x.last().index) +
         " of term " + to_string(x.last().in_term) + " of cluster " + to_string(before.cluster) + ".\n" +
         "  LOST: every write that this disk lacks, also one that was acknowledged by a majority of the others (" +
         (others.empty() ? "there are none" : others) + ").\n" +
         "  KEPT: also writes at the end of its log that nobody was told of, or was told had failed.\n" +
         "  FINAL: the others can never come back with their data. Each has to begin with an empty data directory.\n" +
         "         Where a majority of them still runs, or can be brought back, do that instead.\n";
}

bool is_confirmed(const recovery& x) {
  if (::isatty(STDIN_FILENO) == 0) return false;
  std::fprintf(stderr, "Write the node's name, %s, to go on: ", x.self().id.name.c_str());
  std::string line;
  return std::getline(std::cin, line) && line == x.self().id.name;
}

int recover(const recover_request& asked) {
  if (!asked.force) return fail("recover goes with --force-new-cluster", usage_exit_code);
  const auto with = options_of(asked.node);
  if (!with) return fail(with.failure());
  auto found = recovery::open(with->data, with->name);
  if (!found) return fail(found.failure());
  std::fputs(warning_about(*found).c_str(), stderr);
  if (!asked.yes && !is_confirmed(*found)) return fail("nothing was changed; --yes does it without asking");
  const auto cluster = found->run();
  if (!cluster) return fail(cluster.failure());
  say("Done: " + found->self().id.name + " is the first of the new cluster " + to_string(*cluster) +
      ". Start it, and once it is ready the others, each with an empty data directory.");
  return 0;
}

void add_node_options(CLI::App& to, node_words& into) {
  to.add_option("--data", into.data, "data directory, as the node's")->type_name("DIR");
  to.add_option("--name", into.name, "this member's name, as the node's")->type_name("NAME");
  to.add_option("--config", into.config, "the node's TOML file")->type_name("FILE");
}

}  // namespace

std::optional<int> run_offline_command(int argc, const char* const* argv) {
  const std::string_view word = argc < 2 ? "" : argv[1];
  if (word != "backup" && word != "restore" && word != "recover") return std::nullopt;
  lock_down(false);
  CLI::App app("kaikud: what is done to all of a store's data");
  app.require_subcommand(1);

  backup_request backup;
  auto* writing = app.add_subcommand("backup", "write what a running node has, at one moment, to an archive");
  writing->add_option("--url", backup.url, "the node (default: http://127.0.0.1:8000)")->envname("KAIKU_URL");
  writing->add_option("--token-file", backup.token_file, "where its token is; or the token itself in KAIKU_TOKEN");
  writing->add_option("--ca-file", backup.ca_file, "who signed the node's certificate (default: the system's)");
  writing->add_option("--cert-file", backup.certificate_file, "this client's certificate");
  writing->add_option("--key-file", backup.key_file, "its private key");
  writing->add_option("--wait", backup.wait_s, "how long to try while nodes can't answer (default: 30)")
      ->type_name("SECONDS")
      ->check(CLI::Range(0U, cli::limits::patience_most_s));
  writing->add_flag("--committed", backup.committed,
                    "when no leader answers: what this node knows committed, which may be old; it says how old");
  writing->add_option("FILE", backup.file, "the archive; - for standard output")->required();

  restore_request restoring;
  auto* reading = app.add_subcommand("restore", "make a data directory of an archive, the first of a new cluster");
  add_node_options(*reading, restoring.node);
  reading->add_option("--cluster", restoring.node.cluster, "the members that are to be, as the node's");
  reading->add_option("--advertise-peers", restoring.node.advertise_peers, "where they reach it, as the node's");
  reading->add_flag("--check", restoring.check, "only read the archive and say what is in it");
  reading->add_option("ARCHIVE", restoring.archive, "- for standard input")->required();

  recover_request recovering;
  auto* forcing = app.add_subcommand("recover", "when most of a cluster is gone for good: go on with this disk");
  add_node_options(*forcing, recovering.node);
  forcing->add_flag("--force-new-cluster", recovering.force, "make it the only voter of a new cluster");
  forcing->add_flag("--yes", recovering.yes, "do not ask");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    const auto chosen = app.get_subcommands();
    std::fputs((chosen.empty() ? app : *chosen.front()).help().c_str(), stdout);
    return 0;
  } catch (const CLI::ParseError& e) {
    return fail(e.what(), usage_exit_code);
  }
  if (writing->parsed()) return back_up(backup);
  return reading->parsed() ? restore(restoring) : recover(recovering);
}

}  // namespace kaiku
