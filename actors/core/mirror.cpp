#include "kaiku/core/mirror.hpp"

namespace kaiku {

std::string_view to_string(mirror_view::state x) {
  switch (x) {
    case mirror_view::state::unreachable: return "unreachable";
    case mirror_view::state::building: return "building";
    case mirror_view::state::full: return "full";
    case mirror_view::state::current: return "current";
  }
  return "unknown";
}

}  // namespace kaiku
