# Shared by up and down: which nodes there are, and which of them run. Sourced, with `root` and `data` set.
# shellcheck shell=bash
# shellcheck disable=SC2154  # data comes from the sourcing script

# The pid of a node if it runs. A pid file may be old and its number taken by another process, so the process itself is
# asked: it must be a kaikud that works on this node's data. Gives nothing, and 1, if there is none.
node_pid() {
  local name=$1 pid arguments
  [[ -r $data/$name.pid ]] || return 1
  pid=$(<"$data/$name.pid")
  [[ $pid =~ ^[0-9]+$ && -r /proc/$pid/cmdline ]] || return 1
  [[ $(readlink "/proc/$pid/exe" 2>/dev/null) == */kaikud* ]] || return 1
  arguments=$(tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null) || return 1
  [[ $'\n'$arguments$'\n' == *$'\n'"$data/$name"$'\n'* ]] || return 1
  echo "$pid"
}

# Where the Redis beside a node listens.
redis_socket() { echo "$data/$1-redis/redis.sock"; }

# Its pid, if it runs: a redis-server says in its title where it listens. Gives nothing, and 1, if there is none.
redis_pid() {
  local pid
  [[ -r $data/$1-redis/pid ]] || return 1
  pid=$(<"$data/$1-redis/pid")
  [[ $pid =~ ^[0-9]+$ && -r /proc/$pid/cmdline ]] || return 1
  [[ $(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null) == *redis-server*"$(redis_socket "$1")"* ]] || return 1
  echo "$pid"
}

# True if somebody listens on this port of 127.0.0.1.
port_taken() { (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Who listens on a port, as far as this user may see.
port_owner() {
  local line
  line=$(ss -Hltnp "sport = :$1" 2>/dev/null | grep -o 'users:.*' | head -1) || true
  if [[ $line =~ \"([^\"]+)\",pid=([0-9]+) ]]; then echo "by ${BASH_REMATCH[1]} (pid ${BASH_REMATCH[2]})"; fi
}

# Runs a condition every tenth of a second until it holds; 1 once SECONDS has reached the deadline.
wait_until() {
  local deadline=$1
  shift
  until "$@"; do
    ((SECONDS < deadline)) || return 1
    sleep 0.1
  done
}
