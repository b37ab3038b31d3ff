import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.cache.CuratorCache;
import org.apache.curator.framework.recipes.cache.CuratorCacheListener;
import org.apache.curator.framework.recipes.cache.NodeCache;
import org.apache.curator.framework.recipes.cache.PathChildrenCache;
import org.apache.curator.framework.recipes.cache.TreeCache;
import org.apache.curator.framework.recipes.nodes.GroupMember;
import org.apache.curator.framework.recipes.nodes.PersistentNode;
import org.apache.curator.framework.recipes.nodes.PersistentTtlNode;
import org.apache.curator.framework.recipes.watch.PersistentWatcher;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.Watcher.Event.EventType;

/** Curator's caches, and nodes that it keeps there: what one client does the other is shown. */
final class CacheRecipes {
    private static final String PATH = Curators.ROOT + "/cached";
    private static final long TTL_MS = 2000;
    /** Within the time to live of a node that is kept. */
    private static final int TOUCHES = 10;

    private final Checks checks;
    private final Curators curators;

    private CacheRecipes(Checks checks, Curators curators) {
        this.checks = checks;
        this.curators = curators;
    }

    static void addTo(Checks checks, Curators curators) {
        CacheRecipes caches = new CacheRecipes(checks, curators);
        checks.add("CuratorCache", caches::curatorCache);
        checks.add("CuratorCache of a single node", caches::singleNode);
        checks.add("TreeCache", caches::treeCache);
        checks.add("PathChildrenCache", caches::pathChildrenCache);
        checks.add("NodeCache", caches::nodeCache);
        checks.add("PersistentWatcher", caches::persistentWatcher);
        checks.add("caches while their client is cut off", caches::cutOff);
        checks.add("PersistentNode", caches::persistentNode);
        checks.add("PersistentTtlNode", caches::persistentTtlNode);
        checks.add("GroupMember", caches::groupMember);
    }

    private CuratorFramework reader() {
        return curators.shared(0);
    }

    private CuratorFramework writer() {
        return curators.shared(1);
    }

    private void create(String path, String data) throws Exception {
        writer().create().creatingParentsIfNeeded().forPath(path, data.getBytes());
    }

    private void curatorCache() throws Exception {
        create(PATH + "/old", "0");
        reader().sync().forPath("/");
        List<String> told = Collections.synchronizedList(new ArrayList<>());
        CuratorCache cache = checks.closing(CuratorCache.build(reader(), PATH));
        cache.listenable()
                .addListener(
                        CuratorCacheListener.builder()
                                .forCreates(node -> told.add("created " + node.getPath()))
                                .forChanges((old, node) -> told.add("changed " + node.getPath()))
                                .forDeletes(node -> told.add("deleted " + node.getPath()))
                                .forInitialized(() -> told.add("initialized"))
                                .build());
        cache.start();
        Checks.eventually("initialized", () -> told.contains("initialized"));
        Checks.same(cache.size(), 2);
        told.clear();
        create(PATH + "/deep/leaf", "1");
        Checks.eventually("the creation", () -> told.contains("created " + PATH + "/deep/leaf"));
        writer().setData().forPath(PATH + "/deep/leaf", "2".getBytes());
        Checks.eventually("the change", () -> told.contains("changed " + PATH + "/deep/leaf"));
        writer().delete().forPath(PATH + "/deep/leaf");
        Checks.eventually("the end", () -> told.contains("deleted " + PATH + "/deep/leaf"));
        for (int number = 0; number < 200; number++) create(PATH + "/many/" + number, "" + number);
        Checks.eventually("all of them", () -> cache.size() == 204);
        Checks.same(new String(cache.get(PATH + "/many/150").get().getData()), "150");
        writer().delete().deletingChildrenIfNeeded().forPath(PATH);
        Checks.eventually("none is left", () -> cache.size() == 0);
    }

    private void singleNode() throws Exception {
        create(PATH, "1");
        reader().sync().forPath("/");
        CuratorCache cache =
                checks.closing(
                        CuratorCache.build(reader(), PATH, CuratorCache.Options.SINGLE_NODE_CACHE));
        cache.start();
        Checks.eventually("the node", () -> cache.get(PATH).isPresent());
        create(PATH + "/child", "");
        writer().setData().forPath(PATH, "2".getBytes());
        Checks.eventually(
                "the change", () -> new String(cache.get(PATH).get().getData()).equals("2"));
        Checks.same(cache.size(), 1);
    }

    @SuppressWarnings("deprecation")
    private void treeCache() throws Exception {
        create(PATH + "/a/b", "1");
        reader().sync().forPath("/");
        TreeCache cache = checks.closing(new TreeCache(reader(), PATH));
        cache.start();
        Checks.eventually("the leaf", () -> cache.getCurrentData(PATH + "/a/b") != null);
        create(PATH + "/a/c", "2");
        writer().setData().forPath(PATH + "/a/b", "3".getBytes());
        writer().delete().forPath(PATH + "/a/c");
        create(PATH + "/a/d", "4");
        Checks.eventually(
                "the children",
                () -> cache.getCurrentChildren(PATH + "/a").keySet().equals(Set.of("b", "d")));
        Checks.eventually(
                "the data",
                () -> new String(cache.getCurrentData(PATH + "/a/b").getData()).equals("3"));
        writer().delete().deletingChildrenIfNeeded().forPath(PATH);
        Checks.eventually("none is left", () -> cache.getCurrentData(PATH) == null);
    }

    @SuppressWarnings("deprecation")
    private void pathChildrenCache() throws Exception {
        create(PATH + "/a", "1");
        reader().sync().forPath("/");
        List<String> told = Collections.synchronizedList(new ArrayList<>());
        PathChildrenCache cache = checks.closing(new PathChildrenCache(reader(), PATH, true));
        cache.getListenable().addListener((client, event) -> told.add(event.getType().name()));
        cache.start(PathChildrenCache.StartMode.BUILD_INITIAL_CACHE);
        Checks.same(cache.getCurrentData().size(), 1);
        create(PATH + "/b", "2");
        Checks.eventually("an addition", () -> told.contains("CHILD_ADDED"));
        writer().setData().forPath(PATH + "/a", "3".getBytes());
        Checks.eventually("a change", () -> told.contains("CHILD_UPDATED"));
        writer().delete().forPath(PATH + "/b");
        Checks.eventually("a removal", () -> told.contains("CHILD_REMOVED"));
        Checks.same(new String(cache.getCurrentData(PATH + "/a").getData()), "3");
        Checks.same(cache.getCurrentData().size(), 1);
    }

    @SuppressWarnings("deprecation")
    private void nodeCache() throws Exception {
        NodeCache cache = checks.closing(new NodeCache(reader(), PATH));
        cache.start(true);
        Checks.same(cache.getCurrentData(), null);
        create(PATH, "1");
        Checks.eventually("the node", () -> cache.getCurrentData() != null);
        writer().setData().forPath(PATH, "2".getBytes());
        Checks.eventually(
                "the change", () -> new String(cache.getCurrentData().getData()).equals("2"));
        writer().delete().forPath(PATH);
        Checks.eventually("its end", () -> cache.getCurrentData() == null);
    }

    private void persistentWatcher() throws Exception {
        // A path of its own: this client tells recursive watchers of one-shot watches set before, too.
        String path = Curators.ROOT + "/watched";
        Events events = new Events();
        PersistentWatcher watcher = checks.closing(new PersistentWatcher(reader(), path, true));
        watcher.getListenable().addListener(events);
        watcher.start();
        // It is set in the background, and in order with what this client asks next.
        reader().checkExists().forPath(path);
        create(path, "1");
        events.expect(EventType.NodeCreated, path);
        create(path + "/child", "1");
        events.expect(EventType.NodeCreated, path + "/child");
        writer().setData().forPath(path + "/child", "2".getBytes());
        events.expect(EventType.NodeDataChanged, path + "/child");
        writer().delete().deletingChildrenIfNeeded().forPath(path);
        events.expect(EventType.NodeDeleted, path + "/child");
        events.expect(EventType.NodeDeleted, path);
    }

    @SuppressWarnings("deprecation")
    private void cutOff() throws Exception {
        // On one path the watches of one cache would replace those of the other on the original.
        String apart = Curators.ROOT + "/apart";
        try (Relay relay = new Relay(curators.addresses.get(0))) {
            CuratorFramework distant =
                    Curators.start(
                            checks.closing(
                                    curators.builder(0).connectString(relay.address()).build()));
            for (String top : List.of(PATH, apart)) create(top + "/a", "1");
            distant.sync().forPath("/");
            CuratorCache cache = checks.closing(CuratorCache.build(distant, PATH));
            TreeCache tree = checks.closing(new TreeCache(distant, apart));
            cache.start();
            tree.start();
            Checks.eventually("both", () -> cache.size() == 2 && tree.size() == 2);
            relay.cut();
            for (String top : List.of(PATH, apart)) {
                writer().delete().forPath(top + "/a");
                create(top + "/b", "2");
            }
            relay.lead(curators.addresses.get(1 % curators.addresses.size()));
            Checks.eventually("the new one", () -> cache.get(PATH + "/b").isPresent());
            Checks.eventually("the new one", () -> tree.getCurrentData(apart + "/b") != null);
            Checks.eventually("the old one's end", () -> cache.size() == 2 && tree.size() == 2);
            for (String top : List.of(PATH, apart)) create(top + "/c", "3");
            Checks.eventually("both go on", () -> cache.size() == 3 && tree.size() == 3);
        }
    }

    private void persistentNode() throws Exception {
        CuratorFramework owner = curators.open(0);
        PersistentNode node =
                new PersistentNode(owner, CreateMode.EPHEMERAL, false, PATH, "1".getBytes());
        node.start();
        Checks.that(node.waitForInitialCreate(Checks.WAIT_MS, TimeUnit.MILLISECONDS), "made");
        writer().sync().forPath("/");
        writer().delete().forPath(PATH);
        Checks.eventually("it is made again", () -> isThere(writer(), PATH));
        node.setData("2".getBytes());
        Checks.eventually("its data", () -> read(writer(), PATH).equals("2"));
        owner.close();
        writer().sync().forPath("/");
        Checks.same(writer().checkExists().forPath(PATH), null);
    }

    private static boolean isThere(CuratorFramework client, String path) {
        try {
            return client.checkExists().forPath(path) != null;
        } catch (Exception failure) {
            throw new IllegalStateException(failure);
        }
    }

    private static String read(CuratorFramework client, String path) {
        try {
            return new String(client.getData().forPath(path));
        } catch (Exception failure) {
            throw new IllegalStateException(failure);
        }
    }

    private void persistentTtlNode() throws Exception {
        ScheduledExecutorService executor = Executors.newSingleThreadScheduledExecutor();
        checks.closing(executor::shutdownNow);
        PersistentTtlNode node =
                new PersistentTtlNode(
                        reader(), executor, PATH, TTL_MS, "1".getBytes(), "touched", TOUCHES);
        node.start();
        Checks.that(node.waitForInitialCreate(Checks.WAIT_MS, TimeUnit.MILLISECONDS), "made");
        // It touches the node so often that it outlives its time twice, though some touches come late.
        Thread.sleep(2 * TTL_MS + TTL_MS / 4);
        Checks.that(isThere(reader(), PATH), "kept");
        node.close();
        Checks.eventually("it ends by itself", () -> !isThere(reader(), PATH));
    }

    private void groupMember() throws Exception {
        GroupMember first = checks.closing(new GroupMember(reader(), PATH, "first", "1".getBytes()));
        GroupMember second = new GroupMember(writer(), PATH, "second");
        first.start();
        second.start();
        Checks.eventually("two", () -> first.getCurrentMembers().size() == 2);
        Checks.eventually("its node is there, as it knows", () -> sets(first, "2"));
        Checks.eventually(
                "its data",
                () -> {
                    byte[] data = second.getCurrentMembers().get("first");
                    return data != null && new String(data).equals("2");
                });
        second.close();
        Checks.eventually("one", () -> first.getCurrentMembers().keySet().equals(Set.of("first")));
    }

    /** A member counts itself before it has heard that its node is made, and cannot be waited for. */
    private static boolean sets(GroupMember member, String data) {
        try {
            member.setThisData(data.getBytes());
            return true;
        } catch (IllegalStateException early) {
            return false;
        }
    }
}
