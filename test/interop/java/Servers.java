import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZKUtil;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooKeeper;

/** The servers under test, and the clients that a check opens at them. */
final class Servers {
    static final int SESSION_TIMEOUT_MS = 10_000;
    /** Below it a check may do what it likes: it is empty before each. */
    static final String ROOT = "/java";

    final List<String> addresses;
    private final Checks checks;
    private final List<ZooKeeper> pool = new ArrayList<>();
    private int shared;
    private int opened;

    Servers(List<String> addresses, Checks checks) {
        this.addresses = addresses;
        this.checks = checks;
    }

    String all() {
        return String.join(",", addresses);
    }

    /** The address of a server, counted round: clients opened one after the other are at different ones. */
    String next() {
        return addresses.get(opened++ % addresses.size());
    }

    /**
     * One of the clients that checks share, which spares them the opening and closing; two in a row
     * are different ones, and at different servers if there are several.
     */
    ZooKeeper shared() throws Exception {
        while (pool.size() < Math.max(2, addresses.size())) {
            pool.add(plain(addresses.get(pool.size() % addresses.size())));
        }
        return pool.get(shared++ % pool.size());
    }

    /** A client of this check alone. */
    ZooKeeper open(Events events) throws Exception {
        return open(next(), events);
    }

    /** Returns when connected. */
    ZooKeeper open(String connectString, Events events) throws Exception {
        ZooKeeper client =
                checks.closing(new ZooKeeper(connectString, SESSION_TIMEOUT_MS, events));
        events.expectState(Watcher.Event.KeeperState.SyncConnected);
        return client;
    }

    /** Makes the root anew, and known to every server. */
    void clear() throws Exception {
        ZooKeeper client = shared();
        sync(client);
        while (client.exists(ROOT, false) != null) {
            try {
                ZKUtil.deleteRecursive(client, ROOT);
            } catch (KeeperException.NoNodeException swept) {
                // What a check left to be swept may go before it is deleted here.
            }
        }
        client.create(ROOT, null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        for (ZooKeeper other : pool) sync(other);
    }

    private static ZooKeeper plain(String address) throws Exception {
        return new ZooKeeper(address, SESSION_TIMEOUT_MS, event -> {});
    }

    /**
     * Makes this client's server show everything that was acknowledged to any client before. Also
     * returns behind all events that were there before, because its answer passes through the same
     * thread.
     */
    static void sync(ZooKeeper client) throws Exception {
        CompletableFuture<Integer> code = new CompletableFuture<>();
        client.sync("/", (rc, path, context) -> code.complete(rc), null);
        Checks.same(code.get(Checks.WAIT_MS, TimeUnit.MILLISECONDS), 0);
    }

    static String create(ZooKeeper client, String path, String data) throws Exception {
        return client.create(path, data.getBytes(), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
    }

    static String read(ZooKeeper client, String path) throws Exception {
        return new String(client.getData(path, false, null));
    }
}
