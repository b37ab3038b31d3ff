#!/bin/sh
# The shell for clients, with the arguments of the original's script:
#   zkCli.sh [-server host:port,...] [-timeout ms] [-r] [command arguments...]

script=$0
while [ -L "$script" ]; do
  target=$(readlink "$script")
  case $target in
    /*) script=$target ;;
    *) script=$(dirname "$script")/$target ;;
  esac
done
ZOOBINDIR=$(cd "$(dirname "$script")" && pwd)
. "$ZOOBINDIR/zkEnv.sh"

exec "$NODE" "$VIVARIUM" cli "$@"
