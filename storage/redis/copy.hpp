#pragma once

/// Purpose: the commands that make Redis show a name space: those of a change, and those of all of it.
/// Thread: as `layout` and `name_space`.

#include <functional>
#include <vector>

#include "kaiku/storage/redis/connection.hpp"
#include "kaiku/storage/redis/layout.hpp"
#include "kaiku/storage/redis/name_space.hpp"

namespace kaiku::redis {

/// Brings what `changed` names to what `now` shows, whatever Redis had there. In any order with others it is right once
/// the last of them, of the newest moment, is done.
std::vector<command> copy_changed(name_space& now, const layout& to, const std::vector<changed_key>& changed);
/// Everything, into a generation that is empty; some commands at a time. The first failure of `send` ends it.
status copy_all(name_space& from, const layout& to, const std::function<status(const std::vector<command>&)>& send);
command copy_token(const layout& to, log_position at);

}  // namespace kaiku::redis
