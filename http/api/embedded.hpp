#pragma once

/// Purpose: files that CMake puts into the binary. Thread: constants.

#include <string_view>

namespace kaiku {

/// `http/api/openapi.json`.
std::string_view openapi_json();
/// `http/assets/listing.css` and `listing.js`.
std::string_view listing_css();
std::string_view listing_js();

}  // namespace kaiku
