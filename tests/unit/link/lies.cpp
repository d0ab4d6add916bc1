#include "lies.hpp"

#include <functional>
#include <limits>

#include <caf/make_message.hpp>
#include <caf/system_messages.hpp>

namespace kaiku::test {
namespace {

constexpr auto most = std::numeric_limits<std::uint64_t>::max();

content_ref some_content() {
  content_ref x;
  x.sha256.bytes.fill(7);
  x.size = {1'000'000};
  return x;
}

struct honest {
  explicit honest(const introduction& self) : introduced(self) {
    append.leader = self.id;
    append.in_term = {3};
    append.previous = {{2}, {10}};
    append.entries = {{{{2}, {11}}, encode(no_operation{})}, {{{3}, {12}}, encode(no_operation{})}};
    append.small_contents = {chunk{"some"}};
    append.commit = {10};
    ballot = {self.id, {3}, {{2}, {10}}, false, false};
    vote = {self.id, {3}, {3}, false, true};
    now = {self.id, {3}};
    beat = {self.id, {3}, 1, {9}, {10}};
    beat_reply = {self.id, {3}, 1};
    reply = {self.id, {3}, true, {10}, {}, false, {}};
    snapshot = {self.id, {3}, {{2}, {10}}};
    write.encoded_command = encode(no_operation{});
    write_done.token = {{}, {{3}, {11}}};
    write_done.file.type = file_info::kind::file;
    write_done.holders = 2;
    write_done.voters = 3;
    found.status.voters = 3;
    change = {{member_change::kind::add, {"n9"}, "h:1"}, {}};
    range.bytes = chunk{"bytes"};
    read.content = some_content();
    upload_read = {{0}, {100}};
    upload_got.bytes = chunk{"bytes"};
    upload_got.available = {5};
    piece_wanted = {{{2}, {10}}, "cursor"};
    piece.bytes = chunk{"piece"};
    opened.failure = {errc::overloaded, "too many"};
    begun.id.bytes.fill(1);
    begun.source = self.actors.content;
    begun.content = some_content();
    report.actors.resize(2);
    report.actors[0].name = "storage";
    report.flows = {{{"n1"}, {3}, {4}, 5}};
    report.events = {{{7}, {"n1"}, event_kind::ready, "caught up"}};
    detail.what.history = {{1}, {1, 2}, {3, 4}, {figure{}, figure{5}}};
    detail.what.recent.resize(1);
    detail.what.types.resize(1);
    timeline.events = report.events;
    spans.spans = {{{1}, {}, {2}, "storage", "fsync", span_kind::sync, 1, {}, 2, ""}};
    trace_id traced;
    traced.bytes.fill(1);
    mark.of = {{traced, {1}}};
    inspector.inspector =
        caf::actor_cast<inspector_handle>(caf::actor_cast<caf::strong_actor_ptr>(self.actors.content));
  }

  introduction introduced;
  append_entries append;
  vote_request ballot;
  vote_reply vote;
  timeout_now now;
  heartbeat beat;
  heartbeat_reply beat_reply;
  append_reply reply;
  install_snapshot snapshot;
  write_request write;
  write_reply write_done;
  find_write_reply found;
  change_members change;
  content_range range;
  read_content read;
  read_upload upload_read;
  upload_range upload_got;
  read_snapshot piece_wanted;
  snapshot_range piece;
  upload_opened opened;
  upload_begun begun;
  node_report report;
  told_actor detail;
  told_timeline timeline;
  told_spans spans;
  trace_mark mark;
  inspector_here inspector;
};

template <class T>
told spoiled(std::string name, T x, const std::function<void(T&)>& spoil) {
  spoil(x);
  return {std::move(name), caf::make_message(std::move(x))};
}

command members_of(std::vector<member> voters) {
  cluster_id cluster;
  cluster.bytes.fill(1);
  return set_members{cluster, std::move(voters), {}};
}

void add_elections(const honest& x, std::vector<told>& out) {
  using ballot = vote_request;
  out.push_back(
      spoiled<ballot>("ballot of a long name", x.ballot, [](auto& m) { m.candidate = {std::string(1000, 'n')}; }));
  out.push_back(spoiled<ballot>("ballot of nobody", x.ballot, [](auto& m) { m.candidate = {}; }));
  out.push_back(spoiled<ballot>("ballot for somebody else", x.ballot, [](auto& m) { m.candidate = {"n9"}; }));
  out.push_back(spoiled<ballot>("ballot in term 0", x.ballot, [](auto& m) { m.in_term = {}; }));
  out.push_back(spoiled<ballot>("ballot in the last term", x.ballot, [](auto& m) { m.in_term = {most}; }));
  out.push_back(spoiled<ballot>("ballot with a log ahead", x.ballot, [](auto& m) { m.last.in_term = m.in_term; }));
  out.push_back(spoiled<ballot>("ballot with the last index", x.ballot, [](auto& m) { m.last.index = {most}; }));
  out.push_back(spoiled<vote_reply>("vote of somebody else", x.vote, [](auto& m) { m.voter = {"n9"}; }));
  out.push_back(spoiled<vote_reply>("vote in the last term", x.vote, [](auto& m) { m.voter_term = {most}; }));
  out.push_back(spoiled<timeout_now>("hand-over of somebody else", x.now, [](auto& m) { m.leader = {"n9"}; }));
  out.push_back(spoiled<timeout_now>("hand-over in term 0", x.now, [](auto& m) { m.in_term = {}; }));
  out.push_back(spoiled<heartbeat>("heartbeat of somebody else", x.beat, [](auto& m) { m.leader = {"n9"}; }));
  out.push_back(spoiled<heartbeat>("heartbeat in the last term", x.beat, [](auto& m) { m.in_term = {most}; }));
  out.push_back(spoiled<heartbeat>("heartbeat with the last index", x.beat, [](auto& m) { m.last = {most}; }));
  out.push_back(spoiled<heartbeat_reply>("answer of somebody else", x.beat_reply, [](auto& m) { m.from = {"n9"}; }));
  out.push_back(spoiled<heartbeat_reply>("answer in the last term", x.beat_reply, [](auto& m) { m.in_term = {most}; }));
}

void add_appends(const honest& x, std::vector<told>& out) {
  const auto append = [&](const char* name, const std::function<void(append_entries&)>& spoil) {
    out.push_back(spoiled<append_entries>(name, x.append, spoil));
  };
  append("append of somebody else", [](auto& m) { m.leader = {"n9"}; });
  append("append in term 0", [](auto& m) { m.in_term = {}; });
  append("append in the last term", [](auto& m) { m.in_term = {most}; });
  append("append behind a later term", [](auto& m) { m.previous.in_term = {4}; });
  append("append behind the last index", [](auto& m) { m.previous.index = {most}; });
  append("append with a hole", [](auto& m) { m.entries[1].at.index = {13}; });
  append("append backwards", [](auto& m) { m.entries[1].at.index = {11}; });
  append("append of a later term", [](auto& m) { m.entries[1].at.in_term = {4}; });
  append("append of an earlier term", [](auto& m) { m.entries[1].at.in_term = {1}; });
  append("append of nonsense", [](auto& m) { m.entries[0].encoded_command = "nonsense"; });
  append("append of nothing", [](auto& m) { m.entries[0].encoded_command.clear(); });
  append("append of much", [](auto& m) { m.entries[0].encoded_command = std::string(limits::entry_bytes + 1, 'x'); });
  append("append of a member twice", [](auto& m) {
    m.entries[0].encoded_command = encode(members_of({{{"n1"}, {}, "h:1"}, {{"n1"}, {}, "h:2"}}));
  });
  append("append of a member without address", [](auto& m) {
    m.entries[0].encoded_command = encode(members_of({{{"n1"}, {}, "h\n:1"}}));
  });
  append("append of many", [](auto& m) { m.entries.resize(limits::batch_entries + 1, m.entries[0]); });
  append("append with contents of nobody", [](auto& m) { m.small_contents.resize(3, chunk{"some"}); });
  append("append with large content",
         [](auto& m) { m.small_contents = {chunk{std::string(limits::small_content_bytes + 1, 'x')}}; });
  append("append with the last commit", [](auto& m) { m.commit = {most}; });
  const auto reply = [&](const char* name, const std::function<void(append_reply&)>& spoil) {
    out.push_back(spoiled<append_reply>(name, x.reply, spoil));
  };
  reply("acknowledgement of somebody else", [](auto& m) { m.from = {"n9"}; });
  reply("acknowledgement in term 0", [](auto& m) { m.in_term = {}; });
  reply("acknowledgement of the last index", [](auto& m) { m.match = {most}; });
  reply("refusal with the last index", [](auto& m) { m.hint = {most}; });
  out.push_back(spoiled<install_snapshot>("state of somebody else", x.snapshot, [](auto& m) { m.leader = {"n9"}; }));
  out.push_back(spoiled<install_snapshot>("state at no entry", x.snapshot, [](auto& m) { m.at = {}; }));
  out.push_back(spoiled<install_snapshot>("state of a later term", x.snapshot, [](auto& m) { m.at.in_term = {4}; }));
}

void add_questions(const honest& x, std::vector<told>& out) {
  const auto durability_of_9 = static_cast<durability>(9);
  const std::string long_text(limits::peer_text_bytes + 1, 'x');
  out.push_back(spoiled<write_request>("write of much", x.write,
                                       [](auto& m) { m.encoded_command = std::string(limits::entry_bytes + 1, 'x'); }));
  out.push_back(spoiled<write_request>("write with large content", x.write, [](auto& m) {
    m.small_content = chunk{std::string(limits::small_content_bytes + 1, 'x')};
  }));
  out.push_back(spoiled<write_request>("write of no durability", x.write, [=](auto& m) { m.want = durability_of_9; }));
  out.push_back(spoiled<write_request>("write with many conditions", x.write,
                                       [](auto& m) { m.when.if_match.resize(limits::condition_tags + 1); }));
  out.push_back(
      spoiled<write_reply>("written with no durability", x.write_done, [=](auto& m) { m.achieved = durability_of_9; }));
  out.push_back(spoiled<write_reply>("written by many", x.write_done, [](auto& m) { m.voters = 1000; }));
  out.push_back(
      spoiled<write_reply>("written at the last index", x.write_done, [](auto& m) { m.token.at.index = {most}; }));
  out.push_back(spoiled<write_reply>("written with no error", x.write_done,
                                     [](auto& m) { m.failure.code = static_cast<errc>(200); }));
  out.push_back(
      spoiled<write_reply>("written with much to say", x.write_done, [=](auto& m) { m.failure.detail = long_text; }));
  out.push_back(spoiled<write_reply>("written of no kind", x.write_done,
                                     [](auto& m) { m.file.type = static_cast<file_info::kind>(9); }));
  out.push_back(spoiled<read_index_reply>("read at the last index", {}, [](auto& m) { m.index = {most}; }));
  out.push_back(spoiled<find_write_reply>("write of no fate", x.found,
                                          [](auto& m) { m.status.what = static_cast<write_status::fate>(77); }));
  out.push_back(spoiled<find_write_reply>("write of many voters", x.found, [](auto& m) { m.status.holders = 1000; }));
  out.push_back(spoiled<change_members>("change of no kind", x.change,
                                        [](auto& m) { m.what.what = static_cast<member_change::kind>(9); }));
  out.push_back(spoiled<change_members>("change of a long name", x.change,
                                        [](auto& m) { m.what.id = {std::string(100'000, 'n')}; }));
  out.push_back(
      spoiled<change_members_reply>("change by a long name", {}, [](auto& m) { m.leader = {std::string(100, 'n')}; }));
  out.push_back(spoiled<hand_over>("hand-over to a long name", {}, [](auto& m) { m.to = {std::string(100, 'n')}; }));
  out.push_back(
      spoiled<handed_over>("handed over with much to say", {}, [=](auto& m) { m.failure.detail = long_text; }));
}

void add_content(const honest& x, std::vector<told>& out) {
  out.push_back(spoiled<read_content>("content of the last size", x.read, [](auto& m) { m.content.size = {most}; }));
  out.push_back(spoiled<read_content>("content at the last offset", x.read, [](auto& m) { m.offset = {most}; }));
  out.push_back(spoiled<content_range>("range of much", x.range,
                                       [](auto& m) { m.bytes = chunk{std::string(limits::chunk_bytes + 1, 'x')}; }));
  out.push_back(spoiled<open_upload>("upload of the last size", {}, [](auto& m) { m.expected = {most}; }));
  out.push_back(spoiled<upload_opened>("upload that is nowhere", x.opened, [](auto& m) { m.failure = {}; }));
  out.push_back(spoiled<upload_written>("written with no error at all", {},
                                        [](auto& m) { m.failure.code = static_cast<errc>(99); }));
  out.push_back(spoiled<upload_finished>("finished with the last size", {}, [](auto& m) { m.content.size = {most}; }));
  out.push_back(spoiled<read_upload>("upload at the last offset", x.upload_read, [](auto& m) { m.offset = {most}; }));
  out.push_back(spoiled<upload_range>("upload that has too much", x.upload_got, [](auto& m) { m.available = {most}; }));
  out.push_back(spoiled<upload_range>("upload of much", x.upload_got,
                                      [](auto& m) { m.bytes = chunk{std::string(limits::chunk_bytes + 1, 'x')}; }));
  out.push_back(spoiled<upload_ended>("ended with the last size", {}, [](auto& m) { m.content.size = {most}; }));
  out.push_back(spoiled<upload_begun>("upload without an id", x.begun, [](auto& m) { m.id = {}; }));
  out.push_back(spoiled<upload_begun>("upload from nowhere", x.begun, [](auto& m) { m.source = nullptr; }));
  out.push_back(spoiled<upload_begun>("upload of nothing", x.begun, [](auto& m) { m.content = {}; }));
  out.push_back(spoiled<read_snapshot>("state at a long cursor", x.piece_wanted,
                                       [](auto& m) { m.after = std::string(2000, 'x'); }));
  out.push_back(
      spoiled<snapshot_range>("state with a long cursor", x.piece, [](auto& m) { m.next = std::string(2000, 'x'); }));
  out.push_back(spoiled<introduction>("introduction as somebody else", x.introduced, [](auto& m) { m.id = {"n9"}; }));
  out.push_back(spoiled<introduction>("introduction without actors", x.introduced, [](auto& m) { m.actors = {}; }));
  out.push_back(spoiled<introduction>("introduction with a header in its address", x.introduced,
                                      [](auto& m) { m.http_address = "h:80\r\nSet-Cookie: x"; }));
}

void add_inspection(const honest& x, std::vector<told>& out) {
  const auto report = [&](const char* name, const std::function<void(node_report&)>& spoil) {
    out.push_back(spoiled<node_report>(name, x.report, spoil));
  };
  report("report of no role", [](auto& m) { m.facts.now = static_cast<role>(9); });
  report("report of role 0", [](auto& m) { m.facts.now = static_cast<role>(0); });
  report("report with a header in its address", [](auto& m) { m.facts.http = "h:80\r\nSet-Cookie: x"; });
  report("report of the year 10000", [](auto& m) { m.facts.started = {253'402'300'800'000}; });
  report("report from before 1970", [](auto& m) { m.facts.last_election = {-1}; });
  report("report of the last term", [](auto& m) { m.facts.in_term = {most}; });
  report("report of many actors", [](auto& m) { m.actors.resize(1000); });
  report("report of a long state", [](auto& m) { m.actors[0].state = std::string(1000, 'x'); });
  report("report of a state of two lines", [](auto& m) { m.actors[0].state = "a\nb"; });
  report("report of a state that is no text", [](auto& m) { m.actors[0].state = "\xff"; });
  report("report of too much", [](auto& m) { m.actors[1].milli_per_second = most; });
  report("report of a flow from nobody", [](auto& m) { m.flows[0].from_node = {}; });
  report("report of many flows", [](auto& m) { m.flows.resize(limits::reported_flows + 1, m.flows[0]); });
  report("report of no event", [](auto& m) { m.events[0].kind = static_cast<event_kind>(200); });
  report("report of many events", [](auto& m) { m.events.resize(limits::reported_events + 1, m.events[0]); });
  out.push_back(
      spoiled<told_actor>("history of two lengths", x.detail, [](auto& m) { m.what.history.depth.pop_back(); }));
  out.push_back(spoiled<told_actor>("many messages", x.detail, [](auto& m) { m.what.recent.resize(1000); }));
  out.push_back(spoiled<told_actor>("many types", x.detail, [](auto& m) { m.what.types.resize(1000); }));
  out.push_back(
      spoiled<told_timeline>("a long event", x.timeline, [](auto& m) { m.events[0].text = std::string(1000, 'x'); }));
  out.push_back(spoiled<told_spans>("a step without an id", x.spans, [](auto& m) { m.spans[0].id = {}; }));
  out.push_back(spoiled<told_spans>("many steps", x.spans, [](auto& m) { m.spans.resize(5000, m.spans[0]); }));
  out.push_back(
      spoiled<told_spans>("a step of no kind", x.spans, [](auto& m) { m.spans[0].kind = static_cast<span_kind>(7); }));
  out.push_back(spoiled<trace_mark>("a mark of nothing", x.mark, [](auto& m) { m.of.clear(); }));
  out.push_back(spoiled<trace_mark>("a mark of many", x.mark, [](auto& m) { m.of.resize(100, m.of[0]); }));
  out.push_back(spoiled<trace_mark>("a mark of no trace", x.mark, [](auto& m) { m.of[0].id = {}; }));
  out.push_back(
      spoiled<inspector_here>("an inspector that is nowhere", x.inspector, [](auto& m) { m.inspector = nullptr; }));
}

void add_ends(const honest& x, std::vector<told>& out) {
  const auto own = x.introduced.actors.content.address();
  const auto add = [&](const char* name, caf::actor_addr who, caf::exit_reason why) {
    out.push_back({name, caf::make_message(caf::exit_msg{std::move(who), why})});
  };
  add("end that no handler is asked about", own, caf::exit_reason::kill);
  add("end by a link between actors", own, caf::exit_reason::remote_link_unreachable);
  add("end for no reason", own, caf::exit_reason::normal);
  add("end in nobody's name", {}, caf::exit_reason::user_shutdown);
}

}  // namespace

std::vector<told> honest_messages(const introduction& self) {
  const honest x{self};
  std::vector<told> out;
  const auto add = [&](auto one) { out.push_back({"honest", caf::make_message(std::move(one))}); };
  add(x.append), add(x.ballot), add(x.vote), add(x.now), add(x.beat), add(x.beat_reply), add(x.reply), add(x.snapshot);
  add(x.write), add(x.write_done), add(x.found), add(x.change), add(x.range), add(x.read), add(x.upload_read);
  add(x.upload_got), add(x.piece_wanted), add(x.piece), add(x.opened), add(x.begun), add(x.introduced);
  add(write_reply{}), add(read_index{}), add(read_index_reply{}), add(find_write{}), add(find_write_reply{});
  add(change_members_reply{}), add(hand_over{}), add(handed_over{}), add(open_upload{}), add(upload_chunk{});
  add(upload_written{}), add(upload_finish{}), add(upload_finished{}), add(watch_upload{}), add(upload_ended{});
  add(content_range{}), add(upload_range{}), add(snapshot_range{}), add(read_snapshot{});
  add(x.report), add(x.detail), add(x.timeline), add(x.spans), add(x.mark), add(x.inspector);
  add(ask_report{}), add(node_report{}), add(ask_actor{}), add(told_actor{}), add(ask_timeline{});
  add(told_timeline{}), add(ask_spans{}), add(told_spans{});
  add(caf::exit_msg{self.actors.content.address(), caf::exit_reason::user_shutdown});
  return out;
}

std::vector<told> lies(const introduction& self) {
  const honest x{self};
  std::vector<told> out;
  add_elections(x, out);
  add_appends(x, out);
  add_questions(x, out);
  add_content(x, out);
  add_inspection(x, out);
  add_ends(x, out);
  return out;
}

}  // namespace kaiku::test
