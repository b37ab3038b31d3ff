"""A kazoo client that writes without pause and keeps count of what was acknowledged.

Arguments: connect string, parent path. Reads one command per line from standard input and answers
each with one line of JSON:

  start          begin to create znodes one after another; answers at the first acknowledgement
  stop           stop writing; answers {"acked": n, "max_pause_ms": x, "same_session": bool, "ephemeral": bool}
  burst N        create N znodes, many under way at once; answers {"acked": n}
  hang           send one create and do not wait for it
  check HOST     after a sync, compare what HOST has with what was acknowledged; {"missing": n, "children": n}
"""

import json
import logging
import sys
import threading
import time

from kazoo.client import KazooClient
from kazoo.exceptions import ConnectionLoss, NodeExistsError, SessionExpiredError
from kazoo.retry import KazooRetry

logging.disable(logging.CRITICAL)

RETRY = dict(max_tries=-1, delay=0.02, backoff=1.2, max_delay=0.1, max_jitter=0.1)


def connected(hosts):
    client = KazooClient(hosts=hosts, timeout=10, connection_retry=KazooRetry(**RETRY))
    client.start(timeout=30)
    return client


class Writer:
    def __init__(self, hosts, parent):
        self.client = connected(hosts)
        self.parent = parent
        self.client.ensure_path(parent)
        self.ephemeral = self.client.create(parent + "-live", b"", ephemeral=True)
        self.session = self.client.client_id[0]
        self.acked = []
        self.max_pause = 0.0
        self.first = threading.Event()
        self.stopping = threading.Event()
        self.thread = None

    def name(self, index):
        return "%s/n%07d" % (self.parent, index)

    def start(self):
        self.stopping.clear()
        self.thread = threading.Thread(target=self.write)
        self.thread.start()
        self.first.wait()
        return {}

    def write(self):
        index = len(self.acked)
        last = time.monotonic()
        while not self.stopping.is_set():
            try:
                self.client.create(self.name(index), b"value")
            except NodeExistsError:
                pass  # An attempt whose answer was lost had been carried out.
            except Exception:
                time.sleep(0.002)
                continue
            now = time.monotonic()
            self.max_pause = max(self.max_pause, now - last)
            last = now
            self.acked.append(index)
            self.first.set()
            index += 1

    def stop(self):
        self.stopping.set()
        self.thread.join()
        return {
            "acked": len(self.acked),
            "max_pause_ms": round(self.max_pause * 1000),
            "same_session": self.client.client_id[0] == self.session,
            "ephemeral": self.client.exists(self.ephemeral) is not None,
        }

    def burst(self, count):
        start = len(self.acked)
        window = 500
        for at in range(start, start + count, window):
            missing = range(at, min(at + window, start + count))
            while missing:
                results = [(i, self.client.create_async(self.name(i), b"value")) for i in missing]
                missing = [i for i, result in results if not self.succeeded(result)]
            self.acked.extend(range(at, min(at + window, start + count)))
        return {"acked": len(self.acked)}

    @staticmethod
    def succeeded(result):
        try:
            result.get(timeout=30)
        except NodeExistsError:
            pass
        except (ConnectionLoss, SessionExpiredError):
            time.sleep(0.02)
            return False
        return True

    def hang(self):
        self.client.create_async(self.parent + "-hanging", b"")
        return {}

    def check(self, host):
        client = connected(host)
        client.sync("/")
        children = set(client.get_children(self.parent))
        missing = [i for i in self.acked if "n%07d" % i not in children]
        client.stop()
        return {"missing": len(missing), "children": len(children)}


def main():
    writer = Writer(sys.argv[1], sys.argv[2])
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        words = line.split()
        if words[0] == "burst":
            answer = writer.burst(int(words[1]))
        elif words[0] == "check":
            answer = writer.check(words[1])
        else:
            answer = getattr(writer, words[0])()
        print(json.dumps(answer), flush=True)
    writer.client.stop()


main()
