// kaiku trace: one request's way through the actors of all nodes.

#include <algorithm>
#include <map>

#include "kaiku/cli/text.hpp"
#include "kaiku/cli/upload.hpp"

namespace kaiku::cli {
namespace {

/// How far below the first span it hangs.
std::size_t depth_of(const json& span, const std::map<std::string, const json*>& by_id) {
  std::size_t depth = 0;
  for (auto parent = text_in(span, "parent"); !parent.empty() && depth < limits::span_depth; ++depth) {
    const auto found = by_id.find(parent);
    if (found == by_id.end()) break;
    parent = text_in(*found->second, "parent");
  }
  return depth;
}

std::string duration(const json& span, const char* name) {
  return span.contains(name) && span[name].is_number_unsigned() ? as_ms(number_in(span, name)) : "-";
}

void draw(session& with, const json& trace) {
  std::vector<const json*> spans;
  if (trace.contains("spans") && trace["spans"].is_array())
    for (const auto& span : trace["spans"])
      if (span.is_object()) spans.push_back(&span);
  std::stable_sort(spans.begin(), spans.end(),
                   [](const json* a, const json* b) { return number_in(*a, "start_us") < number_in(*b, "start_us"); });
  std::map<std::string, const json*> by_id;
  for (const auto* span : spans) by_id[text_in(*span, "id")] = span;
  const auto name = [&](const json& of, const char* which) { return with.out.name(text_in(of, which)); };
  with.out.line("trace " + name(trace, "id") + ", began " + name(trace, "began") + ", " +
                counted(spans.size(), "span") + (flag_in(trace, "complete") ? "" : ", not complete yet"));
  if (trace.contains("unreachable") && trace["unreachable"].is_array())
    for (const auto& node : trace["unreachable"])
      if (node.is_string())
        with.out.line("without " + with.out.name(node.get<std::string>()) + ", which does not answer");
  with.out.line(right("AT", 13) + right("WAITED", 13) + right("TOOK", 13) + "  " + padded("NODE", 10) + "WHAT");
  const auto first = spans.empty() ? 0 : number_in(*spans.front(), "start_us");
  for (const auto* span : spans) {
    auto what = std::string(2 * depth_of(*span, by_id), ' ') + name(*span, "name") + ": " + name(*span, "what");
    if (const auto note = name(*span, "note"); !note.empty()) what += "  (" + note + ")";
    with.out.line(right(as_ms(number_in(*span, "start_us") - first), 13) + right(duration(*span, "waited_us"), 13) +
                  right(duration(*span, "took_us"), 13) + "  " + padded(name(*span, "node"), 10) + what);
  }
}

/// Waits until the nodes have told all of it, or for as long as that may take.
exit_code show(session& with, const std::string& id) {
  const auto end = steady::now() + milliseconds{limits::trace_wait_ms};
  const auto subject = "the trace " + id;
  for (;;) {
    const auto got = with.net.ask({.target = "/actors/trace/" + query_value(id)});
    if (!got) return exit_code::interrupted;
    const bool late = steady::now() > end;
    if (!got->good() && (late || got->code != 404)) {
      const auto why = explain(*got, subject);
      with.out.complain(why);
      return why.code;
    }
    const auto document = got->good() ? got->document() : json();
    if (got->good() && !document.is_object()) {
      with.out.complain(
          {exit_code::failed, subject + ": " + got->address + " answers with something else than JSON", {}});
      return exit_code::failed;
    }
    if (got->good() && (late || flag_in(document, "complete"))) {
      with.out.record(document);
      draw(with, document);
      return exit_code::done;
    }
    bool waited = false;
    with.net.later(milliseconds{limits::trace_poll_ms}, [&] { waited = true; });
    if (!with.net.run([&] { return waited; })) return exit_code::interrupted;
  }
}

}  // namespace

exit_code run_trace_put(session& with) {
  auto traced = with.asked;
  traced.trace = true;
  session own{traced, with.net, with.out};
  auto to = parse_remote(traced.paths.back());
  if (to.ok() && traced.paths.back().ends_with('/'))
    to = below(*to, std::filesystem::path(traced.paths.front()).filename().string());
  if (!to) {
    with.out.complain(usage_failure(to.failure().detail));
    return exit_code::usage;
  }
  std::optional<copied> done;
  const auto one = upload::make(own, {traced.paths.front(), *to}, [&](copied of) { done = std::move(of); });
  one->begin();
  if (!with.net.run([&] { return done.has_value(); })) return exit_code::interrupted;
  if (done->failed) with.out.complain(*done->failed);
  if (done->failed && done->failed->code != exit_code::less_durable) return done->failed->code;
  with.out.line(done->words);
  const auto id = text_in(done->more, "trace");
  if (id.empty()) {
    with.out.complain({exit_code::failed, "it was sent, but the node gave no trace of it (Kaiku-Trace)", {}});
    return exit_code::failed;
  }
  const auto shown_as = show(own, id);
  return shown_as == exit_code::done && done->failed ? done->failed->code : shown_as;
}

exit_code run_trace_show(session& with) {
  return show(with, with.asked.id);
}

}  // namespace kaiku::cli
