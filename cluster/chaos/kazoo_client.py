"""A client of kazoo's, asked line by line in JSON, one operation at a time."""

import json
import logging
import sys
import threading

from kazoo.client import KazooClient
from kazoo import exceptions

LOST = (
    exceptions.ConnectionLoss,
    exceptions.ConnectionClosedError,
    exceptions.OperationTimeoutError,
    exceptions.SessionExpiredError,
)
TIMEOUT_S = 90

logging.disable(logging.CRITICAL)
hosts, chroot, timeout_ms = sys.argv[1], sys.argv[2], int(sys.argv[3])
client = KazooClient(
    hosts=hosts + chroot,
    timeout=timeout_ms / 1000,
    connection_retry={"max_tries": -1, "delay": 0.05, "max_delay": 0.2},
)


def say(answer):
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def stat_of(stat):
    return {
        "czxid": stat.czxid,
        "mzxid": stat.mzxid,
        "pzxid": stat.pzxid,
        "version": stat.version,
        "ephemeralOwner": str(stat.ephemeralOwner),
    }


def perform(draft):
    kind, path = draft["kind"], draft["path"]
    if kind == "create":
        return {"path": client.create(path, draft["value"].encode(), sequence=draft["sequence"])}
    if kind == "set":
        return {"stat": stat_of(client.set(path, draft["value"].encode(), draft["version"]))}
    if kind == "delete":
        client.delete(path, draft["version"])
        return {}
    if kind == "get":
        data, stat = client.get(path)
        return {"value": data.decode(), "stat": stat_of(stat)}
    if kind == "exists":
        stat = client.exists(path)
        return {"stat": stat_of(stat)} if stat else {"error": -101}
    if kind == "children":
        names, stat = client.get_children(path, include_data=True)
        return {"names": names, "stat": stat_of(stat)}
    if kind == "sync":
        client.sync(path)
        return {}
    raise ValueError(kind)


def answer(line):
    # An operation that waits for a connection for ever is one of unknown outcome.
    result = {}

    def work():
        try:
            reply = perform(json.loads(line))
            result.update({"reply": reply, "zxid": client.last_zxid})
        except LOST:
            result["lost"] = True
        except exceptions.ZookeeperError as error:
            result.update({"error": getattr(error, "code", None), "zxid": client.last_zxid})

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(TIMEOUT_S)
    if not result or ("error" in result and result["error"] is None):
        result = {"lost": True}
    result["session"] = str(client.client_id[0] if client.client_id else 0)
    return result


client.start(timeout=TIMEOUT_S)
say({"session": str(client.client_id[0])})
for line in sys.stdin:
    if line.strip() == "close":
        break
    say(answer(line))
client.stop()
client.close()
