import static org.apache.zookeeper.CreateMode.CONTAINER;
import static org.apache.zookeeper.CreateMode.EPHEMERAL_SEQUENTIAL;
import static org.apache.zookeeper.CreateMode.PERSISTENT;
import static org.apache.zookeeper.CreateMode.PERSISTENT_SEQUENTIAL;
import static org.apache.zookeeper.CreateMode.PERSISTENT_WITH_TTL;
import static org.apache.zookeeper.ZooDefs.Ids.OPEN_ACL_UNSAFE;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.KeeperException.BadVersionException;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.KeeperException.NoNodeException;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.OpResult;
import org.apache.zookeeper.OpResult.CreateResult;
import org.apache.zookeeper.OpResult.ErrorResult;
import org.apache.zookeeper.OpResult.GetChildrenResult;
import org.apache.zookeeper.OpResult.GetDataResult;
import org.apache.zookeeper.OpResult.SetDataResult;
import org.apache.zookeeper.ZooKeeper;

/** Many operations at once: multi, multiRead, transactions, and requests sent without waiting. */
final class BatchChecks {
    private static final String ROOT = Servers.ROOT;
    private static final int PIPELINED = 10_000;

    private final Servers servers;

    private BatchChecks(Servers servers) {
        this.servers = servers;
    }

    static void addTo(Checks checks, Servers servers) {
        BatchChecks batches = new BatchChecks(servers);
        checks.add("multi with every operation", batches::multi);
        checks.add("multi with containers and times to live", batches::multiModes);
        checks.add("multi, all or nothing", batches::multiRefused);
        checks.add("multi asynchronously, and an empty one", batches::multiAsynchronously);
        checks.add("multi of 2000 operations", batches::multiLarge);
        checks.add("multiRead", batches::multiRead);
        checks.add("transaction", batches::transaction);
        checks.add("10,000 pipelined operations in order", batches::pipelined);
        checks.add("10,000 pipelined operations of four clients", batches::pipelinedTogether);
    }

    private static Op create(String path) {
        return Op.create(path, path.getBytes(), OPEN_ACL_UNSAFE, PERSISTENT);
    }

    private void multi() throws Exception {
        ZooKeeper client = servers.shared();
        Servers.create(client, ROOT + "/old", "");
        List<OpResult> results =
                client.multi(
                        List.of(
                                Op.check(ROOT + "/old", 0),
                                create(ROOT + "/new"),
                                Op.create(ROOT + "/new/n-", null, OPEN_ACL_UNSAFE, PERSISTENT_SEQUENTIAL),
                                Op.create(ROOT + "/new/n-", null, OPEN_ACL_UNSAFE, EPHEMERAL_SEQUENTIAL),
                                Op.setData(ROOT + "/new", "changed".getBytes(), 0),
                                Op.check(ROOT + "/new", 1),
                                Op.delete(ROOT + "/old", 0)));
        Checks.same(results.size(), 7);
        Checks.same(((CreateResult) results.get(1)).getPath(), ROOT + "/new");
        Checks.same(((CreateResult) results.get(2)).getPath(), ROOT + "/new/n-0000000000");
        Checks.same(((CreateResult) results.get(3)).getPath(), ROOT + "/new/n-0000000001");
        Checks.same(((SetDataResult) results.get(4)).getStat().getVersion(), 1);
        Checks.same(client.exists(ROOT + "/old", false), null);
        // The parts are one transaction, so they bear the same zxid.
        long zxid = client.exists(ROOT + "/new", false).getCzxid();
        Checks.same(client.exists(ROOT + "/new", false).getMzxid(), zxid);
        Checks.same(client.exists(ROOT + "/new/n-0000000001", false).getCzxid(), zxid);
        Checks.same(Servers.read(client, ROOT + "/new"), "changed");
    }

    private void multiModes() throws Exception {
        ZooKeeper client = servers.shared();
        List<OpResult> results =
                client.multi(
                        List.of(
                                Op.create(ROOT + "/box", null, OPEN_ACL_UNSAFE, CONTAINER),
                                Op.create(ROOT + "/box/in", null, OPEN_ACL_UNSAFE, PERSISTENT),
                                Op.create(ROOT + "/ttl", null, OPEN_ACL_UNSAFE, PERSISTENT_WITH_TTL, 3_600_000)));
        Checks.same(((CreateResult) results.get(0)).getPath(), ROOT + "/box");
        Checks.same(((CreateResult) results.get(2)).getPath(), ROOT + "/ttl");
        Servers.sync(client);
        Checks.that(client.exists(ROOT + "/box/in", false) != null, "made");
    }

    private void multiRefused() throws Exception {
        ZooKeeper client = servers.shared();
        Servers.create(client, ROOT + "/kept", "old");
        List<Op> ops =
                List.of(
                        create(ROOT + "/never"),
                        Op.setData(ROOT + "/kept", null, -1),
                        Op.delete(ROOT + "/kept", 9),
                        create(ROOT + "/neither"));
        BadVersionException refused =
                Checks.thrown(BadVersionException.class, () -> client.multi(ops));
        List<Integer> codes = new ArrayList<>();
        for (OpResult result : refused.getResults()) codes.add(((ErrorResult) result).getErr());
        int behind = Code.RUNTIMEINCONSISTENCY.intValue();
        Checks.same(codes, List.of(0, 0, Code.BADVERSION.intValue(), behind));
        Checks.same(client.getChildren(ROOT, false), List.of("kept"));
        Checks.same(Servers.read(client, ROOT + "/kept"), "old");
        Checks.thrown(
                NoNodeException.class, () -> client.multi(List.of(Op.check(ROOT + "/no", -1))));
    }

    private void multiAsynchronously() throws Exception {
        ZooKeeper client = servers.shared();
        CompletableFuture<Integer> made = new CompletableFuture<>();
        client.multi(
                List.of(create(ROOT + "/a"), create(ROOT + "/a/b")),
                (rc, path, context, results) -> made.complete(results.size()),
                null);
        Checks.same(made.get(Checks.WAIT_MS, TimeUnit.MILLISECONDS), 2);
        CompletableFuture<Integer> refused = new CompletableFuture<>();
        client.multi(
                List.of(create(ROOT + "/a")),
                (rc, path, context, results) -> refused.complete(rc),
                null);
        int exists = Code.NODEEXISTS.intValue();
        Checks.same(refused.get(Checks.WAIT_MS, TimeUnit.MILLISECONDS), exists);
        Checks.same(client.multi(List.of()), List.of());
    }

    private void multiLarge() throws Exception {
        ZooKeeper client = servers.shared();
        ZooKeeper other = servers.shared();
        List<Op> creates = new ArrayList<>();
        List<Op> deletes = new ArrayList<>();
        for (int number = 0; number < 2000; number++) {
            creates.add(create(ROOT + "/" + number));
            deletes.add(Op.delete(ROOT + "/" + number, 0));
        }
        Checks.same(client.multi(creates).size(), 2000);
        Servers.sync(other);
        Checks.same(other.getChildren(ROOT, false).size(), 2000);
        Checks.same(other.multi(deletes).size(), 2000);
        Checks.same(other.getChildren(ROOT, false), List.of());
    }

    private void multiRead() throws Exception {
        ZooKeeper client = servers.shared();
        client.multi(List.of(create(ROOT + "/a"), create(ROOT + "/a/b"), create(ROOT + "/a/c")));
        List<OpResult> results =
                client.multi(
                        List.of(
                                Op.getData(ROOT + "/a"),
                                Op.getChildren(ROOT + "/a"),
                                Op.getData(ROOT + "/no"),
                                Op.getData(ROOT + "/a/b")));
        GetDataResult data = (GetDataResult) results.get(0);
        Checks.same(new String(data.getData()), ROOT + "/a");
        Checks.same(data.getStat(), client.exists(ROOT + "/a", false));
        List<String> names = new ArrayList<>(((GetChildrenResult) results.get(1)).getChildren());
        Collections.sort(names);
        Checks.same(names, List.of("b", "c"));
        // Unlike a change, a read that fails leaves the others alone.
        Checks.same(((ErrorResult) results.get(2)).getErr(), Code.NONODE.intValue());
        Checks.same(new String(((GetDataResult) results.get(3)).getData()), ROOT + "/a/b");
        Checks.thrown(
                IllegalArgumentException.class,
                () -> client.multi(List.of(Op.getData(ROOT), Op.delete(ROOT, -1))));
    }

    private void transaction() throws Exception {
        ZooKeeper client = servers.shared();
        List<OpResult> results =
                client.transaction()
                        .create(ROOT + "/a", null, OPEN_ACL_UNSAFE, PERSISTENT)
                        .setData(ROOT + "/a", "x".getBytes(), 0)
                        .check(ROOT + "/a", 1)
                        .create(ROOT + "/b", null, OPEN_ACL_UNSAFE, PERSISTENT)
                        .delete(ROOT + "/b", 0)
                        .commit();
        Checks.same(results.size(), 5);
        Checks.same(Servers.read(client, ROOT + "/a"), "x");
        CompletableFuture<Integer> code = new CompletableFuture<>();
        client.transaction()
                .delete(ROOT + "/a", 1)
                .delete(ROOT + "/b", -1)
                .commit((rc, path, context, list) -> code.complete(rc), null);
        int missing = Code.NONODE.intValue();
        Checks.same(code.get(Checks.WAIT_MS, TimeUnit.MILLISECONDS), missing);
        Checks.that(client.exists(ROOT + "/a", false) != null, "nothing of it happened");
    }

    /** Every fourth is a read, and must show what was written right before it. */
    private void pipelined() throws Exception {
        ZooKeeper client = servers.shared();
        client.create(ROOT + "/node", "x".getBytes(), OPEN_ACL_UNSAFE, PERSISTENT);
        List<Integer> answered = Collections.synchronizedList(new ArrayList<>());
        List<String> wrong = Collections.synchronizedList(new ArrayList<>());
        for (int number = 0; number < PIPELINED; number++) {
            int mine = number;
            byte[] data = String.valueOf(number).getBytes();
            switch (number % 4) {
                case 0 ->
                        client.setData(
                                ROOT + "/node",
                                data,
                                number / 4,
                                (rc, p, c, stat) -> note(answered, wrong, mine, rc == 0),
                                null);
                case 1 ->
                        client.getData(
                                ROOT + "/node",
                                false,
                                (rc, p, c, found, stat) ->
                                        note(
                                                answered,
                                                wrong,
                                                mine,
                                                new String(found).equals(String.valueOf(mine - 1))),
                                null);
                case 2 ->
                        client.create(
                                ROOT + "/n" + number,
                                null,
                                OPEN_ACL_UNSAFE,
                                PERSISTENT,
                                (rc, p, c, name) -> note(answered, wrong, mine, rc == 0),
                                null);
                default ->
                        client.delete(
                                ROOT + "/n" + (number - 1),
                                0,
                                (rc, p, c) -> note(answered, wrong, mine, rc == 0),
                                null);
            }
        }
        Servers.sync(client);
        Checks.same(wrong, List.of());
        Checks.same(answered.size(), PIPELINED);
        for (int number = 0; number < PIPELINED; number++) Checks.same(answered.get(number), number);
    }

    private static void note(List<Integer> answered, List<String> wrong, int number, boolean holds) {
        answered.add(number);
        if (!holds) wrong.add("answer " + number);
    }

    private void pipelinedTogether() throws Exception {
        List<ZooKeeper> clients = new ArrayList<>();
        for (int index = 0; index < 4; index++) clients.add(servers.open(new Events()));
        List<List<String>> names = new ArrayList<>();
        for (ZooKeeper client : clients) names.add(Collections.synchronizedList(new ArrayList<>()));
        for (int number = 0; number < PIPELINED / clients.size(); number++) {
            for (int index = 0; index < clients.size(); index++) {
                List<String> mine = names.get(index);
                clients.get(index)
                        .create(
                                ROOT + "/n-",
                                null,
                                OPEN_ACL_UNSAFE,
                                PERSISTENT_SEQUENTIAL,
                                (rc, path, context, name) -> mine.add(name),
                                null);
            }
        }
        for (ZooKeeper client : clients) Servers.sync(client);
        List<String> all = new ArrayList<>();
        for (List<String> mine : names) {
            List<String> sorted = new ArrayList<>(mine);
            Collections.sort(sorted);
            Checks.same(mine, sorted);
            all.addAll(mine);
        }
        Collections.sort(all);
        for (int number = 0; number < PIPELINED; number++) {
            Checks.same(all.get(number), String.format("%s/n-%010d", ROOT, number));
        }
    }
}
