// What a node reads of somebody it does not trust yet. An input is the payload of one frame, and its first bytes also
// the length of one. With clang this is a libFuzzer target: -fsanitize=fuzzer in place of support/fuzz_driver.cpp.

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "kaiku/core/limits.hpp"
#include "kaiku/link/hello.hpp"

namespace {

using namespace kaiku;

void demand(bool holds, const char* what) {
  if (!holds) throw std::logic_error(what);
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

void check_fields(const hello& x) {
  demand(is_valid_node_name(x.name.name), "a hello of no name");
  demand(x.version_min <= x.version_max, "versions the wrong way round");
  demand(!x.caf_node.empty() && x.caf_node.size() <= 64 && is_printable(x.caf_node), "a CAF node id that is none");
  demand(x.purpose <= hello_purpose::join, "a purpose that is none");
  demand(x.peer_address.size() <= 260 && is_printable(x.peer_address), "an address that can't be logged");
}
void check_fields(const link_proof&) {}
void check_fields(const refusal& x) {
  demand(x.text.size() <= 300 && is_printable(x.text), "a refusal that can't be logged");
}
void check_fields(const welcome& x) {
  demand(x.cluster.known() && !x.members.empty() && x.members.size() <= limits::members, "a welcome to nowhere");
  for (const auto& one : x.members)
    demand(is_valid_node_name(one.id.name) && is_printable(one.peer_address), "a member that is none");
}

hello_rules some_rules() {
  hello_rules rules;
  rules.self.name = {"n2"};
  rules.self.cluster.bytes.fill(1);
  rules.self.disk.bytes.fill(2);
  rules.self.boot.bytes.fill(2);
  rules.self.caf_node = std::string(40, 'A') + "#2";
  rules.members = {{{"n1"}, {}, "h:1"}, {{"n2"}, rules.self.disk, "h:2"}, {{"n3"}, {}, "h:3"}};
  rules.dialled = {"n1"};
  rules.linked = {{{"n3"}, std::string(40, 'B') + "#3", {}}};
  return rules;
}

/// However this node stands: a refusal can be sent, and read.
void judge_everywhere(const hello& x) {
  auto rules = some_rules();
  for (auto role : {link_role::dialler, link_role::acceptor})
    for (auto stands : {standing::asking, standing::joining, standing::settled}) {
      rules.role = role;
      rules.stands = stands;
      rules.unsettled = !rules.unsettled;
      rules.self.has_secret = x.nonce[0] % 2 == 0;
      const auto no = judge(x, rules);
      if (!no) continue;
      const auto sent = encode(*no);
      const auto read = decode_frame(std::string_view{sent}.substr(frame_prefix_bytes));
      demand(read.ok() && std::get<refusal>(*read).reason == no->reason, "a refusal that does not arrive");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto length = frame_length(bytes.substr(0, frame_prefix_bytes));
  demand(!length || (*length > 0 && *length <= limits::link_frame_bytes), "a frame of any length");
  const auto frame = decode_frame(bytes);
  if (!frame) return 0;
  std::visit([](const auto& x) { check_fields(x); }, *frame);
  const auto again = encode(*frame);
  demand(frame_length(again.substr(0, frame_prefix_bytes)) == again.size() - frame_prefix_bytes,
         "a frame too long to send");
  const auto same = decode_frame(std::string_view{again}.substr(frame_prefix_bytes));
  demand(same.ok() && *same == *frame, "a frame that is read for another");
  if (const auto* x = std::get_if<hello>(&*frame)) judge_everywhere(*x);
  return 0;
}
