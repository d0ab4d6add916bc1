#pragma once

/// Purpose: whether a JSON value is what the OpenAPI document says of it: as much of JSON Schema as that document uses
/// of its answers, and stricter: what an object has beyond what is described is told too. Thread: pure.

#include <algorithm>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace kaiku::test {

class described_schemas {
 public:
  using json = nlohmann::json;

  explicit described_schemas(json document) : document_(std::move(document)) {}

  const json& document() const { return document_; }
  /// What is wrong with it, a line each; none: it is as described.
  std::vector<std::string> complaints(const json& schema, const json& value) const {
    std::vector<std::string> out;
    check(schema, value, "", out);
    return out;
  }
  /// By the name of a schema of the document.
  std::vector<std::string> complaints_of(const std::string& name, const json& value) const {
    return complaints(document_.at("components").at("schemas").at(name), value);
  }

 private:
  using lines = std::vector<std::string>;

  const json& resolved(const json& schema) const {
    if (!schema.contains("$ref")) return schema;
    return resolved(document_.at(json::json_pointer(schema.at("$ref").get<std::string>().substr(1))));
  }

  static bool is_of(const std::string& type, const json& value) {
    if (type == "null") return value.is_null();
    if (type == "boolean") return value.is_boolean();
    if (type == "integer") return value.is_number_integer();
    if (type == "number") return value.is_number();
    if (type == "string") return value.is_string();
    if (type == "array") return value.is_array();
    return type == "object" && value.is_object();
  }

  static bool fits_type(const json& schema, const json& value) {
    if (!schema.contains("type")) return true;
    const auto& type = schema.at("type");
    if (type.is_string()) return is_of(type.get<std::string>(), value);
    return std::any_of(type.begin(), type.end(), [&](const auto& one) { return is_of(one, value); });
  }

  /// All properties, also those of what it is made of.
  void gather(const json& of, std::map<std::string, const json*>& properties, std::set<std::string>& required) const {
    const auto& schema = resolved(of);
    if (schema.contains("allOf"))
      for (const auto& part : schema.at("allOf")) gather(part, properties, required);
    if (schema.contains("required"))
      for (const auto& name : schema.at("required")) required.insert(name.get<std::string>());
    if (schema.contains("properties"))
      for (const auto& [name, what] : schema.at("properties").items()) properties[name] = &what;
  }

  void check(const json& of, const json& value, const std::string& where, lines& out) const {
    const auto& schema = resolved(of);
    const auto wrong = [&](const std::string& why) { out.push_back(where + ": " + why + ": " + value.dump()); };
    if (!fits_type(schema, value)) return wrong("is no " + schema.at("type").dump());
    if (schema.contains("enum")) {
      const auto& all = schema.at("enum");
      if (std::find(all.begin(), all.end(), value) == all.end()) wrong("is none of " + all.dump());
    }
    if (schema.contains("minimum") && value < schema.at("minimum")) wrong("is too small");
    if (schema.contains("pattern") && value.is_string() &&
        !std::regex_search(value.get<std::string>(), std::regex(schema.at("pattern").get<std::string>())))
      wrong("does not fit " + schema.at("pattern").dump());
    if (value.is_array() && schema.contains("items"))
      for (const auto& one : value) check(schema.at("items"), one, where + "[]", out);
    if (value.is_object()) check_object(schema, value, where, out);
  }

  void check_object(const json& schema, const json& value, const std::string& where, lines& out) const {
    std::map<std::string, const json*> properties;
    std::set<std::string> required;
    gather(schema, properties, required);
    if (properties.empty()) return;
    for (const auto& name : required)
      if (!value.contains(name)) out.push_back(where + ": lacks " + name);
    for (const auto& [name, one] : value.items()) {
      const auto known = properties.find(name);
      if (known == properties.end())
        out.push_back(where + "." + name + ": is not described");
      else
        check(*known->second, one, where + "." + name, out);
    }
  }

  json document_;
};

}  // namespace kaiku::test
