#include "kaiku/cli/actors_view.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "kaiku/cli/text.hpp"

namespace kaiku::cli {
namespace {

const json& member(const json& of, const char* name) {
  static const json nothing;
  return of.is_object() && of.contains(name) ? of[name] : nothing;
}

double measure(const json& of, const char* name) {
  const auto& value = member(of, name);
  return value.is_number() ? value.get<double>() : 0;
}

std::string figure(const json& of, const char* name) {
  const auto& value = member(of, name);
  return value.is_number_integer() && value.get<double>() >= 0 ? with_commas(value.get<std::uint64_t>()) : "-";
}

std::string decimal(const json& value, double times = 1) {
  if (!value.is_number()) return "-";
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%.1f", value.get<double>() * times);
  return text.data();
}

std::string share(const json& of, const char* name) {
  const auto text = decimal(member(of, name), 100);
  return text == "-" ? text : text + "%";
}

/// Microseconds, short.
std::string took(const json& of, const char* which) {
  const auto& value = member(member(of, "took_us"), which);
  if (!value.is_number()) return "-";
  const auto us = value.get<double>();
  return us < 1000        ? decimal(value) + "us"
         : us < 1'000'000 ? decimal(value, 0.001) + "ms"
                          : decimal(value, 0.000001) + "s";
}

std::string name_in(const json& of, const char* name) {
  return printable(text_in(of, name));
}

std::string node_of(const json& actor) {
  const auto id = text_in(actor, "id");
  return id.substr(0, id.find(':'));
}

std::string node_line(const json& node) {
  const auto start = padded(name_in(node, "name"), 14);
  if (!flag_in(node, "reachable")) {
    const auto& heard = member(node, "last_heard_ms");
    return start + "not there: " + name_in(node, "reason") +
           (heard.is_number() ? ", last heard " + figure(node, "last_heard_ms") + " ms ago" : "");
  }
  return start + padded(name_in(node, "role"), 10) + right(figure(node, "term"), 7) +
         right(figure(node, "applied"), 14) + right(figure(node, "committed"), 14) +
         right(decimal(member(node, "requests_per_s")), 10) + right(figure(node, "in_flight"), 8) + "  " +
         (flag_in(node, "ready") ? "ready" : "not ready: " + name_in(node, "not_ready_reason"));
}

std::string actor_line(const json& actor) {
  const auto& mailbox = member(actor, "mailbox");
  const auto oldest = decimal(member(mailbox, "oldest_ms"));
  return padded(fitted(name_in(actor, "name"), 17), 18) + padded(fitted(printable(node_of(actor)), 11), 12) +
         right(figure(mailbox, "depth"), 8) + right(oldest == "-" ? oldest : oldest + "ms", 10) +
         right(decimal(member(actor, "per_second")), 10) + right(share(actor, "busy"), 8) +
         right(took(actor, "p50"), 10) + right(took(actor, "p99"), 10) + right(figure(actor, "errors"), 7) + "  " +
         name_in(actor, "state");
}

constexpr std::array<const char*, 3> order_names{"load", "mailbox", "name"};

}  // namespace

void actors_view::replace(const json& document) {
  nodes_.clear();
  actors_.clear();
  at_ = text_in(document, "at");
  answered_by_ = text_in(document, "answered_by");
  for (const auto& node : member(document, "nodes")) {
    take_node(node);
    for (const auto& actor : member(node, "actors")) take_actor(actor);
  }
}

void actors_view::take_node(const json& node) {
  if (!node_.empty() && text_in(node, "name") != node_) return;
  auto& own = nodes_[text_in(node, "name")] = node;
  if (own.is_object()) own.erase("actors");
}

void actors_view::take_actor(const json& actor) {
  if (node_.empty() || node_of(actor) == node_) actors_[text_in(actor, "id")] = actor;
}

void actors_view::change(const json& document) {
  if (const auto at = text_in(document, "at"); !at.empty()) at_ = at;
  for (const auto& node : member(document, "nodes")) {
    take_node(node);
    if (flag_in(node, "reachable")) continue;
    const auto gone = text_in(node, "name");
    std::erase_if(actors_, [&](const auto& one) { return node_of(one.second) == gone; });
  }
  for (const auto& actor : member(document, "actors")) take_actor(actor);
  for (const auto& id : member(document, "gone"))
    if (id.is_string()) actors_.erase(id.get<std::string>()), nodes_.erase(id.get<std::string>());
}

void actors_view::happened(const json& event) {
  event_ = text_in(event, "at") + "  " + text_in(event, "node") + "  " + text_in(event, "kind") + "  " +
           text_in(event, "text");
}

std::vector<const json*> actors_view::sorted(order by) const {
  std::vector<const json*> out;
  for (const auto& [id, actor] : actors_) out.push_back(&actor);
  const auto weight = [&](const json& actor) {
    if (by == order::mailbox) return measure(member(actor, "mailbox"), "depth");
    return by == order::load ? measure(actor, "busy") * 1e9 + measure(actor, "per_second") : 0.0;
  };
  std::stable_sort(out.begin(), out.end(), [&](const json* a, const json* b) {
    const auto left = weight(*a), right_weight = weight(*b);
    if (left != right_weight) return left > right_weight;
    return std::pair(text_in(*a, "name"), text_in(*a, "id")) < std::pair(text_in(*b, "name"), text_in(*b, "id"));
  });
  return out;
}

std::string actors_view::draw(order by, screen_size size) const {
  std::vector<std::string> lines;
  lines.push_back("kaiku actors  " + printable(at_) + "  asked " + printable(answered_by_) + "  " +
                  counted(nodes_.size(), "node") + ", " + counted(actors_.size(), "actor") + "  by " +
                  order_names.at(static_cast<std::size_t>(by)) + " (keys: l m n, q ends)");
  lines.push_back(printable(event_));
  lines.push_back(padded("NODE", 14) + padded("ROLE", 10) + right("TERM", 7) + right("APPLIED", 14) +
                  right("COMMITTED", 14) + right("REQ/S", 10) + right("NOW", 8) + "  STATE");
  for (const auto& [name, node] : nodes_) lines.push_back(node_line(node));
  lines.emplace_back();
  lines.push_back(padded("ACTOR", 18) + padded("NODE", 12) + right("MAILBOX", 8) + right("OLDEST", 10) +
                  right("MSG/S", 10) + right("BUSY", 8) + right("P50", 10) + right("P99", 10) + right("ERR", 7) +
                  "  STATE");
  for (const auto* actor : sorted(by)) lines.push_back(actor_line(*actor));
  if (lines.size() > size.rows) lines.resize(size.rows);
  std::string out;
  for (const auto& line : lines) out += (out.empty() ? "" : "\n") + cut(line, size.columns);
  return out;
}

}  // namespace kaiku::cli
