#pragma once

/// Purpose: the corpus of requests by which a server and a proxy in front of it can be led to see different messages in
/// the same bytes: files of corpus/smuggling, to be sent as they are, and what must come of each.
/// Thread: the main thread.

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace kaiku::test {

/// What must come of a file: the status of each answer, in order, and whether the last says `Connection: close`.
struct verdict {
  std::vector<int> statuses;
  bool closed = false;

  /// Nothing but a word that this is no message, or none that is understood.
  bool is_refusal() const { return closed && (statuses == std::vector{400} || statuses == std::vector{501}); }
};
using verdict_list = std::map<std::string, verdict>;  ///< by the file's name

/// A file of the corpus, as it is; empty when it is not there.
std::string corpus_bytes(const std::string& name);
/// The names of all requests in it.
std::vector<std::string> corpus_names();
/// A list of verdicts in it, in lines of: file, the status of each answer, `closed` or `open`.
verdict_list read_verdicts(const std::string& name);

/// Adds one test case to the suite around it for each file with a verdict; an object at namespace scope.
class corpus_cases {
 public:
  explicit corpus_cases(std::function<void(const std::string& name, const verdict& direct)> run);
};

}  // namespace kaiku::test
