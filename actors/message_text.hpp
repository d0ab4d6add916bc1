#pragma once

/// Purpose: a message in a few words, for somebody who looks at actors: who, which entry, which path, how much; never
/// content, nor what a client keeps with a file. Thread: pure.

#include <string>

#include <caf/type_erased_tuple.hpp>

#include "kaiku/core/command.hpp"

namespace kaiku {

/// Empty when the type says it all. At most `limits::sample_text_bytes`, UTF-8.
std::string text_of(const caf::type_erased_tuple& x);
/// What a client asked for: `put /a/b, 12 bytes`.
std::string text_of(const command& x);

/// The first `most` bytes, not cut within a character, and of control characters nothing.
std::string shortened(std::string text, std::size_t most);

}  // namespace kaiku
