#include "kaiku/http/api/listing_html.hpp"

#include <array>
#include <cstdio>

#include "kaiku/http/api/http_date.hpp"

namespace kaiku {
namespace {

/// Names are anybody's: no script and no style but our own runs on this page, and its form leads only here.
constexpr std::string_view page_policy =
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'";

std::string escape(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out.push_back(c);
    }
  }
  return out;
}

/// `1.4 MiB`.
std::string readable(byte_count size) {
  constexpr std::array units{"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  std::size_t unit = 0;
  auto value = static_cast<double>(size.value);
  for (; value >= 1024 && unit + 1 < units.size(); ++unit) value /= 1024;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, units.at(unit));
  return text.data();
}

void add_row(std::string& out, const directory_entry& entry) {
  const bool directory = entry.info.is_directory();
  const std::string slash = directory ? "/" : "";
  const auto when = format_rfc3339(entry.info.modified);
  out += "<tr><td><a href=\"" + percent_encode_path(entry.name) + slash + "\">" + escape(entry.name) + slash +
         "</a></td><td class=\"size\">" + (directory ? std::string("directory") : readable(entry.info.content.size)) +
         "</td><td><time datetime=\"" + when + "\">" + when.substr(0, 10) + " " + when.substr(11, 5) +
         " UTC</time></td></tr>\n";
}

constexpr std::string_view upload_form =
    "<form id=\"upload\" method=\"post\" enctype=\"multipart/form-data\">\n"
    "<h2>Upload</h2>\n"
    "<p><label for=\"files\">Files to store here; those of the same name are replaced. You may also drop files on this "
    "page.</label></p>\n"
    "<p><input id=\"files\" name=\"file\" type=\"file\" multiple required> <button "
    "type=\"submit\">Upload</button></p>\n"
    "<p id=\"status\" role=\"status\"></p>\n"
    "</form>\n";

}  // namespace

response html_listing(const file_path& path, const directory_page& page, const std::string& page_query) {
  const auto title = escape("/" + path.text() + (path.is_root() ? "" : "/"));
  std::string html =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
      title +
      "</title>\n<link rel=\"stylesheet\" href=\"/assets/listing.css\">\n"
      "<script src=\"/assets/listing.js\" defer></script>\n</head>\n<body>\n<main>\n<h1>" +
      title + "</h1>\n";
  if (!path.is_root()) html += "<nav aria-label=\"Parent\"><p><a href=\"../\">Parent directory</a></p></nav>\n";
  html += "<table>\n<caption>" + std::to_string(page.entries.size()) +
          (page.entries.size() == 1 ? " entry" : " entries") + (page.more ? " on this page" : "") +
          "</caption>\n<thead><tr><th scope=\"col\">Name</th><th scope=\"col\" class=\"size\">Size</th><th "
          "scope=\"col\">Modified</th></tr></thead>\n<tbody>\n";
  for (const auto& entry : page.entries) add_row(html, entry);
  html += "</tbody>\n</table>\n";
  if (page.more)
    html += "<nav aria-label=\"Pages\"><p><a rel=\"next\" href=\"?" + escape(page_query) +
            "after=" + percent_encode_path(page.next) + "\">Next page</a></p></nav>\n";
  html.append(upload_form).append("</main>\n</body>\n</html>\n");
  response out;
  out.add("Content-Type", "text/html; charset=utf-8");
  out.add("Cache-Control", "no-cache");
  out.add("X-Content-Type-Options", "nosniff");
  out.add("Content-Security-Policy", page_policy);
  out.add("Referrer-Policy", "no-referrer");
  out.body = std::move(html);
  return out;
}

response to_trailing_slash(const file_path& path, std::string_view query) {
  response out;
  out.status = 301;
  std::string to = "/files/" + percent_encode_path(path.text()) + (path.is_root() ? "" : "/");
  if (!query.empty()) to.append("?").append(query);
  out.add("Location", to);
  out.add("Cache-Control", "no-cache");
  out.add("Vary", "Accept");
  return out;
}

}  // namespace kaiku
