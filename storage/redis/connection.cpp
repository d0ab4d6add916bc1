#include "kaiku/storage/redis/connection.hpp"

#include <hiredis/hiredis.h>
#include <sys/time.h>

#include <algorithm>

#include "kaiku/core/limits.hpp"

namespace kaiku::redis {
namespace {

timeval patience() {
  return {limits::redis_answer_ms / 1000, limits::redis_answer_ms % 1000 * 1000};
}

error refusal(std::string_view text) {
  const auto says = [&](std::string_view word) { return text.starts_with(word); };
  // Of a transaction with a command that did not fit: EXECABORT.
  if (says("OOM") || says("EXECABORT")) return {errc::disk_full, "Redis has no memory left: " + std::string{text}};
  if (says("LOADING") || says("BUSY") || says("TRYAGAIN") || says("MASTERDOWN") || says("READONLY") || says("MISCONF"))
    return {errc::overloaded, "Redis refuses: " + std::string{text}};
  return {errc::bad_request, "Redis refuses: " + std::string{text}};
}

reply convert(const redisReply& from) {
  reply out;
  switch (from.type) {
    case REDIS_REPLY_NIL: out.nil = true; break;
    case REDIS_REPLY_INTEGER: out.text = std::to_string(from.integer); break;
    case REDIS_REPLY_ARRAY:
      for (std::size_t i = 0; i < from.elements; ++i) out.items.push_back(convert(*from.element[i]));
      break;
    default: out.text.assign(from.str, from.len); break;
  }
  return out;
}

/// The first error in what a transaction gave.
const redisReply* find_error(const redisReply& from) {
  for (std::size_t i = 0; from.type == REDIS_REPLY_ARRAY && i < from.elements; ++i)
    if (from.element[i]->type == REDIS_REPLY_ERROR) return from.element[i];
  return nullptr;
}

struct reply_freer {
  void operator()(void* x) const { freeReplyObject(x); }
};

}  // namespace

std::vector<command> greeting(const redis_address& at) {
  std::vector<command> out;
  if (!at.password.empty()) {
    command auth{"AUTH"};
    if (!at.user.empty()) auth.push_back(at.user);
    auth.push_back(at.password);
    out.push_back(std::move(auth));
  }
  if (at.database != 0) out.push_back({"SELECT", std::to_string(at.database)});
  return out;
}

void connection::closer::operator()(redisContext* context) const {
  redisFree(context);
}

connection::connection(redisContext* context) : context_(context) {}
connection::~connection() = default;

result<std::unique_ptr<connection>> connection::open(const redis_address& at) {
  auto* context = at.host.empty() ? redisConnectUnixWithTimeout(at.path.c_str(), patience())
                                  : redisConnectWithTimeout(at.host.c_str(), at.port, patience());
  if (context == nullptr) return {errc::overloaded, "no memory for a connection to Redis"};
  std::unique_ptr<connection> out{new connection(context)};
  if (context->err != 0) return {errc::io_error, std::string{"no connection to Redis: "} + context->errstr};
  if (redisSetTimeout(context, patience()) != REDIS_OK)
    return {errc::io_error, "a connection to Redis takes no timeout"};
  for (const auto& word : greeting(at)) {
    auto answer = out->call(word);
    if (answer.ok()) continue;
    // What a server says of AUTH may hold what it was sent.
    if (word.front() == "AUTH" && answer.failure().code != errc::io_error)
      return {errc::bad_request, "Redis refuses the user or the password (AUTH)"};
    return answer.failure();
  }
  return out;
}

status connection::append(const command& what) {
  argument_list arguments(what);
  if (redisAppendCommandArgv(context_.get(), arguments.count(), arguments.texts(), arguments.sizes()) == REDIS_OK)
    return success();
  return {errc::io_error, std::string{"Redis can't be written to: "} + context_->errstr};
}

result<reply> connection::read() {
  void* raw = nullptr;
  const auto outcome = redisGetReply(context_.get(), &raw);
  const std::unique_ptr<void, reply_freer> kept{raw};
  if (outcome != REDIS_OK) return {errc::io_error, std::string{"Redis does not answer: "} + context_->errstr};
  const auto& from = *static_cast<const redisReply*>(raw);
  if (from.type == REDIS_REPLY_ERROR) return refusal({from.str, from.len});
  if (const auto* inside = find_error(from))
    return {errc::corrupt, "Redis did a part of a transaction only: " + std::string{inside->str, inside->len}};
  return convert(from);
}

result<reply> connection::call(const command& what) {
  if (auto sent = append(what); !sent) return sent.failure();
  return read();
}

status connection::send(std::span<const command> what) {
  while (!what.empty()) {
    const auto some = what.first(std::min(what.size(), limits::redis_pipeline));
    for (const auto& one : some)
      if (auto sent = append(one); !sent) return sent;
    status first = success();
    for (std::size_t i = 0; i < some.size(); ++i) {
      auto answer = read();
      if (!answer && answer.failure().code == errc::io_error) return answer.failure();
      if (!answer && first.ok()) first = answer.failure();
    }
    if (!first) return first;
    what = what.subspan(some.size());
  }
  return success();
}

status connection::transact(std::span<const command> what) {
  if (auto begun = call({"MULTI"}); !begun) return begun.failure();
  if (auto queued = send(what); !queued) {
    if (queued.failure().code != errc::io_error) static_cast<void>(call({"DISCARD"}));
    return queued;
  }
  auto done = call({"EXEC"});
  if (!done) return done.failure();
  if (done->nil) return {errc::busy, "somebody else changed what Redis shows of this node"};
  return success();
}

}  // namespace kaiku::redis
