import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.barriers.DistributedBarrier;
import org.apache.curator.framework.recipes.barriers.DistributedDoubleBarrier;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.leader.LeaderLatch.CloseMode;
import org.apache.curator.framework.recipes.leader.LeaderLatchListener;
import org.apache.curator.framework.recipes.leader.LeaderSelector;
import org.apache.curator.framework.recipes.leader.LeaderSelectorListenerAdapter;
import org.apache.zookeeper.KeeperException.NoNodeException;

/** Curator's elections and barriers among clients at different servers. */
final class ElectionRecipes {
    private static final String PATH = Curators.ROOT + "/election";

    private final Checks checks;
    private final Curators curators;

    private ElectionRecipes(Checks checks, Curators curators) {
        this.checks = checks;
        this.curators = curators;
    }

    static void addTo(Checks checks, Curators curators) {
        ElectionRecipes elections = new ElectionRecipes(checks, curators);
        checks.add("LeaderLatch, one after the other", elections::latch);
        checks.add("LeaderLatch of a client that ends", elections::latchEnds);
        checks.add("LeaderSelector, each in turn", elections::selector);
        checks.add("LeaderSelector interrupted", elections::interrupted);
        checks.add("DistributedBarrier", elections::barrier);
        checks.add("DistributedDoubleBarrier", elections::doubleBarrier);
    }

    private LeaderLatch latch(CuratorFramework client, String id) throws Exception {
        LeaderLatch latch = new LeaderLatch(client, PATH, id);
        latch.start();
        return latch;
    }

    private void latch() throws Exception {
        List<LeaderLatch> waiting = new ArrayList<>();
        for (int number = 0; number < 4; number++) {
            waiting.add(latch(curators.shared(number % 2), "latch" + number));
        }
        AtomicInteger left = new AtomicInteger();
        while (!waiting.isEmpty()) {
            Checks.eventually("one leads", () -> leaders(waiting).size() == 1);
            LeaderLatch leader = leaders(waiting).get(0);
            Checks.same(leader.getLeader().getId(), leader.getId());
            leader.addListener(
                    new LeaderLatchListener() {
                        @Override
                        public void isLeader() {
                            throw new IllegalStateException("it led before");
                        }

                        @Override
                        public void notLeader() {
                            left.incrementAndGet();
                        }
                    });
            leader.close(CloseMode.NOTIFY_LEADER);
            waiting.remove(leader);
        }
        Checks.same(left.get(), 4);
    }

    private static List<LeaderLatch> leaders(List<LeaderLatch> latches) {
        return latches.stream().filter(LeaderLatch::hasLeadership).toList();
    }

    private void latchEnds() throws Exception {
        CuratorFramework ending = curators.open(0);
        LeaderLatch first = latch(ending, "first");
        Checks.that(first.await(Checks.WAIT_MS, TimeUnit.MILLISECONDS), "leads");
        LeaderLatch second = checks.closing(latch(curators.shared(1), "second"));
        Checks.eventually("two take part", () -> participants(second) == 2);
        Checks.that(!second.hasLeadership(), "one leads");
        ending.close();
        Checks.that(second.await(Checks.WAIT_MS, TimeUnit.MILLISECONDS), "leads in turn");
        Checks.same(second.getParticipants().size(), 1);
    }

    private static int participants(LeaderLatch latch) {
        try {
            return latch.getParticipants().size();
        } catch (Exception failure) {
            throw new IllegalStateException(failure);
        }
    }

    private void selector() throws Exception {
        int turns = 3;
        AtomicInteger leading = new AtomicInteger();
        List<String> order = Collections.synchronizedList(new ArrayList<>());
        List<CountDownLatch> left = List.of(new CountDownLatch(turns), new CountDownLatch(turns));
        for (int number = 0; number < 2; number++) {
            String name = "selector" + number;
            CountDownLatch mine = left.get(number);
            LeaderSelectorListenerAdapter listener =
                    new LeaderSelectorListenerAdapter() {
                        @Override
                        public void takeLeadership(CuratorFramework client) throws Exception {
                            order.add(name + " of " + leading.incrementAndGet());
                            Thread.sleep(10);
                            leading.decrementAndGet();
                            mine.countDown();
                        }
                    };
            LeaderSelector selector = new LeaderSelector(curators.shared(number), PATH, listener);
            selector.autoRequeue();
            selector.setId(name);
            selector.start();
            checks.closing(selector);
        }
        for (CountDownLatch turnsLeft : left) {
            Checks.that(turnsLeft.await(Checks.WAIT_MS, TimeUnit.MILLISECONDS), "turns: " + order);
        }
        // A copy: both go on taking turns.
        List<String> taken = List.of(order.toArray(new String[0]));
        Checks.that(taken.stream().allMatch(turn -> turn.endsWith(" of 1")), taken);
    }

    private void interrupted() throws Exception {
        CompletableFuture<Boolean> begun = new CompletableFuture<>();
        CompletableFuture<Boolean> ended = new CompletableFuture<>();
        LeaderSelectorListenerAdapter listener =
                new LeaderSelectorListenerAdapter() {
                    @Override
                    public void takeLeadership(CuratorFramework client) {
                        begun.complete(true);
                        try {
                            Thread.sleep(Checks.WAIT_MS);
                        } catch (InterruptedException asked) {
                            ended.complete(true);
                        }
                    }
                };
        LeaderSelector first = checks.closing(new LeaderSelector(curators.shared(0), PATH, listener));
        first.start();
        Checks.that(begun.get(Checks.WAIT_MS, TimeUnit.MILLISECONDS), "leads");
        Checks.that(first.getLeader().isLeader(), "named as the leader");
        first.interruptLeadership();
        Checks.that(ended.get(Checks.WAIT_MS, TimeUnit.MILLISECONDS), "interrupted");
        Checks.eventually("leads no more", () -> !first.hasLeadership());
    }

    private void barrier() throws Exception {
        DistributedBarrier keeper = new DistributedBarrier(curators.shared(0), PATH);
        DistributedBarrier waiter = new DistributedBarrier(curators.shared(1), PATH);
        keeper.setBarrier();
        curators.shared(1).sync().forPath(PATH);
        Checks.that(!waiter.waitOnBarrier(100, TimeUnit.MILLISECONDS), "held back");
        FutureTask<Boolean> waiting =
                Curators.inBackground(
                        () -> waiter.waitOnBarrier(Checks.WAIT_MS, TimeUnit.MILLISECONDS));
        keeper.removeBarrier();
        Checks.that(waiting.get(Checks.WAIT_MS, TimeUnit.MILLISECONDS), "let through");
    }

    private void doubleBarrier() throws Exception {
        List<DistributedDoubleBarrier> four = new ArrayList<>();
        for (int number = 0; number < 4; number++) {
            four.add(new DistributedDoubleBarrier(curators.shared(number % 2), PATH, 4));
        }
        List<FutureTask<Boolean>> entering = new ArrayList<>();
        for (DistributedDoubleBarrier member : four.subList(1, 4)) entering.add(enter(member));
        Checks.eventually("three wait to enter", () -> children() == 3);
        Checks.that(entering.stream().noneMatch(FutureTask::isDone), "held until all are there");
        entering.add(enter(four.get(0)));
        for (FutureTask<Boolean> one : entering) {
            Checks.that(one.get(Checks.WAIT_MS, TimeUnit.MILLISECONDS), "entered");
        }
        // An event that comes late ends a wait to leave: Curator's member takes it for the one it awaits.
        for (int number = 0; number < 2; number++) hearAll(curators.shared(number));
        List<FutureTask<Boolean>> leaving = new ArrayList<>();
        for (DistributedDoubleBarrier member : four.subList(1, 4)) leaving.add(leave(member));
        // Only the first of them in their order, and who has not begun to leave, have their nodes still.
        Checks.eventually("three wait to leave", () -> children() <= 3);
        Checks.that(leaving.stream().noneMatch(FutureTask::isDone), "held until all leave");
        leaving.add(leave(four.get(0)));
        for (FutureTask<Boolean> one : leaving) {
            Checks.that(one.get(Checks.WAIT_MS, TimeUnit.MILLISECONDS), "left");
        }
    }

    /** Nodes of the members, and the one that lets them enter. */
    private int children() {
        try {
            return curators.shared(0).getChildren().forPath(PATH).size();
        } catch (NoNodeException early) {
            return 0;
        } catch (Exception failure) {
            throw new IllegalStateException(failure);
        }
    }

    private static FutureTask<Boolean> enter(DistributedDoubleBarrier member) {
        return Curators.inBackground(() -> member.enter(Checks.WAIT_MS, TimeUnit.MILLISECONDS));
    }

    private static FutureTask<Boolean> leave(DistributedDoubleBarrier member) {
        return Curators.inBackground(() -> member.leave(Checks.WAIT_MS, TimeUnit.MILLISECONDS));
    }

    /** Returns when the client's watchers have handled all that happened before. */
    private static void hearAll(CuratorFramework client) throws Exception {
        CompletableFuture<Void> heard = new CompletableFuture<>();
        client.sync()
                .inBackground((c, event) -> c.runSafe(() -> heard.complete(null)))
                .forPath("/");
        heard.get(Checks.WAIT_MS, TimeUnit.MILLISECONDS);
    }
}
