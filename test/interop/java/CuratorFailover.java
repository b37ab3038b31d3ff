import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.retry.ExponentialBackoffRetry;
import org.apache.zookeeper.data.Stat;

/**
 * Two clients that contend for an InterProcessMutex and a LeaderLatch without pause, while somebody
 * kills servers. The argument is the servers' {@code host:port,...}. Each line {@code report} on
 * standard input is answered with a line of JSON about all that has happened so far; the end of the
 * input ends the program.
 *
 * <p>The transaction that created the holder's node is its fencing token: whoever holds the lock
 * later has a larger one. Each holder leaves its token in a node, where it must find none as large.
 */
public final class CuratorFailover {
    private static final String LOCK = "/failover/lock";
    private static final String LATCH = "/failover/latch";
    private static final String TOKEN = "/failover/token";
    private static final int SESSION_TIMEOUT_MS = 30_000;
    private static final long WAIT_MS = 20_000;
    private static final Pattern SERVER_PORT = Pattern.compile("remoteserver:\\S*:(\\d+)");

    private final AtomicInteger holders = new AtomicInteger();
    private final AtomicInteger rounds = new AtomicInteger();
    private final AtomicInteger violations = new AtomicInteger();
    private final AtomicInteger lost = new AtomicInteger();
    private final AtomicInteger elections = new AtomicInteger();
    private final AtomicLong lastRoundNs = new AtomicLong(System.nanoTime());
    private final AtomicLong longestPauseNs = new AtomicLong();
    private final List<CuratorFramework> clients = new ArrayList<>();
    private final List<LeaderLatch> latches = new ArrayList<>();

    private CuratorFailover() {}

    public static void main(String[] args) throws Exception {
        CuratorFailover failover = new CuratorFailover();
        failover.start(args[0]);
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
        System.out.println("{}");
        while (input.readLine() != null) System.out.println(failover.report());
        // The threads end with the program, whatever they wait for.
        System.exit(0);
    }

    private void start(String servers) throws Exception {
        for (int number = 0; number < 2; number++) {
            CuratorFramework client =
                    CuratorFrameworkFactory.builder()
                            .connectString(servers)
                            .sessionTimeoutMs(SESSION_TIMEOUT_MS)
                            .connectionTimeoutMs(SESSION_TIMEOUT_MS)
                            .retryPolicy(new ExponentialBackoffRetry(20, 20, 200))
                            .build();
            client.start();
            clients.add(client);
        }
        clients.get(0).create().creatingParentsIfNeeded().forPath(TOKEN, "0".getBytes());
        for (CuratorFramework client : clients) {
            client.sync().forPath("/");
            LeaderLatch latch = new LeaderLatch(client, LATCH, "latch" + latches.size());
            latch.start();
            latches.add(latch);
            startThread(() -> contend(client));
        }
        startThread(this::watchLatches);
    }

    private static void startThread(Runnable body) {
        Thread thread = new Thread(body);
        thread.setDaemon(true);
        thread.start();
    }

    private void contend(CuratorFramework client) {
        InterProcessMutex mutex = new InterProcessMutex(client, LOCK);
        while (true) {
            try {
                if (!mutex.acquire(WAIT_MS, TimeUnit.MILLISECONDS)) continue;
            } catch (Exception cut) {
                // Whether it got in line is unknown; Curator takes its node out of it again.
                lost.incrementAndGet();
                continue;
            }
            if (holders.incrementAndGet() != 1) violations.incrementAndGet();
            try {
                holdOnce(client, mutex);
                finishRound();
            } catch (Exception cut) {
                lost.incrementAndGet();
            }
            holders.decrementAndGet();
            try {
                mutex.release();
            } catch (Exception cut) {
                // Curator goes on trying in the background.
                lost.incrementAndGet();
            }
        }
    }

    /** The first of the participants is the holder. */
    private void holdOnce(CuratorFramework client, InterProcessMutex mutex) throws Exception {
        client.sync().forPath(LOCK);
        String mine = mutex.getParticipantNodes().iterator().next();
        Stat stat = client.checkExists().forPath(mine);
        long session = client.getZookeeperClient().getZooKeeper().getSessionId();
        if (stat == null || stat.getEphemeralOwner() != session) {
            violations.incrementAndGet();
            return;
        }
        Stat tokenStat = new Stat();
        byte[] found = client.getData().storingStatIn(tokenStat).forPath(TOKEN);
        if (Long.parseLong(new String(found)) >= stat.getCzxid()) violations.incrementAndGet();
        byte[] token = String.valueOf(stat.getCzxid()).getBytes();
        client.setData().withVersion(tokenStat.getVersion()).forPath(TOKEN, token);
    }

    private void finishRound() {
        long now = System.nanoTime();
        long pause = now - lastRoundNs.getAndSet(now);
        longestPauseNs.accumulateAndGet(pause, Math::max);
        rounds.incrementAndGet();
    }

    /** Two that lead at once would be seen as such again and again, however short the looks take. */
    private void watchLatches() {
        boolean wasLed = false;
        while (true) {
            LeaderLatch first = latches.get(0);
            LeaderLatch second = latches.get(1);
            boolean both = first.hasLeadership() && second.hasLeadership();
            if (both && first.hasLeadership() && second.hasLeadership()) {
                violations.incrementAndGet();
            }
            boolean isLed = first.hasLeadership() || second.hasLeadership();
            if (isLed && !wasLed) elections.incrementAndGet();
            wasLed = isLed;
            try {
                Thread.sleep(1);
            } catch (InterruptedException end) {
                return;
            }
        }
    }

    /** The client's own description of itself ends with the address that it is connected to. */
    private static int serverPort(CuratorFramework client) throws Exception {
        String text = client.getZookeeperClient().getZooKeeper().toString();
        Matcher address = SERVER_PORT.matcher(text);
        return address.find() ? Integer.parseInt(address.group(1)) : 0;
    }

    private String report() throws Exception {
        int ledFromPort = 0;
        for (int number = 0; number < clients.size(); number++) {
            if (latches.get(number).hasLeadership()) ledFromPort = serverPort(clients.get(number));
        }
        return String.format(
                "{\"rounds\":%d,\"violations\":%d,\"lost\":%d,\"ledFromPort\":%d,"
                        + "\"elections\":%d,\"longestPauseMs\":%d}",
                rounds.get(),
                violations.get(),
                lost.get(),
                ledFromPort,
                elections.get(),
                TimeUnit.NANOSECONDS.toMillis(longestPauseNs.get()));
    }
}
