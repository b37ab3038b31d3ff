"""Runs kazoo against the servers named on the command line, and prints one line for each check.

A line is `ok NAME` or `not ok NAME: REASON`; the exit code is 0 when all are ok. Nothing is left behind.
"""

import subprocess
import sys
import threading
import traceback

from kazoo.client import KazooClient, KazooState
from kazoo.exceptions import (
    BadVersionError,
    NoAuthError,
    NodeExistsError,
    NoNodeError,
    NotEmptyError,
    NoChildrenForEphemeralsError,
    RolledBackError,
)
from kazoo.recipe.counter import Counter
from kazoo.security import OPEN_ACL_UNSAFE, READ_ACL_UNSAFE, make_digest_acl

ROOT = "/kazoo"
WAIT_SECONDS = 15
ENDS_WITHOUT_CLOSING = """
import os, sys
from kazoo.client import KazooClient
client = KazooClient(hosts=sys.argv[1], timeout=10.0)
client.start()
client.create(sys.argv[2], ephemeral=True)
print(client.client_id[0], client.client_id[1].hex(), flush=True)
os._exit(0)
"""
CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def raises(kind, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except kind:
        return
    raise AssertionError("expected %s" % kind.__name__)


class Servers:
    """Opens clients, and closes those that a check left open."""

    def __init__(self, addresses):
        self.addresses = addresses
        self.opened = []

    def client(self, server=None, **options):
        hosts = ",".join(self.addresses) if server is None else self.addresses[server]
        client = KazooClient(hosts=hosts, timeout=10.0, **options)
        client.start(timeout=WAIT_SECONDS)
        self.opened.append(client)
        return client

    def close(self):
        for client in self.opened:
            client.stop()
            client.close()
        self.opened = []


@check
def create_read_update_delete(servers):
    zk = servers.client()
    assert zk.create(ROOT + "/node", b"one") == ROOT + "/node"
    data, stat = zk.get(ROOT + "/node")
    assert data == b"one" and stat.version == 0 and stat.dataLength == 3
    assert stat.czxid == stat.mzxid > 0 and stat.ephemeralOwner == 0
    assert zk.set(ROOT + "/node", b"two", version=0).version == 1
    assert zk.get(ROOT + "/node")[0] == b"two"
    assert zk.exists(ROOT + "/node").mzxid > stat.mzxid
    zk.delete(ROOT + "/node", version=1)
    assert zk.exists(ROOT + "/node") is None


@check
def refusals_have_their_own_errors(servers):
    zk = servers.client()
    zk.create(ROOT + "/node/child", makepath=True)
    raises(NodeExistsError, zk.create, ROOT + "/node")
    raises(NoNodeError, zk.create, ROOT + "/none/child")
    raises(NoNodeError, zk.get, ROOT + "/none")
    raises(NoNodeError, zk.get_children, ROOT + "/none")
    raises(NotEmptyError, zk.delete, ROOT + "/node")
    raises(BadVersionError, zk.set, ROOT + "/node", b"x", version=3)
    raises(BadVersionError, zk.delete, ROOT + "/node/child", version=3)


@check
def children_and_their_stat(servers):
    zk = servers.client()
    for name in ("a", "b", "c"):
        zk.create(ROOT + "/" + name)
    names, stat = zk.get_children(ROOT, include_data=True)
    assert sorted(names) == ["a", "b", "c"]
    assert stat.numChildren == 3 and stat.cversion == 3


@check
def data_of_any_bytes_and_none(servers):
    zk = servers.client()
    everything = bytes(range(256)) * 1000
    zk.create(ROOT + "/bytes", everything)
    assert zk.get(ROOT + "/bytes")[0] == everything
    zk.create(ROOT + "/empty", b"")
    assert zk.get(ROOT + "/empty")[0] == b""
    zk.create(ROOT + "/\u00e9\u4e16", b"x")
    assert "\u00e9\u4e16" in zk.get_children(ROOT)


@check
def sequence_numbers_grow(servers):
    zk = servers.client()
    paths = [zk.create(ROOT + "/item-", sequence=True) for _ in range(5)]
    assert paths == [ROOT + "/item-%010d" % number for number in range(5)]


@check
def create_returns_the_stat(servers):
    zk = servers.client()
    path, stat = zk.create(ROOT + "/item-", b"abc", sequence=True, include_data=True)
    assert path == ROOT + "/item-0000000000"
    assert stat.dataLength == 3 and stat == zk.exists(path)


@check
def ephemeral_nodes_end_with_their_session(servers):
    owner = servers.client()
    watcher = servers.client()
    gone = threading.Event()
    owner.create(ROOT + "/mine", ephemeral=True)
    watcher.sync(ROOT)
    stat = watcher.exists(ROOT + "/mine", watch=lambda event: gone.set())
    assert stat.ephemeralOwner == owner.client_id[0]
    raises(NoChildrenForEphemeralsError, owner.create, ROOT + "/mine/child")
    owner.stop()
    assert gone.wait(WAIT_SECONDS)
    assert watcher.exists(ROOT + "/mine") is None


@check
def watches_fire_once_for_each_kind(servers):
    zk = servers.client()
    other = servers.client()
    events = []
    arrived = threading.Semaphore(0)

    def note(event):
        events.append((event.type, event.path))
        arrived.release()

    def expect(kind, path):
        assert arrived.acquire(timeout=WAIT_SECONDS), "no event for " + path
        assert events.pop() == (kind, path)

    assert zk.exists(ROOT + "/w", watch=note) is None
    other.create(ROOT + "/w")
    expect("CREATED", ROOT + "/w")
    zk.sync(ROOT)
    zk.get(ROOT + "/w", watch=note)
    other.set(ROOT + "/w", b"1")
    expect("CHANGED", ROOT + "/w")
    other.set(ROOT + "/w", b"2")
    zk.get_children(ROOT + "/w", watch=note)
    other.create(ROOT + "/w/child")
    expect("CHILD", ROOT + "/w")
    zk.sync(ROOT)
    zk.get(ROOT + "/w/child", watch=note)
    other.delete(ROOT + "/w/child")
    expect("DELETED", ROOT + "/w/child")
    zk.sync(ROOT)
    assert events == []


@check
def data_watch_recipe_follows_changes(servers):
    zk = servers.client()
    seen = []
    changed = threading.Condition()

    @zk.DataWatch(ROOT + "/followed")
    def follow(data, stat):
        with changed:
            seen.append(data)
            changed.notify()

    for value in (b"1", b"2"):
        zk.ensure_path(ROOT + "/followed")
        zk.set(ROOT + "/followed", value)
        with changed:
            assert changed.wait_for(lambda: seen[-1] == value, WAIT_SECONDS)


@check
def transactions_are_all_or_nothing(servers):
    zk = servers.client()
    zk.create(ROOT + "/kept", b"old")
    good = zk.transaction()
    good.check(ROOT + "/kept", 0)
    good.create(ROOT + "/made", b"x")
    good.set_data(ROOT + "/kept", b"new")
    good.create(ROOT + "/made/seq-", sequence=True)
    results = good.commit()
    assert results[0] is True and results[1] == ROOT + "/made"
    assert results[2].version == 1 and results[3] == ROOT + "/made/seq-0000000000"
    bad = zk.transaction()
    bad.create(ROOT + "/never")
    bad.delete(ROOT + "/kept", version=9)
    bad.create(ROOT + "/neither")
    results = bad.commit()
    assert isinstance(results[0], RolledBackError), results
    assert isinstance(results[1], BadVersionError), results
    assert zk.exists(ROOT + "/never") is None
    assert zk.get(ROOT + "/kept")[0] == b"new"


@check
def acls_keep_strangers_out(servers):
    owner = servers.client(auth_data=[("digest", "bob:secret")])
    stranger = servers.client()
    acl = make_digest_acl("bob", "secret", all=True)
    # Only its owner may list the node's children, which the cleaning before the next check does.
    owner.create(ROOT + "/private", b"x", acl=[acl])
    stranger.sync(ROOT)
    raises(NoAuthError, stranger.get, ROOT + "/private")
    raises(NoAuthError, stranger.set, ROOT + "/private", b"y")
    assert owner.get(ROOT + "/private")[0] == b"x"
    acls, stat = owner.get_acls(ROOT + "/private")
    assert acls == [acl] and stat.aversion == 0
    owner.delete(ROOT + "/private")


@check
def acl_entries_have_a_version(servers):
    zk = servers.client()
    zk.create(ROOT + "/node")
    acls, stat = zk.get_acls(ROOT + "/node")
    assert acls == OPEN_ACL_UNSAFE and stat.aversion == 0
    raises(BadVersionError, zk.set_acls, ROOT + "/node", READ_ACL_UNSAFE, version=4)
    assert zk.set_acls(ROOT + "/node", READ_ACL_UNSAFE, version=0).aversion == 1
    acls, stat = zk.get_acls(ROOT + "/node")
    assert acls == READ_ACL_UNSAFE and stat.aversion == 1
    raises(NoAuthError, zk.set, ROOT + "/node", b"x")


@check
def a_root_of_its_own_is_what_it_sees(servers):
    outer = servers.client(0)
    outer.create(ROOT + "/inner")
    inner = KazooClient(hosts=servers.addresses[0] + ROOT + "/inner", timeout=10.0)
    servers.opened.append(inner)
    inner.start(timeout=WAIT_SECONDS)
    changed = threading.Event()
    assert inner.exists("/node", watch=lambda event: event.path == "/node" and changed.set()) is None
    assert inner.create("/node") == "/node"
    assert changed.wait(WAIT_SECONDS)
    assert outer.exists(ROOT + "/inner/node") is not None
    assert inner.exists(ROOT) is None


@check
def a_session_is_resumed_by_its_id_and_password(servers):
    command = [sys.executable, "-c", ENDS_WITHOUT_CLOSING, servers.addresses[0], ROOT + "/mine"]
    held = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    number, password = held.stdout.split()
    session = (int(number), bytes.fromhex(password))
    second = servers.client(-1, client_id=session)
    assert second.client_id == session
    second.sync(ROOT)
    assert second.exists(ROOT + "/mine").ephemeralOwner == session[0]
    second.stop()
    other = servers.client(0)
    other.sync(ROOT)
    assert other.exists(ROOT + "/mine") is None


@check
def large_data_arrives_whole(servers):
    zk = servers.client()
    data = bytes(number * 31 % 251 for number in range(1024 * 1024 - 500))
    zk.create(ROOT + "/large", data)
    assert zk.get(ROOT + "/large")[0] == data


@check
def a_reader_may_write_while_there_is_a_majority(servers):
    zk = servers.client(read_only=True)
    assert zk.create(ROOT + "/node", b"x") == ROOT + "/node"


@check
def lock_is_held_by_one_at_a_time(servers):
    first = servers.client(0)
    second = servers.client(-1)
    lock = first.Lock(ROOT + "/lock", "first")
    other = second.Lock(ROOT + "/lock", "second")
    assert lock.acquire(timeout=WAIT_SECONDS)
    assert not other.acquire(blocking=False)
    waiting = threading.Thread(target=lambda: other.acquire(timeout=WAIT_SECONDS))
    waiting.start()
    lock.release()
    waiting.join(WAIT_SECONDS)
    assert other.is_acquired
    other.release()


@check
def lock_is_freed_when_its_holder_ends(servers):
    holder = servers.client(0)
    waiter = servers.client(-1)
    assert holder.Lock(ROOT + "/lock", "holder").acquire(timeout=WAIT_SECONDS)
    holder.stop()
    lock = waiter.Lock(ROOT + "/lock", "waiter")
    assert lock.acquire(timeout=WAIT_SECONDS)
    lock.release()


@check
def election_has_one_winner_after_the_other(servers):
    order = []
    mutex = threading.Lock()

    def lead(name):
        with mutex:
            order.append(name)

    def run(name, server):
        servers.client(server).Election(ROOT + "/election", name).run(lead, name)

    threads = [threading.Thread(target=run, args=("c%d" % n, -n)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_SECONDS)
    assert sorted(order) == ["c0", "c1"], order


@check
def counter_loses_no_addition(servers):
    def add(server):
        counter = Counter(servers.client(server), ROOT + "/counter")
        for _ in range(10):
            counter += 1

    threads = [threading.Thread(target=add, args=(-n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_SECONDS)
    zk = servers.client()
    zk.sync(ROOT)
    assert Counter(zk, ROOT + "/counter").value == 20


@check
def every_server_shows_what_was_written(servers):
    servers.client(0).create(ROOT + "/shared", b"by all")
    for server in range(len(servers.addresses)):
        zk = servers.client(server)
        zk.sync(ROOT)
        assert zk.get(ROOT + "/shared")[0] == b"by all"


@check
def a_lost_connection_keeps_its_session(servers):
    zk = servers.client()
    session = zk.client_id
    back = threading.Event()
    states = []

    def note(state):
        states.append(state)
        if state == KazooState.CONNECTED:
            back.set()

    zk.create(ROOT + "/kept", ephemeral=True)
    zk.add_listener(note)
    zk._connection._socket.shutdown(2)
    assert back.wait(WAIT_SECONDS), states
    assert KazooState.LOST not in states
    assert zk.client_id == session
    zk.sync(ROOT)
    assert zk.exists(ROOT + "/kept").ephemeralOwner == session[0]


@check
def many_requests_at_once_are_answered_in_order(servers):
    zk = servers.client()
    pending = [zk.create_async(ROOT + "/n-", sequence=True) for _ in range(500)]
    paths = [result.get(timeout=WAIT_SECONDS) for result in pending]
    assert paths == sorted(paths) and len(set(paths)) == 500


def run(servers, function):
    keeper = servers.client()
    keeper.delete(ROOT, recursive=True)
    keeper.create(ROOT)
    for server in range(len(servers.addresses)):
        client = servers.client(server)
        client.sync("/")
    function(servers)


def main(addresses):
    failed = 0
    for function in CHECKS:
        name = function.__name__.replace("_", " ")
        servers = Servers(addresses)
        try:
            run(servers, function)
            print("ok " + name, flush=True)
        except Exception as error:
            failed += 1
            traceback.print_exc()
            print("not ok %s: %r" % (name, error), flush=True)
        finally:
            servers.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1].split(",")))
