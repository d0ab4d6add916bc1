#include "support/kubernetes_api.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>

#include <openssl/ssl.h>
#include <nlohmann/json.hpp>

namespace kaiku::test {
namespace {

using nlohmann::json;

constexpr const char* label_name = "kaiku.io/role";
constexpr const char* pods = "/api/v1/namespaces/files/pods/";

/// As the API server says why not.
std::string status_object(unsigned code, const std::string& reason, const std::string& message) {
  return json{{"kind", "Status"},    {"apiVersion", "v1"}, {"metadata", json::object()},
              {"status", "Failure"}, {"message", message}, {"reason", reason},
              {"code", code}}
      .dump();
}

std::string field_of(const std::string& head, const std::string& name) {
  const auto at = head.find("\r\n" + name + ": ");
  if (at == std::string::npos) return {};
  const auto begin = at + name.size() + 4;
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

tls_context server_context(const certificate_files& shown) {
  tls_context out{SSL_CTX_new(TLS_server_method()), SSL_CTX_free};
  if (!out || SSL_CTX_use_certificate_chain_file(out.get(), shown.certificate.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(out.get(), shown.key.c_str(), SSL_FILETYPE_PEM) != 1)
    throw std::runtime_error("no TLS server with " + shown.certificate);
  return out;
}

}  // namespace

struct kubernetes_api::connection {
  int socket = -1;
  std::unique_ptr<SSL, decltype(&SSL_free)> tls{nullptr, SSL_free};
  std::string buffered;
  std::thread thread;

  bool read_until(const std::function<bool()>& is_enough) {
    char piece[16384];
    while (!is_enough()) {
      const int got = SSL_read(tls.get(), piece, sizeof piece);
      if (got <= 0) return false;
      buffered.append(piece, static_cast<std::size_t>(got));
    }
    return true;
  }
};

kubernetes_api::kubernetes_api(certificate_files shown) : shown_(std::move(shown)) {
  std::signal(SIGPIPE, SIG_IGN);  // clients go away in the middle of an answer
  start();
}

kubernetes_api::~kubernetes_api() {
  stop();
}

std::string kubernetes_api::url(const std::string& host) const {
  return "https://" + host + ":" + std::to_string(port_.number());
}

void kubernetes_api::start() {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  where.sin_port = htons(port_.number());
  if (::bind(listener, reinterpret_cast<sockaddr*>(&where), sizeof where) != 0 || ::listen(listener, 64) != 0)
    throw std::runtime_error("no port for an API server");
  {
    const std::lock_guard lock(mutex_);
    stopping_ = false;
  }
  acceptor_ = std::thread([this, listener] { serve(listener); });
}

void kubernetes_api::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (auto& one : connections_) ::shutdown(one->socket, SHUT_RDWR);
  }
  changed_.notify_all();
  if (acceptor_.joinable()) acceptor_.join();
  for (auto& one : connections_) {
    one->thread.join();
    ::close(one->socket);
  }
  connections_.clear();
}

void kubernetes_api::accept_token(const std::string& token) {
  const std::lock_guard lock(mutex_);
  token_ = token;
}

void kubernetes_api::add_pod(const std::string& name) {
  set_label(name, "");
}

void kubernetes_api::set_label(const std::string& pod, const std::string& role) {
  const std::lock_guard lock(mutex_);
  labels_[pod] = role;
}

std::string kubernetes_api::label(const std::string& pod) const {
  const std::lock_guard lock(mutex_);
  const auto found = labels_.find(pod);
  return found == labels_.end() ? std::string{} : found->second;
}

void kubernetes_api::be(api_mood mood) {
  {
    const std::lock_guard lock(mutex_);
    mood_ = std::move(mood);
    ++moods_;
  }
  changed_.notify_all();
}

std::vector<pod_request> kubernetes_api::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::size_t kubernetes_api::connections() const {
  const std::lock_guard lock(mutex_);
  return connections_.size();
}

void kubernetes_api::serve(int listener) {
  const auto context = server_context(shown_);
  const auto goes_on = [this] {
    const std::lock_guard lock(mutex_);
    return !stopping_;
  };
  while (goes_on()) {
    pollfd one{listener, POLLIN, 0};
    if (::poll(&one, 1, 20) != 1) continue;
    const int socket = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) continue;
    const std::lock_guard lock(mutex_);
    if (stopping_) ::shutdown(socket, SHUT_RDWR);
    auto& added = *connections_.emplace_back(std::make_unique<connection>());
    added.socket = socket;
    added.tls.reset(SSL_new(context.get()));
    SSL_set_fd(added.tls.get(), socket);
    added.thread = std::thread([this, &added] { serve_one(added); });
  }
  ::close(listener);
}

void kubernetes_api::serve_one(connection& on) {
  if (SSL_accept(on.tls.get()) != 1) {
    ++failed_handshakes_;
  } else {
    while (answer_one(on)) {
    }
    SSL_shutdown(on.tls.get());
  }
  ::shutdown(on.socket, SHUT_RDWR);
}

bool kubernetes_api::answer_one(connection& on) {
  auto& input = on.buffered;
  if (!on.read_until([&] { return input.find("\r\n\r\n") != std::string::npos; })) return false;
  pod_request one;
  one.head = input.substr(0, input.find("\r\n\r\n") + 4);
  input.erase(0, one.head.size());
  const auto length = field_of(one.head, "Content-Length");
  const auto size = length.empty() ? 0 : std::stoul(length);
  if (!on.read_until([&] { return input.size() >= size; })) return false;
  one.body = input.substr(0, size);
  input.erase(0, size);
  one.method = one.head.substr(0, one.head.find(' '));
  const auto target = one.method.size() + 1;
  one.target = one.head.substr(target, one.head.find(' ', target) - target);
  one.pod = one.target.substr(one.target.rfind('/') + 1);
  const auto shown = field_of(one.head, "Authorization");
  if (shown.starts_with("Bearer ")) one.token = shown.substr(7);
  one.at = clock::now();
  const auto said = handle(one);
  const auto answer = "HTTP/1.1 " + std::to_string(said.code) +
                      " x\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(said.body.size()) +
                      "\r\n" + said.fields + "\r\n" + said.body;
  return SSL_write(on.tls.get(), answer.data(), static_cast<int>(answer.size())) > 0;
}

kubernetes_api::reply kubernetes_api::handle(pod_request& one) {
  std::unique_lock lock(mutex_);
  const auto note = [&](reply said) {
    one.answered = said.code;
    requests_.push_back(one);
    return said;
  };
  if (one.token != token_) return note({401, "", status_object(401, "Unauthorized", "Unauthorized")});
  const auto mood = mood_;
  if (mood.times > 0 && --mood_.times == 0) mood_ = {};
  if (mood.delay.count() > 0) changed_.wait_for(lock, mood.delay, [&] { return stopping_; });
  if (mood.silent) changed_.wait(lock, [&, before = moods_] { return stopping_ || moods_ != before; });
  if (mood.code != 0) return note({mood.code, mood.fields, status_object(mood.code, "Told", "it was told to")});
  auto said = apply(one);
  if (said.code == 200) said.body.append(mood.body_bytes, ' ');
  return note(std::move(said));
}

/// Called with the lock held.
kubernetes_api::reply kubernetes_api::apply(const pod_request& one) {
  if (one.method != "PATCH" || !one.target.starts_with(pods))
    return {403, "", status_object(403, "Forbidden", "cannot " + one.method + " " + one.target)};
  const auto found = labels_.find(one.pod);
  if (found == labels_.end()) return {404, "", status_object(404, "NotFound", "pods \"" + one.pod + "\" not found")};
  if (field_of(one.head, "Content-Type") != "application/merge-patch+json")
    return {415, "", status_object(415, "UnsupportedMediaType", "not a merge patch")};
  json pod{{"metadata", {{"name", one.pod}, {"labels", json::object()}}}};
  if (!found->second.empty()) pod["metadata"]["labels"][label_name] = found->second;
  const auto patch = json::parse(one.body, nullptr, false);
  if (!patch.is_object()) return {400, "", status_object(400, "BadRequest", "not an object")};
  pod.merge_patch(patch);
  found->second = pod["metadata"]["labels"].value(label_name, "");
  return {200, "", pod.dump()};
}

}  // namespace kaiku::test
