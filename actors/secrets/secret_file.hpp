#pragma once

/// Purpose: reads small files that an operator gives: a secret unless others can read it too.
/// Thread: any.

#include <cstddef>
#include <string>

#include "kaiku/core/error.hpp"

namespace kaiku {

/// The file's content, up to `most` bytes, without the line end. Errors: `bad_request`: it is not there, is no file, is
/// empty or too long; or others may read it: anybody but its owner, or, for a file of root's (as Kubernetes mounts
/// secrets for a pod with an `fsGroup`), but this process's own groups. The text never has any of the content.
result<std::string> read_secret(const std::string& file, std::size_t most);
/// The same, whoever else may read it: what is no secret, or what others mount as they see fit.
result<std::string> read_whole(const std::string& file, std::size_t most);

}  // namespace kaiku
