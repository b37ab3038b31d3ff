import java.util.List;

/** Curator's recipes against the servers named by the first argument, {@code host:port,...}. */
public final class CuratorSuite {
    private CuratorSuite() {}

    public static void main(String[] args) {
        Checks checks = new Checks();
        Curators curators = new Curators(List.of(args[0].split(",")), checks);
        FrameworkChecks.addTo(checks, curators);
        LockRecipes.addTo(checks, curators);
        ElectionRecipes.addTo(checks, curators);
        CacheRecipes.addTo(checks, curators);
        ValueRecipes.addTo(checks, curators);
        // A second argument picks the checks whose names contain it.
        System.exit(checks.run(args.length > 1 ? args[1] : "", curators::clear));
    }
}
