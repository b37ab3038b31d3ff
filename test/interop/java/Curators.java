import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.ExponentialBackoffRetry;

/** Curator's clients, each at a server of its own, so that recipes contend across servers. */
final class Curators {
    static final String ROOT = "/curator";
    private static final int SESSION_TIMEOUT_MS = 10_000;
    private static final int CLIENTS = 2;

    final List<String> addresses;
    final Checks checks;
    private final List<CuratorFramework> shared = new ArrayList<>();

    Curators(List<String> addresses, Checks checks) {
        this.addresses = addresses;
        this.checks = checks;
    }

    /** Without the tracker, which would lead every client to all servers. */
    CuratorFrameworkFactory.Builder builder(int server) {
        return CuratorFrameworkFactory.builder()
                .connectString(addresses.get(server % addresses.size()))
                .sessionTimeoutMs(SESSION_TIMEOUT_MS)
                .connectionTimeoutMs(SESSION_TIMEOUT_MS)
                .waitForShutdownTimeoutMs(SESSION_TIMEOUT_MS)
                .ensembleTracker(false)
                .retryPolicy(new ExponentialBackoffRetry(50, 10));
    }

    static CuratorFramework start(CuratorFramework client) throws Exception {
        client.start();
        boolean isConnected =
                client.blockUntilConnected((int) Checks.WAIT_MS, TimeUnit.MILLISECONDS);
        Checks.that(isConnected, "connected");
        return client;
    }

    /** A client that all checks share; those of different numbers are at different servers. */
    CuratorFramework shared(int number) {
        return shared.get(number);
    }

    /** A client of this check alone. */
    CuratorFramework open(int server) throws Exception {
        return start(checks.closing(builder(server).build()));
    }

    /** Makes the root anew, and known to every client. */
    void clear() throws Exception {
        while (shared.size() < CLIENTS) shared.add(start(builder(shared.size()).build()));
        CuratorFramework client = shared(0);
        client.sync().forPath("/");
        if (client.checkExists().forPath(ROOT) != null) {
            client.delete().guaranteed().deletingChildrenIfNeeded().forPath(ROOT);
        }
        client.create().forPath(ROOT);
        for (CuratorFramework other : shared) other.sync().forPath("/");
    }

    /** Does it with both shared clients at once, twice with each, and waits for all. */
    void together(Contender contender) throws Exception {
        List<FutureTask<Void>> tasks = new ArrayList<>();
        for (int number = 0; number < 2 * CLIENTS; number++) {
            CuratorFramework client = shared(number % CLIENTS);
            tasks.add(
                    inBackground(
                            () -> {
                                contender.run(client);
                                return null;
                            }));
        }
        for (FutureTask<Void> task : tasks) task.get(Checks.WAIT_MS, TimeUnit.MILLISECONDS);
    }

    interface Contender {
        void run(CuratorFramework client) throws Exception;
    }

    static <T> FutureTask<T> inBackground(Callable<T> body) {
        FutureTask<T> task = new FutureTask<>(body);
        Thread thread = new Thread(task, "background");
        thread.setDaemon(true);
        thread.start();
        return task;
    }
}
