#pragma once

/// Purpose: a new data directory from a backup (storage/archive/backup.hpp), for the first node of a new cluster.
/// Owner: the directory, until it is done. Thread: the process's only one. Blocks on the disk.
///
/// All is built below `.kaiku-restore` in the directory and then moved up, FORMAT last: a directory without it is
/// refused by every node, so that no half of a backup is ever served.

#include <filesystem>
#include <string>

#include "kaiku/archive/backup.hpp"
#include "kaiku/core/command.hpp"

namespace kaiku {

struct restored_backup {
  backup_moment moment;
  backup_totals totals;
};

/// Reads an archive to its end and keeps nothing of it. Errors: as `backup_reader`.
result<restored_backup> check_backup(byte_source& archive);

/// `data` must not exist, or be empty. After an error it is as it was, whoever else came to it meanwhile; but for
/// parents, which stay once they are made. A disk that fails ends the process, and leaves what no node starts on.
/// Errors: as `backup_reader`; `bad_request` (`data` has something in it), `already_exists` (a node began in it
/// meanwhile), `disk_full`, `io_error`.
result<restored_backup> restore_backup(byte_source& archive, const std::filesystem::path& data,
                                       const set_members& members);

}  // namespace kaiku
