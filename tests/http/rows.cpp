// How rows are written, and the files that all of them may read.

#include <sstream>
#include <stdexcept>

#include "http/conformance.hpp"
#include "support/bytes.hpp"

namespace kaiku::test {

step& step::is(int wanted, std::string problem_code) {
  status = wanted;
  code = std::move(problem_code);
  return *this;
}
step& step::has(std::string name, std::string value) {
  fields.emplace_back(std::move(name), std::move(value));
  return *this;
}
step& step::lacks(std::string name) {
  return has(std::move(name), "");
}
step& step::body(std::string exact) {
  content = std::move(exact);
  return *this;
}
step& step::contains(std::string part) {
  parts.push_back(std::move(part));
  return *this;
}
step& step::keep(std::string name) {
  kept_as = std::move(name);
  return *this;
}
step& step::ends() {
  closes = true;
  return *this;
}
step& step::differs() {
  of_node = true;
  return *this;
}

step& step::cut() {
  cut_off = true;
  return *this;
}
step& step::anew() {
  on_a_new_connection = true;
  return *this;
}
step& step::eventually() {
  repeated = true;
  return *this;
}
step& step::slowly() {
  byte_by_byte = true;
  return *this;
}

step raw(std::string bytes, std::string method) {
  step out;
  out.method = std::move(method);
  out.bytes = std::move(bytes);
  return out;
}
step next(std::string method) {
  return raw({}, std::move(method));
}
step ask(std::string method, const std::string& target, const std::string& fields, const std::string& body) {
  std::string bytes = method + " " + target + " HTTP/1.1\r\nHost: kaiku\r\n" + fields;
  if (!body.empty() || method == "PUT") bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return raw(bytes + "\r\n" + body, std::move(method));
}
step get(const std::string& target, const std::string& fields) {
  return ask("GET", target, fields);
}
step head(const std::string& target, const std::string& fields) {
  return ask("HEAD", target, fields);
}
step put(const std::string& target, const std::string& body, const std::string& fields) {
  return ask("PUT", target, fields, body);
}
step post(const std::string& target, const std::string& fields, const std::string& body) {
  return ask("POST", target, fields, body);
}
step removal(const std::string& target, const std::string& fields) {
  return ask("DELETE", target, fields);
}

std::string chunked(const std::vector<std::string>& pieces, const std::string& trailer) {
  std::ostringstream out;
  for (const auto& piece : pieces) out << std::hex << piece.size() << "\r\n" << piece << "\r\n";
  out << "0\r\n" << trailer << "\r\n";
  return out.str();
}

const std::vector<shared_file>& shared_files() {
  static const std::vector<shared_file> all{
      {"hello", "hello", "text/plain"},
      {"digits", "0123456789", "application/octet-stream"},
      {"empty", "", "text/plain"},
      {"large", generated_bytes{11, 200'000}.all(), "application/octet-stream"},
      {"page.html", "<script>alert(1)</script>", "text/html; charset=utf-8"},
      {"a \"b\";c\u00e4.txt", "quoted", "text/plain"},
      {"list/alpha", "a", "text/plain"},
      {"list/beta", "bb", "text/plain"},
      {"list/gamma/deep", "ccc", "text/plain"},
      {"list/\u00e4", "dddd", "text/plain"},
      {"list/z 1", "eeeee", "application/json"},
  };
  return all;
}

const std::string& shared_content(const std::string& name) {
  for (const auto& file : shared_files())
    if (file.name == name) return file.content;
  throw std::runtime_error("no shared file " + name);
}

}  // namespace kaiku::test
