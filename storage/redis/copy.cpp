#include "kaiku/storage/redis/copy.hpp"

#include <map>
#include <set>
#include <utility>

#include "kaiku/core/limits.hpp"

namespace kaiku::redis {
namespace {

/// Members that one ZADD brings: so that none is long.
constexpr std::size_t members_at_once = 64;
constexpr std::size_t keys_at_once = 500;

command put_record(const layout& to, const file_info& x) {
  command out{"HSET", to.inode_key(x.inode)};
  auto values = to.record(x);
  for (std::size_t i = 0; i < inode_fields.size(); ++i) {
    out.emplace_back(inode_fields.at(i));
    out.push_back(std::move(values[i]));
  }
  return out;
}

/// Keys that go, so that a command does not get long.
class removal {
 public:
  explicit removal(std::vector<command>& out) : out_(out) {}
  void add(std::string key) {
    if (keys_.empty()) keys_.emplace_back("UNLINK");
    keys_.push_back(std::move(key));
    if (keys_.size() > keys_at_once) write();
  }
  void write() {
    if (!keys_.empty()) out_.push_back(std::exchange(keys_, {}));
  }

 private:
  std::vector<command>& out_;
  command keys_;
};

/// What of an index is written again: the names that changed, and those behind them, whose checks cover them. What
/// stands side by side goes together.
void copy_names(name_space& now, const layout& to, inode_id directory, const std::set<std::string>& changed,
                std::vector<command>& out) {
  const auto key = to.index_key(directory);
  std::string first, last;
  command members;
  const auto add = [&](std::string_view before, std::string_view name, inode_id leads_to) {
    members.emplace_back("0");
    members.push_back(to.member(directory, before, name, leads_to));
    last = name;
  };
  const auto write = [&] {
    if (members.empty()) return;
    out.push_back({"ZREMRANGEBYLEX", key, "[" + layout::first_member(first), "[" + layout::behind_member(last)});
    out.push_back(std::exchange(members, {}));
  };
  for (const auto& name : changed) {
    if (!members.empty() && name < last) continue;  // gone, and within what is removed
    const bool goes_on = !members.empty() && name == last;
    if (goes_on && name == end_name) continue;
    const auto here = now.find({directory, name});
    if (!goes_on) {
      write();
      first = name;
      members = {"ZADD", key};
      if (name == end_name) {
        add(here.before, end_name, {});
        continue;
      }
      if (here.leads_to) add(here.before, name, *here.leads_to);
    }
    const auto& before = here.leads_to ? name : here.before;
    if (here.behind.empty())
      add(before, end_name, {});
    else
      add(before, here.behind, here.behind_leads_to);
  }
  write();
}

struct change {
  bool record = false;
  std::set<std::string> names;
};

}  // namespace

std::vector<command> copy_changed(name_space& now, const layout& to, const std::vector<changed_key>& changed) {
  std::map<inode_id, change> changes;
  for (const auto& x : changed) {
    if (x.what == changed_key::kind::inode) {
      changes[name_space::inode_of(x)].record = true;
    } else {
      auto name = name_space::name_of(x);
      changes[name.directory].names.insert(std::move(name.name));
    }
  }
  std::vector<command> out;
  removal gone{out};
  for (auto& [which, what] : changes) {
    const auto info = now.inode(which);
    // A removed directory goes before what it held. The number of a file may have been a displaced directory's.
    if (!info || !info->is_directory()) gone.add(to.index_key(which));
    if (!info) {
      gone.add(to.inode_key(which));
      continue;
    }
    if (what.record || !info->is_directory()) out.push_back(put_record(to, *info));
    if (!info->is_directory()) continue;
    if (what.record) what.names.emplace(end_name);
    copy_names(now, to, which, what.names, out);
  }
  gone.write();
  return out;
}

status copy_all(name_space& from, const layout& to, const std::function<status(const std::vector<command>&)>& send) {
  std::vector<command> waiting;
  status outcome = success();
  const auto flush = [&](std::size_t above) {
    if (waiting.size() > above) {
      outcome = send(waiting);
      waiting.clear();
    }
    return outcome.ok();
  };
  from.each_inode([&](const file_info& x) {
    waiting.push_back(put_record(to, x));
    if (x.is_directory()) {
      const auto last = from.find({x.inode, std::string{end_name}}).before;
      waiting.push_back({"ZADD", to.index_key(x.inode), "0", to.end(x.inode, last)});
    }
    return flush(limits::redis_pipeline);
  });
  if (!outcome) return outcome;
  inode_id adding{};
  std::size_t added = 0;
  from.each_name([&](const name_key& x, const std::string& before, inode_id leads_to) {
    if (x.directory != adding || added == members_at_once || waiting.empty()) {
      if (!flush(limits::redis_pipeline / 8)) return false;
      waiting.push_back({"ZADD", to.index_key(x.directory)});
      adding = x.directory;
      added = 0;
    }
    waiting.back().push_back("0");
    waiting.back().push_back(to.member(x.directory, before, x.name, leads_to));
    ++added;
    return true;
  });
  static_cast<void>(flush(0));
  return outcome;
}

command copy_token(const layout& to, log_position at) {
  command out{"HSET", to.token_key()};
  auto values = to.token(at);
  for (std::size_t i = 0; i < token_fields.size(); ++i) {
    out.emplace_back(token_fields.at(i));
    out.push_back(std::move(values[i]));
  }
  return out;
}

}  // namespace kaiku::redis
