#include "kaiku/link/frame_check.hpp"

#include <string_view>

#include <caf/abstract_actor.hpp>
#include <caf/atom.hpp>

namespace kaiku {

std::string flaw_in_error(caf::binary_deserializer& in) {
  std::uint8_t code = 0;
  caf::atom_value category{};
  std::uint16_t number = 0;
  std::string types;
  if (in(code, category) || in.begin_object(number, types)) return "an error that ends too early";
  // CAF reads the texts within the frame's bytes, so that their count needs no bound.
  constexpr std::string_view none = "@<>", text = "+@str";
  std::string_view left = types;
  if (number != 0 || !left.starts_with(none)) return "an error that does not say what it holds";
  left.remove_prefix(none.size());
  while (left.starts_with(text)) left.remove_prefix(text.size());
  return left.empty() ? "" : "an error that holds more than text";
}

std::string flaw_in_exit(caf::binary_deserializer& in, const caf::node_id& from) {
  caf::actor_id who = caf::invalid_actor_id;
  caf::node_id node;
  if (in(who, node)) return "an end that does not say whose";
  if (who == caf::invalid_actor_id || !node || node != from) return "an end in another's name";
  return flaw_in_error(in);
}

}  // namespace kaiku
