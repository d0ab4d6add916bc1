# Sourced by the scripts here: a directory of their own in `work`, where checks leave what they print, and free ports.
# shellcheck shell=bash
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
# shellcheck disable=SC2034  # for who sources this
output=$work/output
failed=0

# shellcheck source=deploy/local/common.sh
source "$root/deploy/local/common.sh"

# check NAME COMMAND...: on failure shows what the command has printed.
check() {
  local name=$1
  shift
  if "$@" >"$output" 2>&1; then
    echo "ok $name"
  else
    echo "not ok $name"
    tail -40 "$output" | sed 's/^/    /'
    failed=1
  fi
}

# free_ports COUNT: the first of so many in a row, below the range that the kernel gives to connections.
free_ports() {
  local base port
  for ((base = 20000 + RANDOM % 9000; ; base += $1)); do
    for ((port = base; port < base + $1; ++port)); do
      if port_taken "$port"; then continue 2; fi
    done
    echo "$base"
    return
  done
}

# For the end of a script.
remove_work() { if [[ $failed -eq 0 ]]; then rm -rf "$work"; else echo "kept: $work"; fi; }
