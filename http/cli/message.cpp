#include "kaiku/cli/message.hpp"

#include <algorithm>

#include "kaiku/cli/digest.hpp"
#include "kaiku/core/path.hpp"

namespace kaiku::cli {
namespace {

/// What a person can do about it; empty: the server's own words say it all.
std::string_view advice(std::string_view problem, std::string_view method) {
  // Of a copy or a move it is the target: nobody should remove what they meant to copy.
  if (problem == "directory_not_empty")
    return method == "DELETE" ? "rm -r removes it with all that is in it" : "end the path with / to put it into it";
  constexpr std::pair<std::string_view, std::string_view> table[] = {
      {"is_a_directory", "end the path with / to put something into it"},
      {"too_many_entries", "copy what is in it piece by piece"},
      {"digest_mismatch", "the content changed while it was sent, or was damaged on its way: send it again"},
      {"no_leader", "ask again; `kaiku cluster` shows what the nodes see"},
      {"quorum_lost", "ask again; `kaiku cluster` shows what the nodes see"},
      {"not_fresh", "ask again, another node, or for less (--consistency)"},
      {"disk_full", "make room on the nodes' disks"},
      {"overloaded", "ask again later, or with less at once (--parallel)"},
      {"outcome_unknown", "look at what stands there before you repeat it"},
  };
  for (const auto& [code, words] : table)
    if (code == problem) return words;
  return {};
}

exit_code code_of(const answer& to, std::string_view problem) {
  if (problem == "outcome_unknown") return exit_code::unknown;
  switch (to.code) {
    case 401:
    case 403: return exit_code::no_access;
    case 404: return exit_code::not_found;
    case 405:
    case 409:
    case 412:
    case 422: return exit_code::refused;
    case 429:
    case 502:
    case 503:
    case 504: return exit_code::unavailable;
    default: return exit_code::failed;
  }
}

/// What an answer without a document says, such as one to HEAD.
std::string words_of(int code) {
  switch (code) {
    case 401: return "it has no good token";
    case 403: return "its token may not do this";
    case 404: return "nothing is stored there";
    case 502:
    case 504: return "the gateway has no answer from the nodes (HTTP " + std::to_string(code) + ")";
    case 503: return "the node can't answer now";
    default: return "HTTP " + std::to_string(code);
  }
}

/// It was sent, and nobody said what became of it.
void be_unsure(failure& of) {
  of.code = exit_code::unknown;
  of.what += "; it may have been done nevertheless: look before you repeat it";
}

failure no_answer(const answer& to, const std::string& subject) {
  failure out{exit_code::unavailable, subject + ": ", {}};
  if (to.stopped) {
    out.code = exit_code::failed;
    out.what += to.transport;
  } else if (to.reached) {
    out.what += "the connection to " + to.address + " ended before " + (to.cut_off ? "all came" : "it answered") +
                " (" + to.transport + ")";
  } else {
    out.what += "no node can be reached; the last one tried was " + to.address + " (" + to.transport +
                "). Set KAIKU_URL or --url to the nodes' addresses";
  }
  if (to.may_stand && !to.stopped) be_unsure(out);
  return out;
}

std::string access_words(const answer& to, const std::string& detail) {
  if (to.code == 401)
    return "not allowed: " + to.address + " wants a good token; set KAIKU_TOKEN or --token-file (" + detail + ")";
  return "not allowed: " + detail;
}

}  // namespace

std::string answer::field(std::string_view name) const {
  for (const auto& [known, value] : fields)
    if (known == name) return value;
  return {};
}

std::string answer::problem() const {
  if (!field("content-type").starts_with("application/problem+json")) return {};
  return text_in(document(), "code");
}

std::string text_in(const json& object, const char* name) {
  if (!object.is_object()) return {};
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

std::uint64_t number_in(const json& object, const char* name, std::uint64_t otherwise) {
  if (!object.is_object()) return otherwise;
  const auto found = object.find(name);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : otherwise;
}

bool flag_in(const json& object, const char* name) {
  return object.is_object() && object.contains(name) && object[name].is_boolean() && object[name].get<bool>();
}

request with_key(request from) {
  from.fields.emplace_back("Idempotency-Key", new_uuid());
  from.keyed = true;
  return from;
}

std::string files_target(std::string_view path, std::string_view query) {
  while (path.starts_with('/')) path.remove_prefix(1);
  std::string out = "/files/" + percent_encode_path(path);
  if (!query.empty()) out.append("?").append(query);
  return out;
}

std::string query_value(std::string_view decoded) {
  return percent_encode_path(decoded);
}

failure explain(const answer& to, const std::string& subject) {
  if (to.code == 0 || to.stopped || to.cut_off) return no_answer(to, subject);
  const auto problem = to.problem();
  const auto parsed = to.document();
  std::string detail = words_of(to.code);
  if (!problem.empty()) {
    for (const char* name : {"detail", "title"}) {
      const auto words = text_in(parsed, name);
      if (words.empty()) continue;
      detail = words;
      break;
    }
  }
  failure out{code_of(to, problem), subject + ": ", problem};
  if (out.code == exit_code::no_access)
    out.what += access_words(to, detail);
  else
    out.what += detail;
  if (const auto words = advice(problem, to.method); !words.empty()) out.what.append("; ").append(words);
  if (out.code == exit_code::unavailable && to.may_stand) be_unsure(out);
  return out;
}

std::optional<failure> no_token(const answer& to, const std::string& subject) {
  if (!to.field("kaiku-token").empty()) return std::nullopt;
  return failure{exit_code::failed,
                 subject + ": " + to.address + " answers " + std::to_string(to.code) +
                     " and gives no token of a write (Kaiku-Token); is it a node of Kaiku?",
                 {}};
}

}  // namespace kaiku::cli
