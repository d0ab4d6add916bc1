#include "kaiku/node/option_sources.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>

#include <CLI/CLI.hpp>

namespace kaiku {
namespace {

struct option_spec {
  const char* name;
  const char* kind;  ///< shown in the help; null: a flag
  const char* help;
  bool repeated = false;  ///< may come several times: the texts are joined by commas
};

constexpr auto specs = std::to_array<option_spec>({
    {"name", "NAME", "this member's name: a-z 0-9 - . (default: the host name)"},
    {"data", "DIR", "data directory (default: ./kaiku-data)"},
    {"http", "ADDRESS:PORT", "where to listen for clients (default: 127.0.0.1:8000)"},
    {"peers", "ADDRESS:PORT", "where to listen for other members (default: 127.0.0.1:9000)"},
    {"advertise-http", "HOST:PORT", "where clients reach this node (default: --http)"},
    {"advertise-peers", "HOST:PORT", "where members reach this node (default: its own entry in --cluster, or --peers)"},
    {"cluster", "NAME=HOST:PORT,...", "members of a new cluster and their peer addresses (default: this node alone)"},
    {"join", "HOST:PORT,...", "peer addresses of members of a cluster that this node joins (not with --cluster)"},
    {"durability", "leader|majority|all", "what a write waits for unless it says otherwise (default: leader)"},
    {"election-timeout-ms", "MS", "silence of the leader before an election, T (default: 1000)"},
    {"heartbeat-ms", "MS", "interval of heartbeats, at most T/3 (default: 150, or T/6 if that is less)"},
    {"peer-secret-file", "FILE", "secret that members prove to each other; same content on every member"},
    {"peer-tls-cert", "FILE", "links between members over TLS 1.3: this member's certificate and those above it, PEM"},
    {"peer-tls-key", "FILE", "its private key"},
    {"peer-tls-ca", "FILE",
     "who signs members' certificates; each must be for its member's name, or the host of its address"},
    {"http-tls-cert", "FILE", "HTTPS instead of HTTP: this node's certificate and those above it, PEM"},
    {"http-tls-key", "FILE", "its private key"},
    {"http-tls-client-ca", "FILE", "clients must show a certificate that one of these has signed (default: none)"},
    {"http-tls-client-optional", nullptr, "or none at all"},
    {"auth-file", "FILE", "tokens and keys that clients need; read again when it changes (docs/security.md)"},
    {"insecure", nullptr, "allow listening beyond loopback without access control"},
    {"core-dumps", nullptr, "let a crash, or a debugger, write down the memory, which holds secrets"},
    {"scrub-rate", "BYTES", "what the check of stored content reads in a second (default: 2097152)"},
    {"scrub-interval-hours", "HOURS", "from one check's begin to the next, 0: only when asked (default: 168)"},
    {"set-aside-days", "DAYS", "how long what failovers displaced is kept (default: 30)"},
    {"set-aside-bytes", "BYTES", "how much of it is kept; the oldest goes first (default: 10737418240)"},
    {"remove-dead-minutes", "MINUTES", "a member silent for so long is removed, 0: never (default: 0)"},
    {"redis", "URL",
     "redis://[user:password@]host:port/db or unix:///path?db=N: metadata is kept there too (default: none)"},
    {"redis-password-file", "FILE", "the password of --redis; better than in its URL, which other users can see"},
    {"kubernetes-labels", nullptr, "in a pod: keep its label kaiku.io/role at this node's role"},
    {"kubernetes-pod", "NAME", "the pod (default: the host name)"},
    {"kubernetes-api", "https://HOST:PORT", "the API server (default: what Kubernetes tells every pod)"},
    {"kubernetes-service-account", "DIR",
     "its token, ca.crt and namespace (default: /var/run/secrets/kubernetes.io/serviceaccount)"},
    {"cors-origin", "ORIGIN", "pages of this origin may use the HTTP interface; repeated, or * (default: none)", true},
    {"follower-writes", "forward|redirect",
     "changes of files on a node that does not lead go on to the leader, or are "
     "answered 307 with its address (default: forward)"},
    {"http-connections", "COUNT",
     "client connections; more are closed at once (default: 10000, or what the limit of open files leaves)"},
    {"http-connections-each", "COUNT", "client connections of one address, 0: as many as in all (default: 0)"},
    {"http-requests", "COUNT", "requests answered at once; more get 503 (default: 2048)"},
    {"http-requests-each", "COUNT", "requests of one address answered at once; more get 429, 0: no bound (default: 0)"},
    {"http-trusted-proxy", "NETWORK", "proxies of this network are believed about whom they ask for; repeated", true},
    {"http-forwarded-field", "x-forwarded-for|forwarded", "where they say it (default: x-forwarded-for)"},
    {"http-body-bytes", "BYTES", "largest body (default: 1099511627776)"},
    {"http-body-rate", "BYTES", "least of a body in a second, either way (default: 512)"},
    {"http-body-stall-ms", "MS", "how long a body may stand still (default: 30000)"},
    {"http-header-bytes", "BYTES", "largest request header (default: 16384)"},
    {"http-header-fields", "COUNT", "most fields in it (default: 100)"},
    {"http-header-timeout-ms", "MS", "how long it may take to come (default: 15000)"},
    {"http-idle-timeout-ms", "MS", "how long a connection may wait for its next request (default: 60000)"},
    {"http-ranges", "COUNT", "most ranges in a request; more give the whole (default: 64)"},
    {"http-listing-page", "COUNT", "most entries of a listing's page (default: 1000)"},
    {"log-level", "LEVEL", "trace, debug, info, warn or error (default: info)"},
    {"log-format", "text|json", "one line of text or one JSON object per event (default: text)"},
});

constexpr const char* footer =
    "Each option may also stand in the environment (KAIKU_ADVERTISE_HTTP for --advertise-http) and in the config file\n"
    "(advertise-http = \"...\"). The command line wins over the environment, the environment over the file.\n"
    "Other things it does: kaikud token, url, backup, restore, recover (each with --help).";

std::string environment_name(std::string_view option) {
  std::string name = "KAIKU_";
  for (char c : option) name.push_back(c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c));
  return name;
}

error usage(std::string detail) {
  return {errc::bad_request, std::move(detail)};
}

/// CLI11 ends a value at `#` even inside quotes; rather than a path cut short in silence, such a file is refused.
bool hash_inside_quotes(const std::string& text) {
  char quote = 0;
  for (char c : text) {
    bool opens = quote == 0 && (c == '"' || c == '\'');
    bool closes = c == '\n' || c == quote;
    if (quote != 0 && c == '#') return true;
    if (opens)
      quote = c;
    else if (closes)
      quote = 0;
  }
  return false;
}

/// Adds what the file says and `into` does not have yet.
status gather_file(const sourced_text& file, sourced_options& into) {
  auto complain = [&](const std::string& what) { return usage(file.place + ": " + file.text + ": " + what); };
  std::ifstream in(file.text);
  std::stringstream text;
  if (!in || !(text << in.rdbuf())) return complain("cannot be read, or is empty");
  if (hash_inside_quotes(text.str())) return complain("# inside a quoted value is not supported");
  std::vector<CLI::ConfigItem> items;
  try {
    items = CLI::ConfigTOML().from_config(text);
  } catch (const CLI::Error& e) {
    return complain(e.what());
  }
  sourced_options found;
  for (const CLI::ConfigItem& item : items) {
    std::string key =
        item.name == "++" || item.name == "--" ? "[" + CLI::detail::join(item.parents, ".") + "]" : item.fullname();
    bool known = item.parents.empty() &&
                 std::any_of(specs.begin(), specs.end(), [&](const option_spec& spec) { return key == spec.name; });
    if (!known) return complain("unknown key " + key);
    sourced_text value{CLI::detail::join(item.inputs, ","), file.text + ": " + key};
    if (!found.emplace(key, std::move(value)).second) return complain("key " + key + " stands there twice");
  }
  into.merge(found);
  return success();
}

}  // namespace

result<std::variant<sourced_options, answer_and_exit>> gather_options(int argc, const char* const* argv,
                                                                      const surroundings& around) {
  CLI::App app{"kaikud: one node of Kaiku, a replicated file store", "kaikud"};
  app.set_help_flag("-h,--help", "print this and exit");
  app.set_version_flag("--version", std::string("kaikud ") + KAIKU_VERSION, "print the version and exit");
  app.allow_extras();  // only to name the first of them in our own words
  app.footer(footer);
  std::map<std::string, std::string> values;  // CLI11 wants somewhere to store; read through the options
  std::map<std::string, CLI::Option*> given;
  for (const option_spec& spec : specs) {
    std::string flag = std::string("--") + spec.name;
    given[spec.name] = spec.kind == nullptr ? app.add_flag(flag, spec.help)
                                            : app.add_option(flag, values[spec.name], spec.help)->type_name(spec.kind);
    if (spec.repeated) given[spec.name]->join(',');
  }
  given["config"] = app.add_option("--config", values["config"], "read options from this TOML file")->type_name("FILE");

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return std::variant<sourced_options, answer_and_exit>(answer_and_exit{app.help()});
  } catch (const CLI::CallForVersion& e) {
    return std::variant<sourced_options, answer_and_exit>(answer_and_exit{std::string(e.what()) + "\n"});
  } catch (const CLI::ParseError& e) {
    return usage(std::string(e.what()) + " (see --help)");
  }
  if (auto extras = app.remaining(); !extras.empty()) {
    bool option = extras.front().rfind('-', 0) == 0;
    return usage((option ? "unknown option " : "unexpected argument ") + extras.front() + " (see --help)");
  }

  sourced_options found;
  for (const auto& [name, option] : given) {
    if (option->count() > 0) {
      found.emplace(name, sourced_text{CLI::detail::join(option->results(), ","), "--" + name});
    } else if (auto text = around.environment(environment_name(name)); text && !text->empty()) {
      found.emplace(name, sourced_text{std::move(*text), environment_name(name)});
    }
  }
  if (auto file = found.extract("config")) {
    if (status read = gather_file(file.mapped(), found); !read) return read.failure();
  }
  return std::variant<sourced_options, answer_and_exit>(std::move(found));
}

}  // namespace kaiku
