#!/bin/sh
# Writes zoo.cfg and myid from the variables that the official image of ZooKeeper reads, unless they
# are there already, and runs the command, as the user zookeeper.
set -eu

conf_dir=${ZOO_CONF_DIR:-/conf}
data_dir=${ZOO_DATA_DIR:-/data}
data_log_dir=${ZOO_DATA_LOG_DIR:-/datalog}
log_dir=${ZOO_LOG_DIR:-/logs}

# A volume that was made by root belongs to root; the server shall not.
if [ "${1:-}" = zkServer.sh ] && [ "$(id -u)" = 0 ] && id zookeeper >/dev/null 2>&1; then
  chown -R zookeeper "$conf_dir" "$data_dir" "$data_log_dir" "$log_dir"
  exec setpriv --reuid=zookeeper --regid=zookeeper --clear-groups "$0" "$@"
fi

write_config() {
  echo "dataDir=$data_dir"
  echo "dataLogDir=$data_log_dir"
  echo "tickTime=${ZOO_TICK_TIME:-2000}"
  echo "initLimit=${ZOO_INIT_LIMIT:-5}"
  echo "syncLimit=${ZOO_SYNC_LIMIT:-2}"
  echo "autopurge.snapRetainCount=${ZOO_AUTOPURGE_SNAPRETAINCOUNT:-3}"
  # Left out, old log is removed every hour; the original's image keeps everything unless it is told.
  if [ -n "${ZOO_AUTOPURGE_PURGEINTERVAL:-}" ]; then
    echo "autopurge.purgeInterval=$ZOO_AUTOPURGE_PURGEINTERVAL"
  fi
  echo "maxClientCnxns=${ZOO_MAX_CLIENT_CNXNS:-60}"
  echo "standaloneEnabled=${ZOO_STANDALONE_ENABLED:-true}"
  echo "admin.enableServer=${ZOO_ADMINSERVER_ENABLED:-true}"
  if [ -n "${ZOO_4LW_COMMANDS_WHITELIST:-}" ]; then
    echo "4lw.commands.whitelist=$ZOO_4LW_COMMANDS_WHITELIST"
  fi
  for line in ${ZOO_CFG_EXTRA:-}; do
    echo "$line"
  done
  for server in ${ZOO_SERVERS:-server.1=localhost:2888:3888;2181}; do
    echo "$server"
  done
}

# A server that is told nothing is one alone, and its container may have any name.
if [ ! -f "$conf_dir/zoo.cfg" ]; then
  write_config >"$conf_dir/zoo.cfg"
fi
if [ ! -f "$data_dir/myid" ]; then
  echo "${ZOO_MY_ID:-1}" >"$data_dir/myid"
fi

exec "$@"
