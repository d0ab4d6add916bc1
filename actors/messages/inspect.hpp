#pragma once

/// Purpose: how the core's values travel between actors and nodes. Found by argument-dependent lookup from CAF's
/// serializers; the order of the fields is the wire format (a change means a new protocol version, `link/hello.hpp`).
/// Thread: any.

#include <memory>
#include <string>

#include <caf/deserializer.hpp>
#include <caf/error.hpp>
#include <caf/meta/load_callback.hpp>
#include <caf/meta/type_name.hpp>
#include <caf/sec.hpp>
#include <caf/serializer.hpp>

#include "kaiku/core/command.hpp"
#include "kaiku/core/election.hpp"
#include "kaiku/core/fence.hpp"
#include "kaiku/core/liveness.hpp"
#include "kaiku/core/replication.hpp"
#include "kaiku/core/vote.hpp"

namespace kaiku {

/// Bytes on their way between actors: shared, never changed, bounded by `chunk::max_bytes` before they are allocated.
class chunk {
 public:
  static constexpr std::size_t max_bytes = std::size_t{1024} * 1024;

  chunk() = default;
  explicit chunk(std::string bytes) : bytes_(std::make_shared<const std::string>(std::move(bytes))) {}

  std::string_view view() const { return bytes_ ? std::string_view{*bytes_} : std::string_view{}; }

  friend caf::error inspect(caf::serializer& f, chunk& x) {
    auto size = static_cast<std::uint32_t>(x.view().size());
    if (auto e = f(size)) return e;
    return size == 0 ? caf::error{} : f.apply_raw(size, const_cast<char*>(x.bytes_->data()));
  }
  friend caf::error inspect(caf::deserializer& f, chunk& x) {
    std::uint32_t size = 0;
    if (auto e = f(size)) return e;
    if (size > max_bytes) return caf::sec::invalid_argument;
    std::string bytes(size, '\0');
    if (size != 0)
      if (auto e = f.apply_raw(size, bytes.data())) return e;
    x = chunk{std::move(bytes)};
    return caf::none;
  }
  friend std::string to_string(const chunk& x) { return "chunk(" + std::to_string(x.view().size()) + " bytes)"; }

 private:
  std::shared_ptr<const std::string> bytes_;
};

template <class F, class Tag>
typename F::result_type inspect(F& f, counter<Tag>& x) {
  return f(x.value);
}
template <class F, class Tag>
typename F::result_type inspect(F& f, random_id<Tag>& x) {
  return f(x.bytes);
}
template <class F>
typename F::result_type inspect(F& f, digest& x) {
  return f(x.bytes);
}
template <class F>
typename F::result_type inspect(F& f, unix_time_ms& x) {
  return f(x.value);
}
template <class F>
typename F::result_type inspect(F& f, node_id& x) {
  return f(x.name);
}
template <class F>
typename F::result_type inspect(F& f, log_position& x) {
  return f(caf::meta::type_name("log_position"), x.in_term, x.index);
}
template <class F>
typename F::result_type inspect(F& f, error& x) {
  return f(caf::meta::type_name("error"), x.code, x.detail);
}
template <class F>
typename F::result_type inspect(F& f, content_ref& x) {
  return f(caf::meta::type_name("content_ref"), x.sha256, x.size);
}
/// As on the disk.
inline caf::error inspect(caf::serializer& f, file_properties& x) {
  encoder out;
  write(out, x);
  auto bytes = out.take();
  return f(bytes);
}
inline caf::error inspect(caf::deserializer& f, file_properties& x) {
  std::string bytes;
  if (auto e = f(bytes)) return e;
  decoder in{bytes};
  x = read_properties(in);
  return in.done() ? caf::error{} : caf::error{caf::sec::invalid_argument};
}
inline std::string to_string(const file_properties& x) {
  return "properties(" + x.content_type + ")";
}
template <class F>
typename F::result_type inspect(F& f, log_entry& x) {
  return f(caf::meta::type_name("log_entry"), x.at, x.encoded_command);
}
template <class F>
typename F::result_type inspect(F& f, precondition& x) {
  bool dated = x.if_unmodified_since.has_value();
  auto since = x.if_unmodified_since.value_or(unix_time_ms{});
  const auto take_date = [&] {
    x.if_unmodified_since = dated ? std::optional{since} : std::nullopt;
    return caf::error{};
  };
  return f(caf::meta::type_name("precondition"), x.if_match, x.if_match_any, x.if_none_match, x.if_none_match_any,
           dated, since, caf::meta::load_callback(take_date));
}
template <class F>
typename F::result_type inspect(F& f, file_info& x) {
  return f(caf::meta::type_name("file_info"), x.type, x.inode, x.content, x.version, x.created, x.modified,
           x.properties);
}
template <class F>
typename F::result_type inspect(F& f, cluster_tag& x) {
  return f(x.bytes);
}
template <class F>
typename F::result_type inspect(F& f, write_status& x) {
  return f(caf::meta::type_name("write_status"), x.what, x.holders, x.voters);
}
template <class F>
typename F::result_type inspect(F& f, member_change& x) {
  return f(caf::meta::type_name("member_change"), x.what, x.id, x.peer_address);
}
template <class F>
typename F::result_type inspect(F& f, write_token& x) {
  return f(caf::meta::type_name("write_token"), x.cluster, x.at);
}
template <class F>
typename F::result_type inspect(F& f, vote_request& x) {
  return f(caf::meta::type_name("vote_request"), x.candidate, x.in_term, x.last, x.pre_vote, x.transfer);
}
template <class F>
typename F::result_type inspect(F& f, vote_reply& x) {
  return f(caf::meta::type_name("vote_reply"), x.voter, x.in_term, x.voter_term, x.pre_vote, x.granted);
}
template <class F>
typename F::result_type inspect(F& f, heartbeat& x) {
  return f(caf::meta::type_name("heartbeat"), x.leader, x.in_term, x.round, x.commit, x.last);
}
template <class F>
typename F::result_type inspect(F& f, heartbeat_reply& x) {
  return f(caf::meta::type_name("heartbeat_reply"), x.from, x.in_term, x.round);
}
template <class F>
typename F::result_type inspect(F& f, append_reply& x) {
  return f(caf::meta::type_name("append_reply"), x.from, x.in_term, x.accepted, x.match, x.hint, x.waiting_for_content,
           x.disk);
}

}  // namespace kaiku
