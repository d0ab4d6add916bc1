#include "kaiku/cli/exchange.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>

#include "kaiku/cli/limits.hpp"
#include "kaiku/core/invariant.hpp"

namespace kaiku::cli {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::string_view{" \t\r\n"}.find(text.back()) != std::string_view::npos)
    text.remove_suffix(1);
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  return text;
}

}  // namespace

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

exchange::~exchange() {
  close();
}

void exchange::close() {
  if (easy != nullptr) curl_easy_cleanup(easy);
  curl_slist_free_all(lines);
  easy = nullptr;
  lines = nullptr;
}

bool exchange::before_connection(int result) const {
  switch (result) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_URL_MALFORMAT: return true;
    case CURLE_OPERATION_TIMEDOUT: break;
    default: return false;
  }
  curl_off_t connected = 0;  // also when an earlier request had made the connection
  long sent = 0;
  curl_easy_getinfo(easy, CURLINFO_CONNECT_TIME_T, &connected);
  curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &sent);
  return got.code == 0 && connected == 0 && sent == 0;
}

void exchange::prepare(const courier_settings& how) {
  close();
  easy = curl_easy_init();
  INVARIANT(easy != nullptr, "no memory");
  node = how.nodes.current();
  got = {};
  got.method = what.method;
  begun = steady::now();
  any_taken = is_paused = false;
  waiting_since.reset();
  body_at = 0;
  ++tries;
  configure(how);
}

std::size_t exchange::take_header(char* data, std::size_t, std::size_t size, void* self) {
  auto& one = *static_cast<exchange*>(self);
  const std::string_view line(data, size);
  if (line.starts_with("HTTP/")) {
    // Of an interim answer nothing stays.
    one.got.fields.clear();
    const auto space = line.find(' ');
    const auto digits = space == std::string_view::npos ? std::string_view{} : line.substr(space + 1, 3);
    one.got.code = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), one.got.code);
  } else if (const auto colon = line.find(':'); colon != std::string_view::npos) {
    one.got.fields.emplace_back(lower_case(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
  }
  return size;
}

/// The allowance is used up: the courier lets it go on when its turn comes.
bool exchange::must_wait() {
  if (rate.has_some()) return false;
  is_paused = true;
  if (!waiting_since) waiting_since = steady::now();
  return true;
}

void exchange::spend(std::size_t bytes) {
  rate.spend(bytes);
  waiting_since.reset();
}

std::size_t exchange::take_body(char* data, std::size_t, std::size_t size, void* self) {
  auto& one = *static_cast<exchange*>(self);
  if (one.must_wait()) return CURL_WRITEFUNC_PAUSE;
  one.spend(size);
  const std::string_view piece(data, size);
  if (one.what.sink && one.got.good()) {
    one.any_taken = true;
    if (one.what.sink(one.got, piece)) return size;
    one.got.stopped = true;
    return 0;
  }
  if (one.got.body.size() + size > limits::answer_bytes) {
    one.got.stopped = true;
    one.got.transport = "the answer is larger than any that a node gives";
    return 0;
  }
  one.got.body += piece;
  return size;
}

std::size_t exchange::give_body(char* data, std::size_t, std::size_t size, void* self) {
  auto& one = *static_cast<exchange*>(self);
  if (one.must_wait()) return CURL_READFUNC_PAUSE;
  size = std::min(size, one.rate.piece());
  std::size_t given = 0;
  if (one.what.source) {
    const auto count = one.what.source->read(data, size);
    if (count < 0) {
      one.got.stopped = true;
      one.got.transport = one.what.source->trouble();
      return CURL_READFUNC_ABORT;
    }
    given = static_cast<std::size_t>(count);
  } else {
    given = std::min(size, one.what.body.size() - one.body_at);
    std::memcpy(data, one.what.body.data() + one.body_at, given);
    one.body_at += given;
  }
  one.spend(given);
  if (one.what.on_sent && given > 0) one.what.on_sent(given);
  return given;
}

/// libcurl sends a request anew when a kept connection turns out to be closed.
int exchange::seek_body(void* self, curl_off_t offset, int origin) {
  auto& one = *static_cast<exchange*>(self);
  if (offset != 0 || origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
  one.body_at = 0;
  return !one.what.source || one.what.source->rewind() ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_CANTSEEK;
}

/// A question is worth no more than what is left of the patience; a change may take a node's own wait.
long exchange::stall_after(const courier_settings& how) const {
  if (what.streamed) return limits::stall_of_stream_s;
  if (what.source || !what.body.empty()) return limits::stall_s;
  if (!what.changes_nothing()) return limits::stall_without_body_s;
  auto left = how.patience;
  if (first_failure) left -= std::chrono::duration_cast<std::chrono::seconds>(steady::now() - *first_failure);
  return std::clamp<long>(left.count(), limits::stall_least_s, limits::stall_without_body_s);
}

void exchange::configure(const courier_settings& how) {
  const auto& base = redirected.empty() ? how.nodes.url(node) : redirected;
  got.address = base;
  curl_easy_setopt(easy, CURLOPT_URL, (base + what.target).c_str());
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "kaiku/" KAIKU_VERSION);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, words.data());
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limits::connect_timeout_ms));
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, static_cast<long>(rate.piece()));
  curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, limits::buffer_bytes);
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, stall_after(how));
  if (!how.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, how.ca_file.c_str());
  if (!how.certificate_file.empty()) curl_easy_setopt(easy, CURLOPT_SSLCERT, how.certificate_file.c_str());
  if (!how.key_file.empty()) curl_easy_setopt(easy, CURLOPT_SSLKEY, how.key_file.c_str());
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, exchange::take_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, exchange::take_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  const auto add = [&](const std::string& line) { lines = curl_slist_append(lines, line.c_str()); };
  if (!how.token.empty()) add("Authorization: Bearer " + how.token);
  // Without a value, libcurl would take `name:` for a field that is not to be sent.
  for (const auto& [name, value] : what.fields) add(trimmed(value).empty() ? name + ";" : name + ": " + value);
  configure_body();
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, lines);
}

void exchange::configure_body() {
  if (what.method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  } else if (what.method == "PUT" || what.source || !what.body.empty()) {
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, what.method.c_str());
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, exchange::give_body);
    curl_easy_setopt(easy, CURLOPT_READDATA, this);
    curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, exchange::seek_body);
    curl_easy_setopt(easy, CURLOPT_SEEKDATA, this);
    const auto size = what.source ? what.source->size() : std::optional<std::uint64_t>{what.body.size()};
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, size ? static_cast<curl_off_t>(*size) : curl_off_t{-1});
  } else if (what.method != "GET") {
    // Without a body, and saying so.
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, what.method.c_str());
    if (what.method == "POST") lines = curl_slist_append(lines, "Content-Length: 0");
  }
}

}  // namespace kaiku::cli
