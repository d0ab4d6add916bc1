#pragma once

/// Purpose: a listing as a page for a browser: plain HTML that works without its script, and with a keyboard or a
/// screen reader as well. Thread: pure functions.

#include <string>

#include "kaiku/core/command.hpp"
#include "kaiku/core/path.hpp"
#include "kaiku/http/server/exchange.hpp"

namespace kaiku {

/// Links are relative to the directory's URL with a slash at its end. `page_query` is what the next page's query says
/// beside `after`, ended by `&`, or nothing.
response html_listing(const file_path& path, const directory_page& page, const std::string& page_query);

/// Where a browser is sent that asked for a directory without the slash.
response to_trailing_slash(const file_path& path, std::string_view query);

}  // namespace kaiku
