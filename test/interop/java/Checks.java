import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;

/**
 * Runs checks one after the other and prints a line for each: {@code ok NAME}, or
 * {@code not ok NAME: REASON} with the stack on standard error. What a check opened is closed behind
 * it, whether it held or not.
 */
final class Checks {
    /** How long anything that should happen may take. */
    static final long WAIT_MS = 15_000;
    private static final long CHECK_LIMIT_MS = 30_000;
    private static final long POLL_MS = 10;

    /** What a check does; it holds when nothing is thrown. */
    interface Body {
        void run() throws Exception;
    }

    private final Map<String, Body> bodies = new LinkedHashMap<>();
    private final List<AutoCloseable> opened = new ArrayList<>();

    void add(String name, Body body) {
        if (bodies.put(name, body) != null) throw new IllegalArgumentException(name);
    }

    /** Closes it behind the check that is running; what was opened last is closed first. */
    synchronized <T extends AutoCloseable> T closing(T resource) {
        opened.add(0, resource);
        return resource;
    }

    /** Runs those whose name contains the text, {@code before} ahead of each; returns the exit code. */
    int run(String wanted, Body before) {
        int failures = 0;
        for (Map.Entry<String, Body> entry : bodies.entrySet()) {
            if (!entry.getKey().contains(wanted)) continue;
            try {
                before.run();
                runLimited(entry.getValue());
                System.out.println("ok " + entry.getKey());
            } catch (Throwable reason) {
                failures++;
                reason.printStackTrace();
                String text = String.valueOf(reason).replace('\n', ' ');
                System.out.println("not ok " + entry.getKey() + ": " + text);
            } finally {
                closeOpened();
            }
            System.out.flush();
        }
        return failures == 0 ? 0 : 1;
    }

    /** A check that hangs must not hide the others: it fails with the place where it hangs. */
    private static void runLimited(Body body) throws Throwable {
        FutureTask<Void> task =
                new FutureTask<>(
                        () -> {
                            body.run();
                            return null;
                        });
        Thread thread = new Thread(task, "check");
        thread.start();
        try {
            task.get(CHECK_LIMIT_MS, TimeUnit.MILLISECONDS);
        } catch (ExecutionException failed) {
            throw failed.getCause();
        } catch (TimeoutException late) {
            AssertionError hangs = new AssertionError("hangs");
            hangs.setStackTrace(thread.getStackTrace());
            thread.interrupt();
            throw hangs;
        }
    }

    private synchronized void closeOpened() {
        for (AutoCloseable resource : opened) {
            try {
                resource.close();
            } catch (Exception reason) {
                // The check has been judged; a resource that it broke on purpose may not close.
                reason.printStackTrace();
            }
        }
        opened.clear();
    }

    static void that(boolean holds, Object what) {
        if (!holds) throw new AssertionError(what);
    }

    static void same(Object actual, Object expected) {
        if (!java.util.Objects.equals(actual, expected)) {
            throw new AssertionError("expected " + expected + ", got " + actual);
        }
    }

    static void eventually(String what, BooleanSupplier condition) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(WAIT_MS);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) throw new AssertionError("never: " + what);
            Thread.sleep(POLL_MS);
        }
    }

    /** Runs it, wants it to throw that very class of exception, and returns what it threw. */
    static <T extends Exception> T thrown(Class<T> kind, Body body) throws Exception {
        try {
            body.run();
        } catch (Exception exception) {
            if (exception.getClass() == kind) return kind.cast(exception);
            throw new AssertionError("expected " + kind.getName() + ", got " + exception, exception);
        }
        throw new AssertionError("expected " + kind.getName() + ", got none");
    }
}
