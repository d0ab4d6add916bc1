#include "kaiku/node/log.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

#include "kaiku/http/api/access.hpp"

namespace kaiku {
namespace {

constexpr char time_pattern[] = "%Y-%m-%dT%H:%M:%S.%eZ";

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

/// {"time": "...", "level": "info", "node": "n1", "message": "..."}
class json_formatter : public spdlog::formatter {
 public:
  explicit json_formatter(node_id node) : node_(std::move(node)) {}

  void format(const spdlog::details::log_msg& line, spdlog::memory_buf_t& out) override {
    spdlog::memory_buf_t time;
    time_.format(line, time);
    const nlohmann::ordered_json object{{"time", std::string(time.data(), time.size())},
                                        {"level", std::string(spdlog::level::to_string_view(line.level).data())},
                                        {"node", node_.name},
                                        {"message", std::string(line.payload.data(), line.payload.size())}};
    const auto text = object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
    out.append(text.data(), text.data() + text.size());
  }

  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<json_formatter>(node_); }

 private:
  node_id node_;
  spdlog::pattern_formatter time_{time_pattern, spdlog::pattern_time_type::utc, ""};
};

std::string without_controls(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_control(c))
      out.append("\\x").append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
    else
      out.push_back(c);
  }
  return out;
}

/// One line, whatever stands in what others sent: nobody is to write lines of his own, or to a terminal.
class text_formatter : public spdlog::formatter {
 public:
  explicit text_formatter(node_id node) : node_(std::move(node)) {}

  void format(const spdlog::details::log_msg& line, spdlog::memory_buf_t& out) override {
    const std::string_view text{line.payload.data(), line.payload.size()};
    if (std::none_of(text.begin(), text.end(), is_control)) return pattern_.format(line, out);
    const auto shown = without_controls(text);
    auto harmless = line;
    harmless.payload = {shown.data(), shown.size()};
    pattern_.format(harmless, out);
  }

  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<text_formatter>(node_); }

 private:
  node_id node_;
  spdlog::pattern_formatter pattern_{std::string(time_pattern) + " %l " + node_.name + " %v",
                                     spdlog::pattern_time_type::utc};
};

spdlog::level::level_enum to_spdlog(log_level level) {
  switch (level) {
    case log_level::trace: return spdlog::level::trace;
    case log_level::debug: return spdlog::level::debug;
    case log_level::info: return spdlog::level::info;
    case log_level::warn: return spdlog::level::warn;
    case log_level::error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

}  // namespace

std::unique_ptr<spdlog::formatter> make_log_formatter(const node_id& node, log_format format) {
  if (format == log_format::json) return std::make_unique<json_formatter>(node);
  return std::make_unique<text_formatter>(node);
}

void set_up_log(const node_id& node, log_level level, log_format format) {
  auto logger = std::make_shared<spdlog::logger>("kaiku", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_formatter(make_log_formatter(node, format));
  logger->set_level(to_spdlog(level));
  logger->flush_on(spdlog::level::trace);
  // Whatever else is wanted.
  auto audit = logger->clone(audit_log);
  audit->set_level(spdlog::level::info);
  spdlog::register_logger(std::move(audit));
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace kaiku
