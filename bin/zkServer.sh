#!/bin/sh
# Runs one server in the background, with the arguments, the words and the exit codes of the
# original's script, for the scripts that are written around it.

usage() {
  echo "Usage: $0 [--config <conf-dir>] {start|start-foreground|stop|version|restart|status|print-cmd} [config-file]" >&2
}

# npm installs links to the scripts, and the program is beside the real ones.
script=$0
while [ -L "$script" ]; do
  target=$(readlink "$script")
  case $target in
    /*) script=$target ;;
    *) script=$(dirname "$script")/$target ;;
  esac
done
ZOOBINDIR=$(cd "$(dirname "$script")" && pwd)

if [ "${1:-}" = --config ]; then
  if [ ! -d "${2:-}" ]; then
    echo "--config needs the directory of the configuration" >&2
    exit 1
  fi
  ZOOCFGDIR=$2
  shift 2
fi
action=${1:-}
if [ -n "${2:-}" ]; then
  ZOOCFG=$2
fi
. "$ZOOBINDIR/zkEnv.sh"
echo "Using config: $ZOOCFG" >&2

# The value of a key as the file has it; of several lines the last one counts.
configured() {
  [ -f "$ZOOCFG" ] || return 0
  sed -n "s/^[[:space:]]*$1[[:space:]]*[=:][[:space:]]*\(.*[^[:space:]]\)[[:space:]]*\$/\1/p" "$ZOOCFG" | tail -n 1
}

data_dir=$(configured dataDir)
data_log_dir=$(configured dataLogDir)

if [ -n "${ZOO_DATADIR_AUTOCREATE_DISABLE:-}" ]; then
  if [ ! -d "$data_dir/state" ]; then
    echo "ZooKeeper data directory is missing at $data_dir fix the path or run initialize"
    exit 1
  fi
  if [ ! -d "${data_log_dir:-$data_dir}/log" ]; then
    echo "ZooKeeper txnlog directory is missing at $data_log_dir fix the path or run initialize"
    exit 1
  fi
fi

# Without a usable dataDir the server says so itself, and the file must be somewhere until then.
ZOOPIDFILE=${ZOOPIDFILE:-${data_dir:-$ZOO_LOG_DIR}/zookeeper_server.pid}
output=$ZOO_LOG_DIR/zookeeper-$(id -un 2>/dev/null || id -u)-server-$(uname -n).out

# What operators say to Java: its -Dname=value become keys that zoo.cfg may overrule, the rest is
# meant for a virtual machine that is not there.
set --
for flag in ${SERVER_JVMFLAGS:-} ${JVMFLAGS:-}; do
  case $flag in
    -D*=*) set -- "$@" --define "${flag#-D}" ;;
  esac
done
if [ -n "${ZK_SERVER_HEAP:-}" ]; then
  NODE_OPTIONS="${NODE_OPTIONS:-} --max-old-space-size=$ZK_SERVER_HEAP"
  export NODE_OPTIONS
fi
set -- "$NODE" "$VIVARIUM" server "$ZOOCFG" "$@"

# Whether the process of the pid file is there, and not another one that was given its number since.
is_running() {
  [ -f "$ZOOPIDFILE" ] || return 1
  pid=$(cat "$ZOOPIDFILE")
  [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null || return 1
  [ -r "/proc/$pid/cmdline" ] || return 0
  tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q vivarium
}

# Parts of a second are known to most systems, not to all.
nap() {
  sleep 0.1 2>/dev/null || sleep 1
}

now() {
  date +%s
}

start() {
  printf 'Starting zookeeper ... '
  if is_running; then
    echo "already running as process $pid."
    return 1
  fi
  mkdir -p "$ZOO_LOG_DIR" "$(dirname "$ZOOPIDFILE")" 2>/dev/null
  if ! (: >"$output") 2>/dev/null; then
    echo 'FAILED TO START'
    echo "$output cannot be written: let ZOO_LOG_DIR name a directory in which it can" >&2
    return 1
  fi
  # A session of its own, so that closing the terminal does not end it.
  detach=nohup
  if command -v setsid >/dev/null 2>&1; then
    detach=setsid
  fi
  $detach "$@" >"$output" 2>&1 </dev/null &
  pid=$!
  if ! printf %s "$pid" >"$ZOOPIDFILE"; then
    kill "$pid"
    echo 'FAILED TO WRITE PID'
    return 1
  fi
  # Mistakes show at once, as soon as the program is loaded and has said its first word.
  deadline=$(($(now) + 15))
  while [ ! -s "$output" ] && kill -0 "$pid" 2>/dev/null && [ "$(now)" -lt "$deadline" ]; do
    nap
  done
  # Scripts ask for the status next; a server that needs no others is given the time to serve.
  deadline=$(($(now) + 3))
  while ! grep -q ' serving clients' "$output" && kill -0 "$pid" 2>/dev/null && [ "$(now)" -lt "$deadline" ]; do
    nap
  done
  if kill -0 "$pid" 2>/dev/null; then
    echo STARTED
    return 0
  fi
  echo 'FAILED TO START'
  tail -n 5 "$output" >&2
  rm -f "$ZOOPIDFILE"
  return 1
}

stop() {
  printf 'Stopping zookeeper ... '
  if [ ! -f "$ZOOPIDFILE" ]; then
    echo "no zookeeper to stop (could not find file $ZOOPIDFILE)"
    return 0
  fi
  if is_running; then
    kill "$pid"
    deadline=$(($(now) + ${ZOO_STOP_TIMEOUT:-60}))
    while kill -0 "$pid" 2>/dev/null && [ "$(now)" -lt "$deadline" ]; do
      nap
    done
    if kill -0 "$pid" 2>/dev/null; then
      echo "STILL RUNNING as process $pid"
      return 1
    fi
  fi
  rm -f "$ZOOPIDFILE"
  echo STOPPED
}

# Sets client_port and client_address, from clientPort or else from the own line.
find_client_port() {
  client_address=$(configured clientPortAddress)
  client_port=$(configured clientPort)
  case $client_port in
    '' | *[!0-9]*) ;;
    *) return 0 ;;
  esac
  my_id=$(head -n 1 "$data_dir/myid" 2>/dev/null)
  case $my_id in
    '' | *[!0-9]*)
      echo 'myid could not be determined, will not able to locate clientPort in the server configs.'
      return 1
      ;;
  esac
  client=$(configured "server\.$my_id" | sed -n 's/^[^;]*;\([^;]*\).*/\1/p')
  client_port=${client##*:}
  case $client in
    *:*) client_address=$(printf %s "${client%:*}" | tr -d '[]') ;;
  esac
  [ -n "$client_port" ]
}

status() {
  if ! find_client_port; then
    echo 'Unable to find either secure or unsecure client port in any configs. Terminating.'
    return 1
  fi
  case $client_address in
    '' | 0.0.0.0 | ::) client_address=localhost ;;
  esac
  echo "Client port found: $client_port. Client address: $client_address. Client SSL: false."
  address=$client_address
  case $address in
    *:*) address="[$address]" ;;
  esac
  role=$("$NODE" "$VIVARIUM" status "$address:$client_port" --json 2>/dev/null |
    sed -n 's/.*"role": "\([a-z-]*\)".*/\1/p')
  case $role in
    '' | down | looking)
      echo 'Error contacting service. It is probably not running.'
      return 1
      ;;
  esac
  echo "Mode: $role"
}

case $action in
  start) start "$@" ;;
  start-foreground)
    if [ -n "${ZOO_NOEXEC:-}" ]; then
      "$@"
    else
      exec "$@"
    fi
    ;;
  stop) stop ;;
  restart)
    stop && start "$@"
    ;;
  status) status ;;
  version)
    "$NODE" --input-type=module -e '
      const { VERSION_LINE } = await import(process.argv[1]);
      console.log(`Apache ZooKeeper, version ${VERSION_LINE.replace(", built on", "")}`);
    ' "$ZOOROOT/dist/src/server/version.js"
    ;;
  print-cmd)
    for word in "$@"; do
      printf '"%s" ' "$word"
    done
    echo "> \"$output\" 2>&1 < /dev/null"
    ;;
  *) usage ;;
esac
