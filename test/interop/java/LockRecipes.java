import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.locks.InterProcessLock;
import org.apache.curator.framework.recipes.locks.InterProcessMultiLock;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreMutex;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreV2;
import org.apache.curator.framework.recipes.locks.Lease;
import org.apache.curator.framework.recipes.locks.Revoker;

/** Curator's locks, held in turn by clients at different servers. */
final class LockRecipes {
    private static final String PATH = Curators.ROOT + "/lock";
    private static final int ROUNDS = 15;
    /** Long enough for a wrong second holder to appear. */
    private static final long REFUSED_MS = 200;

    private final Curators curators;

    private LockRecipes(Curators curators) {
        this.curators = curators;
    }

    static void addTo(Checks checks, Curators curators) {
        LockRecipes locks = new LockRecipes(curators);
        checks.add("InterProcessMutex under contention", locks::mutex);
        checks.add("InterProcessMutex entered again, and its participants", locks::reentrant);
        checks.add("InterProcessMutex revoked", locks::revoked);
        checks.add("InterProcessMutex of a client that ends", locks::holderEnds);
        checks.add("InterProcessSemaphoreMutex under contention", locks::semaphoreMutex);
        checks.add("InterProcessReadWriteLock", locks::readWrite);
        checks.add("InterProcessReadWriteLock under contention", locks::readWriteContention);
        checks.add("InterProcessSemaphoreV2", locks::semaphore);
        checks.add("InterProcessSemaphoreV2 under contention", locks::semaphoreContention);
        checks.add("InterProcessMultiLock", locks::multiLock);
    }

    static boolean acquire(InterProcessLock lock) throws Exception {
        return lock.acquire(Checks.WAIT_MS, TimeUnit.MILLISECONDS);
    }

    private static boolean tryAcquire(InterProcessLock lock) throws Exception {
        return lock.acquire(REFUSED_MS, TimeUnit.MILLISECONDS);
    }

    private interface LockMaker {
        InterProcessLock make(CuratorFramework client);
    }

    /** Reads a number and writes the next, which loses additions unless one does it at a time. */
    private void contend(LockMaker maker) throws Exception {
        String number = Curators.ROOT + "/number";
        curators.shared(0).create().forPath(number, "0".getBytes());
        AtomicInteger holders = new AtomicInteger();
        AtomicInteger holdersMax = new AtomicInteger();
        curators.together(
                client -> {
                    InterProcessLock lock = maker.make(client);
                    for (int round = 0; round < ROUNDS; round++) {
                        Checks.that(acquire(lock), "acquired");
                        int now = holders.incrementAndGet();
                        holdersMax.accumulateAndGet(now, Math::max);
                        client.sync().forPath(number);
                        String old = new String(client.getData().forPath(number));
                        String next = String.valueOf(Integer.parseInt(old) + 1);
                        client.setData().forPath(number, next.getBytes());
                        holders.decrementAndGet();
                        lock.release();
                    }
                });
        Checks.same(holdersMax.get(), 1);
        CuratorFramework client = curators.shared(0);
        client.sync().forPath(number);
        Checks.same(new String(client.getData().forPath(number)), String.valueOf(4 * ROUNDS));
    }

    private void mutex() throws Exception {
        contend(client -> new InterProcessMutex(client, PATH));
    }

    private void semaphoreMutex() throws Exception {
        contend(client -> new InterProcessSemaphoreMutex(client, PATH));
        InterProcessSemaphoreMutex lock = new InterProcessSemaphoreMutex(curators.shared(0), PATH);
        Checks.that(acquire(lock), "acquired");
        Checks.that(!tryAcquire(lock), "not to be entered again");
        lock.release();
    }

    private void readWriteContention() throws Exception {
        contend(client -> new InterProcessReadWriteLock(client, PATH).writeLock());
    }

    private void reentrant() throws Exception {
        InterProcessMutex first = new InterProcessMutex(curators.shared(0), PATH);
        InterProcessMutex second = new InterProcessMutex(curators.shared(1), PATH);
        Checks.that(acquire(first) && acquire(first), "entered twice");
        first.release();
        Checks.that(first.isOwnedByCurrentThread(), "still owned");
        Checks.that(!tryAcquire(second), "held by the first");
        FutureTask<Boolean> waiting = Curators.inBackground(() -> acquire(second));
        Checks.eventually("two participants", () -> participants(first) == 2);
        first.release();
        Checks.that(waiting.get(Checks.WAIT_MS, TimeUnit.MILLISECONDS), "acquired in turn");
        Checks.that(!first.isAcquiredInThisProcess(), "released");
    }

    private static int participants(InterProcessMutex lock) {
        try {
            return lock.getParticipantNodes().size();
        } catch (Exception failure) {
            throw new IllegalStateException(failure);
        }
    }

    private void revoked() throws Exception {
        InterProcessMutex held = new InterProcessMutex(curators.shared(0), PATH);
        InterProcessMutex wanted = new InterProcessMutex(curators.shared(1), PATH);
        CompletableFuture<Boolean> asked = new CompletableFuture<>();
        held.makeRevocable(lock -> asked.complete(lock == held));
        Checks.that(acquire(held), "acquired");
        FutureTask<Boolean> waiting = Curators.inBackground(() -> acquire(wanted));
        String node = held.getParticipantNodes().iterator().next();
        curators.shared(1).sync().forPath(PATH);
        Revoker.attemptRevoke(curators.shared(1), node);
        Checks.that(asked.get(Checks.WAIT_MS, TimeUnit.MILLISECONDS), "asked to give it up");
        held.release();
        Checks.that(waiting.get(Checks.WAIT_MS, TimeUnit.MILLISECONDS), "acquired in turn");
    }

    private void holderEnds() throws Exception {
        CuratorFramework ending = curators.open(0);
        Checks.that(acquire(new InterProcessMutex(ending, PATH)), "acquired");
        InterProcessMutex next = new InterProcessMutex(curators.shared(1), PATH);
        curators.shared(1).sync().forPath(PATH);
        Checks.that(!tryAcquire(next), "held");
        ending.close();
        Checks.that(acquire(next), "freed with the session");
        next.release();
    }

    private void readWrite() throws Exception {
        InterProcessReadWriteLock first = new InterProcessReadWriteLock(curators.shared(0), PATH);
        InterProcessReadWriteLock second = new InterProcessReadWriteLock(curators.shared(1), PATH);
        Checks.that(acquire(first.readLock()) && acquire(second.readLock()), "many read");
        Checks.that(!tryAcquire(second.writeLock()), "none writes while another reads");
        first.readLock().release();
        second.readLock().release();
        Checks.that(acquire(second.writeLock()), "one writes");
        Checks.that(acquire(second.readLock()), "who writes may read");
        Checks.that(!tryAcquire(first.readLock()), "none reads while another writes");
        second.writeLock().release();
        Checks.that(acquire(first.readLock()), "many read again");
    }

    private void semaphore() throws Exception {
        InterProcessSemaphoreV2 first = new InterProcessSemaphoreV2(curators.shared(0), PATH, 3);
        InterProcessSemaphoreV2 second = new InterProcessSemaphoreV2(curators.shared(1), PATH, 3);
        Collection<Lease> two = first.acquire(2, Checks.WAIT_MS, TimeUnit.MILLISECONDS);
        Lease third = second.acquire(Checks.WAIT_MS, TimeUnit.MILLISECONDS);
        Checks.that(two != null && third != null, "three leases");
        Checks.same(second.acquire(REFUSED_MS, TimeUnit.MILLISECONDS), null);
        FutureTask<Lease> waiting =
                Curators.inBackground(() -> second.acquire(Checks.WAIT_MS, TimeUnit.MILLISECONDS));
        first.returnAll(two);
        Lease fourth = waiting.get(Checks.WAIT_MS, TimeUnit.MILLISECONDS);
        Checks.that(fourth != null, "a returned lease goes to who waits");
        // It may have come before the other of the two was returned.
        curators.shared(1).sync().forPath(PATH);
        Checks.same(second.getParticipantNodes().size(), 2);
        second.returnLease(third);
        second.returnLease(fourth);
    }

    private void semaphoreContention() throws Exception {
        AtomicInteger holders = new AtomicInteger();
        AtomicInteger holdersMax = new AtomicInteger();
        curators.together(
                client -> {
                    InterProcessSemaphoreV2 two = new InterProcessSemaphoreV2(client, PATH, 2);
                    for (int round = 0; round < ROUNDS; round++) {
                        Lease lease = two.acquire(Checks.WAIT_MS, TimeUnit.MILLISECONDS);
                        Checks.that(lease != null, "a lease");
                        holdersMax.accumulateAndGet(holders.incrementAndGet(), Math::max);
                        holders.decrementAndGet();
                        two.returnLease(lease);
                    }
                });
        Checks.that(holdersMax.get() <= 2, holdersMax.get() + " hold two leases");
    }

    private void multiLock() throws Exception {
        List<String> paths = List.of(PATH + "/a", PATH + "/b");
        InterProcessMultiLock both = new InterProcessMultiLock(curators.shared(0), paths);
        InterProcessMutex single = new InterProcessMutex(curators.shared(1), PATH + "/b");
        Checks.that(acquire(both) && both.isAcquiredInThisProcess(), "both");
        Checks.that(!tryAcquire(single), "one of them held");
        both.release();
        Checks.that(acquire(single), "released");
        List<InterProcessLock> mixed = new ArrayList<>();
        mixed.add(new InterProcessMutex(curators.shared(0), PATH + "/a"));
        mixed.add(new InterProcessSemaphoreMutex(curators.shared(0), PATH + "/c"));
        mixed.add(new InterProcessMutex(curators.shared(0), PATH + "/b"));
        Checks.that(!tryAcquire(new InterProcessMultiLock(mixed)), "none when one is missing");
        single.release();
        InterProcessMultiLock all = new InterProcessMultiLock(mixed);
        Checks.that(acquire(all), "all");
        all.release();
    }
}
