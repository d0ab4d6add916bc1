// kaiku actors: a look at all actors, live or once.

#include <unistd.h>

#include <limits>

#include "kaiku/cli/actors_view.hpp"
#include "kaiku/cli/events.hpp"
#include "kaiku/cli/remote.hpp"
#include "kaiku/cli/terminal.hpp"

namespace kaiku::cli {
namespace {

/// Follows the stream of one node after another until somebody presses q.
class watcher {
 public:
  explicit watcher(session& with)
      : with_(with), events_([this](const std::string& name, const std::string& data) { take(name, data); }) {}

  exit_code run() {
    connect();
    with_.net.on_turn([this] { look_at_keys(); });
    const bool whole = with_.net.run([this] { return quit_ || trouble_.has_value(); });
    with_.net.on_turn({});
    screen_.reset();
    if (trouble_) with_.out.complain(*trouble_);
    if (trouble_) return trouble_->code;
    return whole || ever_ ? exit_code::done : exit_code::interrupted;
  }

 private:
  void connect() {
    events_ = event_reader([this](const std::string& name, const std::string& data) { take(name, data); });
    with_.net.send({.target = "/actors/stream",
                    .fields = {{"Accept", "text/event-stream"}},
                    .streamed = true,
                    .sink = [this](const answer&, std::string_view piece) { return events_.feed(piece); }},
                   [this](const answer& got) { lost(got); });
  }

  /// Before anything was seen it is a mistake; later another node takes over.
  void lost(const answer& got) {
    const bool refused =
        got.reached && !got.good() && got.code != 0 && got.code != 503 && got.code != 429 && !got.is_of_gateway();
    if (refused || (!ever_ && ++in_vain_ > limits::silent_rounds * with_.asked.nodes.count())) {
      trouble_ = explain(got, "the actors");
      return;
    }
    with_.net.later(milliseconds{limits::round_delay_ms}, [this] { connect(); });
  }

  void take(const std::string& name, const std::string& data) {
    const auto document = json::parse(data, nullptr, false);
    if (!document.is_object()) return;
    if (name == "state") view_.replace(document);
    if (name == "change") view_.change(document);
    if (name == "timeline") view_.happened(document);
    ever_ = true;
    draw();
  }

  void draw() {
    if (!screen_) {
      screen_.emplace();
      with_.net.on_turn([this] { look_at_keys(); }, screen_->keyboard());
    }
    screen_->draw(view_.draw(by_, terminal_size(STDOUT_FILENO)));
  }

  void look_at_keys() {
    if (!screen_) return;
    if (screen_->stop_if_asked()) draw();
    while (const auto key = screen_->key()) {
      if (*key == 'q') quit_ = true;
      if (*key == 'l') by_ = actors_view::order::load;
      if (*key == 'm') by_ = actors_view::order::mailbox;
      if (*key == 'n') by_ = actors_view::order::name;
      draw();
    }
  }

  session& with_;
  event_reader events_;
  actors_view view_{with_.asked.name};
  std::optional<full_screen> screen_;
  actors_view::order by_ = actors_view::order::load;
  bool quit_ = false, ever_ = false;
  std::size_t in_vain_ = 0;
  std::optional<failure> trouble_;
};

}  // namespace

exit_code run_actors(session& with) {
  const bool live = !with.asked.once && !with.out.as_json() && is_terminal(STDOUT_FILENO);
  if (live) return watcher(with).run();
  std::string target = "/actors";
  if (!with.asked.name.empty()) target += "?node=" + query_value(with.asked.name);
  const auto done = ask_document(with, {.target = std::move(target)}, "the actors");
  if (!done.got) return done.code;
  with.out.record(*done.got);
  actors_view view({});
  view.replace(*done.got);
  const auto columns =
      is_terminal(STDOUT_FILENO) ? terminal_size(STDOUT_FILENO).columns : std::numeric_limits<std::size_t>::max();
  with.out.line(view.draw(actors_view::order::load, {columns, std::numeric_limits<std::size_t>::max()}));
  return exit_code::done;
}

}  // namespace kaiku::cli
