#include "kaiku/node/log.hpp"

#include <string>

#include <spdlog/details/log_msg.h>
#include <boost/test/unit_test.hpp>

namespace kaiku {
namespace {

std::string logged(log_format format, const std::string& text) {
  spdlog::memory_buf_t out;
  make_log_formatter({"n1"}, format)
      ->format({spdlog::source_loc{}, "kaiku", spdlog::level::warn, spdlog::string_view_t{text.data(), text.size()}},
               out);
  return {out.data(), out.size()};
}

BOOST_AUTO_TEST_SUITE(log_lines)

BOOST_AUTO_TEST_CASE(what_others_send_makes_no_line_of_its_own_and_reaches_no_terminal) {
  const std::string sent{"refused: x\n2026-01-01T00:00:00.000Z info n1 all is well\r\x1b[2J\x7f\0.", 63};
  const auto text = logged(log_format::text, sent);
  BOOST_TEST(text.ends_with(
                 " warning n1 refused: x\\x0a2026-01-01T00:00:00.000Z info n1 all is well\\x0d\\x1b[2J\\x7f\\x00.\n"),
             text);
  const auto json = logged(log_format::json, sent);
  BOOST_TEST(json.find('\n') == json.size() - 1);
  BOOST_TEST(json.find('\x1b') == std::string::npos);
}

BOOST_AUTO_TEST_CASE(other_text_stands_as_it_is) {
  BOOST_TEST(logged(log_format::text, "Grüße aus 改区, 100 %").ends_with(" warning n1 Grüße aus 改区, 100 %\n"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace kaiku
