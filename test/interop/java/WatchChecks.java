import static org.apache.zookeeper.Watcher.Event.EventType.ChildWatchRemoved;
import static org.apache.zookeeper.Watcher.Event.EventType.DataWatchRemoved;
import static org.apache.zookeeper.Watcher.Event.EventType.NodeChildrenChanged;
import static org.apache.zookeeper.Watcher.Event.EventType.NodeCreated;
import static org.apache.zookeeper.Watcher.Event.EventType.NodeDataChanged;
import static org.apache.zookeeper.Watcher.Event.EventType.NodeDeleted;
import static org.apache.zookeeper.Watcher.Event.EventType.PersistentWatchRemoved;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.NoWatcherException;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.Watcher.WatcherType;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooKeeper;

/** Watches of every kind, set and removed with the original's Java client. */
final class WatchChecks {
    private static final String ROOT = Servers.ROOT;
    private static final String NODE = ROOT + "/node";

    private final Servers servers;

    private WatchChecks(Servers servers) {
        this.servers = servers;
    }

    static void addTo(Checks checks, Servers servers) {
        WatchChecks watches = new WatchChecks(servers);
        checks.add("one-shot watches of exists, getData and getChildren", watches::oneShot);
        checks.add("the default watcher", watches::defaultWatcher);
        checks.add("an event before the data that it announces", watches::eventBeforeData);
        checks.add("addWatch, persistent", watches::persistent);
        checks.add("addWatch, persistent and recursive", watches::recursive);
        checks.add("addWatch on a node that is not there", watches::persistentOnNothing);
        checks.add("removeWatches of each type", watches::removeEach);
        checks.add("removeWatches keeps the other watchers", watches::removeOne);
        checks.add("removeAllWatches", watches::removeAll);
        checks.add("removeWatches asynchronously", watches::removeAsynchronously);
        checks.add("watches of ephemeral nodes when their session ends", watches::ephemeralEnds);
        checks.add("watches of all kinds on another server after a cut", watches::afterCut);
        checks.add("1000 watches set again after a cut", watches::manyAfterCut);
    }

    private void oneShot() throws Exception {
        ZooKeeper client = servers.shared();
        ZooKeeper other = servers.shared();
        Events events = new Events();
        Checks.same(client.exists(NODE, events), null);
        Servers.create(other, NODE, "");
        events.expect(NodeCreated, NODE);
        client.exists(NODE, events);
        other.setData(NODE, null, -1);
        events.expect(NodeDataChanged, NODE);
        client.getData(NODE, events, null);
        other.setData(NODE, null, -1);
        other.setData(NODE, null, -1);
        events.expect(NodeDataChanged, NODE);
        Servers.sync(client);
        client.getChildren(NODE, events);
        Servers.create(other, NODE + "/child", "");
        events.expect(NodeChildrenChanged, NODE);
        client.getChildren(NODE, events);
        other.delete(NODE + "/child", -1);
        events.expect(NodeChildrenChanged, NODE);
        // A watcher on data and children of one node is told once that it is gone.
        client.getChildren(NODE, events);
        client.getData(NODE, events, null);
        other.delete(NODE, -1);
        events.expect(NodeDeleted, NODE);
        events.expectNoMore(client);
    }

    private void defaultWatcher() throws Exception {
        Events events = new Events();
        ZooKeeper client = servers.open(events);
        client.exists(NODE, true);
        client.getChildren(ROOT, true);
        Servers.create(client, NODE, "");
        events.expect(NodeCreated, NODE);
        events.expect(NodeChildrenChanged, ROOT);
        Events another = new Events();
        client.register(another);
        client.getData(NODE, true, null);
        client.setData(NODE, null, -1);
        another.expect(NodeDataChanged, NODE);
        events.expectNoMore(client);
    }

    private void eventBeforeData() throws Exception {
        ZooKeeper client = servers.shared();
        ZooKeeper other = servers.shared();
        Servers.create(other, NODE, "0");
        Servers.sync(client);
        List<String> seen = Collections.synchronizedList(new ArrayList<>());
        for (int round = 1; round <= 20; round++) {
            String value = String.valueOf(round);
            client.getData(NODE, event -> seen.add("event " + value), null);
            other.setData(NODE, value.getBytes(), -1);
            CompletableFuture<Void> done = new CompletableFuture<>();
            readUntil(client, value, seen, done);
            done.get(Checks.WAIT_MS, TimeUnit.MILLISECONDS);
            // Callbacks and events share a thread, so what is told first stands first.
            Checks.same(seen, List.of("event " + value, "data " + value));
            seen.clear();
        }
    }

    private static void readUntil(
            ZooKeeper client, String value, List<String> seen, CompletableFuture<Void> done) {
        client.getData(
                NODE,
                false,
                (code, path, context, data, stat) -> {
                    if (!new String(data).equals(value)) {
                        readUntil(client, value, seen, done);
                        return;
                    }
                    seen.add("data " + value);
                    done.complete(null);
                },
                null);
    }

    private void persistent() throws Exception {
        ZooKeeper client = servers.shared();
        ZooKeeper other = servers.shared();
        Events events = new Events();
        Servers.create(other, NODE, "");
        Servers.sync(client);
        client.addWatch(NODE, events, AddWatchMode.PERSISTENT);
        for (int round = 0; round < 3; round++) other.setData(NODE, null, -1);
        for (int round = 0; round < 3; round++) events.expect(NodeDataChanged, NODE);
        Servers.create(other, NODE + "/child", "");
        events.expect(NodeChildrenChanged, NODE);
        other.setData(NODE + "/child", null, -1);
        Servers.create(other, NODE + "/child/deep", "");
        other.delete(NODE + "/child/deep", -1);
        other.delete(NODE + "/child", -1);
        events.expect(NodeChildrenChanged, NODE);
        other.delete(NODE, -1);
        events.expect(NodeDeleted, NODE);
        Servers.create(other, NODE, "");
        events.expect(NodeCreated, NODE);
        events.expectNoMore(client);
        client.removeAllWatches(NODE, WatcherType.Any, false);
    }

    private void recursive() throws Exception {
        ZooKeeper client = servers.shared();
        ZooKeeper other = servers.shared();
        Events events = new Events();
        Servers.create(other, NODE, "");
        Servers.sync(client);
        client.addWatch(NODE, events, AddWatchMode.PERSISTENT_RECURSIVE);
        Servers.create(other, NODE + "/child", "");
        events.expect(NodeCreated, NODE + "/child");
        Servers.create(other, NODE + "/child/deep", "");
        events.expect(NodeCreated, NODE + "/child/deep");
        Servers.create(other, NODE + "beside", "");
        other.setData(NODE, null, -1);
        events.expect(NodeDataChanged, NODE);
        other.setData(NODE + "/child/deep", null, -1);
        events.expect(NodeDataChanged, NODE + "/child/deep");
        for (String path : List.of("/child/deep", "/child", "")) {
            other.delete(NODE + path, -1);
            events.expect(NodeDeleted, NODE + path);
        }
        Servers.create(other, NODE, "");
        events.expect(NodeCreated, NODE);
        events.expectNoMore(client);
        client.removeAllWatches(NODE, WatcherType.Any, false);
    }

    private void persistentOnNothing() throws Exception {
        ZooKeeper client = servers.shared();
        Events events = new Events();
        CompletableFuture<Integer> code = new CompletableFuture<>();
        client.addWatch(
                NODE, events, AddWatchMode.PERSISTENT, (rc, path, c) -> code.complete(rc), null);
        Checks.same(code.get(Checks.WAIT_MS, TimeUnit.MILLISECONDS), 0);
        Servers.create(client, NODE, "");
        events.expect(NodeCreated, NODE);
        client.delete(NODE, -1);
        events.expect(NodeDeleted, NODE);
        client.removeAllWatches(NODE, WatcherType.Any, false);
        events.expect(PersistentWatchRemoved, NODE);
    }

    private void removeEach() throws Exception {
        ZooKeeper client = servers.shared();
        Servers.create(client, NODE, "");
        Events events = new Events();
        client.getData(NODE, events, null);
        client.getChildren(NODE, events);
        client.removeWatches(NODE, events, WatcherType.Children, false);
        events.expect(ChildWatchRemoved, NODE);
        client.removeWatches(NODE, events, WatcherType.Data, false);
        events.expect(DataWatchRemoved, NODE);
        Checks.thrown(
                NoWatcherException.class,
                () -> client.removeWatches(NODE, events, WatcherType.Any, false));
        client.addWatch(NODE, events, AddWatchMode.PERSISTENT_RECURSIVE);
        client.removeWatches(NODE, events, WatcherType.Any, false);
        events.expect(PersistentWatchRemoved, NODE);
        client.setData(NODE, null, -1);
        Servers.create(client, NODE + "/child", "");
        events.expectNoMore(client);
    }

    private void removeOne() throws Exception {
        ZooKeeper client = servers.shared();
        Servers.create(client, NODE, "");
        Events removed = new Events();
        Events kept = new Events();
        client.getData(NODE, removed, null);
        client.getData(NODE, kept, null);
        client.removeWatches(NODE, removed, WatcherType.Data, false);
        removed.expect(DataWatchRemoved, NODE);
        client.setData(NODE, null, -1);
        kept.expect(NodeDataChanged, NODE);
        removed.expectNoMore(client);
    }

    private void removeAll() throws Exception {
        ZooKeeper client = servers.shared();
        Servers.create(client, NODE, "");
        Events first = new Events();
        Events second = new Events();
        client.getData(NODE, first, null);
        client.getData(NODE, second, null);
        client.getChildren(NODE, second);
        client.removeAllWatches(NODE, WatcherType.Data, false);
        first.expect(DataWatchRemoved, NODE);
        second.expect(DataWatchRemoved, NODE);
        client.removeAllWatches(NODE, WatcherType.Any, false);
        second.expect(ChildWatchRemoved, NODE);
        Checks.thrown(
                NoWatcherException.class,
                () -> client.removeAllWatches(NODE, WatcherType.Any, false));
        client.delete(NODE, -1);
        first.expectNoMore(client);
        second.expectNoMore(client);
    }

    private void removeAsynchronously() throws Exception {
        ZooKeeper client = servers.shared();
        Servers.create(client, NODE, "");
        Events events = new Events();
        client.getData(NODE, events, null);
        client.getChildren(NODE, events);
        CompletableFuture<Integer> one = new CompletableFuture<>();
        CompletableFuture<Integer> all = new CompletableFuture<>();
        client.removeWatches(
                NODE, events, WatcherType.Data, false, (rc, path, c) -> one.complete(rc), null);
        Checks.same(one.get(Checks.WAIT_MS, TimeUnit.MILLISECONDS), 0);
        events.expect(DataWatchRemoved, NODE);
        client.removeAllWatches(
                NODE, WatcherType.Any, false, (rc, path, c) -> all.complete(rc), null);
        Checks.same(all.get(Checks.WAIT_MS, TimeUnit.MILLISECONDS), 0);
        events.expect(ChildWatchRemoved, NODE);
    }

    private void ephemeralEnds() throws Exception {
        ZooKeeper owner = servers.open(new Events());
        ZooKeeper client = servers.shared();
        Events events = new Events();
        owner.create(NODE, null, Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
        Servers.sync(client);
        client.exists(NODE, events);
        owner.close();
        events.expect(NodeDeleted, NODE);
        events.expectNoMore(client);
    }

    /** What changes while a client is away is told when it is back, at whatever server. */
    private void afterCut() throws Exception {
        ZooKeeper other = servers.shared();
        try (Relay relay = new Relay(servers.next())) {
            Events states = new Events();
            ZooKeeper client = servers.open(relay.address(), states);
            for (String name : List.of("data", "gone", "children", "kept", "tree")) {
                Servers.create(client, ROOT + "/" + name, "");
            }
            Events events = new Events();
            client.exists(ROOT + "/made", events);
            client.getData(ROOT + "/data", events, null);
            client.getData(ROOT + "/gone", events, null);
            client.getChildren(ROOT + "/children", events);
            Events lasting = new Events();
            client.addWatch(ROOT + "/kept", lasting, AddWatchMode.PERSISTENT);
            client.addWatch(ROOT + "/tree", lasting, AddWatchMode.PERSISTENT_RECURSIVE);
            relay.cut();
            states.expectState(KeeperState.Disconnected);
            Servers.create(other, ROOT + "/made", "");
            other.setData(ROOT + "/data", null, -1);
            other.delete(ROOT + "/gone", -1);
            Servers.create(other, ROOT + "/children/one", "");
            relay.lead(servers.next());
            states.expectState(KeeperState.SyncConnected);
            Checks.eventually("four events", () -> events.count() == 4);
            // The lasting ones tell nothing of the past, but go on.
            Servers.sync(client);
            Checks.same(lasting.count(), 0);
            other.setData(ROOT + "/kept", null, -1);
            lasting.expect(NodeDataChanged, ROOT + "/kept");
            Servers.create(other, ROOT + "/tree/leaf", "");
            lasting.expect(NodeCreated, ROOT + "/tree/leaf");
        }
    }

    private void manyAfterCut() throws Exception {
        try (Relay relay = new Relay(servers.next())) {
            Events states = new Events();
            ZooKeeper client = servers.open(relay.address(), states);
            Events events = new Events();
            for (int number = 0; number < 1000; number++) {
                String path = NODE + "-of-a-longer-name-to-fill-requests-with-" + number;
                client.exists(path, events, (rc, asked, context, stat) -> {}, null);
            }
            Servers.sync(client);
            relay.cut();
            states.expectState(KeeperState.Disconnected);
            relay.lead(servers.next());
            states.expectState(KeeperState.SyncConnected);
            for (int number = 0; number < 1000; number++) {
                String path = NODE + "-of-a-longer-name-to-fill-requests-with-" + number;
                client.create(
                        path, null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT, (c, p, x, n) -> {}, null);
            }
            Checks.eventually("1000 events", () -> events.count() == 1000);
        }
    }
}
