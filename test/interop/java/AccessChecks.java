import static org.apache.zookeeper.CreateMode.PERSISTENT;
import static org.apache.zookeeper.CreateMode.PERSISTENT_SEQUENTIAL;
import static org.apache.zookeeper.ZooDefs.Ids.CREATOR_ALL_ACL;
import static org.apache.zookeeper.ZooDefs.Ids.OPEN_ACL_UNSAFE;
import static org.apache.zookeeper.ZooDefs.Ids.READ_ACL_UNSAFE;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.KeeperException.AuthFailedException;
import org.apache.zookeeper.KeeperException.BadVersionException;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.KeeperException.InvalidACLException;
import org.apache.zookeeper.KeeperException.NoAuthException;
import org.apache.zookeeper.KeeperException.NoNodeException;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.OpResult.CreateResult;
import org.apache.zookeeper.Watcher.Event.EventType;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooDefs.Perms;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.ZooKeeper.States;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.ClientInfo;
import org.apache.zookeeper.data.Id;
import org.apache.zookeeper.data.Stat;
import org.apache.zookeeper.server.auth.DigestAuthenticationProvider;

/** Who may do what, and the chroot, which shows a client only a part of the tree. */
final class AccessChecks {
    private static final String ROOT = Servers.ROOT;
    private static final String NODE = ROOT + "/node";

    private final Servers servers;

    private AccessChecks(Servers servers) {
        this.servers = servers;
    }

    static void addTo(Checks checks, Servers servers) {
        AccessChecks access = new AccessChecks(servers);
        checks.add("getACL and setACL with versions", access::readAndUpdate);
        checks.add("ACL of scheme digest, with addAuthInfo", access::digest);
        checks.add("ACL of scheme auth", access::auth);
        checks.add("ACL of scheme ip", access::ip);
        checks.add("each permission alone", access::permissions);
        checks.add("ACLs in a multi", access::inMulti);
        checks.add("an ACL that cannot be", access::invalid);
        checks.add("addAuthInfo of an unknown scheme", access::authFails);
        checks.add("an identity survives a cut connection", access::identitySurvives);
        checks.add("whoAmI", access::whoAmI);
        checks.add("no event of a node that may not be read", access::noEvent);
        checks.add("chroot of every operation", access::chroot);
        checks.add("chroot of watches and events", access::chrootWatches);
        checks.add("chroot that is not there", access::chrootMissing);
    }

    private static List<ACL> digestAcl(String identity, int permissions) throws Exception {
        String id = DigestAuthenticationProvider.generateDigest(identity);
        return acl(permissions, new Id("digest", id));
    }

    private static List<ACL> acl(int permissions, Id id) {
        List<ACL> acl = new ArrayList<>();
        acl.add(new ACL(permissions, id));
        return acl;
    }

    private ZooKeeper openAs(String identity) throws Exception {
        ZooKeeper client = servers.open(new Events());
        client.addAuthInfo("digest", identity.getBytes());
        return client;
    }

    private void readAndUpdate() throws Exception {
        ZooKeeper client = servers.shared();
        Servers.create(client, NODE, "");
        Stat stat = new Stat();
        Checks.same(client.getACL(NODE, stat), OPEN_ACL_UNSAFE);
        Checks.same(stat.getAversion(), 0);
        List<ACL> both = new ArrayList<>(READ_ACL_UNSAFE);
        both.addAll(digestAcl("bob:secret", Perms.ALL));
        Checks.thrown(BadVersionException.class, () -> client.setACL(NODE, both, 1));
        Stat changed = client.setACL(NODE, both, 0);
        Checks.same(changed.getAversion(), 1);
        Checks.same(changed.getVersion(), 0);
        // Who may not change an ACL is not shown the hashes in it.
        String digest = ids(client.getACL(NODE, null)).get(1);
        Checks.same(digest, Perms.ALL + new Id("digest", "bob:x").toString());
        Checks.same(openAs("bob:secret").getACL(NODE, null), both);
        CompletableFuture<Integer> refused = new CompletableFuture<>();
        client.setACL(NODE, both, -1, (rc, path, c, st) -> refused.complete(rc), null);
        int noAuth = Code.NOAUTH.intValue();
        Checks.same(refused.get(Checks.WAIT_MS, TimeUnit.MILLISECONDS), noAuth);
        CompletableFuture<List<ACL>> read = new CompletableFuture<>();
        client.getACL(NODE, null, (rc, path, c, acl, st) -> read.complete(acl), null);
        Checks.same(read.get(Checks.WAIT_MS, TimeUnit.MILLISECONDS).size(), 2);
    }

    private void digest() throws Exception {
        ZooKeeper bob = openAs("bob:secret");
        ZooKeeper stranger = openAs("bob:guess");
        stranger.addAuthInfo("digest", "eve:secret".getBytes());
        bob.create(NODE, "x".getBytes(), digestAcl("bob:secret", Perms.ALL), PERSISTENT);
        Servers.sync(stranger);
        Checks.thrown(NoAuthException.class, () -> Servers.read(stranger, NODE));
        Checks.thrown(NoAuthException.class, () -> stranger.setData(NODE, null, -1));
        Checks.thrown(NoAuthException.class, () -> stranger.getChildren(NODE, false));
        Checks.thrown(NoAuthException.class, () -> Servers.create(stranger, NODE + "/a", ""));
        Checks.same(Servers.read(bob, NODE), "x");
        Servers.create(bob, NODE + "/child", "");
        Servers.sync(stranger);
        Checks.thrown(NoAuthException.class, () -> stranger.delete(NODE + "/child", -1));
        stranger.addAuthInfo("digest", "bob:secret".getBytes());
        stranger.delete(NODE + "/child", -1);
        // The cleaning before the next check is a stranger, too.
        bob.setACL(NODE, OPEN_ACL_UNSAFE, -1);
    }

    private void auth() throws Exception {
        ZooKeeper bob = openAs("bob:secret");
        bob.addAuthInfo("digest", "carol:secret".getBytes());
        bob.create(NODE, null, CREATOR_ALL_ACL, PERSISTENT);
        List<ACL> both = new ArrayList<>(digestAcl("bob:secret", Perms.ALL));
        both.addAll(digestAcl("carol:secret", Perms.ALL));
        Checks.same(new TreeSet<>(ids(bob.getACL(NODE, null))), new TreeSet<>(ids(both)));
        bob.setACL(NODE, OPEN_ACL_UNSAFE, 0);
        ZooKeeper nobody = servers.shared();
        Checks.thrown(
                InvalidACLException.class,
                () -> nobody.create(ROOT + "/none", null, CREATOR_ALL_ACL, PERSISTENT));
    }

    private static List<String> ids(List<ACL> acl) {
        return acl.stream().map(entry -> entry.getPerms() + entry.getId().toString()).toList();
    }

    private void ip() throws Exception {
        ZooKeeper client = servers.shared();
        for (String address : List.of("127.0.0.1", "127.0.0.0/8", "126.0.0.0/7")) {
            List<ACL> acl = acl(Perms.ALL, new Id("ip", address));
            String path = client.create(NODE, null, acl, PERSISTENT_SEQUENTIAL);
            Checks.same(client.getData(path, false, null), null);
            Servers.create(client, path + "/child", "");
        }
        for (String address : List.of("127.0.0.2", "10.0.0.0/8")) {
            List<ACL> acl = acl(Perms.ALL, new Id("ip", address));
            String path = client.create(NODE, null, acl, PERSISTENT_SEQUENTIAL);
            Checks.thrown(NoAuthException.class, () -> Servers.read(client, path));
            client.delete(path, 0);
        }
        Checks.same(client.getChildren(ROOT, false).size(), 3);
    }

    /** With one permission for everybody, what the others allow is refused. */
    private void permissions() throws Exception {
        ZooKeeper client = servers.shared();
        ZooKeeper bob = openAs("bob:secret");
        int[] all = {Perms.READ, Perms.WRITE, Perms.CREATE, Perms.DELETE, Perms.ADMIN};
        for (int permission : all) {
            String path = NODE + permission;
            List<ACL> acl = new ArrayList<>(digestAcl("bob:secret", Perms.ALL));
            acl.add(new ACL(permission, Ids.ANYONE_ID_UNSAFE));
            bob.create(path, null, acl, PERSISTENT);
            Servers.create(bob, path + "/child", "");
            Servers.sync(client);
            allowed(permission == Perms.READ, () -> client.getData(path, false, null));
            allowed(permission == Perms.READ, () -> client.getChildren(path, false));
            allowed(permission == Perms.WRITE, () -> client.setData(path, null, -1));
            allowed(permission == Perms.CREATE, () -> Servers.create(client, path + "/new", ""));
            allowed(permission == Perms.DELETE, () -> client.delete(path + "/child", -1));
            allowed(permission == Perms.ADMIN, () -> client.setACL(path, acl, -1));
            boolean mayReadAcl = permission == Perms.READ || permission == Perms.ADMIN;
            allowed(mayReadAcl, () -> client.getACL(path, null));
            bob.setACL(path, OPEN_ACL_UNSAFE, -1);
        }
    }

    private static void allowed(boolean isAllowed, Checks.Body body) throws Exception {
        if (isAllowed) body.run();
        else Checks.thrown(NoAuthException.class, body);
    }

    private void inMulti() throws Exception {
        ZooKeeper client = servers.shared();
        client.create(NODE, null, READ_ACL_UNSAFE, PERSISTENT);
        List<Op> ops =
                List.of(
                        Op.create(ROOT + "/made", null, OPEN_ACL_UNSAFE, PERSISTENT),
                        Op.setData(NODE, null, -1));
        Checks.thrown(NoAuthException.class, () -> client.multi(ops));
        Checks.same(client.exists(ROOT + "/made", false), null);
        client.multi(List.of(Op.check(NODE, 0), Op.delete(NODE, 0)));
    }

    private void invalid() throws Exception {
        ZooKeeper client = servers.shared();
        List<Id> ids =
                List.of(
                        new Id("nothing", "x"),
                        new Id("world", "someone"),
                        new Id("digest", "without-colon"),
                        new Id("ip", "no address"),
                        new Id("ip", "127.0.0.1/64"));
        for (Id id : ids) {
            List<ACL> acl = acl(Perms.ALL, id);
            Checks.thrown(
                    InvalidACLException.class, () -> client.create(NODE, null, acl, PERSISTENT));
        }
        Checks.same(client.exists(NODE, false), null);
    }

    private void authFails() throws Exception {
        Events events = new Events();
        ZooKeeper client = servers.open(events);
        client.addAuthInfo("nothing", "x".getBytes());
        events.expectState(KeeperState.AuthFailed);
        Checks.thrown(AuthFailedException.class, () -> client.exists(ROOT, false));
        Checks.same(client.getState(), States.AUTH_FAILED);
    }

    private void identitySurvives() throws Exception {
        try (Relay relay = new Relay(servers.next())) {
            Events states = new Events();
            ZooKeeper bob = servers.open(relay.address(), states);
            bob.addAuthInfo("digest", "bob:secret".getBytes());
            bob.create(NODE, "x".getBytes(), CREATOR_ALL_ACL, PERSISTENT);
            relay.lead(servers.next());
            states.expectState(KeeperState.Disconnected);
            states.expectState(KeeperState.SyncConnected);
            Servers.sync(bob);
            Checks.same(Servers.read(bob, NODE), "x");
            bob.setACL(NODE, OPEN_ACL_UNSAFE, -1);
        }
    }

    private void whoAmI() throws Exception {
        ZooKeeper client = openAs("bob:secret");
        TreeSet<String> known = new TreeSet<>();
        for (ClientInfo info : client.whoAmI()) {
            known.add(info.getAuthScheme() + ":" + info.getUser());
        }
        Checks.same(known, new TreeSet<>(List.of("digest:bob", "ip:127.0.0.1")));
    }

    private void noEvent() throws Exception {
        ZooKeeper client = servers.shared();
        ZooKeeper bob = openAs("bob:secret");
        Servers.create(bob, NODE, "");
        Servers.sync(client);
        Events events = new Events();
        client.getData(NODE, events, null);
        bob.setACL(NODE, CREATOR_ALL_ACL, -1);
        bob.setData(NODE, null, -1);
        events.expectNoMore(client);
        bob.setACL(NODE, OPEN_ACL_UNSAFE, -1);
    }

    private void chroot() throws Exception {
        ZooKeeper whole = servers.shared();
        Servers.create(whole, NODE, "top");
        ZooKeeper part = servers.open(servers.next() + NODE, new Events());
        Servers.sync(part);
        Checks.same(Servers.read(part, "/"), "top");
        Checks.same(Servers.create(part, "/a", "1"), "/a");
        String item = part.create("/a/n-", null, OPEN_ACL_UNSAFE, PERSISTENT_SEQUENTIAL);
        Checks.same(item, "/a/n-0000000000");
        Checks.same(part.getChildren("/a", false), List.of("n-0000000000"));
        Checks.same(part.getAllChildrenNumber("/"), 2);
        List<Op> ops =
                List.of(
                        Op.create("/b", null, OPEN_ACL_UNSAFE, PERSISTENT),
                        Op.setData("/a", "2".getBytes(), 0));
        // This client leaves the chroot in what a multi has created.
        Checks.same(((CreateResult) part.multi(ops).get(0)).getPath(), NODE + "/b");
        Checks.same(part.setACL("/b", READ_ACL_UNSAFE, 0).getAversion(), 1);
        Servers.sync(whole);
        Checks.same(Servers.read(whole, NODE + "/a"), "2");
        Checks.same(whole.getACL(NODE + "/b", null), READ_ACL_UNSAFE);
        NoNodeException missing =
                Checks.thrown(NoNodeException.class, () -> Servers.read(part, "/none"));
        Checks.same(missing.getPath(), "/none");
        part.delete(item, 0);
        Checks.same(part.exists(item, false), null);
    }

    private void chrootWatches() throws Exception {
        ZooKeeper whole = servers.shared();
        Servers.create(whole, NODE, "");
        try (Relay relay = new Relay(servers.next())) {
            Events states = new Events();
            ZooKeeper part = servers.open(relay.address() + NODE, states);
            Servers.sync(part);
            Events events = new Events();
            part.exists("/a", events);
            part.getChildren("/", events);
            Servers.create(whole, NODE + "/a", "");
            events.expect(EventType.NodeCreated, "/a");
            events.expect(EventType.NodeChildrenChanged, "/");
            Events lasting = new Events();
            part.addWatch("/", lasting, AddWatchMode.PERSISTENT_RECURSIVE);
            part.getData("/a", events, null);
            relay.lead(servers.next());
            states.expectState(KeeperState.Disconnected);
            states.expectState(KeeperState.SyncConnected);
            Servers.sync(part);
            whole.setData(NODE + "/a", null, -1);
            events.expect(EventType.NodeDataChanged, "/a");
            lasting.expect(EventType.NodeDataChanged, "/a");
        }
    }

    private void chrootMissing() throws Exception {
        ZooKeeper part = servers.open(servers.next() + NODE + "/deep", new Events());
        Checks.thrown(NoNodeException.class, () -> part.getChildren("/", false));
        Checks.thrown(NoNodeException.class, () -> Servers.create(part, "/a", ""));
        ZooKeeper whole = servers.shared();
        Servers.create(whole, NODE, "");
        Servers.create(whole, NODE + "/deep", "");
        Servers.sync(part);
        Servers.create(part, "/a", "");
    }
}
