#include "http/corpus.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <boost/test/unit_test.hpp>

namespace kaiku::test {
namespace {

namespace fs = std::filesystem;
using row = std::pair<std::string, verdict>;

fs::path corpus() {
  return fs::path(KAIKU_HTTP_CORPUS) / "smuggling";
}

class file_generator : public boost::unit_test::test_unit_generator {
 public:
  explicit file_generator(std::function<void(const std::string&, const verdict&)> run) : run_(std::move(run)) {
    const auto all = read_verdicts("verdicts");
    rows_.assign(all.begin(), all.end());
  }
  boost::unit_test::test_unit* next() const override {
    if (at_ == rows_.size()) return nullptr;
    const auto& one = rows_[at_++];
    return new boost::unit_test::test_case(fs::path(one.first).stem().string(), __FILE__, __LINE__,
                                           [one, run = run_] { run(one.first, one.second); });
  }

 private:
  std::function<void(const std::string&, const verdict&)> run_;
  std::vector<row> rows_;
  mutable std::size_t at_ = 0;
};

}  // namespace

std::string corpus_bytes(const std::string& name) {
  std::ifstream in(corpus() / name, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> corpus_names() {
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(corpus()))
    if (entry.path().extension() == ".http") out.push_back(entry.path().filename().string());
  return out;
}

verdict_list read_verdicts(const std::string& list) {
  verdict_list out;
  std::istringstream lines(corpus_bytes(list));
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    std::istringstream words(line);
    std::string name, word;
    words >> name;
    auto& one = out[name];
    while (words >> word) {
      if (word == "closed") one.closed = true;
      if (word != "closed" && word != "open") one.statuses.push_back(std::stoi(word));
    }
  }
  return out;
}

corpus_cases::corpus_cases(std::function<void(const std::string&, const verdict&)> run) {
  boost::unit_test::ut_detail::auto_test_unit_registrar here(file_generator(std::move(run)),
                                                             boost::unit_test::decorator::collector_t::instance());
}

}  // namespace kaiku::test
