#include "kaiku/core/codec.hpp"

#include <limits>

#include <boost/test/unit_test.hpp>

using namespace kaiku;
using namespace std::string_literals;

BOOST_AUTO_TEST_SUITE(codec)

BOOST_AUTO_TEST_CASE(every_kind_of_value_reads_back) {
  const auto max = std::numeric_limits<std::uint64_t>::max();
  const std::array<std::uint8_t, 3> id{1, 0, 255};
  auto bytes = encoder{}.u8(200).u64(max).varint(300).text("a\0b"s).raw("xyz").bytes(id).take();
  decoder in{bytes};
  std::array<std::uint8_t, 3> read{};
  BOOST_TEST(int{in.u8()} == 200);
  BOOST_TEST(in.u64() == max);
  BOOST_TEST(in.varint() == 300u);
  BOOST_TEST(in.text(3) == "a\0b"s);
  BOOST_TEST(in.raw(3) == "xyz");
  in.bytes(read);
  BOOST_TEST((read == id));
  BOOST_TEST(in.done());
}

BOOST_AUTO_TEST_CASE(fixed_numbers_sort_as_bytes_do) {
  std::string before;
  for (std::uint64_t x : {0ull, 1ull, 255ull, 256ull, 1ull << 32, 1ull << 63, ~0ull}) {
    auto bytes = encoder{}.u64(x).take();
    BOOST_TEST(bytes.size() == 8u);
    BOOST_TEST((before.empty() || before < bytes));
    before = bytes;
  }
}

BOOST_AUTO_TEST_CASE(varints_read_back_at_every_length) {
  for (unsigned shift = 0; shift < 64; ++shift) {
    for (std::uint64_t x : {(1ull << shift) - 1, 1ull << shift, ~0ull >> shift}) {
      auto bytes = encoder{}.varint(x).take();
      decoder in{bytes};
      BOOST_TEST(in.varint() == x);
      BOOST_TEST(in.done());
    }
  }
}

BOOST_AUTO_TEST_CASE(a_varint_that_does_not_fit_or_does_not_end_is_refused) {
  for (const auto& bad :
       {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"s, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"s, "\x80"s, ""s}) {
    decoder in{bad};
    BOOST_TEST(in.varint() == 0u);
    BOOST_TEST(!in.ok());
  }
}

BOOST_AUTO_TEST_CASE(after_the_first_failure_every_read_gives_nothing) {
  decoder in{
      "\x05"
      "abcdefghijklmnop"};
  BOOST_TEST(in.text(4) == "");  // five announced, four allowed
  BOOST_TEST(!in.ok());
  BOOST_TEST(in.u64() == 0u);
  BOOST_TEST(in.raw(1) == "");
  BOOST_TEST(!in.done());
}

BOOST_AUTO_TEST_CASE(a_length_beyond_the_end_is_refused) {
  decoder in{
      "\x05"
      "abcd"};
  BOOST_TEST(in.text(100) == "");
  BOOST_TEST(!in.ok());
}

BOOST_AUTO_TEST_CASE(trailing_bytes_are_not_done) {
  decoder in{"ab"};
  in.u8();
  BOOST_TEST(in.ok());
  BOOST_TEST(!in.done());
}

BOOST_AUTO_TEST_SUITE_END()
