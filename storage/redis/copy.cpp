#include "kaiku/storage/redis/copy.hpp"

#include <set>

#include "kaiku/core/limits.hpp"

namespace kaiku::redis {
namespace {

/// Members that one ZADD brings: so that none is long.
constexpr std::size_t members_at_once = 64;

command put_record(const layout& to, const file_info& x) {
  command out{"HSET", to.inode_key(x.inode)};
  auto values = to.record(x);
  for (std::size_t i = 0; i < inode_fields.size(); ++i) {
    out.emplace_back(inode_fields.at(i));
    out.push_back(std::move(values[i]));
  }
  return out;
}

/// What of an index is written again: the names that changed, and those behind them, whose checks cover them.
class index_writer {
 public:
  index_writer(const name_space& now, const layout& to, std::vector<command>& out) : now_(now), to_(to), out_(out) {}

  void name_changed(const name_key& x) {
    if (now_.find(x))
      again_.insert(x);
    else
      remove(x);
    auto behind = now_.behind(x);
    again_.insert({x.directory, behind.empty() ? std::string{end_name} : std::move(behind)});
  }
  void end_changed(inode_id directory) { again_.insert({directory, std::string{end_name}}); }

  void write() {
    for (const auto& x : again_) {
      remove(x);
      const auto leads_to = x.name == end_name ? inode_id{} : now_.find(x).value_or(inode_id{});
      out_.push_back(
          {"ZADD", to_.index_key(x.directory), "0", to_.member(x.directory, now_.before(x), x.name, leads_to)});
    }
  }

 private:
  void remove(const name_key& x) {
    out_.push_back({"ZREMRANGEBYLEX", to_.index_key(x.directory), "[" + layout::first_member(x.name),
                    "[" + layout::behind_member(x.name)});
  }

  const name_space& now_;
  const layout& to_;
  std::vector<command>& out_;
  std::set<name_key> again_;
};

}  // namespace

std::vector<command> copy_changed(const name_space& now, const layout& to, const std::vector<changed_key>& changed) {
  std::vector<command> out;
  index_writer indexes{now, to, out};
  std::set<inode_id> inodes;
  for (const auto& x : changed) {
    if (x.what == changed_key::kind::inode) {
      inodes.insert(name_space::inode_of(x));
      continue;
    }
    const auto name = name_space::name_of(x);
    // A removed directory goes before what it held.
    const auto holder = now.inode(name.directory);
    if (holder && holder->is_directory())
      indexes.name_changed(name);
    else
      inodes.insert(name.directory);
  }
  for (const auto which : inodes) {
    const auto info = now.inode(which);
    if (!info) {
      out.push_back({"DEL", to.inode_key(which), to.index_key(which)});
      continue;
    }
    out.push_back(put_record(to, *info));
    if (info->is_directory())
      indexes.end_changed(which);
    else
      out.push_back({"DEL", to.index_key(which)});  // the number may have been a directory's that was displaced
  }
  indexes.write();
  return out;
}

status copy_all(const name_space& from, const layout& to,
                const std::function<status(const std::vector<command>&)>& send) {
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
      const auto last = from.before({x.inode, std::string{end_name}});
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
