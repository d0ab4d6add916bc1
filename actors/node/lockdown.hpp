#pragma once

/// Purpose: what the process gives up for good before it opens anything: files that others can read, privileges that a
/// program it would run could bring, and, unless wanted, the dump of its memory.
/// Thread: the main thread, once, before any other.

namespace kaiku {

/// No core dump and no debugger of another process of the same user, unless `core_dumps`: what belongs to the process
/// in /proc belongs to root then, as of a set-user-id program (prctl(2), PR_SET_DUMPABLE).
void lock_down(bool core_dumps);

}  // namespace kaiku
