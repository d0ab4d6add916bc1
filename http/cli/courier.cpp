#include "kaiku/cli/courier.hpp"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <unordered_map>

#include "kaiku/cli/exchange.hpp"
#include "kaiku/cli/limits.hpp"
#include "kaiku/core/invariant.hpp"

namespace kaiku::cli {
namespace {

volatile std::sig_atomic_t signalled = 0;

extern "C" void note_signal(int) {
  signalled = 1;
}

}  // namespace

void catch_signals() {
  struct sigaction how {};
  how.sa_handler = note_signal;
  how.sa_flags = static_cast<int>(SA_RESETHAND);  // the second one ends the process
  ::sigaction(SIGINT, &how, nullptr);
  ::sigaction(SIGTERM, &how, nullptr);
  // A connection that ends while TLS writes to it is an error like others.
  std::signal(SIGPIPE, SIG_IGN);
}

bool interrupted() {
  return signalled != 0;
}

struct courier::handles {
  CURLM* multi = nullptr;
  std::unordered_map<CURL*, std::unique_ptr<exchange>> under_way;
};

courier::courier(courier_settings settings)
    : settings_(std::move(settings)), rate_(settings_.most_per_second), handles_(std::make_unique<handles>()) {
  INVARIANT(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK, "libcurl does not start");
  handles_->multi = curl_multi_init();
  INVARIANT(handles_->multi != nullptr, "no memory");
  curl_multi_setopt(handles_->multi, CURLMOPT_MAXCONNECTS, static_cast<long>(settings_.parallel + 2));
}

courier::~courier() {
  timers_.clear();
  for (auto& [easy, one] : handles_->under_way) curl_multi_remove_handle(handles_->multi, easy);
  handles_->under_way.clear();
  curl_multi_cleanup(handles_->multi);
  curl_global_cleanup();
}

void courier::send(request what, then with) {
  start(std::make_unique<exchange>(std::move(what), std::move(with), rate_));
}

void courier::later(milliseconds delay, std::function<void()> what) {
  timers_.emplace(steady::now() + delay, std::move(what));
}

void courier::compute(std::function<bool()> slice) {
  slices_.push_back(std::move(slice));
}

void courier::on_turn(std::function<void()> what, int watched) {
  turn_ = std::move(what);
  watched_ = watched;
}

void courier::start(std::unique_ptr<exchange> one) {
  one->prepare(settings_);
  ++sent_;
  auto* easy = one->easy;
  curl_multi_add_handle(handles_->multi, easy);
  handles_->under_way.emplace(easy, std::move(one));
}

bool courier::run(const std::function<bool()>& is_done) {
  while (!is_done()) {
    if (interrupted()) return false;
    int running = 0;
    curl_multi_perform(handles_->multi, &running);
    // Whatever failed for the signal did not fail.
    if (interrupted()) return false;
    collect();
    resume();
    run_timers();
    run_slices();
    if (turn_) turn_();
    if (is_done()) return true;
    curl_waitfd extra{watched_, CURL_WAIT_POLLIN, 0};
    curl_multi_poll(handles_->multi, watched_ >= 0 ? &extra : nullptr, watched_ >= 0 ? 1 : 0, next_wait(), nullptr);
  }
  return true;
}

std::optional<answer> courier::ask(request what) {
  std::optional<answer> out;
  send(std::move(what), [&](answer got) { out = std::move(got); });
  run([&] { return out.has_value(); });
  return out;
}

void courier::collect() {
  int left = 0;
  std::vector<std::pair<std::unique_ptr<exchange>, int>> ended;
  while (const auto* message = curl_multi_info_read(handles_->multi, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const int result = message->data.result;
    ended.emplace_back(take_off(message->easy_handle), result);
  }
  for (auto& [one, result] : ended) finish(std::move(one), result);
}

std::unique_ptr<exchange> courier::take_off(void* easy) {
  auto taken = handles_->under_way.extract(easy);
  curl_multi_remove_handle(handles_->multi, easy);
  return std::move(taken.mapped());
}

/// Those that wait for allowance, the longest first.
std::vector<exchange*> courier::paused() const {
  std::vector<exchange*> out;
  if (!rate_.is_bounded()) return out;
  for (const auto& [easy, one] : handles_->under_way)
    if (one->is_paused) out.push_back(one.get());
  std::sort(out.begin(), out.end(),
            [](const exchange* a, const exchange* b) { return a->waiting_since < b->waiting_since; });
  return out;
}

/// As many as there is allowance for, a piece each.
void courier::resume() {
  std::uint64_t promised = 0;
  std::vector<std::pair<std::unique_ptr<exchange>, int>> ended;
  for (auto* one : paused()) {
    if (!rate_.has_some(promised)) break;
    promised += rate_.piece();
    one->is_paused = false;
    // It gives out what it has held back; when that fails, libcurl leaves the end of it to us.
    const auto result = curl_easy_pause(one->easy, CURLPAUSE_CONT);
    if (result != CURLE_OK) ended.emplace_back(take_off(one->easy), result);
  }
  for (auto& [one, result] : ended) finish(std::move(one), result);
}

void courier::finish(std::unique_ptr<exchange> one, int result) {
  auto& got = one->got;
  if (result != CURLE_OK) {
    if (got.transport.empty())
      got.transport = one->words[0] != 0 ? one->words.data() : curl_easy_strerror(static_cast<CURLcode>(result));
    got.reached = !one->before_connection(result);
    got.cut_off = got.good();
    if (!got.cut_off) got.code = 0;
  } else {
    got.reached = true;
    ever_answered_ = true;
  }
  const bool unanswered = result != CURLE_OK || got.is_of_gateway();
  if (unanswered && got.reached && !got.stopped && !one->what.changes_nothing()) one->may_stand = true;
  got.may_stand = one->may_stand;
  one->silent = got.reached ? 0 : one->silent + 1;
  // What moved is progress: the patience is for nodes that can do nothing.
  if (one->any_taken) one->first_failure.reset();
  const bool failed_here = unanswered || got.code == 503 || got.code == 429;
  // One that sends on to a node that is not there knows no better than one that can't answer.
  if (failed_here && !got.stopped) settings_.nodes.failed(one->node);
  const auto what_now = judge(*one);
  if (what_now == verdict::deliver) {
    one->close();
    one->with(std::move(got));
    return;
  }
  milliseconds delay{};
  if (what_now == verdict::redirect) {
    one->redirected = origin_of(got.field("location"));
    ++one->redirections;
  } else {
    // A question that was not answered has cost all of the time since it was put.
    if (!one->first_failure)
      one->first_failure = one->what.changes_nothing() && !one->any_taken ? one->begun : steady::now();
    delay = delay_of(*one);
    one->redirected.clear();
    one->redirections = 0;
  }
  if (!prepare_again(*one)) {
    one->close();
    one->with(std::move(got));
    return;
  }
  // std::function wants to be copied.
  auto shared = std::make_shared<std::unique_ptr<exchange>>(std::move(one));
  later(delay, [this, shared] { start(std::move(*shared)); });
}

courier::verdict courier::judge(const exchange& one) const {
  const auto& got = one.got;
  if (got.stopped || one.what.streamed || one.what.asked_once) return verdict::deliver;
  if (!settings_.follows && (got.code == 307 || got.code == 308)) return verdict::deliver;
  const bool may_stand = got.reached && !one.what.changes_nothing() && !one.what.keyed;
  if (got.code == 307 || got.code == 308) {
    // Only to the same place on another node, and never from TLS to none: the token goes along.
    const auto origin = origin_of(got.field("location"));
    const bool same_scheme =
        lower_case(origin.substr(0, origin.find(':'))) == lower_case(got.address.substr(0, got.address.find(':')));
    return same_scheme && !origin.empty() && one.redirections < limits::redirects ? verdict::redirect
                                                                                  : verdict::deliver;
  }
  const bool failed = got.code == 0 || got.cut_off || got.is_of_gateway() || got.code == 503 || got.code == 429;
  if (!failed || may_stand || !is_patient(one)) return verdict::deliver;
  return verdict::repeat;
}

bool courier::is_patient(const exchange& one) const {
  if (!ever_answered_ && one.silent >= limits::silent_rounds * settings_.nodes.count()) return false;
  return !one.first_failure || steady::now() - *one.first_failure < settings_.patience;
}

/// None within a round; between two, what the last answer asked for.
milliseconds courier::delay_of(const exchange& one) const {
  // With redirections a round has more of them.
  if (one.redirected.empty() && one.tries % settings_.nodes.count() != 0) return {};
  std::uint32_t seconds = 0;
  const auto asked = one.got.field("retry-after");
  std::from_chars(asked.data(), asked.data() + asked.size(), seconds);
  const auto wanted = std::min<std::uint64_t>(std::uint64_t{seconds} * 1000, limits::retry_after_most_ms);
  return milliseconds{std::max<std::uint64_t>(wanted, limits::round_delay_ms)};
}

bool courier::prepare_again(exchange& one) const {
  if (one.what.source && !one.what.source->rewind()) return false;
  if (one.what.again) return one.what.again(one.what);
  return !one.any_taken;
}

void courier::run_timers() {
  const auto now = steady::now();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    auto what = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    what();
  }
}

void courier::run_slices() {
  // What they call may add some.
  const auto count = slices_.size();
  auto at = slices_.begin();
  for (std::size_t i = 0; i < count; ++i) {
    if ((*at)())
      ++at;
    else
      at = slices_.erase(at);
  }
}

int courier::next_wait() {
  if (!slices_.empty()) return 0;
  auto wait = milliseconds{limits::look_up_ms};
  if (!timers_.empty()) {
    const auto until = std::chrono::ceil<milliseconds>(timers_.begin()->first - steady::now());
    wait = std::clamp(until, milliseconds{0}, wait);
  }
  if (!paused().empty()) wait = std::min(wait, rate_.wait());
  return static_cast<int>(wait.count());
}

}  // namespace kaiku::cli
