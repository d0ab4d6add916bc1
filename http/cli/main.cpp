// The `kaiku` command.

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>

#include "kaiku/cli/session.hpp"

namespace {

using namespace kaiku::cli;

int end_early(const early_end& how, bool as_json) {
  if (how.code == exit_code::done)
    std::fputs(how.text.c_str(), stdout);
  else
    output(as_json, true).complain({how.code, how.text, {}});
  return static_cast<int>(how.code);
}

int run(const arguments& asked) {
  catch_signals();
  output out(asked.json, asked.quiet);
  const auto at_once = asked.recursive || asked.paths.size() > 2 ? asked.parallel : 1;
  courier_settings how{.nodes = asked.nodes,
                       .token = asked.token,
                       .ca_file = asked.ca_file,
                       .certificate_file = asked.certificate_file,
                       .key_file = asked.key_file,
                       .patience = std::chrono::seconds(asked.wait_s),
                       .parallel = at_once,
                       .most_per_second = asked.limit_rate};
  courier net(std::move(how));
  session with{asked, net, out};
  auto code = asked.run(with);
  const bool all_out = out.finish();
  if (out.nobody_reads()) {
    // As if the signal had not been ignored for the connections' sake.
    std::signal(SIGPIPE, SIG_DFL);
    std::raise(SIGPIPE);
  }
  if (!all_out && code == exit_code::done) {
    out.complain({exit_code::failed, "standard output could not be written", {}});
    code = exit_code::failed;
  }
  return static_cast<int>(code);
}

}  // namespace

int main(int argc, char** argv) {
  const bool as_json = wants_json(argc, argv);
  try {
    const auto parsed = parse_arguments(argc, argv);
    if (const auto* early = std::get_if<early_end>(&parsed)) return end_early(*early, as_json);
    return run(std::get<arguments>(parsed));
  } catch (const std::exception& e) {
    return end_early({e.what(), exit_code::failed}, as_json);
  }
}
