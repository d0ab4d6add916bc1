#include "kaiku/storage/redis/reader.hpp"

#include <hiredis/async.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <thread>
#include <vector>

#include "kaiku/core/content.hpp"
#include "kaiku/storage/redis/connection.hpp"
#include "kaiku/storage/redis/lookup.hpp"

namespace kaiku::redis {
namespace {

using clock_type = std::chrono::steady_clock;

/// A read that waits for its answer.
struct question {
  log_position at;
  file_question what;
  reader::callback done;
  clock_type::time_point late;
  std::shared_ptr<const layout> of;  ///< of the generation that is asked
};

}  // namespace

class reader::impl {
 public:
  impl(redis_address at, standing& with, std::function<unix_time_ms()> clock)
      : at_(std::move(at)), with_(with), clock_(std::move(clock)), wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    INVARIANT(static_cast<bool>(wake_), "there are descriptors for an eventfd");
    thread_ = std::thread([this] { run(); });
  }
  ~impl() {
    stopping_ = true;
    wake();
    thread_.join();
  }
  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;

  bool ask(log_position at, file_question what, callback done) {
    const auto shown = with_.now();
    if (!shown || shown->at != at) {
      ++(shown ? with_.behind : with_.not_asked);
      return false;
    }
    {
      std::lock_guard guard{mutex_};
      if (!with_.asked || waiting_ >= limits::redis_reads) {
        ++with_.not_asked;
        return false;
      }
      ++waiting_;
      const auto late = clock_type::now() + milliseconds(limits::redis_read_ms);
      incoming_.push_back({at, std::move(what), std::move(done), late, {}});
      if (incoming_.size() > 1) return true;  // it is awake
    }
    wake();
    return true;
  }

 private:
  void wake() {
    const std::uint64_t one = 1;
    static_cast<void>(::write(wake_.get(), &one, sizeof one));
  }

  void run();
  void poll_once();
  clock_type::time_point next_deadline() const;
  void connect();
  void send_incoming();
  void send(std::unique_ptr<question> x);
  void settle(question& x, const redisReply* reply);
  void finish(question& x, std::optional<file_answer> answer);
  /// The breaker opens: what waits fails, and nobody asks for a while.
  void put_off();
  const std::shared_ptr<const layout>& layout_of(const shown& x);

  // What hiredis calls.
  static impl& of(const redisAsyncContext* context) { return *static_cast<impl*>(context->data); }
  static void on_greeting(redisAsyncContext* context, void* reply, void*);
  static void on_script(redisAsyncContext* context, void* reply, void*);
  static void on_ping(redisAsyncContext* context, void* reply, void*);
  static void on_answer(redisAsyncContext* context, void* reply, void* data);

  const redis_address at_;
  standing& with_;
  const std::function<unix_time_ms()> clock_;
  unique_fd wake_;
  std::atomic<bool> stopping_{false};

  std::mutex mutex_;
  std::deque<question> incoming_;  ///< guarded by `mutex_`
  std::size_t waiting_ = 0;        ///< likewise: these, and those that were sent

  // The thread's own.
  redisAsyncContext* context_ = nullptr;
  bool want_read_ = false, want_write_ = false;
  bool connected_ = false;  ///< or tried to, since it was last put off
  bool broken_ = false;     ///< the connection is to be given up
  std::string loaded_;      ///< the script's name, once Redis has said it
  std::string script_;      ///< likewise, once Redis was quick enough
  clock_type::time_point pinged_, asked_since_;
  std::deque<clock_type::time_point>
      sent_;  ///< when the answers that are out will be late, in the order of the answers
  clock_type::time_point greeted_by_, try_at_;
  std::uint32_t pause_ms_ = limits::redis_retry_ms;
  std::shared_ptr<const layout> layout_;
  std::thread thread_;
};

// --- connection ----------------------------------------------------------------------------------------------------

void reader::impl::connect() {
  context_ = at_.host.empty() ? redisAsyncConnectUnix(at_.path.c_str()) : redisAsyncConnect(at_.host.c_str(), at_.port);
  INVARIANT(context_ != nullptr, "there is memory for a connection");
  connected_ = true;
  broken_ = context_->err != 0;
  context_->data = this;
  context_->ev.data = this;
  context_->ev.addRead = [](void* x) { static_cast<impl*>(x)->want_read_ = true; };
  context_->ev.delRead = [](void* x) { static_cast<impl*>(x)->want_read_ = false; };
  context_->ev.addWrite = [](void* x) { static_cast<impl*>(x)->want_write_ = true; };
  context_->ev.delWrite = [](void* x) { static_cast<impl*>(x)->want_write_ = false; };
  // hiredis frees a context that fails.
  context_->ev.cleanup = [](void* x) { static_cast<impl*>(x)->context_ = nullptr; };
  greeted_by_ = clock_type::now() + milliseconds(limits::redis_answer_ms);
  script_.clear();
  if (broken_) return;
  for (const auto& words : greeting(at_)) {
    argument_list arguments(words);
    redisAsyncCommandArgv(context_, on_greeting, nullptr, arguments.count(), arguments.texts(), arguments.sizes());
  }
  const auto script = lookup_script();
  redisAsyncCommand(context_, on_script, nullptr, "SCRIPT LOAD %b", script.data(), script.size());
}

void reader::impl::on_greeting(redisAsyncContext* context, void* reply, void*) {
  const auto* said = static_cast<const redisReply*>(reply);
  if (said == nullptr || said->type == REDIS_REPLY_ERROR) of(context).broken_ = true;
}

void reader::impl::on_script(redisAsyncContext* context, void* reply, void*) {
  auto& self = of(context);
  const auto* said = static_cast<const redisReply*>(reply);
  if (said == nullptr || said->type != REDIS_REPLY_STRING || self.broken_) {
    self.broken_ = true;
    return;
  }
  // Who is slow without having anything to do is not asked at all.
  self.loaded_.assign(said->str, said->len);
  self.pinged_ = clock_type::now();
  redisAsyncCommand(context, on_ping, nullptr, "PING");
}

void reader::impl::on_ping(redisAsyncContext* context, void* reply, void*) {
  auto& self = of(context);
  const auto now = clock_type::now();
  if (reply == nullptr || self.broken_ || now - self.pinged_ > milliseconds(limits::redis_read_ms)) {
    self.broken_ = true;
    return;
  }
  self.script_ = self.loaded_;
  self.asked_since_ = now;
  self.with_.asked = true;
}

void reader::impl::put_off() {
  const bool was_asked = !script_.empty();
  {
    std::lock_guard guard{mutex_};
    with_.asked = false;
  }
  if (was_asked) ++with_.put_off;
  script_.clear();
  if (context_ != nullptr) redisAsyncFree(context_);  // answers what is out with nothing
  sent_.clear();
  connected_ = broken_ = false;
  // So that a Redis that is late again and again costs few reads their wait.
  const bool lasted = was_asked && clock_type::now() - asked_since_ > milliseconds(limits::redis_patience * pause_ms_);
  pause_ms_ = lasted ? limits::redis_retry_ms : std::min(2 * pause_ms_, limits::redis_retry_most_ms);
  try_at_ = clock_type::now() + milliseconds(pause_ms_);
}

// --- reads ---------------------------------------------------------------------------------------------------------

const std::shared_ptr<const layout>& reader::impl::layout_of(const shown& x) {
  if (!layout_ || !(layout_->of() == x.of)) layout_ = std::make_shared<const layout>(x.prefix, x.of);
  return layout_;
}

void reader::impl::finish(question& x, std::optional<file_answer> answer) {
  {
    std::lock_guard guard{mutex_};
    --waiting_;
  }
  x.done(std::move(answer));
}

void reader::impl::send_incoming() {
  std::deque<question> taken;
  {
    std::lock_guard guard{mutex_};
    taken.swap(incoming_);
  }
  for (auto& x : taken) send(std::make_unique<question>(std::move(x)));
}

void reader::impl::send(std::unique_ptr<question> x) {
  const auto shown = with_.now();
  if (context_ == nullptr || script_.empty() || broken_ || !shown || shown->at != x->at) {
    ++(shown && shown->at != x->at ? with_.behind : with_.not_asked);
    finish(*x, std::nullopt);
    return;
  }
  x->of = layout_of(*shown);
  const auto words = lookup_command(script_, *x->of, x->at, x->what);
  argument_list arguments(words);
  sent_.push_back(x->late);
  auto* waiting = x.release();  // on_answer's from here on
  if (redisAsyncCommandArgv(context_, on_answer, waiting, arguments.count(), arguments.texts(), arguments.sizes()) ==
      REDIS_OK)
    return;
  sent_.pop_back();
  broken_ = true;
  ++with_.answered_late;
  const std::unique_ptr<question> back{waiting};
  finish(*back, std::nullopt);
}

void reader::impl::on_answer(redisAsyncContext* context, void* reply, void* data) {
  const std::unique_ptr<question> x{static_cast<question*>(data)};
  auto& self = of(context);
  if (!self.sent_.empty()) self.sent_.pop_front();
  self.settle(*x, static_cast<const redisReply*>(reply));
}

void reader::impl::settle(question& x, const redisReply* reply) {
  if (reply == nullptr || clock_type::now() > x.late) {
    broken_ = true;
    ++with_.answered_late;
    return finish(x, std::nullopt);
  }
  std::vector<std::string_view> said;
  const bool list = reply->type == REDIS_REPLY_ARRAY;
  if (!list && std::string_view{reply->str, reply->len}.find("WRONGTYPE") == std::string_view::npos) {
    // The script is gone, or the server is busy or starting: the next connection will tell.
    broken_ = true;
    ++with_.answered_late;
    return finish(x, std::nullopt);
  }
  for (std::size_t i = 0; list && i < reply->elements; ++i)
    said.emplace_back(reply->element[i]->str, reply->element[i]->str == nullptr ? 0 : reply->element[i]->len);
  file_answer answer;
  const auto outcome = list ? read_lookup(said, *x.of, x.what, clock_(), answer) : looked_up::wrong;
  switch (outcome) {
    case looked_up::answered: ++with_.answered; return finish(x, std::move(answer));
    case looked_up::behind: ++with_.behind; break;
    case looked_up::left: ++with_.left_to_store; break;
    case looked_up::wrong:
      ++with_.wrong;
      with_.distrust(x.of->of().name);
      break;
  }
  finish(x, std::nullopt);
}

// --- thread --------------------------------------------------------------------------------------------------------

clock_type::time_point reader::impl::next_deadline() const {
  if (context_ == nullptr) return try_at_;
  if (script_.empty()) return greeted_by_;
  return sent_.empty() ? clock_type::time_point::max() : sent_.front();
}

void reader::impl::poll_once() {
  std::array<pollfd, 2> wanted{{{wake_.get(), POLLIN, 0}, {-1, 0, 0}}};
  if (context_ != nullptr) {
    const int events = (want_read_ ? POLLIN : 0) | (want_write_ ? POLLOUT : 0);
    wanted[1] = {context_->c.fd, static_cast<short>(events), 0};
  }
  const auto until = next_deadline();
  int timeout = -1;
  if (until != clock_type::time_point::max()) {
    const auto left = std::chrono::ceil<milliseconds>(until - clock_type::now()).count();
    timeout = static_cast<int>(std::clamp<std::int64_t>(left, 0, limits::redis_retry_most_ms));
  }
  ::poll(wanted.data(), context_ == nullptr ? 1 : 2, timeout);
  if ((wanted[0].revents & POLLIN) != 0) {
    std::uint64_t count = 0;
    static_cast<void>(::read(wake_.get(), &count, sizeof count));
  }
  const auto happened = wanted[1].revents;
  if (context_ != nullptr && (happened & (POLLIN | POLLERR | POLLHUP)) != 0) redisAsyncHandleRead(context_);
  if (context_ != nullptr && (happened & POLLOUT) != 0) redisAsyncHandleWrite(context_);
}

void reader::impl::run() {
  while (!stopping_) {
    if (context_ == nullptr && clock_type::now() >= try_at_) connect();
    poll_once();
    send_incoming();
    const bool late = context_ != nullptr && clock_type::now() >= next_deadline();
    const bool lost = connected_ && context_ == nullptr;
    if (broken_ || late || lost) put_off();
  }
  put_off();
  send_incoming();
}

reader::reader(redis_address at, standing& with, std::function<unix_time_ms()> clock)
    : impl_(std::make_unique<impl>(std::move(at), with, std::move(clock))) {}

reader::~reader() = default;

bool reader::ask(log_position at, file_question what, callback done) {
  return can_look_up(what) && impl_->ask(at, std::move(what), std::move(done));
}

}  // namespace kaiku::redis
