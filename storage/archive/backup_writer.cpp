#include <nlohmann/json.hpp>

#include "kaiku/archive/backup.hpp"
#include "kaiku/archive/backup_names.hpp"
#include "kaiku/core/decimal.hpp"

namespace kaiku {
namespace {

using json = nlohmann::ordered_json;
namespace names = backup_names;

/// A member that is a document.
std::string write_document(std::string_view name, const json& what, unix_time_ms modified) {
  const auto text = what.dump(2) + "\n";
  return tar::write_head({tar::kind::file, std::string{name}, {text.size()}, modified}) + text +
         tar::padding({text.size()});
}

tar::records records_of(const file_info& x) {
  tar::records out;
  const auto add = [&](std::string_view name, std::string value) {
    out.emplace_back(std::string{names::prefix}.append(name), std::move(value));
  };
  add(names::changed_by, write_version(x.version));
  add(names::created, std::to_string(x.created.value));
  add(names::modified, std::to_string(x.modified.value));
  if (x.is_directory()) return out;
  add(names::digest, to_string(x.content.sha256));
  const auto& more = x.properties;
  if (!more.content_type.empty()) add(names::content_type, more.content_type);
  if (!more.content_encoding.empty()) add(names::content_encoding, more.content_encoding);
  if (more.expires) add(names::expires, std::to_string(more.expires->value));
  for (const auto& [name, value] : more.metadata) add(std::string{names::metadata} + name, value);
  return out;
}

}  // namespace

std::string backup_writer::take(std::string bytes) {
  sum_.add(bytes);
  return bytes;
}

std::string backup_writer::begin() {
  const json manifest{{"format", names::format},           {"version", names::version},
                      {"cluster", to_string(of_.cluster)}, {"node", of_.node.name},
                      {"term", of_.at.in_term.value},      {"index", of_.at.index.value},
                      {"time_ms", of_.time.value},         {"written_by", "kaikud " KAIKU_VERSION}};
  return take(write_document(names::manifest, manifest, of_.time));
}

std::string backup_writer::head(const file_path& path, const file_info& what) {
  const bool is_directory = what.is_directory();
  auto name = std::string{names::files} + path.text();
  if (is_directory && !path.is_root()) name += '/';
  ++(is_directory ? totals_.directories : totals_.files);
  totals_.bytes.value += what.content.size.value;
  return take(tar::write_head({is_directory ? tar::kind::directory : tar::kind::file, std::move(name),
                               what.content.size, what.modified, records_of(what)}));
}

std::string backup_writer::end_of_content(byte_count size) {
  return take(tar::padding(size));
}

std::string backup_writer::write_end() const {
  const json totals{{"directories", totals_.directories},
                    {"files", totals_.files},
                    {"bytes", totals_.bytes.value},
                    {"sha256", to_string(sum_.so_far())}};
  return write_document(names::end, totals, of_.time) + tar::end_of_archive();
}

std::string backup_writer::end() {
  return write_end();
}

}  // namespace kaiku
