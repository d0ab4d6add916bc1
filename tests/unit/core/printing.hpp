#pragma once

/// Purpose: lets Boost.Test print core values when a check fails. Thread: values.

#include <chrono>
#include <ostream>

#include "kaiku/core/election.hpp"
#include "kaiku/core/error.hpp"
#include "kaiku/core/ids.hpp"

namespace kaiku {

template <class Tag>
std::ostream& operator<<(std::ostream& out, counter<Tag> x) {
  return out << x.value;
}
inline std::ostream& operator<<(std::ostream& out, const log_position& x) {
  return out << '(' << x.in_term << ", " << x.index << ')';
}
inline std::ostream& operator<<(std::ostream& out, const node_id& x) {
  return out << '"' << x.name << '"';
}
inline std::ostream& operator<<(std::ostream& out, role x) {
  return out << to_string(x);
}
inline std::ostream& operator<<(std::ostream& out, errc x) {
  return out << to_string(x);
}

}  // namespace kaiku

namespace std::chrono {

inline std::ostream& operator<<(std::ostream& out, kaiku::instant x) {
  return out << x.time_since_epoch().count() << " us";
}
template <class Rep, class Period>
std::ostream& operator<<(std::ostream& out, duration<Rep, Period> x) {
  return out << duration_cast<microseconds>(x).count() << " us";
}

}  // namespace std::chrono
