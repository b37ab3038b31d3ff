import static org.apache.zookeeper.CreateMode.CONTAINER;
import static org.apache.zookeeper.CreateMode.EPHEMERAL;
import static org.apache.zookeeper.CreateMode.EPHEMERAL_SEQUENTIAL;
import static org.apache.zookeeper.CreateMode.PERSISTENT;
import static org.apache.zookeeper.CreateMode.PERSISTENT_SEQUENTIAL;
import static org.apache.zookeeper.CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL;
import static org.apache.zookeeper.CreateMode.PERSISTENT_WITH_TTL;
import static org.apache.zookeeper.ZooDefs.Ids.OPEN_ACL_UNSAFE;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.BadVersionException;
import org.apache.zookeeper.KeeperException.ConnectionLossException;
import org.apache.zookeeper.KeeperException.NoChildrenForEphemeralsException;
import org.apache.zookeeper.KeeperException.NoNodeException;
import org.apache.zookeeper.KeeperException.NodeExistsException;
import org.apache.zookeeper.KeeperException.NotEmptyException;
import org.apache.zookeeper.KeeperException.QuotaExceededException;
import org.apache.zookeeper.KeeperException.ReconfigDisabledException;
import org.apache.zookeeper.StatsTrack;
import org.apache.zookeeper.Watcher.Event.EventType;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.Watcher.WatcherType;
import org.apache.zookeeper.ZKUtil;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.admin.ZooKeeperAdmin;
import org.apache.zookeeper.cli.DelQuotaCommand;
import org.apache.zookeeper.cli.ListQuotaCommand;
import org.apache.zookeeper.cli.SetQuotaCommand;
import org.apache.zookeeper.data.Stat;

/** Nodes: made, read, changed, listed and deleted with the original's Java client. */
final class NodeChecks {
    private static final String ROOT = Servers.ROOT;
    private static final long TTL_MS = 3_600_000;
    private static final long SHORT_TTL_MS = 300;
    /** Leaves room for the rest of the request in a frame of 1 MiB less a byte. */
    private static final int LARGE_BYTES = 1_048_000;

    private final Servers servers;

    private NodeChecks(Servers servers) {
        this.servers = servers;
    }

    static void addTo(Checks checks, Servers servers) {
        NodeChecks nodes = new NodeChecks(servers);
        checks.add("create in every mode", nodes::createInEveryMode);
        checks.add("create returns the Stat", nodes::createReturnsTheStat);
        checks.add("create asynchronously", nodes::createAsynchronously);
        checks.add("containers and nodes with a TTL end by themselves", nodes::sweptNodes);
        checks.add("getData and setData", nodes::readAndUpdate);
        checks.add("null data, empty data, any bytes", nodes::anyData);
        checks.add("data of nearly 1 MB, and no more", nodes::largeData);
        checks.add("exists, delete and versions", nodes::deleteAndVersions);
        checks.add("refusals have their own exceptions", nodes::refusals);
        checks.add("getChildren with and without Stat", nodes::children);
        checks.add("getAllChildrenNumber", nodes::allChildrenNumber);
        checks.add("getEphemerals, all and below a path", nodes::ephemerals);
        checks.add("deleteRecursive of ZKUtil", nodes::deleteRecursive);
        checks.add("quotas of count and bytes", nodes::quotas);
        checks.add("getConfig, and reconfig refused", nodes::config);
        checks.add("sync shows on every server what was written", nodes::syncEverywhere);
    }

    private void createInEveryMode() throws Exception {
        ZooKeeper client = servers.shared();
        ZooKeeper other = servers.shared();
        String item = ROOT + "/item-";
        long mine = client.getSessionId();
        List<String> paths = new ArrayList<>();
        List<Long> owners = new ArrayList<>();
        CreateMode[] modes = {
            PERSISTENT,
            PERSISTENT_SEQUENTIAL,
            EPHEMERAL,
            EPHEMERAL_SEQUENTIAL,
            CONTAINER,
            PERSISTENT_WITH_TTL,
            PERSISTENT_SEQUENTIAL_WITH_TTL
        };
        for (CreateMode mode : modes) {
            String name = mode.isSequential() ? item : ROOT + "/" + mode;
            long ttl = mode.isTTL() ? TTL_MS : -1;
            paths.add(client.create(name, null, OPEN_ACL_UNSAFE, mode, null, ttl));
        }
        Servers.sync(other);
        for (String path : paths) owners.add(other.exists(path, false).getEphemeralOwner());
        Checks.same(owners, List.of(0L, 0L, mine, mine, 0L, 0L, 0L));
        // The number in a name is how many nodes the parent has had created and deleted before.
        Checks.same(
                paths.stream().filter(path -> path.startsWith(item)).toList(),
                List.of(item + "0000000001", item + "0000000003", item + "0000000006"));
    }

    private void createReturnsTheStat() throws Exception {
        ZooKeeper client = servers.shared();
        for (CreateMode mode : CreateMode.values()) {
            Stat created = new Stat();
            long ttl = mode.isTTL() ? TTL_MS : -1;
            byte[] data = "four".getBytes();
            String path = ROOT + "/" + mode;
            path = client.create(path, data, OPEN_ACL_UNSAFE, mode, created, ttl);
            Checks.same(created, client.exists(path, false));
            Checks.same(created.getDataLength(), 4);
            Checks.same(created.getCzxid(), created.getMzxid());
            Checks.same(created.getCzxid(), created.getPzxid());
            Checks.same(created.getCtime(), created.getMtime());
        }
    }

    private void createAsynchronously() throws Exception {
        ZooKeeper client = servers.shared();
        CompletableFuture<String> plain = new CompletableFuture<>();
        CompletableFuture<String> withStat = new CompletableFuture<>();
        String path = ROOT + "/made-";
        client.create(
                path,
                null,
                OPEN_ACL_UNSAFE,
                PERSISTENT_SEQUENTIAL,
                (rc, asked, context, name) -> plain.complete(rc + asked + context + name),
                "context");
        client.create(
                path,
                null,
                OPEN_ACL_UNSAFE,
                PERSISTENT_SEQUENTIAL_WITH_TTL,
                (rc, asked, context, name, stat) -> withStat.complete(name + stat.getVersion()),
                null,
                TTL_MS);
        String first = path + "0000000000";
        Checks.same(plain.get(Checks.WAIT_MS, TimeUnit.MILLISECONDS), "0" + path + "context" + first);
        Checks.same(withStat.get(Checks.WAIT_MS, TimeUnit.MILLISECONDS), path + "0000000001" + "0");
    }

    /** The servers sweep often enough for a check to wait for it. */
    private void sweptNodes() throws Exception {
        ZooKeeper client = servers.shared();
        String box = ROOT + "/box";
        client.create(box, null, OPEN_ACL_UNSAFE, CONTAINER);
        Servers.create(client, box + "/child", "");
        String kept = ROOT + "/kept";
        client.create(kept, null, OPEN_ACL_UNSAFE, PERSISTENT_WITH_TTL, null, TTL_MS);
        Events events = new Events();
        String brief = ROOT + "/brief";
        // Watched before it is there: its time may be over as soon as it is made.
        client.addWatch(brief, events, AddWatchMode.PERSISTENT);
        client.create(brief, null, OPEN_ACL_UNSAFE, PERSISTENT_WITH_TTL, null, SHORT_TTL_MS);
        events.expect(EventType.NodeCreated, brief);
        events.expect(EventType.NodeDeleted, brief);
        client.removeWatches(brief, events, WatcherType.Any, false);
        events.expect(EventType.PersistentWatchRemoved, brief);
        client.exists(box, events);
        client.delete(box + "/child", -1);
        events.expect(EventType.NodeDeleted, box);
        Checks.that(client.exists(kept, false) != null, "its time has not come");
    }

    private void readAndUpdate() throws Exception {
        ZooKeeper client = servers.shared();
        long before = System.currentTimeMillis();
        Servers.create(client, ROOT + "/node", "one");
        Stat first = new Stat();
        Checks.same(new String(client.getData(ROOT + "/node", false, first)), "one");
        Checks.same(first.getVersion(), 0);
        Checks.that(Math.abs(first.getCtime() - before) < Checks.WAIT_MS, "time " + first.getCtime());
        Stat second = client.setData(ROOT + "/node", "three".getBytes(), 0);
        Checks.same(second.getVersion(), 1);
        Checks.same(second.getDataLength(), 5);
        Checks.same(second.getCzxid(), first.getCzxid());
        Checks.that(second.getMzxid() > first.getMzxid(), "mzxid grows");
        Checks.same(client.setData(ROOT + "/node", "x".getBytes(), -1).getVersion(), 2);
        Checks.thrown(
                BadVersionException.class, () -> client.setData(ROOT + "/node", new byte[0], 1));
        Checks.same(Servers.read(client, ROOT + "/node"), "x");
    }

    private void anyData() throws Exception {
        ZooKeeper client = servers.shared();
        ZooKeeper other = servers.shared();
        byte[] all = new byte[256];
        for (int value = 0; value < all.length; value++) all[value] = (byte) value;
        client.create(ROOT + "/null", null, OPEN_ACL_UNSAFE, PERSISTENT);
        client.create(ROOT + "/empty", new byte[0], OPEN_ACL_UNSAFE, PERSISTENT);
        client.create(ROOT + "/all", all, OPEN_ACL_UNSAFE, PERSISTENT);
        Servers.sync(other);
        for (ZooKeeper reader : List.of(client, other)) {
            Checks.same(reader.getData(ROOT + "/null", false, null), null);
            Checks.same(reader.getData(ROOT + "/empty", false, null).length, 0);
            Checks.that(Arrays.equals(reader.getData(ROOT + "/all", false, null), all), "all bytes");
        }
        client.setData(ROOT + "/all", null, -1);
        Checks.same(client.getData(ROOT + "/all", false, null), null);
    }

    private void largeData() throws Exception {
        Events events = new Events();
        ZooKeeper client = servers.open(servers.next(), events);
        ZooKeeper other = servers.shared();
        byte[] large = new byte[LARGE_BYTES];
        Arrays.fill(large, (byte) 'x');
        client.create(ROOT + "/large", large, OPEN_ACL_UNSAFE, PERSISTENT);
        large[LARGE_BYTES - 1] = 'y';
        client.setData(ROOT + "/large", large, 0);
        Servers.sync(other);
        byte[] found = other.getData(ROOT + "/large", false, null);
        Checks.that(Arrays.equals(found, large), "the same bytes");
        byte[] tooLarge = new byte[LARGE_BYTES + 10_000];
        Checks.thrown(
                ConnectionLossException.class, () -> client.setData(ROOT + "/large", tooLarge, 1));
        events.expectState(KeeperState.SyncConnected);
        Checks.same(client.exists(ROOT + "/large", false).getVersion(), 1);
    }

    private void deleteAndVersions() throws Exception {
        ZooKeeper client = servers.shared();
        Checks.same(client.exists(ROOT + "/node", false), null);
        Servers.create(client, ROOT + "/node", "x");
        Checks.thrown(BadVersionException.class, () -> client.delete(ROOT + "/node", 1));
        client.delete(ROOT + "/node", 0);
        Checks.same(client.exists(ROOT + "/node", false), null);
        Servers.create(client, ROOT + "/node", "x");
        client.delete(ROOT + "/node", -1);
        CompletableFuture<Integer> code = new CompletableFuture<>();
        client.delete(ROOT + "/node", -1, (rc, path, context) -> code.complete(rc), null);
        int expected = KeeperException.Code.NONODE.intValue();
        Checks.same(code.get(Checks.WAIT_MS, TimeUnit.MILLISECONDS), expected);
        // Two made, two deleted: the parent counts both.
        Checks.same(client.exists(ROOT, false).getCversion(), 4);
    }

    private void refusals() throws Exception {
        ZooKeeper client = servers.shared();
        Servers.create(client, ROOT + "/node", "x");
        Servers.create(client, ROOT + "/node/child", "x");
        client.create(ROOT + "/mine", null, OPEN_ACL_UNSAFE, EPHEMERAL);
        NodeExistsException exists =
                Checks.thrown(
                        NodeExistsException.class, () -> Servers.create(client, ROOT + "/node", ""));
        Checks.same(exists.getPath(), ROOT + "/node");
        Checks.thrown(NoNodeException.class, () -> Servers.create(client, ROOT + "/no/child", ""));
        Checks.thrown(NoNodeException.class, () -> Servers.read(client, ROOT + "/no"));
        Checks.thrown(NoNodeException.class, () -> client.setData(ROOT + "/no", null, -1));
        Checks.thrown(NoNodeException.class, () -> client.getChildren(ROOT + "/no", false));
        Checks.thrown(NoNodeException.class, () -> client.getACL(ROOT + "/no", null));
        Checks.thrown(NoNodeException.class, () -> client.setACL(ROOT + "/no", OPEN_ACL_UNSAFE, -1));
        Checks.thrown(NotEmptyException.class, () -> client.delete(ROOT + "/node", -1));
        Checks.thrown(
                NoChildrenForEphemeralsException.class,
                () -> Servers.create(client, ROOT + "/mine/child", ""));
        Checks.thrown(
                KeeperException.InvalidACLException.class,
                () -> client.create(ROOT + "/open", null, List.of(), PERSISTENT));
        Checks.thrown(
                KeeperException.BadArgumentsException.class, () -> client.delete("/zookeeper", -1));
        Checks.thrown(IllegalArgumentException.class, () -> client.exists("relative", false));
    }

    private void children() throws Exception {
        ZooKeeper client = servers.shared();
        ZooKeeper other = servers.shared();
        TreeSet<String> names = new TreeSet<>();
        for (int number = 0; number < 300; number++) names.add("child" + number);
        names.addAll(List.of("\u00e9", "\u4e16\u754c", "with space", "..."));
        for (String name : names) {
            client.create(
                    ROOT + "/" + name, null, OPEN_ACL_UNSAFE, PERSISTENT, (c, p, x, n) -> {}, null);
        }
        Servers.sync(client);
        Servers.sync(other);
        Stat stat = new Stat();
        Checks.same(new TreeSet<>(other.getChildren(ROOT, false)), names);
        Checks.same(new TreeSet<>(other.getChildren(ROOT, false, stat)), names);
        Checks.same(stat.getNumChildren(), names.size());
        Checks.same(stat.getCversion(), names.size());
        Checks.same(stat, other.exists(ROOT, false));
        CompletableFuture<Integer> plain = new CompletableFuture<>();
        CompletableFuture<Integer> withStat = new CompletableFuture<>();
        other.getChildren(ROOT, false, (rc, path, c, list) -> plain.complete(list.size()), null);
        other.getChildren(
                ROOT, false, (rc, path, c, list, st) -> withStat.complete(st.getNumChildren()), null);
        Checks.same(plain.get(Checks.WAIT_MS, TimeUnit.MILLISECONDS), names.size());
        Checks.same(withStat.get(Checks.WAIT_MS, TimeUnit.MILLISECONDS), names.size());
    }

    private void allChildrenNumber() throws Exception {
        ZooKeeper client = servers.shared();
        for (String path : List.of("/a", "/a/b", "/a/b/c", "/ab", "/d")) {
            Servers.create(client, ROOT + path, "");
        }
        Checks.same(client.getAllChildrenNumber(ROOT), 5);
        Checks.same(client.getAllChildrenNumber(ROOT + "/a"), 2);
        Checks.same(client.getAllChildrenNumber(ROOT + "/d"), 0);
        Checks.thrown(NoNodeException.class, () -> client.getAllChildrenNumber(ROOT + "/no"));
        CompletableFuture<Integer> number = new CompletableFuture<>();
        client.getAllChildrenNumber(ROOT, (rc, path, context, found) -> number.complete(found), null);
        Checks.same(number.get(Checks.WAIT_MS, TimeUnit.MILLISECONDS), 5);
    }

    private void ephemerals() throws Exception {
        ZooKeeper client = servers.shared();
        ZooKeeper other = servers.shared();
        Servers.create(client, ROOT + "/group", "");
        for (String path : List.of("/one", "/group/two", "/group/three")) {
            client.create(ROOT + path, null, OPEN_ACL_UNSAFE, EPHEMERAL);
        }
        Servers.sync(other);
        other.create(ROOT + "/group/theirs", null, OPEN_ACL_UNSAFE, EPHEMERAL);
        TreeSet<String> all = new TreeSet<>(client.getEphemerals());
        TreeSet<String> below = new TreeSet<>(client.getEphemerals(ROOT + "/group"));
        Checks.same(below, new TreeSet<>(List.of(ROOT + "/group/three", ROOT + "/group/two")));
        below.add(ROOT + "/one");
        Checks.same(all, below);
        Checks.same(client.getEphemerals(ROOT + "/elsewhere"), List.of());
        CompletableFuture<Integer> count = new CompletableFuture<>();
        other.getEphemerals((rc, context, paths) -> count.complete(paths.size()), null);
        Checks.same(count.get(Checks.WAIT_MS, TimeUnit.MILLISECONDS), 1);
    }

    private void deleteRecursive() throws Exception {
        ZooKeeper client = servers.shared();
        for (String top : List.of("/one", "/two")) {
            Servers.create(client, ROOT + top, "");
            for (int number = 0; number < 50; number++) {
                Servers.create(client, ROOT + top + "/" + number, "");
            }
            Servers.create(client, ROOT + top + "/7/deep", "");
        }
        Checks.same(ZKUtil.listSubTreeBFS(client, ROOT + "/one").size(), 52);
        List<String> visited = new ArrayList<>();
        ZKUtil.visitSubTreeDFS(
                client, ROOT + "/one", false, (rc, path, context, name) -> visited.add(path));
        Checks.same(visited.size(), 52);
        Checks.that(ZKUtil.deleteRecursive(client, ROOT + "/one", 10), "all deleted");
        Checks.same(client.exists(ROOT + "/one", false), null);
        CompletableFuture<Integer> code = new CompletableFuture<>();
        ZKUtil.deleteRecursive(client, ROOT + "/two", (rc, p, context) -> code.complete(rc), null);
        Checks.same(code.get(Checks.WAIT_MS, TimeUnit.MILLISECONDS), 0);
        Checks.same(client.getChildren(ROOT, false), List.of());
    }

    private void quotas() throws Exception {
        ZooKeeper client = servers.shared();
        String path = ROOT + "/limited";
        Servers.create(client, path, "12345");
        StatsTrack limits = new StatsTrack();
        limits.setCountHardLimit(3);
        limits.setByteHardLimit(20);
        SetQuotaCommand.createQuota(client, path, limits);
        Servers.create(client, path + "/a", "67890");
        Servers.create(client, path + "/b", "");
        Checks.thrown(QuotaExceededException.class, () -> Servers.create(client, path + "/c", ""));
        Checks.thrown(
                QuotaExceededException.class, () -> client.setData(path + "/b", new byte[11], -1));
        client.setData(path + "/b", new byte[10], -1);
        List<StatsTrack> listed = ListQuotaCommand.listQuota(client, path);
        Checks.same(listed.get(0).getCountHardLimit(), 3L);
        Checks.same(listed.get(1).getCount(), 3L);
        Checks.same(listed.get(1).getBytes(), 20L);
        Checks.that(DelQuotaCommand.delQuota(client, path, null), "quota deleted");
        Servers.create(client, path + "/c", "more than there was room for");
    }

    private void config() throws Exception {
        Stat stat = new Stat();
        ZooKeeper client = servers.shared();
        String config = new String(client.getConfig(false, stat));
        if (servers.addresses.size() > 1) {
            for (int id = 1; id <= servers.addresses.size(); id++) {
                Checks.that(config.contains("server." + id + "="), config);
            }
            Checks.that(config.contains("version="), config);
        }
        try (ZooKeeperAdmin admin =
                new ZooKeeperAdmin(servers.next(), Servers.SESSION_TIMEOUT_MS, event -> {})) {
            Checks.thrown(
                    ReconfigDisabledException.class,
                    () -> admin.reconfigure((String) null, "3", null, -1, null));
            Checks.thrown(
                    ReconfigDisabledException.class,
                    () -> admin.reconfigure(List.of(), List.of(), List.of("server.1=x"), -1, null));
        }
        Checks.that(Ids.READ_ACL_UNSAFE.equals(client.getACL("/zookeeper/config", null)), "ACL");
    }

    private void syncEverywhere() throws Exception {
        ZooKeeper writer = servers.shared();
        for (int round = 0; round < 20; round++) {
            ZooKeeper reader = servers.shared();
            Servers.create(writer, ROOT + "/shared" + round, "by all");
            Servers.sync(reader);
            Checks.same(Servers.read(reader, ROOT + "/shared" + round), "by all");
        }
    }
}
