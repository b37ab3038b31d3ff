import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooKeeper;

/** Keeps what a watcher is told, changes of nodes and of the session apart. */
final class Events implements Watcher {
    private final BlockingQueue<WatchedEvent> changes = new LinkedBlockingQueue<>();
    private final BlockingQueue<Event.KeeperState> states = new LinkedBlockingQueue<>();

    @Override
    public void process(WatchedEvent event) {
        if (event.getType() == Event.EventType.None) states.add(event.getState());
        else changes.add(event);
    }

    /** The next event must be this one. */
    void expect(Event.EventType type, String path) throws InterruptedException {
        WatchedEvent event = changes.poll(Checks.WAIT_MS, TimeUnit.MILLISECONDS);
        Checks.that(event != null, "no event " + type + " " + path);
        Checks.same(event.getType() + " " + event.getPath(), type + " " + path);
    }

    /** No event is left, nor on its way from the server. */
    void expectNoMore(ZooKeeper client) throws Exception {
        Servers.sync(client);
        Checks.same(changes.peek(), null);
    }

    int count() {
        return changes.size();
    }

    /** Skips states until this one comes. */
    void expectState(Event.KeeperState wanted) throws InterruptedException {
        Event.KeeperState state;
        do {
            state = states.poll(Checks.WAIT_MS, TimeUnit.MILLISECONDS);
            Checks.that(state != null, "never " + wanted);
        } while (state != wanted);
    }
}
