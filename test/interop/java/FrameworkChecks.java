import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.WatcherRemoveCuratorFramework;
import org.apache.curator.framework.api.ACLProvider;
import org.apache.curator.framework.api.CuratorEvent;
import org.apache.curator.framework.api.CuratorEventType;
import org.apache.curator.framework.api.transaction.CuratorOp;
import org.apache.curator.framework.api.transaction.CuratorTransactionResult;
import org.apache.curator.framework.schema.Schema;
import org.apache.curator.framework.schema.SchemaSet;
import org.apache.curator.framework.schema.SchemaViolation;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.BadVersionException;
import org.apache.zookeeper.KeeperException.NoAuthException;
import org.apache.zookeeper.KeeperException.NoNodeException;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.Watcher.Event.EventType;
import org.apache.zookeeper.Watcher.WatcherType;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Stat;

/** What Curator offers beside its recipes: the client's operations in its own manner. */
final class FrameworkChecks {
    private static final String PATH = Curators.ROOT + "/node";

    private final Checks checks;
    private final Curators curators;

    private FrameworkChecks(Checks checks, Curators curators) {
        this.checks = checks;
        this.curators = curators;
    }

    static void addTo(Checks checks, Curators curators) {
        FrameworkChecks framework = new FrameworkChecks(checks, curators);
        checks.add("create, read, update and delete", framework::basics);
        checks.add("create with parents, containers and protection", framework::createWith);
        checks.add("createOrUpdate, idempotent and quiet", framework::forgiving);
        checks.add("data compressed", framework::compressed);
        checks.add("operations in the background", framework::background);
        checks.add("transactions", framework::transactions);
        checks.add("namespaces", framework::namespaces);
        checks.add("schemas", framework::schemas);
        checks.add("ACLs and authorization", framework::authorization);
        checks.add("watchers, set and removed", framework::watchers);
        checks.add("watchers of a WatcherRemoveCuratorFramework", framework::watcherRemoval);
        checks.add("connection states", framework::connectionStates);
        checks.add("the ensemble tracker", framework::ensembleTracker);
    }

    private static String read(CuratorFramework client, String path) throws Exception {
        return new String(client.getData().forPath(path));
    }

    private void basics() throws Exception {
        CuratorFramework client = curators.shared(0);
        Checks.same(client.create().forPath(PATH, "1".getBytes()), PATH);
        Stat stat = new Stat();
        Checks.same(new String(client.getData().storingStatIn(stat).forPath(PATH)), "1");
        Checks.same(client.checkExists().forPath(PATH), stat);
        Stat changed = client.setData().withVersion(0).forPath(PATH, "2".getBytes());
        Checks.same(changed.getVersion(), 1);
        Checks.thrown(
                BadVersionException.class, () -> client.setData().withVersion(0).forPath(PATH));
        Checks.same(client.getChildren().forPath(Curators.ROOT), List.of("node"));
        client.delete().withVersion(1).forPath(PATH);
        Checks.same(client.checkExists().forPath(PATH), null);
        Checks.thrown(NoNodeException.class, () -> read(client, PATH));
    }

    private void createWith() throws Exception {
        CuratorFramework client = curators.shared(0);
        client.create().creatingParentsIfNeeded().forPath(PATH + "/a/b/c");
        client.create().creatingParentContainersIfNeeded().forPath(PATH + "/d/e/f");
        String made =
                client.create()
                        .withProtection()
                        .withMode(CreateMode.EPHEMERAL_SEQUENTIAL)
                        .forPath(PATH + "/p-");
        Checks.that(made.startsWith(PATH + "/_c_") && made.endsWith("-p-0000000002"), made);
        Stat stat = new Stat();
        client.create()
                .withTtl(60_000)
                .storingStatIn(stat)
                .withMode(CreateMode.PERSISTENT_WITH_TTL)
                .forPath(PATH + "/ttl");
        Checks.same(client.checkExists().forPath(PATH + "/ttl"), stat);
        client.createContainers(PATH + "/box/in");
        client.delete().deletingChildrenIfNeeded().forPath(PATH + "/a");
        client.delete().deletingChildrenIfNeeded().forPath(PATH + "/d");
        Checks.same(client.checkExists().forPath(PATH).getNumChildren(), 3);
    }

    private void forgiving() throws Exception {
        CuratorFramework client = curators.shared(0);
        client.create().orSetData().forPath(PATH, "1".getBytes());
        client.create().orSetData().forPath(PATH, "2".getBytes());
        Checks.same(read(client, PATH), "2");
        client.delete().forPath(PATH);
        for (int attempt = 0; attempt < 2; attempt++) {
            client.create().idempotent().forPath(PATH, "2".getBytes());
        }
        for (int attempt = 0; attempt < 2; attempt++) {
            client.setData().idempotent().withVersion(0).forPath(PATH, "3".getBytes());
        }
        client.delete().idempotent().withVersion(1).forPath(PATH);
        client.delete().quietly().forPath(PATH);
        client.delete().quietly().guaranteed().forPath(PATH);
    }

    private void compressed() throws Exception {
        CuratorFramework client = curators.shared(0);
        byte[] data = "ab".repeat(10_000).getBytes();
        client.create().compressed().forPath(PATH, data);
        Checks.that(client.checkExists().forPath(PATH).getDataLength() < 1000, "is smaller");
        byte[] found = client.getData().decompressed().forPath(PATH);
        Checks.that(Arrays.equals(found, data), "is the same");
    }

    private void background() throws Exception {
        CuratorFramework client = curators.shared(0);
        BlockingQueue<CuratorEvent> events = new LinkedBlockingQueue<>();
        client.create().inBackground((c, event) -> events.add(event)).forPath(PATH);
        client.setData().inBackground((c, event) -> events.add(event)).forPath(PATH, new byte[3]);
        client.getData().inBackground((c, event) -> events.add(event)).forPath(PATH);
        client.checkExists().inBackground((c, event) -> events.add(event)).forPath(PATH);
        client.getChildren().inBackground((c, event) -> events.add(event)).forPath(PATH);
        client.getACL().inBackground((c, event) -> events.add(event)).forPath(PATH);
        client.sync().inBackground((c, event) -> events.add(event)).forPath(PATH);
        client.delete().inBackground((c, event) -> events.add(event)).forPath(PATH);
        client.getData().inBackground((c, event) -> events.add(event)).forPath(PATH);
        List<CuratorEventType> types = new ArrayList<>();
        List<Integer> codes = new ArrayList<>();
        for (int number = 0; number < 9; number++) {
            CuratorEvent event = events.poll(Checks.WAIT_MS, TimeUnit.MILLISECONDS);
            Checks.that(event != null, "no event behind " + types);
            types.add(event.getType());
            codes.add(event.getResultCode());
        }
        Checks.same(
                types,
                List.of(
                        CuratorEventType.CREATE,
                        CuratorEventType.SET_DATA,
                        CuratorEventType.GET_DATA,
                        CuratorEventType.EXISTS,
                        CuratorEventType.CHILDREN,
                        CuratorEventType.GET_ACL,
                        CuratorEventType.SYNC,
                        CuratorEventType.DELETE,
                        CuratorEventType.GET_DATA));
        Checks.same(codes, List.of(0, 0, 0, 0, 0, 0, 0, 0, -101));
    }

    private void transactions() throws Exception {
        CuratorFramework client = curators.shared(0);
        CuratorOp check = client.transactionOp().check().withVersion(0).forPath(Curators.ROOT);
        CuratorOp create = client.transactionOp().create().forPath(PATH, "1".getBytes());
        CuratorOp change = client.transactionOp().setData().forPath(PATH, "2".getBytes());
        CuratorOp child = client.transactionOp().create().forPath(PATH + "/child");
        CuratorOp delete = client.transactionOp().delete().forPath(PATH + "/child");
        List<CuratorTransactionResult> results =
                client.transaction().forOperations(check, create, change, child, delete);
        Checks.same(results.size(), 5);
        Checks.same(results.get(1).getResultPath(), PATH);
        Checks.same(results.get(2).getResultStat().getVersion(), 1);
        Checks.same(read(client, PATH), "2");
        CuratorOp wrong = client.transactionOp().check().withVersion(7).forPath(PATH);
        Checks.thrown(
                BadVersionException.class,
                () -> client.transaction().forOperations(child, wrong));
        Checks.same(client.checkExists().forPath(PATH + "/child"), null);
        CompletableFuture<Integer> refused = new CompletableFuture<>();
        client.transaction()
                .inBackground((c, event) -> refused.complete(event.getResultCode()))
                .forOperations(child, wrong);
        Checks.same(refused.get(Checks.WAIT_MS, TimeUnit.MILLISECONDS), -103);
    }

    private void namespaces() throws Exception {
        CuratorFramework client = curators.shared(0);
        CuratorFramework inside = client.usingNamespace("curator/space");
        Checks.same(inside.create().creatingParentsIfNeeded().forPath("/a/b"), "/a/b");
        Checks.that(client.checkExists().forPath(Curators.ROOT + "/space/a/b") != null, "inside");
        Events events = new Events();
        inside.getData().usingWatcher(events).forPath("/a/b");
        inside.setData().forPath("/a/b", "x".getBytes());
        events.expect(EventType.NodeDataChanged, "/a/b");
        Checks.same(inside.getChildren().forPath("/a"), List.of("b"));
    }

    private void schemas() throws Exception {
        Schema schema =
                Schema.builder(PATH)
                        .name("node")
                        .dataValidator((name, path, data, acl) -> data.length < 3)
                        .ephemeral(Schema.Allowance.CANNOT)
                        .build();
        CuratorFramework client =
                Curators.start(
                        checks.closing(
                                curators.builder(0)
                                        .schemaSet(new SchemaSet(List.of(schema), true))
                                        .build()));
        client.create().forPath(PATH, "12".getBytes());
        Checks.thrown(
                SchemaViolation.class, () -> client.setData().forPath(PATH, "123".getBytes()));
        Checks.thrown(
                SchemaViolation.class,
                () -> client.create().withMode(CreateMode.EPHEMERAL).forPath(PATH));
        Checks.same(read(client, PATH), "12");
    }

    private void authorization() throws Exception {
        ACLProvider provider =
                new ACLProvider() {
                    @Override
                    public List<ACL> getDefaultAcl() {
                        return Ids.CREATOR_ALL_ACL;
                    }

                    @Override
                    public List<ACL> getAclForPath(String path) {
                        return Ids.CREATOR_ALL_ACL;
                    }
                };
        CuratorFramework bob =
                Curators.start(
                        checks.closing(
                                curators.builder(1)
                                        .authorization("digest", "bob:secret".getBytes())
                                        .aclProvider(provider)
                                        .build()));
        bob.create().forPath(PATH, "1".getBytes());
        CuratorFramework stranger = curators.shared(0);
        stranger.sync().forPath("/");
        Checks.thrown(NoAuthException.class, () -> read(stranger, PATH));
        Checks.same(read(bob, PATH), "1");
        Checks.same(bob.getACL().forPath(PATH).get(0).getId().getScheme(), "digest");
        bob.setACL().withACL(Ids.OPEN_ACL_UNSAFE).forPath(PATH);
        stranger.sync().forPath("/");
        Checks.same(read(stranger, PATH), "1");
    }

    private void watchers() throws Exception {
        CuratorFramework client = curators.shared(0);
        Events events = new Events();
        client.create().forPath(PATH);
        client.watchers().add().withMode(AddWatchMode.PERSISTENT).usingWatcher(events).forPath(PATH);
        client.setData().forPath(PATH);
        client.setData().forPath(PATH);
        events.expect(EventType.NodeDataChanged, PATH);
        events.expect(EventType.NodeDataChanged, PATH);
        client.watchers().remove(events).forPath(PATH);
        events.expect(EventType.PersistentWatchRemoved, PATH);
        Events data = new Events();
        client.getData().usingWatcher(data).forPath(PATH);
        client.watchers().removeAll().ofType(WatcherType.Data).forPath(PATH);
        data.expect(EventType.DataWatchRemoved, PATH);
        client.watchers().removeAll().quietly().forPath(PATH);
    }

    private void watcherRemoval() throws Exception {
        WatcherRemoveCuratorFramework client =
                curators.shared(0).newWatcherRemoveCuratorFramework();
        client.create().forPath(PATH);
        Events events = new Events();
        client.getData().usingWatcher(events).forPath(PATH);
        client.getChildren().usingWatcher(events).forPath(PATH);
        client.removeWatchers();
        client.setData().forPath(PATH);
        client.create().forPath(PATH + "/child");
        List<EventType> kinds = Collections.synchronizedList(new ArrayList<>());
        Watcher watcher = event -> kinds.add(event.getType());
        client.getData().usingWatcher(watcher).forPath(PATH);
        client.setData().forPath(PATH);
        Checks.eventually("the new watcher", () -> kinds.contains(EventType.NodeDataChanged));
        client.removeWatchers();
    }

    private void connectionStates() throws Exception {
        List<ConnectionState> states = Collections.synchronizedList(new ArrayList<>());
        try (Relay relay = new Relay(curators.addresses.get(0))) {
            CuratorFramework client =
                    checks.closing(curators.builder(0).connectString(relay.address()).build());
            client.getConnectionStateListenable().addListener((c, state) -> states.add(state));
            Curators.start(client);
            client.create().withMode(CreateMode.EPHEMERAL).forPath(PATH);
            relay.cut();
            Checks.eventually("suspended", () -> states.contains(ConnectionState.SUSPENDED));
            relay.lead(curators.addresses.get(1 % curators.addresses.size()));
            Checks.eventually("reconnected", () -> states.contains(ConnectionState.RECONNECTED));
            client.sync().forPath("/");
            long id = client.getZookeeperClient().getZooKeeper().getSessionId();
            Checks.same(client.checkExists().forPath(PATH).getEphemeralOwner(), id);
        }
        Checks.eventually("connected first", () -> states.get(0) == ConnectionState.CONNECTED);
    }

    /** Learns of all servers from the one that it was told. */
    private void ensembleTracker() throws Exception {
        CuratorFramework client =
                Curators.start(checks.closing(curators.builder(0).ensembleTracker(true).build()));
        client.create().forPath(PATH);
        String config = new String(client.getConfig().forEnsemble());
        if (curators.addresses.size() == 1) return;
        for (String address : curators.addresses) {
            String port = address.substring(address.indexOf(':'));
            Checks.that(config.contains(port), address + " in " + config);
        }
        Checks.eventually(
                "all servers",
                () -> {
                    String known = client.getZookeeperClient().getCurrentConnectionString();
                    return curators.addresses.stream().allMatch(known::contains);
                });
    }
}
