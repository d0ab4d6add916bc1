#include "kaiku/cli/completion.hpp"

#include <algorithm>
#include <functional>

#include "kaiku/core/invariant.hpp"

namespace kaiku::cli {
namespace {

std::string joined(const std::vector<std::string>& words, std::string_view with = " ") {
  std::string out;
  for (const auto& word : words) out.append(out.empty() ? "" : with).append(word);
  return out;
}

/// In single quotes, for any of the shells.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

bool takes_files(const command_words& of) {
  for (const auto& place : of.places)
    if (place.is_local()) return true;
  return of.name == "get";  // its last place is here
}

using visitor = std::function<void(const std::string& path, const command_words& of)>;
/// Every command with its path, such as `cluster members add`; the program's own is empty.
void visit(const command_words& of, const std::string& path, const visitor& with) {
  with(path, of);
  for (const auto& below : of.commands) visit(below, path.empty() ? below.name : path + " " + below.name, with);
}

/// What can follow as a word: commands, options, and choices of a place.
std::vector<std::string> words_in(const command_words& of, const command_words& program) {
  std::vector<std::string> out;
  for (const auto& below : of.commands) out.push_back(below.name);
  for (const auto& place : of.places) out.insert(out.end(), place.choices.begin(), place.choices.end());
  for (const auto* from : {&of, &program})
    for (const auto& option : from->options)
      for (const auto& name : option.names)
        if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
  return out;
}

std::string bash(const command_words& program) {
  std::string words, subcommands, values, files;
  visit(program, "", [&](const std::string& path, const command_words& of) {
    words += "    " + quoted(path) + ") words=" + quoted(joined(words_in(of, program))) + " ;;\n";
    for (const auto& below : of.commands)
      subcommands += "      " + quoted((path.empty() ? "" : path + " ") + below.name) + ") at=\"$next\" ;;\n";
    if (takes_files(of)) files += (files.empty() ? "" : "|") + quoted(path);
    for (const auto& option : of.options) {
      const auto names = joined(option.names, "|");
      if (values.find("    " + names + ")") != std::string::npos || option.kind.empty()) continue;
      values += "    " + names + ") ";
      if (!option.choices.empty())
        values += "COMPREPLY=($(compgen -W " + quoted(joined(option.choices)) + " -- \"$word\")); return ;;\n";
      else
        values += option.is_local() ? "mapfile -t COMPREPLY < <(compgen -f -- \"$word\"); return ;;\n" : "return ;;\n";
    }
  });
  return "# bash completion of kaiku; made by `kaiku completion bash`\n"
         "_kaiku() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} at='' next words='' i\n"
         "  COMPREPLY=()\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    next=\"${at:+$at }${COMP_WORDS[i]}\"\n"
         "    case $next in\n" +
         subcommands +
         "    esac\n"
         "  done\n"
         "  case ${COMP_WORDS[COMP_CWORD - 1]} in\n" +
         values +
         "  esac\n"
         "  case $at in\n" +
         words +
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
         "  case $at in\n"
         "    " +
         files +
         ") [[ $word == -* ]] || mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- \"$word\") ;;\n"
         "  esac\n"
         "}\n"
         "complete -o filenames -F _kaiku kaiku\n";
}

/// For zsh's `_arguments`: what stands in brackets, and what separates, is escaped.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out;
}

std::string zsh_options(const command_words& of) {
  std::string out;
  for (const auto& option : of.options) {
    for (const auto& name : option.names) {
      std::string one = name + "[" + zsh_text(option.help) + "]";
      if (!option.kind.empty()) {
        one += ":" + zsh_text(option.kind) + ":";
        if (!option.choices.empty()) one += "(" + joined(option.choices) + ")";
        if (option.is_local()) one += "_files";
      }
      out += "    " + quoted(one) + " \\\n";
    }
  }
  return out;
}

std::string zsh_function(const std::string& path) {
  std::string out = "_kaiku";
  for (char c : path.empty() ? path : " " + path) out.push_back(c == ' ' || c == '-' ? '_' : c);
  return out;
}

std::string zsh(const command_words& program) {
  std::string out = "#compdef kaiku\n# zsh completion of kaiku; made by `kaiku completion zsh`\n";
  visit(program, "", [&](const std::string& path, const command_words& of) {
    out += "\n" + zsh_function(path) + "() {\n  local line state\n  _arguments -C \\\n" + zsh_options(of);
    if (!path.empty()) out += zsh_options(program);
    if (of.commands.empty()) {
      std::string places;
      for (const auto& place : of.places)
        if (!place.choices.empty()) places = "(" + joined(place.choices) + ")";
      out += "    " + quoted("*: :" + (places.empty() ? takes_files(of) ? "_files" : " " : places)) + "\n}\n";
      return;
    }
    out += "    '1: :->command' \\\n    '*:: :->rest'\n  case $state in\n    command)\n      local -a commands=(\n";
    for (const auto& below : of.commands) out += "        " + quoted(below.name + ":" + zsh_text(below.help)) + "\n";
    out += "      )\n      _describe command commands ;;\n    rest)\n      case $line[1] in\n";
    for (const auto& below : of.commands)
      out +=
          "        " + below.name + ") " + zsh_function(path.empty() ? below.name : path + " " + below.name) + " ;;\n";
    out += "      esac ;;\n  esac\n}\n";
  });
  return out + "\nif [ \"$funcstack[1]\" = _kaiku ]; then _kaiku \"$@\"; else compdef _kaiku kaiku; fi\n";
}

std::string fish_option(const option_words& option) {
  std::string out;
  for (const auto& name : option.names)
    out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  if (!option.kind.empty()) {
    out += " -r";
    if (!option.choices.empty()) out += " -f -a " + quoted(joined(option.choices));
    if (option.choices.empty() && !option.is_local()) out += " -f";
    if (option.is_local()) out += " -F";
  }
  return out + " -d " + quoted(option.help);
}

std::string fish(const command_words& program) {
  std::string out = "# fish completion of kaiku; made by `kaiku completion fish`\ncomplete -c kaiku -f\n";
  for (const auto& option : program.options) out += "complete -c kaiku" + fish_option(option) + "\n";
  visit(program, "", [&](const std::string& path, const command_words& of) {
    // All words of the path were seen; of what is below, none.
    std::string condition;
    for (std::size_t at = 0; at < path.size();) {
      const auto end = std::min(path.find(' ', at), path.size());
      condition += (condition.empty() ? "" : "; and ") + ("__fish_seen_subcommand_from " + path.substr(at, end - at));
      at = end + 1;
    }
    std::vector<std::string> below;
    for (const auto& one : of.commands) below.push_back(one.name);
    if (!below.empty())
      condition += (condition.empty() ? "not " : "; and not ") + ("__fish_seen_subcommand_from " + joined(below));
    const auto start = "complete -c kaiku -n " + quoted(condition);
    for (const auto& one : of.commands) out += start + " -a " + one.name + " -d " + quoted(one.help) + "\n";
    for (const auto& place : of.places)
      if (!place.choices.empty()) out += start + " -a " + quoted(joined(place.choices)) + "\n";
    if (path.empty()) return;
    for (const auto& option : of.options)
      if (option.names.back() != "--help") out += start + fish_option(option) + "\n";
    if (takes_files(of)) out += start + " -F\n";
  });
  return out;
}

}  // namespace

std::string completion_script(const command_words& program, std::string_view shell) {
  if (shell == "bash") return bash(program);
  if (shell == "zsh") return zsh(program);
  INVARIANT(shell == "fish", "a shell that the command line let through");
  return fish(program);
}

}  // namespace kaiku::cli
