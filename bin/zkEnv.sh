# Read by zkServer.sh and zkCli.sh: where things are, from the variables that operators of the
# original set. The caller has set ZOOBINDIR to the directory of the real script.

ZOOROOT=$(dirname "$ZOOBINDIR")

if [ -z "${ZOOCFGDIR:-}" ]; then
  if [ -d "$ZOOROOT/conf" ]; then
    ZOOCFGDIR=$ZOOROOT/conf
  else
    ZOOCFGDIR=/etc/vivarium
  fi
fi

# Files that packages and operators put beside the configuration.
for env_file in zookeeper-env.sh java.env; do
  if [ -f "$ZOOCFGDIR/$env_file" ]; then
    . "$ZOOCFGDIR/$env_file"
  fi
done

ZOOCFG=${ZOOCFG:-zoo.cfg}
# A name is a file of the configuration directory, a path is a path.
case $ZOOCFG in
  */*) ;;
  *) ZOOCFG=$ZOOCFGDIR/$ZOOCFG ;;
esac

ZOO_LOG_DIR=${ZOO_LOG_DIR:-$ZOOROOT/logs}
NODE=${NODE:-node}
VIVARIUM=$ZOOBINDIR/vivarium.js
