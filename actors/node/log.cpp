#include "kaiku/node/log.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

#include "kaiku/http/api/access.hpp"

namespace kaiku {
namespace {

constexpr char time_pattern[] = "%Y-%m-%dT%H:%M:%S.%eZ";

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

void set_up_log(const node_id& node, log_level level, log_format format) {
  auto logger = std::make_shared<spdlog::logger>("kaiku", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  if (format == log_format::json) {
    logger->set_formatter(std::make_unique<json_formatter>(node));
  } else {
    logger->set_formatter(std::make_unique<spdlog::pattern_formatter>(
        std::string(time_pattern) + " %l " + node.name + " %v", spdlog::pattern_time_type::utc));
  }
  logger->set_level(to_spdlog(level));
  logger->flush_on(spdlog::level::trace);
  // Whatever else is wanted.
  auto audit = logger->clone(audit_log);
  audit->set_level(spdlog::level::info);
  spdlog::register_logger(std::move(audit));
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace kaiku
