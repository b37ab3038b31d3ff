import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.HashSet;
import java.util.Set;

/** Stands between a client and a server, so that a check can cut the connection and lead it elsewhere. */
final class Relay implements AutoCloseable {
    private final ServerSocket listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final Set<Socket> sockets = new HashSet<>();
    /** {@code host:port}; null while the client is to reach nothing. */
    private String target;

    Relay(String target) throws IOException {
        this.target = target;
        startDaemon(this::accept);
    }

    String address() {
        return "127.0.0.1:" + listener.getLocalPort();
    }

    /** Cuts all connections and refuses new ones. */
    synchronized void cut() throws IOException {
        target = null;
        for (Socket socket : sockets) socket.close();
        sockets.clear();
    }

    /** Leaves connections as they are, and refuses new ones. */
    synchronized void refuse() {
        target = null;
    }

    /** Cuts all connections, and leads new ones to that server. */
    synchronized void lead(String address) throws IOException {
        cut();
        target = address;
    }

    @Override
    public void close() throws IOException {
        listener.close();
        cut();
    }

    private void accept() {
        try {
            while (true) join(listener.accept());
        } catch (IOException closed) {
            // Nobody needs it any more.
        }
    }

    private synchronized void join(Socket client) throws IOException {
        if (target == null) {
            client.close();
            return;
        }
        String[] parts = target.split(":");
        Socket server = new Socket(parts[0], Integer.parseInt(parts[1]));
        sockets.add(client);
        sockets.add(server);
        startDaemon(() -> pump(client, server));
        startDaemon(() -> pump(server, client));
    }

    private static void pump(Socket from, Socket to) {
        try (from;
                to) {
            InputStream input = from.getInputStream();
            OutputStream output = to.getOutputStream();
            byte[] buffer = new byte[65_536];
            for (int count = input.read(buffer); count >= 0; count = input.read(buffer)) {
                output.write(buffer, 0, count);
            }
        } catch (IOException cut) {
            // Either side may end the connection at any time.
        }
    }

    private static void startDaemon(Runnable body) {
        Thread thread = new Thread(body, "relay");
        thread.setDaemon(true);
        thread.start();
    }
}
