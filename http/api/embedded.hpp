#pragma once

/// Purpose: files that CMake puts into the binary. Thread: constants.

#include <span>
#include <string_view>

namespace kaiku {

struct embedded_file {
  std::string_view name;  ///< without a folder
  std::string_view type;  ///< for Content-Type
  std::string_view content;
};

/// `http/api/openapi.json`.
std::string_view openapi_json();
/// `http/assets/`: what the listing page loads.
std::span<const embedded_file> asset_files();
/// `http/console/`: the console, of which `index.html` is the page, and the library that draws its charts.
std::span<const embedded_file> console_files();

}  // namespace kaiku
