#include "kaiku/cli/arguments.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <CLI/CLI.hpp>

#include "kaiku/cli/completion.hpp"
#include "kaiku/cli/session.hpp"
#include "kaiku/core/endpoint.hpp"
#include "kaiku/core/path.hpp"

namespace kaiku::cli {
namespace {

constexpr const char* footer =
    "Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 refused, 5 not allowed, 6 no node could in time, 7 less\n"
    "durable than asked, 8 some of several failed, 9 outcome unknown, 130 interrupted. Paths are those of the store,\n"
    "with or without / in front. More: man kaiku, docs/cli.md.";

const std::vector<std::string> durabilities{"leader", "majority", "all"};
const std::vector<std::string> shells{"bash", "zsh", "fish"};
const std::vector<std::string> probes{"live", "ready", "leader", "replica"};

std::string joined(const std::vector<std::string>& choices) {
  return CLI::detail::join(choices, "|");
}

/// A check that does not show in the help: the kind of the value says it.
CLI::Validator plain(CLI::Validator check) {
  return check.description("");
}

/// Builds the tree of commands over one `arguments`.
class builder {
 public:
  builder(CLI::App& app, arguments& into) : app_(app), into_(into) {
    whom();
    how();
    files();
    changes();
    cluster();
    inspection();
    auto* completion = add(app_, "completion", "print a shell's completions", nullptr);
    completion->add_option("shell", into_.shell, "")
        ->required()
        ->type_name(joined(shells))
        ->check(plain(CLI::IsMember(shells)));
    app_.require_subcommand(1);
  }

 private:
  using function = exit_code (*)(session&);

  CLI::App* add(CLI::App& to, const char* name, const char* help, function run) {
    auto* command = to.add_subcommand(name, help);
    command->fallthrough();
    if (run != nullptr) command->callback([this, run] { into_.run = run; });
    return command;
  }
  void paths(CLI::App* of, const char* kind, const char* help, int least, int most) {
    auto* option = of->add_option(kind, into_.paths, help)->required()->type_name("");
    option->expected(least, most);
  }

  void whom() {
    app_.add_option("--url", into_.url,
                    "the nodes, in the order in which they are asked; also KAIKU_URL (default: " + into_.url + ")")
        ->type_name("URL,...")
        ->envname("KAIKU_URL");
    app_.add_option("--token-file", into_.token_file, "where the token is; or the token itself in KAIKU_TOKEN")
        ->type_name("FILE")
        ->envname("KAIKU_TOKEN_FILE");
    app_.add_option("--cacert", into_.ca_file,
                    "who signs the nodes' certificates, PEM; also KAIKU_CACERT (default: the system's)")
        ->type_name("FILE")
        ->envname("KAIKU_CACERT");
    app_.add_option("--cert", into_.certificate_file, "a certificate to show, PEM")->type_name("FILE");
    app_.add_option("--key", into_.key_file, "its private key")->type_name("FILE");
    app_.add_option("--wait", into_.wait_s, "how long to try while nodes can't answer (default: 30)")
        ->type_name("SECONDS")
        ->check(plain(CLI::Range(0U, limits::patience_most_s)));
  }

  void how() {
    app_.add_flag("--json", into_.json, "JSON for programs, one document a line");
    app_.add_flag("-q,--quiet", into_.quiet, "no progress, no remarks");
  }

  void durability(CLI::App* of) {
    of->add_option("--durability", into_.durability, "who must have recorded it (default: the node's --durability)")
        ->type_name(joined(durabilities))
        ->check(plain(CLI::IsMember(durabilities)));
  }
  void freshness(CLI::App* of) {
    of->add_option("--consistency", into_.consistency,
                   "any, session, bounded=MS, committed or linearizable (default: any)")
        ->type_name("LEVEL");
    of->add_option("--after", into_.after, "at least as new as the write with this token")->type_name("TOKEN");
  }
  void condition(CLI::App* of) {
    of->add_option("--if-match", into_.if_match, "only when this version stands there")->type_name("ETAG");
  }
  void overwrite(CLI::App* of) { of->add_flag("--no-overwrite", into_.no_overwrite, "replace nothing"); }
  void copying(CLI::App* of) {
    of->add_flag("-r,--recursive", into_.recursive, "directories, with all that is below");
    of->add_flag("-v,--verbose", into_.verbose, "a line for each file");
    of->add_flag("--again", into_.again, "also what is there already");
    of->add_option("-j,--parallel", into_.parallel, "transfers at once (default: 8)")
        ->type_name("COUNT")
        ->check(plain(CLI::Range(1U, limits::parallel_most)));
    of->add_option("--limit-rate", into_.limit_rate,
                   "bytes a second, all transfers together; 8M is 8 MiB (default: no limit)")
        ->type_name("BYTES")
        ->transform(plain(CLI::AsSizeValue(false)));
  }

  void files() {
    auto* put = add(app_, "put", "send files: LOCAL... PATH; - is standard input", run_put);
    paths(put, "LOCAL", "files or directories here, then the place in the store; ending in /: into it", 2,
          limits::paths);
    copying(put);
    durability(put);
    condition(put);
    overwrite(put);
    put->add_option("--type", into_.content_type, "the content type")->type_name("TYPE");
    put->add_option("--meta", into_.metadata, "what is kept with it; repeated")
        ->type_name("NAME=VALUE")
        ->allow_extra_args(false);
    put->add_option("--ttl", into_.ttl_s, "gone after so long")
        ->type_name("SECONDS")
        ->check(plain(CLI::PositiveNumber));
    auto* get =
        add(app_, "get", "fetch files: PATH... LOCAL (default: the working directory); - is standard output", run_get);
    paths(get, "PATH", "places in the store, then the one here", 1, limits::paths);
    copying(get);
    freshness(get);
    auto* cat = add(app_, "cat", "write files to standard output", run_cat);
    paths(cat, "PATH", "files in the store", 1, limits::paths);
    freshness(cat);
    auto* ls = add(app_, "ls", "list directories", run_ls);
    ls->add_option("PATH", into_.paths, "places in the store (default: /)")->type_name("")->expected(0, limits::paths);
    ls->add_flag("-l,--long", into_.details, "with size, date and type");
    ls->add_flag("-r,--recursive", into_.recursive, "with all that is below");
    freshness(ls);
    auto* tree = add(app_, "tree", "draw a directory and all below", run_tree);
    tree->add_option("PATH", into_.paths, "a place in the store (default: /)")->type_name("")->expected(0, 1);
    tree->add_option("--depth", into_.depth, "names below it at most")
        ->type_name("COUNT")
        ->check(plain(CLI::PositiveNumber));
    freshness(tree);
    auto* stat = add(app_, "stat", "all that is known of a file or directory", run_stat);
    paths(stat, "PATH", "places in the store", 1, limits::paths);
    freshness(stat);
  }

  void changes() {
    auto* rm = add(app_, "rm", "remove", run_rm);
    paths(rm, "PATH", "places in the store", 1, limits::paths);
    rm->add_flag("-r,--recursive", into_.recursive, "directories, with all that is below, each in one step");
    durability(rm);
    condition(rm);
    auto* mv = add(app_, "mv", "move, in one step", run_mv);
    auto* cp = add(app_, "cp", "copy within the store, in one step", run_cp);
    for (auto* one : {mv, cp}) {
      paths(one, "PATH", "from and to; ending in /: into it", 2, limits::paths);
      overwrite(one);
      durability(one);
      condition(one);
    }
    auto* mkdir = add(app_, "mkdir", "make directories, and those above", run_mkdir);
    paths(mkdir, "PATH", "places in the store", 1, limits::paths);
    durability(mkdir);
    auto* fate = add(app_, "write-status", "what became of a write", run_write_status);
    fate->add_option("TOKEN", into_.id, "what the write was answered with")->required()->type_name("");
  }

  void cluster() {
    auto* group = add(app_, "cluster", "the cluster and its members", nullptr);
    group->require_subcommand(0, 1);
    group->callback([this] {
      if (into_.run == nullptr) into_.run = run_cluster_status;
    });
    add(*group, "status", "the cluster as the node that is asked sees it", run_cluster_status);
    auto* members = add(*group, "members", "the members", nullptr);
    members->require_subcommand(0, 1);
    members->callback([this] {
      if (into_.run == nullptr) into_.run = run_members_list;
    });
    auto* more = add(*members, "add", "let a node in, first as a learner", run_members_add);
    more->add_option("NAME", into_.name, "its name")->required()->type_name("");
    more->add_option("ADDRESS", into_.address, "HOST:PORT where members reach it")->required()->type_name("");
    auto* less = add(*members, "remove", "take a member out", run_members_remove);
    less->add_option("NAME", into_.name, "its name")->required()->type_name("");
    auto* transfer = add(*group, "transfer", "let another member lead", run_transfer);
    transfer->add_option("NAME", into_.name, "which (default: the one that is most up to date)")->type_name("");
    auto* health = add(app_, "health", "whether the node that is asked is well; for health checks", run_health);
    health->add_option("PROBE", into_.name, "which of its probes (default: ready)")
        ->type_name(joined(probes))
        ->check(plain(CLI::IsMember(probes)));
  }

  void inspection() {
    auto* actors = add(app_, "actors", "the actors of all nodes, live", run_actors);
    actors->add_flag("--once", into_.once, "once, and not live");
    actors->add_option("--node", into_.name, "of this node alone")->type_name("NAME");
    auto* trace = add(app_, "trace", "the way of a request through the actors of all nodes", nullptr);
    trace->require_subcommand(1);
    auto* put = add(*trace, "put", "send a file, and show its way", run_trace_put);
    paths(put, "LOCAL", "a file here, and its place in the store", 2, 2);
    durability(put);
    auto* show = add(*trace, "show", "the way of a request that was traced before", run_trace_show);
    show->add_option("ID", into_.id, "its trace")->required()->type_name("");
  }

  CLI::App& app_;
  arguments& into_;
};

std::string title() {
  return "kaiku: files in a replicated store, and a look at its nodes";
}

result<std::string> read_token(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::stringstream text;
  if (!in || !(text << in.rdbuf())) return {errc::io_error, "--token-file: " + file + " can't be read, or is empty"};
  auto token = text.str();
  token.erase(token.find_last_not_of(" \t\r\n") + 1);
  return token;
}

bool is_field_text(const std::string& text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= ' ' && c < 0x7f) || static_cast<unsigned char>(c) >= 0x80; });
}

std::string token_trouble(arguments& of) {
  if (!of.token_file.empty()) {
    auto token = read_token(of.token_file);
    if (!token) return token.failure().detail;
    of.token = *token;
  } else if (const char* token = std::getenv("KAIKU_TOKEN"); token != nullptr) {
    of.token = token;
  }
  const bool good = std::all_of(of.token.begin(), of.token.end(), [](char c) { return c > ' ' && c < 0x7f; });
  return good ? "" : "the token has spaces, or characters that no token has";
}

/// What options say together; empty when it makes sense.
std::string trouble_with(arguments& of) {
  auto nodes = addresses::parse(of.url);
  if (!nodes) return "--url or KAIKU_URL: " + nodes.failure().detail;
  of.nodes = std::move(*nodes);
  if (auto trouble = token_trouble(of); !trouble.empty()) return trouble;
  if (of.certificate_file.empty() != of.key_file.empty()) return "--cert and --key go together";
  for (const auto* text : {&of.consistency, &of.after, &of.if_match, &of.content_type})
    if (!is_field_text(*text)) return "an option's value has a control character";
  for (const auto& one : of.metadata)
    if (one.find('=') == 0 || one.find('=') == std::string::npos || !is_field_text(one))
      return "--meta is NAME=VALUE, not \"" + one + "\"";
  if (!of.address.empty())
    if (auto good = parse_endpoint(of.address); !good) return good.failure().detail;
  return {};
}

option_words words_of(const CLI::Option& option) {
  option_words out;
  for (const auto& name : option.get_snames()) out.names.push_back("-" + name);
  for (const auto& name : option.get_lnames()) out.names.push_back("--" + name);
  out.help = option.get_description();
  out.kind = option.get_items_expected_max() == 0 ? "" : option.get_type_name();
  if (out.names.empty() && out.kind.empty()) out.kind = option.get_name();
  if (out.kind.find('|') != std::string::npos) out.choices = CLI::detail::split(out.kind, '|');
  return out;
}

/// CLI11 takes an argument of many values apart when it has brackets around it, as it would one of a configuration; a
/// name may well have them. No argument can have this character at its end; or in front, where it hides from CLI11 what
/// would be an option, were it not behind `--`.
constexpr char whole_mark = '\0';

std::string marked(std::string argument) {
  const bool is_list = argument.starts_with('[') && argument.ends_with(']');
  if (is_list || argument == "{}" || argument == "%%") argument += whole_mark;
  return argument;
}

void unmark(arguments& all) {
  const auto strip = [](std::string& text) {
    if (text.ends_with(whole_mark)) text.pop_back();
    if (text.starts_with(whole_mark)) text.erase(0, 1);
  };
  for (auto* one : {&all.url, &all.token_file, &all.ca_file, &all.certificate_file, &all.key_file, &all.consistency,
                    &all.after, &all.if_match, &all.content_type, &all.name, &all.address, &all.id})
    strip(*one);
  for (auto* several : {&all.paths, &all.metadata}) std::for_each(several->begin(), several->end(), strip);
}

/// A value that is empty, as that of a variable which is not set: it would take a condition away, or stand for the
/// root. Empty when there is none.
std::string trouble_with_nothing(const CLI::App& app) {
  for (const auto* option : app.get_options()) {
    const auto& given = option->results();
    if (std::find(given.begin(), given.end(), "") == given.end()) continue;
    if (option->get_positional()) return option->get_name() + " is empty; the root of the store is /";
    return option->get_name() + " has an empty value";
  }
  for (const auto* command : app.get_subcommands())
    if (auto trouble = trouble_with_nothing(*command); !trouble.empty()) return trouble;
  return {};
}

/// In the order that CLI11 takes: the last one first. With `--name=` it would take the next argument for the value.
result<std::vector<std::string>> read_command_line(int argc, const char* const* argv) {
  std::vector<std::string> out;
  bool only_places = false;
  for (int i = 1; i < argc; ++i) {
    const std::string one = argv[i];
    // CLI11 would believe it of required places only, and only until these are filled.
    if (!only_places && one == "--") {
      only_places = true;
      continue;
    }
    if (!only_places && one.starts_with("--") && one.find('=') == one.size() - 1)
      return {errc::bad_request, one.substr(0, one.size() - 1) + " has an empty value"};
    out.push_back(only_places && one.starts_with('-') ? whole_mark + one : marked(one));
  }
  std::reverse(out.begin(), out.end());
  return out;
}

command_words words_of(const CLI::App& app) {
  command_words out{app.get_name(), app.get_description(), {}, {}, {}};
  for (const auto* option : app.get_options())
    (option->get_positional() ? out.places : out.options).push_back(words_of(*option));
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; }))
    out.commands.push_back(words_of(*command));
  return out;
}

void prepare(CLI::App& app) {
  app.set_help_flag("-h,--help", "print this and exit");
  app.set_version_flag("--version", std::string("kaiku ") + KAIKU_VERSION, "print the version and exit");
  app.footer(footer);
}

}  // namespace

bool wants_json(int argc, const char* const* argv) {
  for (int i = 1; i < argc && argv[i] != std::string_view("--"); ++i)
    if (argv[i] == std::string_view("--json")) return true;
  return false;
}

std::variant<arguments, early_end> parse_arguments(int argc, const char* const* argv) {
  arguments out;
  CLI::App app(title(), "kaiku");
  prepare(app);
  const builder tree(app, out);
  auto given = read_command_line(argc, argv);
  if (!given) return early_end{given.failure().detail, exit_code::usage};
  try {
    app.parse(std::move(given).value());
  } catch (const CLI::CallForHelp&) {
    const CLI::App* of = &app;
    for (auto chosen = of->get_subcommands(); !chosen.empty(); chosen = of->get_subcommands()) of = chosen.front();
    return early_end{of->help(), exit_code::done};
  } catch (const CLI::CallForVersion& e) {
    return early_end{std::string(e.what()) + "\n", exit_code::done};
  } catch (const CLI::ParseError& e) {
    std::string why = e.what();
    std::erase(why, whole_mark);
    return early_end{why + " (kaiku --help)", exit_code::usage};
  }
  if (auto trouble = trouble_with_nothing(app); !trouble.empty()) return early_end{trouble, exit_code::usage};
  unmark(out);
  if (out.run == nullptr) return early_end{completion_script(all_commands(), out.shell), exit_code::done};
  if (auto trouble = trouble_with(out); !trouble.empty()) return early_end{trouble, exit_code::usage};
  return out;
}

command_words all_commands() {
  arguments nowhere;
  CLI::App app(title(), "kaiku");
  prepare(app);
  const builder tree(app, nowhere);
  return words_of(app);
}

}  // namespace kaiku::cli
