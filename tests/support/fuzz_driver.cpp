// Runs a fuzz target without clang's libFuzzer: inputs of the corpus, mutated; those that reach new code are mutated
// further. The code under test is compiled with -fsanitize-coverage=trace-pc, which calls this file at every branch.
//   KAIKU_TEST_EXECUTIONS=N   how many (KAIKU_FUZZ_EXECUTIONS of the build)
//   KAIKU_TEST_SEED=N         what chance chooses
//   KAIKU_FUZZ_KEEP=DIR       inputs that reach what the corpus does not are written there, the shortest that do

#include <array>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "support/wait.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_input = 4096;

// --- coverage ------------------------------------------------------------------------------------------------------

/// Edges between two places of the code, by a hash, and how often they were taken by the input at hand.
struct coverage {
  static constexpr std::size_t size = 1 << 16;
  std::array<std::uint8_t, size> taken{};
  std::array<std::uint8_t, size> known{};  ///< bits: how often, in powers of two, by some input so far
  std::array<std::uint32_t, size> touched{};
  std::size_t count = 0;  ///< of `touched`
  std::uintptr_t last = 0;
  bool on = false;

  void begin() {
    for (std::size_t i = 0; i < count; ++i) taken[touched[i]] = 0;
    count = 0;
    last = 0;
    on = true;
  }
  void take(std::uint32_t at) {
    if (taken[at] == 0) touched[count++] = at;
    if (taken[at] < 255) ++taken[at];
  }
  /// Whether something was new.
  bool end() {
    bool news = false;
    for (std::size_t i = 0; i < count; ++i) {
      const auto at = touched[i];
      std::uint8_t power = 1;
      for (auto times = taken[at]; times > 1 && power < 128; times >>= 1) power = static_cast<std::uint8_t>(power << 1);
      if ((known[at] & power) != 0) continue;
      known[at] |= power;
      news = true;
    }
    return news;
  }
  std::size_t edges() const {
    std::size_t out = 0;
    for (auto one : known) out += one != 0;
    return out;
  }
};

coverage seen;

std::string current;  ///< the input at hand, for whoever finds out that it was the last

void report(const char* what) {
  static const char digits[] = "0123456789abcdef";
  std::cerr << what << "; the input, in hexadecimal (xxd -r -p):\n";
  for (unsigned char c : current) std::cerr << digits[c >> 4] << digits[c & 15];
  std::cerr << std::endl;
}

extern "C" void report_death() {
  seen.on = false;
  report("the program is ended");
}

/// An assertion of a library.
void report_abort(int number) {
  report_death();
  std::signal(number, SIG_DFL);
  std::raise(number);
}

// --- mutation ------------------------------------------------------------------------------------------------------

/// Words of a dictionary in libFuzzer's format: one a line, in quotes, with \xNN, \\ and \".
std::vector<std::string> read_words(const char* file) {
  std::vector<std::string> out;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with('"') || line.size() < 3) continue;
    std::string word;
    for (std::size_t at = 1; at + 1 < line.size(); ++at) {
      if (line[at] != '\\') {
        word += line[at];
      } else if (line[++at] == 'x') {
        word += static_cast<char>(std::stoi(line.substr(at + 1, 2), nullptr, 16));
        at += 2;
      } else {
        word += line[at];
      }
    }
    out.push_back(std::move(word));
  }
  return out;
}

class mutator {
 public:
  explicit mutator(std::uint64_t seed) : words_(read_words(KAIKU_FUZZ_DICTIONARY)), chance_(seed) {
    if (words_.empty()) throw std::runtime_error("no words in " KAIKU_FUZZ_DICTIONARY);
  }

  std::string change(std::string input, const std::vector<std::string>& others) {
    for (auto times = 1 + draw(4); times > 0; --times) change_once(input, others);
    if (input.size() > longest_input) input.resize(longest_input);
    return input;
  }
  std::size_t draw(std::size_t below) { return below == 0 ? 0 : chance_() % below; }

 private:
  void change_once(std::string& input, const std::vector<std::string>& others) {
    const auto at = draw(input.size() + 1), count = 1 + draw(16);
    const bool within = at < input.size();
    switch (draw(9)) {
      case 0:
        if (within) input[at] = static_cast<char>(input[at] ^ (1 << draw(8)));
        break;
      case 1:
        if (within) input[at] = static_cast<char>(draw(256));
        break;
      case 2: input.insert(at, 1, static_cast<char>(draw(256))); break;
      case 3: input.erase(at, count); break;
      case 4: input.insert(at, input.substr(draw(input.size()), count)); break;
      case 5: input.insert(at, words_[draw(words_.size())]); break;
      case 6: {
        const auto& word = words_[draw(words_.size())];
        input.replace(at, std::min(word.size(), input.size() - at), word);
        break;
      }
      case 7: {
        const auto& other = others[draw(others.size())];
        input = input.substr(0, at) + other.substr(draw(other.size()));
        break;
      }
      default: input.resize(at); break;
    }
  }

  std::vector<std::string> words_;
  std::mt19937_64 chance_;
};

std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// True when it reached something new. Throws what the target throws.
bool run(const std::string& input) {
  current = input;
  seen.begin();
  try {
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  } catch (...) {
    seen.on = false;
    throw;
  }
  seen.on = false;
  return seen.end();
}

std::vector<std::string> corpus() {
  std::vector<std::string> out;
  for (const auto* directory : {KAIKU_FUZZ_CORPUS})
    for (const auto& entry : fs::directory_iterator(directory))
      if (entry.path().has_extension()) out.push_back(read(entry.path()).substr(0, longest_input));
  std::sort(out.begin(), out.end());  // not in the order of the disk: the seed alone decides
  return out;
}

/// Of these inputs the shortest that reach, together, what all of them reach and the corpus does not.
void keep(const std::vector<std::string>& known, std::vector<std::string> inputs) {
  const char* where = std::getenv("KAIKU_FUZZ_KEEP");
  if (where == nullptr) return;
  std::sort(inputs.begin(), inputs.end(),
            [](const auto& a, const auto& b) { return std::pair(a.size(), a) < std::pair(b.size(), b); });
  seen.known = {};
  for (const auto& input : known) run(input);
  std::size_t number = 0;
  for (const auto& input : inputs) {
    const auto before = seen.edges();
    run(input);
    if (seen.edges() > before)
      std::ofstream(fs::path(where) / (std::to_string(++number) + ".input"), std::ios::binary) << input;
  }
}

}  // namespace

// NOLINTNEXTLINE: the compiler gives the names.
extern "C" void __sanitizer_cov_trace_pc() {
  if (!seen.on) return;
  // From where this program was loaded to, or the seed would not decide alone.
  const auto here = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0)) -
                    reinterpret_cast<std::uintptr_t>(&LLVMFuzzerTestOneInput);
  const auto at = static_cast<std::uint32_t>((here ^ (here >> 13) ^ (seen.last * 31)) & (coverage::size - 1));
  seen.last = here;
  seen.take(at);
}
extern "C" void __sanitizer_set_death_callback(void (*callback)()) __attribute__((weak));

BOOST_AUTO_TEST_SUITE(fuzz)

BOOST_AUTO_TEST_CASE(every_mutated_input_is_read_as_the_rules_say) {
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(report_death);
  std::signal(SIGABRT, report_abort);
  const auto executions = kaiku::test::number_from_environment("KAIKU_TEST_EXECUTIONS", KAIKU_FUZZ_EXECUTIONS);
  const auto seed = kaiku::test::number_from_environment("KAIKU_TEST_SEED", std::random_device{}());
  std::cout << KAIKU_FUZZ_SUBJECT ": KAIKU_TEST_SEED=" << seed << std::endl;
  mutator mutate(seed);
  auto pool = corpus();
  BOOST_REQUIRE(pool.size() > 10U);
  std::uint64_t done = 0;
  try {
    for (const auto& input : pool) {
      run(input);
      ++done;
    }
    const auto given = pool.size();
    while (done++ < executions) {
      const auto input = mutate.change(pool[mutate.draw(pool.size())], pool);
      if (!run(input)) continue;
      pool.push_back(input);
    }
    std::cout << "  " << executions << " executions, " << seen.edges() << " edges, " << pool.size() - given
              << " inputs that reached new ones" << std::endl;
    BOOST_TEST(seen.edges() > 100U, "the code under test is not compiled for coverage");
    keep(corpus(), {pool.begin() + static_cast<std::ptrdiff_t>(given), pool.end()});
  } catch (const std::exception& wrong) {
    report(wrong.what());
    BOOST_ERROR("execution " << done << ": " << wrong.what());
  }
}

BOOST_AUTO_TEST_SUITE_END()
