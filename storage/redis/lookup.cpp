#include "kaiku/storage/redis/lookup.hpp"

#include <algorithm>
#include <charconv>

#include "kaiku/storage/format.hpp"

namespace kaiku::redis {
namespace {

/// KEYS: the token, what hashes of inodes begin with, what indexes begin with. ARGV: the token that must stand, most
/// entries of a page (0: none), where the page begins, its prefix, the names of the path.
/// Answers: found, a member and the one before it for each name, the record, and for a directory the member before the
/// page, how many members, these, and the records of those that are wanted; absent, the same up to the gap; behind,
/// blocked (a file is on the way), lost.
constexpr std::string_view script = R"lua(
local token = redis.call('HMGET', KEYS[1], 'generation', 'term', 'index', 'check')
for i = 1, 4 do
  if not token[i] then return {'lost'} end
end
if table.concat(token, ' ') ~= ARGV[1] then return {'behind'} end

local function record(inode)
  local values = redis.call('HMGET', KEYS[2] .. inode, 'type', 'size', 'sha256', 'version', 'created', 'modified',
                            'content_type', 'content_encoding', 'expires', 'metadata', 'check')
  for i = 1, 11 do
    if not values[i] then return nil end
  end
  return table.concat(values, '\0')
end
local function leads_to(member)
  local zero = string.find(member, '\0', 1, true)
  return zero and string.match(member, '^%d+', zero + 1)
end

local out = {'found'}
local inode = '1'
for i = 5, #ARGV do
  local name = ARGV[i]
  local index = KEYS[3] .. inode
  local here = redis.call('ZREVRANGEBYLEX', index, '[' .. name .. '\0\255', '-', 'LIMIT', 0, 2)
  if here[1] and string.sub(here[1], 1, #name + 1) == name .. '\0' then
    out[#out + 1] = here[1]
    out[#out + 1] = here[2] or ''
    inode = leads_to(here[1])
    if not inode then return {'lost'} end
  else
    local behind = redis.call('ZRANGEBYLEX', index, '(' .. name .. '\0\255', '+', 'LIMIT', 0, 1)
    if not behind[1] then
      if redis.call('HGET', KEYS[2] .. inode, 'type') == 'file' then return {'blocked'} end
      return {'lost'}
    end
    out[1] = 'absent'
    out[#out + 1] = behind[1]
    out[#out + 1] = here[1] or ''
    return out
  end
end

local leaf = record(inode)
if not leaf then return {'lost'} end
out[#out + 1] = leaf
local most, from, prefix = tonumber(ARGV[2]), ARGV[3], ARGV[4]
if most == 0 or string.sub(leaf, 1, 10) ~= 'directory\0' then return out end
local index = KEYS[3] .. inode
out[#out + 1] = redis.call('ZREVRANGEBYLEX', index, '[' .. from, '-', 'LIMIT', 0, 1)[1] or ''
local page = redis.call('ZRANGEBYLEX', index, '(' .. from, '+', 'LIMIT', 0, most + 1)
out[#out + 1] = tostring(#page)
for i = 1, #page do out[#out + 1] = page[i] end
for i = 1, math.min(#page, most) do
  local member = page[i]
  if string.byte(member, 1) == 255 or string.sub(member, 1, #prefix) ~= prefix then break end
  local entry = leads_to(member)
  entry = entry and record(entry)
  if not entry then return {'lost'} end
  out[#out + 1] = entry
end
return out
)lua";

/// Reads the answer from the front.
class answer_reader {
 public:
  answer_reader(std::span<const std::string_view> said, const layout& of, const file_question& what, unix_time_ms now)
      : said_(said), of_(of), what_(what), now_(now) {}

  looked_up read(file_answer& into) {
    const auto kind = next();
    if (kind == "behind") return looked_up::behind;
    if (kind == "blocked") return looked_up::left;
    if (kind == "absent") return read_absence();
    if (kind != "found") return looked_up::wrong;
    for (const auto name : what_.path.names()) {
      const auto entry = read_step();
      if (!entry || entry->name != name) return looked_up::wrong;
      inode_ = entry->leads_to;
    }
    auto leaf = of_.read_record(inode_, next());
    if (!leaf) return looked_up::wrong;
    if (has_expired(*leaf)) return looked_up::left;
    into.info = std::move(*leaf);
    if (!into.info.is_directory() || what_.limit == 0) return looked_up::answered;
    return read_page(into.page.emplace());
  }

 private:
  std::string_view next() { return at_ < said_.size() ? said_[at_++] : std::string_view{}; }

  bool has_expired(const file_info& x) const { return x.properties.expires && *x.properties.expires <= now_; }

  std::optional<layout::entry> read_step() {
    const auto member = next();
    before_ = layout::name_of(next());
    return of_.read_member(inode_, before_, member);
  }

  /// That nothing is there counts only if the neighbours say so; the store has the last word even then.
  looked_up read_absence() {
    for (const auto name : what_.path.names()) {
      const auto entry = read_step();
      if (!entry) return looked_up::wrong;
      const bool last = at_ == said_.size();
      if (last) return before_ < name && name < entry->name ? looked_up::left : looked_up::wrong;
      if (entry->name != name) return looked_up::wrong;
      inode_ = entry->leads_to;
    }
    return looked_up::wrong;
  }

  looked_up read_page(directory_page& page) {
    const auto& prefix = what_.what.prefix;
    auto before = layout::name_of(next());
    const bool joins = what_.after >= prefix ? before <= what_.after : before < prefix;
    std::size_t count = 0;
    const auto digits = next();
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
    if (!joins || failed != std::errc{} || count > what_.limit + 1 || said_.size() - at_ < count)
      return looked_up::wrong;
    const auto members = said_.subspan(at_, count);
    at_ += count;
    for (const auto member : members) {
      const auto entry = of_.read_member(inode_, before, member);
      if (!entry) return looked_up::wrong;
      if (entry->name == end_name || !entry->name.starts_with(prefix)) return looked_up::answered;
      if (page.entries.size() == what_.limit) {
        page.more = true;
        page.next = page.entries.back().name;
        return looked_up::answered;
      }
      auto info = of_.read_record(entry->leads_to, next());
      if (!info) return looked_up::wrong;
      if (has_expired(*info)) return looked_up::left;
      page.entries.push_back({std::string{entry->name}, std::move(*info)});
      before = entry->name;
    }
    return looked_up::wrong;  // the end is a member too
  }

  std::span<const std::string_view> said_;
  const layout& of_;
  const file_question& what_;
  unix_time_ms now_;
  std::size_t at_ = 0;
  inode_id inode_ = format::root_inode;
  std::string_view before_;
};

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

}  // namespace

std::string_view lookup_script() {
  return script;
}

bool can_look_up(const file_question& what) {
  // What is not UTF-8 may stand behind the end.
  const auto can_be_asked = [](std::string_view text) { return text < end_name && !has_control(text); };
  return !what.what.recursive && what.limit <= limits::redis_page && can_be_asked(what.after) &&
         can_be_asked(what.what.prefix);
}

std::vector<std::string> lookup_command(const std::string& script_sha, const layout& of, log_position at,
                                        const file_question& what) {
  const auto values = of.token(at);
  std::string token;
  for (const auto& value : values) token.append(token.empty() ? "" : " ").append(value);
  const auto& prefix = what.what.prefix;
  const bool behind = !what.after.empty() && what.after >= prefix;
  std::vector<std::string> out{"EVALSHA",
                               script_sha,
                               "3",
                               of.token_key(),
                               of.inode_prefix(),
                               of.index_prefix(),
                               std::move(token),
                               std::to_string(what.limit),
                               behind ? layout::behind_member(what.after) : prefix,
                               prefix};
  for (const auto name : what.path.names()) out.emplace_back(name);
  return out;
}

looked_up read_lookup(std::span<const std::string_view> said, const layout& of, const file_question& what,
                      unix_time_ms now, file_answer& into) {
  return answer_reader{said, of, what, now}.read(into);
}

}  // namespace kaiku::redis
