import java.util.List;

/** The original's Java client against the servers named by the first argument, {@code host:port,...}. */
public final class JavaClientSuite {
    private JavaClientSuite() {}

    public static void main(String[] args) {
        Checks checks = new Checks();
        Servers servers = new Servers(List.of(args[0].split(",")), checks);
        NodeChecks.addTo(checks, servers);
        BatchChecks.addTo(checks, servers);
        WatchChecks.addTo(checks, servers);
        AccessChecks.addTo(checks, servers);
        SessionChecks.addTo(checks, servers);
        // A second argument picks the checks whose names contain it.
        System.exit(checks.run(args.length > 1 ? args[1] : "", servers::clear));
    }
}
