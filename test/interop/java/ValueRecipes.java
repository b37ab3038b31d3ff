import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.atomic.AtomicValue;
import org.apache.curator.framework.recipes.atomic.CachedAtomicLong;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicInteger;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicLong;
import org.apache.curator.framework.recipes.atomic.PromotedToLock;
import org.apache.curator.framework.recipes.queue.DistributedDelayQueue;
import org.apache.curator.framework.recipes.queue.DistributedIdQueue;
import org.apache.curator.framework.recipes.queue.DistributedPriorityQueue;
import org.apache.curator.framework.recipes.queue.DistributedQueue;
import org.apache.curator.framework.recipes.queue.QueueBuilder;
import org.apache.curator.framework.recipes.queue.QueueConsumer;
import org.apache.curator.framework.recipes.queue.QueueSerializer;
import org.apache.curator.framework.recipes.queue.SimpleDistributedQueue;
import org.apache.curator.framework.recipes.shared.SharedCount;
import org.apache.curator.framework.recipes.shared.SharedValue;
import org.apache.curator.framework.recipes.shared.VersionedValue;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.retry.RetryNTimes;

/** Curator's counters and queues, used by clients at different servers. */
final class ValueRecipes {
    private static final String PATH = Curators.ROOT + "/value";
    private static final RetryNTimes RETRIES = new RetryNTimes(100, 5);

    private final Checks checks;
    private final Curators curators;

    private ValueRecipes(Checks checks, Curators curators) {
        this.checks = checks;
        this.curators = curators;
    }

    static void addTo(Checks checks, Curators curators) {
        ValueRecipes values = new ValueRecipes(checks, curators);
        checks.add("SharedCount", values::sharedCount);
        checks.add("SharedValue", values::sharedValue);
        checks.add("DistributedAtomicLong under contention", values::atomicLong);
        checks.add("DistributedAtomicLong promoted to a lock", values::promoted);
        checks.add("DistributedAtomicInteger and CachedAtomicLong", values::otherNumbers);
        checks.add("SimpleDistributedQueue", values::simpleQueue);
        checks.add("DistributedQueue with two consumers", values::queue);
        checks.add("DistributedQueue with a lock", values::lockingQueue);
        checks.add("DistributedPriorityQueue", values::priorityQueue);
        checks.add("DistributedIdQueue", values::idQueue);
        checks.add("DistributedDelayQueue", values::delayQueue);
    }

    private void sharedCount() throws Exception {
        SharedCount first = checks.closing(new SharedCount(curators.shared(0), PATH, 7));
        SharedCount second = checks.closing(new SharedCount(curators.shared(1), PATH, 9));
        first.start();
        curators.shared(1).sync().forPath("/");
        second.start();
        Checks.same(second.getCount(), 7);
        VersionedValue<Integer> old = second.getVersionedValue();
        first.setCount(8);
        Checks.eventually("the change", () -> second.getCount() == 8);
        Checks.that(!second.trySetCount(old, 10), "another was faster");
        Checks.that(second.trySetCount(second.getVersionedValue(), 10), "none was faster");
        Checks.eventually("the change", () -> first.getCount() == 10);
    }

    private void sharedValue() throws Exception {
        SharedValue first = checks.closing(new SharedValue(curators.shared(0), PATH, new byte[1]));
        SharedValue second = checks.closing(new SharedValue(curators.shared(1), PATH, new byte[1]));
        first.start();
        second.start();
        first.setValue("text".getBytes());
        Checks.eventually("the change", () -> new String(second.getValue()).equals("text"));
    }

    private void atomicLong() throws Exception {
        curators.together(
                client -> {
                    DistributedAtomicLong number = new DistributedAtomicLong(client, PATH, RETRIES);
                    for (int round = 0; round < 10; round++) add(number);
                });
        CuratorFramework client = curators.shared(0);
        client.sync().forPath("/");
        DistributedAtomicLong number = new DistributedAtomicLong(client, PATH, RETRIES);
        Checks.same(number.get().postValue(), 40L);
        Checks.that(!number.compareAndSet(39L, 1L).succeeded(), "it is not 39");
        Checks.that(number.compareAndSet(40L, 1L).succeeded(), "it is 40");
        Checks.that(!number.initialize(5L), "it has a value");
        number.forceSet(Long.MIN_VALUE);
        Checks.same(number.subtract(-1L).postValue(), Long.MIN_VALUE + 1);
    }

    private static void add(DistributedAtomicLong number) throws Exception {
        AtomicValue<Long> result = number.increment();
        Checks.that(result.succeeded(), "added");
        Checks.same(result.postValue(), result.preValue() + 1);
    }

    private void promoted() throws Exception {
        PromotedToLock lock =
                PromotedToLock.builder()
                        .lockPath(Curators.ROOT + "/lock")
                        .retryPolicy(RETRIES)
                        .timeout(Checks.WAIT_MS, TimeUnit.MILLISECONDS)
                        .build();
        curators.together(
                client -> {
                    RetryNTimes once = new RetryNTimes(0, 0);
                    DistributedAtomicLong number =
                            new DistributedAtomicLong(client, PATH, once, lock);
                    for (int round = 0; round < 5; round++) add(number);
                });
        CuratorFramework client = curators.shared(0);
        client.sync().forPath("/");
        Checks.same(new DistributedAtomicLong(client, PATH, RETRIES).get().postValue(), 20L);
    }

    private void otherNumbers() throws Exception {
        CuratorFramework client = curators.shared(0);
        DistributedAtomicInteger integer =
                new DistributedAtomicInteger(client, PATH + "/integer", RETRIES);
        Checks.that(integer.initialize(3), "initialized");
        Checks.same(integer.add(4).postValue(), 7);
        Checks.same(integer.decrement().postValue(), 6);
        DistributedAtomicLong number = new DistributedAtomicLong(client, PATH + "/long", RETRIES);
        CachedAtomicLong cached = new CachedAtomicLong(number, 10);
        for (long expected = 1; expected <= 12; expected++) {
            Checks.same(cached.next().postValue(), expected);
        }
        Checks.same(number.get().postValue(), 20L);
    }

    private void simpleQueue() throws Exception {
        SimpleDistributedQueue in = new SimpleDistributedQueue(curators.shared(0), PATH);
        SimpleDistributedQueue out = new SimpleDistributedQueue(curators.shared(1), PATH);
        for (String item : List.of("a", "b", "c", "d")) Checks.that(in.offer(item.getBytes()), item);
        curators.shared(1).sync().forPath("/");
        Checks.same(new String(out.peek()), "a");
        Checks.same(new String(out.element()), "a");
        Checks.same(new String(out.remove()), "a");
        Checks.same(new String(out.poll()), "b");
        Checks.same(new String(out.take()), "c");
        Checks.same(new String(out.poll(1, TimeUnit.SECONDS)), "d");
        Checks.same(out.poll(50, TimeUnit.MILLISECONDS), null);
    }

    private static final class Text implements QueueSerializer<String> {
        @Override
        public byte[] serialize(String item) {
            return item.getBytes();
        }

        @Override
        public String deserialize(byte[] bytes) {
            return new String(bytes);
        }
    }

    private static final class Taken implements QueueConsumer<String> {
        final List<String> items = Collections.synchronizedList(new ArrayList<>());

        @Override
        public void consumeMessage(String item) {
            items.add(item);
        }

        @Override
        public void stateChanged(CuratorFramework client, ConnectionState state) {
            // The checks with queues lose no connection.
        }
    }

    private QueueBuilder<String> builder(int client, Taken taken) {
        return QueueBuilder.builder(curators.shared(client), taken, new Text(), PATH);
    }

    private void queue() throws Exception {
        consumeWithTwo(false);
    }

    private void lockingQueue() throws Exception {
        consumeWithTwo(true);
    }

    /** Every item is consumed, and by one of the two only. */
    private void consumeWithTwo(boolean isLocking) throws Exception {
        List<Taken> both = List.of(new Taken(), new Taken());
        List<DistributedQueue<String>> queues = new ArrayList<>();
        for (int number = 0; number < 2; number++) {
            QueueBuilder<String> builder = builder(number, both.get(number));
            if (isLocking) builder = builder.lockPath(Curators.ROOT + "/lock");
            DistributedQueue<String> queue = checks.closing(builder.buildQueue());
            queue.start();
            queues.add(queue);
        }
        List<String> put = new ArrayList<>();
        for (int number = 0; number < 40; number++) {
            put.add("item" + number);
            queues.get(number % 2).put("item" + number);
        }
        Iterator<String> more = List.of("more1", "more2").iterator();
        queues.get(0).putMulti(() -> more.hasNext() ? more.next() : null);
        put.addAll(List.of("more1", "more2"));
        AtomicInteger count = new AtomicInteger();
        Checks.eventually(
                "all are taken",
                () -> {
                    count.set(both.get(0).items.size() + both.get(1).items.size());
                    return count.get() >= put.size();
                });
        List<String> all = new ArrayList<>(both.get(0).items);
        all.addAll(both.get(1).items);
        Checks.same(all.size(), put.size());
        Checks.same(new HashSet<>(all), new HashSet<>(put));
    }

    private void priorityQueue() throws Exception {
        DistributedPriorityQueue<String> in =
                checks.closing(builder(0, null).buildPriorityQueue(0));
        in.start();
        for (int priority : List.of(5, 1, 3, -2, 4)) in.put("of " + priority, priority);
        Checks.that(in.flushPuts(Checks.WAIT_MS, TimeUnit.MILLISECONDS), "all put");
        curators.shared(1).sync().forPath("/");
        Taken taken = new Taken();
        DistributedPriorityQueue<String> out =
                checks.closing(builder(1, taken).executor(Runnable::run).buildPriorityQueue(0));
        out.start();
        Checks.eventually("all are taken", () -> taken.items.size() == 5);
        Checks.same(taken.items, List.of("of -2", "of 1", "of 3", "of 4", "of 5"));
    }

    private void idQueue() throws Exception {
        DistributedIdQueue<String> in = checks.closing(builder(0, null).buildIdQueue());
        in.start();
        for (String id : List.of("a", "b", "c")) in.put("item " + id, id);
        Checks.that(in.flushPuts(Checks.WAIT_MS, TimeUnit.MILLISECONDS), "all put");
        Checks.same(in.remove("b"), 1);
        curators.shared(1).sync().forPath("/");
        Taken taken = new Taken();
        DistributedIdQueue<String> out =
                checks.closing(builder(1, taken).executor(Runnable::run).buildIdQueue());
        out.start();
        Checks.eventually("both are taken", () -> taken.items.size() == 2);
        Checks.same(taken.items, List.of("item a", "item c"));
    }

    private void delayQueue() throws Exception {
        Taken taken = new Taken();
        DistributedDelayQueue<String> out = checks.closing(builder(1, taken).buildDelayQueue());
        DistributedDelayQueue<String> in = checks.closing(builder(0, null).buildDelayQueue());
        in.start();
        long now = System.currentTimeMillis();
        in.put("late", now + 700);
        in.put("soon", now + 200);
        Checks.that(in.flushPuts(Checks.WAIT_MS, TimeUnit.MILLISECONDS), "both put");
        curators.shared(1).sync().forPath("/");
        out.start();
        Checks.eventually("both are taken", () -> taken.items.size() == 2);
        Checks.that(System.currentTimeMillis() >= now + 700, "not before its time");
        Checks.same(taken.items, List.of("soon", "late"));
        // One that comes while it waits.
        in.put("last", System.currentTimeMillis() + 100);
        Checks.eventually("it is taken", () -> taken.items.size() == 3);
    }
}
