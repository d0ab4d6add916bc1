#include "kaiku/cli/session.hpp"

namespace kaiku::cli {

good_answer ask(session& with, request what, const std::string& subject) {
  auto got = with.net.ask(std::move(what));
  if (!got) return {std::nullopt, exit_code::interrupted};
  if (got->good() && !got->cut_off) return {std::move(got), exit_code::done};
  const auto why = explain(*got, subject);
  with.out.complain(why);
  return {std::nullopt, why.code};
}

good_document ask_document(session& with, request what, const std::string& subject) {
  auto done = ask(with, std::move(what), subject);
  if (!done.got) return {std::nullopt, done.code};
  auto document = done.got->document();
  if (document.is_object()) return {std::move(document), exit_code::done};
  with.out.complain({exit_code::failed,
                     subject + ": " + done.got->address +
                         " answers with something else than JSON; "
                         "is it a node of Kaiku?",
                     {}});
  return {std::nullopt, exit_code::failed};
}

field_list freshness_fields(const arguments& asked) {
  field_list out;
  if (!asked.consistency.empty()) out.emplace_back("Kaiku-Consistency", asked.consistency);
  if (!asked.after.empty()) out.emplace_back("Kaiku-Token", asked.after);
  return out;
}

field_list change_fields(const arguments& asked) {
  field_list out;
  if (!asked.durability.empty()) out.emplace_back("Kaiku-Durability", asked.durability);
  if (!asked.if_match.empty()) out.emplace_back("If-Match", asked.if_match);
  return out;
}

}  // namespace kaiku::cli
