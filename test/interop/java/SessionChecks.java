import static org.apache.zookeeper.CreateMode.EPHEMERAL;
import static org.apache.zookeeper.CreateMode.PERSISTENT;
import static org.apache.zookeeper.ZooDefs.Ids.OPEN_ACL_UNSAFE;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.apache.zookeeper.KeeperException.ConnectionLossException;
import org.apache.zookeeper.KeeperException.SessionExpiredException;
import org.apache.zookeeper.Watcher.Event.EventType;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.ZooKeeper.States;
import org.apache.zookeeper.client.ZKClientConfig;

/** Sessions of the original's Java client: begun, moved, resumed, refused and ended. */
final class SessionChecks {
    private static final String ROOT = Servers.ROOT;
    private static final String MINE = ROOT + "/mine";
    /** The least that a server with ticks of two seconds grants. */
    private static final int SHORTEST_TIMEOUT_MS = 4000;
    /** By how much clocks that count milliseconds may differ. */
    private static final int CLOCK_MS = 2;

    private final Checks checks;
    private final Servers servers;

    private SessionChecks(Checks checks, Servers servers) {
        this.checks = checks;
        this.servers = servers;
    }

    static void addTo(Checks checks, Servers servers) {
        SessionChecks sessions = new SessionChecks(checks, servers);
        checks.add("a session has an id, a password and a timeout", sessions::identity);
        checks.add("close ends the session's ephemeral nodes", sessions::close);
        checks.add("a session resumed by another client", sessions::resumed);
        checks.add("a session closed by another client has expired", sessions::closedElsewhere);
        checks.add("a wrong password, and an unknown session", sessions::refused);
        checks.add("a session survives a cut connection", sessions::survives);
        checks.add("a session expires when nothing is heard of it", sessions::expires);
        checks.add("requests under way when the connection is cut", sessions::underWay);
        checks.add("a client that takes a read-only server, too", sessions::readOnly);
        checks.add("a list of servers of which one is dead", sessions::deadServer);
        checks.add("updateServerList", sessions::updateServerList);
        checks.add("the client's Netty connection", sessions::netty);
        checks.add("12 sessions at once", sessions::manySessions);
    }

    private ZooKeeper resume(String connectString, Events events, long id, byte[] password)
            throws Exception {
        return checks.closing(
                new ZooKeeper(connectString, Servers.SESSION_TIMEOUT_MS, events, id, password));
    }

    private void identity() throws Exception {
        ZooKeeper client = servers.open(new Events());
        ZooKeeper other = servers.open(new Events());
        Checks.that(client.getSessionId() != 0, "an id");
        Checks.that(client.getSessionId() != other.getSessionId(), "ids of their own");
        Checks.same(client.getSessionPasswd().length, 16);
        Checks.that(!Arrays.equals(client.getSessionPasswd(), new byte[16]), "a password");
        Checks.same(client.getSessionTimeout(), Servers.SESSION_TIMEOUT_MS);
        Checks.same(client.getState(), States.CONNECTED);
        Events events = new Events();
        ZooKeeper hasty = checks.closing(new ZooKeeper(servers.next(), SHORTEST_TIMEOUT_MS / 4, events));
        events.expectState(KeeperState.SyncConnected);
        Checks.same(hasty.getSessionTimeout(), SHORTEST_TIMEOUT_MS);
    }

    private void close() throws Exception {
        Events events = new Events();
        ZooKeeper client = servers.open(events);
        ZooKeeper other = servers.shared();
        client.create(MINE, null, OPEN_ACL_UNSAFE, EPHEMERAL);
        Servers.sync(other);
        Checks.same(other.exists(MINE, false).getEphemeralOwner(), client.getSessionId());
        client.close();
        events.expectState(KeeperState.Closed);
        Servers.sync(other);
        Checks.same(other.exists(MINE, false), null);
        Checks.thrown(SessionExpiredException.class, () -> client.exists(MINE, false));
        Checks.same(client.getState(), States.CLOSED);
    }

    private void resumed() throws Exception {
        try (Relay relay = new Relay(servers.next())) {
            ZooKeeper first = servers.open(relay.address(), new Events());
            first.create(MINE, null, OPEN_ACL_UNSAFE, EPHEMERAL);
            Events events = new Events();
            long id = first.getSessionId();
            // It would take its session back.
            relay.refuse();
            ZooKeeper second = resume(servers.next(), events, id, first.getSessionPasswd());
            events.expectState(KeeperState.SyncConnected);
            Checks.same(second.getSessionId(), id);
            Checks.same(second.getSessionTimeout(), Servers.SESSION_TIMEOUT_MS);
            Servers.sync(second);
            Checks.same(second.exists(MINE, false).getEphemeralOwner(), id);
            second.delete(MINE, 0);
            second.create(MINE, null, OPEN_ACL_UNSAFE, EPHEMERAL);
            Checks.same(second.exists(MINE, false).getEphemeralOwner(), id);
        }
    }

    /** Closing a resumed session is how tests of clients make a session expire. */
    private void closedElsewhere() throws Exception {
        ZooKeeper other = servers.shared();
        String server = servers.next();
        try (Relay relay = new Relay(server)) {
            Events events = new Events();
            ZooKeeper first = servers.open(relay.address(), events);
            first.create(MINE, null, OPEN_ACL_UNSAFE, EPHEMERAL);
            Servers.sync(other);
            Events gone = new Events();
            other.exists(MINE, gone);
            Events twin = new Events();
            // It would take its session back.
            relay.refuse();
            ZooKeeper second =
                    resume(servers.next(), twin, first.getSessionId(), first.getSessionPasswd());
            twin.expectState(KeeperState.SyncConnected);
            second.close();
            gone.expect(EventType.NodeDeleted, MINE);
            events.expectState(KeeperState.Disconnected);
            relay.lead(server);
            events.expectState(KeeperState.Expired);
            Checks.thrown(SessionExpiredException.class, () -> first.exists(MINE, false));
        }
    }

    private void refused() throws Exception {
        ZooKeeper client = servers.open(new Events());
        client.create(MINE, null, OPEN_ACL_UNSAFE, EPHEMERAL);
        Events wrong = new Events();
        resume(servers.next(), wrong, client.getSessionId(), new byte[16]);
        wrong.expectState(KeeperState.Expired);
        Events unknown = new Events();
        resume(servers.next(), unknown, 0x1234_5678_9abcL, client.getSessionPasswd());
        unknown.expectState(KeeperState.Expired);
        // The attempt may cost the owner its connection, but not its session.
        Checks.eventually("the owner is back", () -> isThere(client, MINE));
        Checks.same(client.exists(MINE, false).getEphemeralOwner(), client.getSessionId());
    }

    private static boolean isThere(ZooKeeper client, String path) {
        try {
            return client.exists(path, false) != null;
        } catch (ConnectionLossException cut) {
            return false;
        } catch (Exception other) {
            throw new IllegalStateException(other);
        }
    }

    private void survives() throws Exception {
        try (Relay relay = new Relay(servers.next())) {
            Events states = new Events();
            ZooKeeper client = servers.open(relay.address(), states);
            long id = client.getSessionId();
            client.create(MINE, null, OPEN_ACL_UNSAFE, EPHEMERAL);
            for (int round = 0; round < 2; round++) {
                relay.lead(servers.next());
                states.expectState(KeeperState.Disconnected);
                states.expectState(KeeperState.SyncConnected);
                Checks.same(client.getSessionId(), id);
                Servers.sync(client);
                Checks.same(client.exists(MINE, false).getEphemeralOwner(), id);
                Servers.create(client, ROOT + "/made" + round, "");
            }
        }
    }

    private void expires() throws Exception {
        ZooKeeper other = servers.shared();
        try (Relay relay = new Relay(servers.next())) {
            Events states = new Events();
            ZooKeeper client =
                    checks.closing(new ZooKeeper(relay.address(), SHORTEST_TIMEOUT_MS, states));
            states.expectState(KeeperState.SyncConnected);
            // What it asks is a sign of life, and what it asks later can only be a later one.
            long heardNs = System.nanoTime();
            client.create(MINE, null, OPEN_ACL_UNSAFE, EPHEMERAL);
            Servers.sync(other);
            Events gone = new Events();
            other.exists(MINE, gone);
            relay.cut();
            gone.expect(EventType.NodeDeleted, MINE);
            long silentMs = (System.nanoTime() - heardNs) / 1_000_000;
            Checks.that(
                    silentMs >= SHORTEST_TIMEOUT_MS - CLOCK_MS, "expired after " + silentMs + " ms");
            relay.lead(servers.next());
            states.expectState(KeeperState.Expired);
            Checks.same(client.getState(), States.CLOSED);
        }
    }

    /** Each is answered or lost, and what was answered is there. */
    private void underWay() throws Exception {
        try (Relay relay = new Relay(servers.next())) {
            Events states = new Events();
            ZooKeeper client = servers.open(relay.address(), states);
            List<String> made = Collections.synchronizedList(new ArrayList<>());
            List<Integer> answered = Collections.synchronizedList(new ArrayList<>());
            for (int number = 0; number < 1000; number++) {
                if (number == 500) relay.lead(servers.next());
                client.create(
                        ROOT + "/n" + number,
                        null,
                        OPEN_ACL_UNSAFE,
                        PERSISTENT,
                        (rc, path, context, name) -> {
                            if (rc == 0) made.add(name);
                            answered.add(rc);
                        },
                        null);
            }
            Checks.eventually("1000 answers", () -> answered.size() == 1000);
            states.expectState(KeeperState.SyncConnected);
            Servers.sync(client);
            List<String> names = client.getChildren(ROOT, false);
            for (String path : made) {
                Checks.that(names.contains(path.substring(ROOT.length() + 1)), path);
            }
        }
    }

    private void readOnly() throws Exception {
        Events events = new Events();
        ZooKeeper client =
                checks.closing(
                        new ZooKeeper(servers.all(), Servers.SESSION_TIMEOUT_MS, events, true));
        events.expectState(KeeperState.SyncConnected);
        Checks.same(client.getState(), States.CONNECTED);
        Servers.create(client, ROOT + "/written", "");
    }

    private void deadServer() throws Exception {
        String dead;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            dead = "127.0.0.1:" + socket.getLocalPort();
        }
        ZooKeeper client = servers.open(dead + "," + servers.all() + "," + dead, new Events());
        Servers.create(client, ROOT + "/written", "");
    }

    private void updateServerList() throws Exception {
        try (Relay first = new Relay(servers.next());
                Relay second = new Relay(servers.next())) {
            Events states = new Events();
            ZooKeeper client = servers.open(first.address(), states);
            client.create(MINE, null, OPEN_ACL_UNSAFE, EPHEMERAL);
            client.updateServerList(second.address());
            first.cut();
            states.expectState(KeeperState.Disconnected);
            states.expectState(KeeperState.SyncConnected);
            Servers.sync(client);
            Checks.same(client.exists(MINE, false).getEphemeralOwner(), client.getSessionId());
        }
    }

    private void netty() throws Exception {
        ZKClientConfig config = new ZKClientConfig();
        config.setProperty(
                ZKClientConfig.ZOOKEEPER_CLIENT_CNXN_SOCKET,
                "org.apache.zookeeper.ClientCnxnSocketNetty");
        Events events = new Events();
        ZooKeeper client =
                checks.closing(
                        new ZooKeeper(servers.next(), Servers.SESSION_TIMEOUT_MS, events, config));
        events.expectState(KeeperState.SyncConnected);
        Events changes = new Events();
        client.exists(MINE, changes);
        client.create(MINE, "x".getBytes(), OPEN_ACL_UNSAFE, EPHEMERAL);
        changes.expect(EventType.NodeCreated, MINE);
        Checks.same(Servers.read(client, MINE), "x");
    }

    private void manySessions() throws Exception {
        List<ZooKeeper> clients = new ArrayList<>();
        List<Events> events = new ArrayList<>();
        for (int number = 0; number < 12; number++) {
            events.add(new Events());
            Events mine = events.get(number);
            clients.add(
                    checks.closing(new ZooKeeper(servers.all(), Servers.SESSION_TIMEOUT_MS, mine)));
        }
        for (int number = 0; number < clients.size(); number++) {
            events.get(number).expectState(KeeperState.SyncConnected);
            clients.get(number).create(MINE + number, null, OPEN_ACL_UNSAFE, EPHEMERAL);
        }
        ZooKeeper other = servers.shared();
        Servers.sync(other);
        Checks.same(other.getChildren(ROOT, false).size(), clients.size());
        Thread[] closers = new Thread[clients.size()];
        for (int number = 0; number < closers.length; number++) {
            ZooKeeper client = clients.get(number);
            closers[number] = new Thread(() -> closeQuietly(client));
            closers[number].start();
        }
        for (Thread closer : closers) closer.join();
        Servers.sync(other);
        Checks.same(other.getChildren(ROOT, false), List.of());
    }

    private static void closeQuietly(ZooKeeper client) {
        try {
            client.close();
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
    }
}
