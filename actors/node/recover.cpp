#include "kaiku/node/recover.hpp"

#include <algorithm>

#include "kaiku/node/offline_disk.hpp"
#include "kaiku/storage/make_id.hpp"

namespace kaiku {
namespace {

/// All of them, voters first.
std::vector<member> everybody(const membership& x) {
  auto out = x.voters;
  out.insert(out.end(), x.learners.begin(), x.learners.end());
  return out;
}

}  // namespace

set_members new_cluster(const member& voter, const std::vector<member>& others) {
  set_members out{make_id<cluster_id>(), {voter}, {}};
  for (auto one : others) {
    if (one.id == voter.id) continue;
    one.disk = make_id<incarnation>();
    out.learners.push_back(std::move(one));
  }
  return out;
}

result<recovery> recovery::open(const std::filesystem::path& data, const node_id& name) {
  // Opening would make one.
  std::error_code failed;
  if (!std::filesystem::exists(data / "FORMAT", failed))
    return {errc::bad_request, data.string() + " is no data directory of Kaiku"};
  store::options how;
  how.directory = data;
  how.fatal = end_command;
  auto disk = store::open(std::move(how));
  if (!disk) return disk.failure();
  auto before = (*disk)->members();
  if (!before.cluster.known())
    return {errc::bad_request, data.string() + " belongs to no cluster yet; start a node on it"};
  const auto all = everybody(before);
  const auto own = (*disk)->disk();
  auto self = std::find_if(all.begin(), all.end(), [&](const member& x) { return x.disk == own; });
  if (self == all.end())
    self = std::find_if(all.begin(), all.end(), [&](const member& x) { return !x.disk.known() && x.id == name; });
  if (self == all.end())
    return {errc::bad_request, data.string() + " is of none of the members that its log names: it was removed, or " +
                                   "replaced by another disk, and others have what came after that"};
  member who = *self;
  who.disk = own;
  return recovery{std::move(*disk), std::move(who), std::move(before)};
}

result<cluster_id> recovery::run() {
  const auto members = new_cluster(self_, everybody(before_));
  if (auto done = disk_->found_anew(members); !done) return done.failure();
  return members.cluster;
}

}  // namespace kaiku
