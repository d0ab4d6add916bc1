#include "kaiku/kubernetes/api.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <utility>

#include <nlohmann/json.hpp>

#include "kaiku/core/invariant.hpp"
#include "kaiku/kubernetes/limits.hpp"

namespace kaiku::kubernetes {
namespace {

/// A line for the log, whatever the server says.
std::string printable(std::string text) {
  if (text.size() > limits::words_bytes) text.resize(limits::words_bytes);
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, ' ');
  return text;
}

/// The reason in a Status object, as the API server gives it with a failure.
std::string message_in(const std::string& body) {
  const auto document = nlohmann::json::parse(body, nullptr, false);
  if (!document.is_object()) return {};
  const auto message = document.find("message");
  return message != document.end() && message->is_string() ? message->get<std::string>() : std::string{};
}

}  // namespace

struct api::impl {
  explicit impl(settings s) : with(std::move(s)) {}

  void configure();
  void set_fields(const std::string& token);
  answer judge(CURLcode outcome);
  static std::size_t take_body(char* data, std::size_t, std::size_t size, void* self);

  settings with;
  CURLM* multi = nullptr;
  CURL* easy = nullptr;
  curl_slist* fields = nullptr;
  std::array<char, CURL_ERROR_SIZE> words{};
  std::string body;
  bool too_long = false;
  bool under_way = false;
  std::optional<answer> not_sent;
};

api::api(settings with) : impl_(std::make_unique<impl>(std::move(with))) {
  INVARIANT(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK, "libcurl does not start");
  impl_->multi = curl_multi_init();
  impl_->easy = curl_easy_init();
  INVARIANT(impl_->multi != nullptr && impl_->easy != nullptr, "no memory");
  impl_->configure();
}

api::~api() {
  if (impl_->under_way) curl_multi_remove_handle(impl_->multi, impl_->easy);
  curl_easy_cleanup(impl_->easy);
  curl_multi_cleanup(impl_->multi);
  curl_slist_free_all(impl_->fields);
  curl_global_cleanup();
}

void api::impl::configure() {
  const auto url = with.api + "/api/v1/namespaces/" + with.name_space + "/pods/" + with.pod;
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "PATCH");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "kaikud/" KAIKU_VERSION);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");  // whatever the environment says
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_CAINFO, with.authority_file().c_str());
  curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);  // nor who else this machine trusts
#if LIBCURL_VERSION_NUM >= 0x075700
  // Each connection reads the authorities anew: they are replaced while the process runs.
  curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
#endif
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
#if LIBCURL_VERSION_NUM >= 0x075700
  // A look-up that hangs is left to itself: whoever gives it up would wait for it otherwise.
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limits::connect_timeout_ms));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(limits::request_timeout_ms));
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, words.data());
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, impl::take_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
}

void api::impl::set_fields(const std::string& token) {
  curl_slist_free_all(std::exchange(fields, nullptr));
  const auto add = [&](const std::string& line) { fields = curl_slist_append(fields, line.c_str()); };
  add("Content-Type: application/merge-patch+json");
  // Of the pod itself nothing is wanted back.
  add("Accept: application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1, application/json");
  add("Authorization: Bearer " + token);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, fields);
}

std::size_t api::impl::take_body(char* data, std::size_t, std::size_t size, void* self) {
  auto& own = *static_cast<impl*>(self);
  own.too_long = own.body.size() + size > limits::answer_bytes;
  if (own.too_long) return 0;
  own.body.append(data, size);
  return size;
}

void api::begin(pod_role to) {
  auto& own = *impl_;
  const auto token = read_token(own.with);
  if (!token) {
    own.not_sent = answer{.words = token.failure().detail};
    return;
  }
  own.set_fields(*token);
  own.body.clear();
  own.too_long = false;
  own.words[0] = 0;
  curl_easy_setopt(own.easy, CURLOPT_COPYPOSTFIELDS, patch_for(to).c_str());
  curl_multi_add_handle(own.multi, own.easy);
  own.under_way = true;
}

std::optional<answer> api::turn(milliseconds most) {
  auto& own = *impl_;
  if (own.not_sent) return std::exchange(own.not_sent, std::nullopt);
  int running = 0;
  curl_multi_perform(own.multi, &running);
  if (running == (own.under_way ? 1 : 0)) {
    curl_multi_poll(own.multi, nullptr, 0, static_cast<int>(most.count()), nullptr);
    curl_multi_perform(own.multi, &running);
  }
  int left = 0;
  const auto* ended = curl_multi_info_read(own.multi, &left);
  if (ended == nullptr || ended->msg != CURLMSG_DONE) return std::nullopt;
  const auto outcome = ended->data.result;
  auto out = own.judge(outcome);
  curl_multi_remove_handle(own.multi, own.easy);
  own.under_way = false;
  return out;
}

answer api::impl::judge(CURLcode outcome) {
  answer out;
  if (outcome != CURLE_OK && !too_long) {
    long sent = 0;
    curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &sent);
    out.may_stand = sent > 0;
    out.words = printable(words[0] != 0 ? words.data() : curl_easy_strerror(outcome));
    return out;
  }
  long code = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);
  out.code = static_cast<unsigned>(code);
  if (out.is_good()) return out;
  curl_off_t seconds = 0;
  curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &seconds);
  if (seconds > 0) out.retry_after = milliseconds(std::min<curl_off_t>(seconds * 1000, limits::retry_after_most_ms));
  const auto message = message_in(body);
  out.words = printable(std::to_string(code) + (message.empty() ? "" : ": " + message));
  return out;
}

void api::wake() {
  curl_multi_wakeup(impl_->multi);
}

}  // namespace kaiku::kubernetes
