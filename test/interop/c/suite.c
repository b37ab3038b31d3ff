/*
 * Runs the checks of the other files against the servers named on the command line, and prints a
 * line for each: `ok NAME` or `not ok NAME: REASON`. The exit code is 0 when all are ok.
 */

#include "suite.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define SERVERS_MAX 8
#define REASON_MAX 512

static char *servers[SERVERS_MAX];
static int server_count;
static const char *connect_string;

static jmp_buf end_of_check;
static char reason[REASON_MAX];
static struct session *sessions;

static pthread_mutex_t notes = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t noted = PTHREAD_COND_INITIALIZER;
static int answers;

_Noreturn void fail_at(const char *file, int line, const char *format, ...) {
    const char *name = strrchr(file, '/');
    int length = snprintf(reason, REASON_MAX, "%s line %d, ", name ? name + 1 : file, line);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason + length, REASON_MAX - length, format, arguments);
    va_end(arguments);
    longjmp(end_of_check, 1);
}

const char *server(int index) {
    return servers[(index + server_count) % server_count];
}

const char *all_servers(void) {
    return connect_string;
}

bool is_ensemble(void) {
    return server_count > 1;
}

void lock_notes(void) {
    pthread_mutex_lock(&notes);
}

void unlock_notes(void) {
    pthread_cond_broadcast(&noted);
    pthread_mutex_unlock(&notes);
}

/* Waits once for a note, the lock being held; false when the time is over. */
static bool wait_for_note(const struct timespec *deadline) {
    return pthread_cond_timedwait(&noted, &notes, deadline) == 0;
}

static struct timespec in_wait_seconds(void) {
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += WAIT_SECONDS;
    return deadline;
}

void reset_answers(void) {
    lock_notes();
    answers = 0;
    unlock_notes();
}

void count_answer(void) {
    lock_notes();
    answers++;
    unlock_notes();
}

void await_answers(int count) {
    struct timespec deadline = in_wait_seconds();
    lock_notes();
    while (answers < count && wait_for_note(&deadline)) continue;
    int seen = answers;
    unlock_notes();
    EXPECT_INT(seen, count);
}

static void note_state(zhandle_t *handle, int type, int state, const char *path, void *context) {
    struct session *session = context;
    if (type != ZOO_SESSION_EVENT) {
        note_event(handle, type, state, path, context);
        return;
    }
    lock_notes();
    session->state = state;
    unlock_notes();
}

void note_event(zhandle_t *handle, int type, int state, const char *path, void *context) {
    (void)handle, (void)state;
    struct session *session = context;
    /* Every watcher is also told of the connection, which `note_state` has noted. */
    if (type == ZOO_SESSION_EVENT) return;
    lock_notes();
    if (session->event_count < EVENTS_MAX) {
        struct event *event = &session->events[session->event_count++];
        event->type = type;
        snprintf(event->path, sizeof event->path, "%s", path);
    }
    unlock_notes();
}

void expect_event(struct session *session, int type, const char *path) {
    struct timespec deadline = in_wait_seconds();
    struct event event = {0};
    lock_notes();
    while (session->event_count == 0 && wait_for_note(&deadline)) continue;
    bool has_come = session->event_count > 0;
    if (has_come) {
        event = session->events[0];
        session->event_count--;
        memmove(session->events, session->events + 1, session->event_count * sizeof event);
    }
    unlock_notes();
    if (!has_come) fail_at(__FILE__, __LINE__, "no event of type %d for %s", type, path);
    EXPECT_TEXT(event.path, path);
    EXPECT_INT(event.type, type);
}

void expect_no_event(struct session *session) {
    sync_path(session, "/");
    lock_notes();
    int count = session->event_count;
    struct event event = session->events[0];
    unlock_notes();
    if (count > 0) fail_at(__FILE__, __LINE__, "event %d for %s", event.type, event.path);
}

struct session *begin_session(const char *hosts, const clientid_t *id, int flags) {
    struct session *session = calloc(1, sizeof *session);
    session->next = sessions;
    sessions = session;
    flags |= ZOO_NO_LOG_CLIENTENV;
    session->handle =
        zookeeper_init(hosts, note_state, SESSION_TIMEOUT_MS, id, session, flags);
    EXPECT(session->handle != NULL);
    return session;
}

int await_either(struct session *session, int state, int other) {
    struct timespec deadline = in_wait_seconds();
    lock_notes();
    while (session->state != state && session->state != other && wait_for_note(&deadline)) continue;
    int seen = session->state;
    unlock_notes();
    if (seen != other) EXPECT_INT(seen, state);
    return seen;
}

void await_state(struct session *session, int state) {
    await_either(session, state, state);
}

struct session *open_session(const char *hosts) {
    struct session *session = begin_session(hosts, NULL, 0);
    await_state(session, ZOO_CONNECTED_STATE);
    sync_path(session, "/");
    return session;
}

void close_session(struct session *session) {
    if (session->handle == NULL) return;
    zookeeper_close(session->handle);
    session->handle = NULL;
}

static void end_sessions(void) {
    while (sessions != NULL) {
        struct session *session = sessions;
        close_session(session);
        sessions = session->next;
        free(session);
    }
}

struct synced {
    int rc;
    bool is_done;
};

static void note_sync(int rc, const char *value, const void *data) {
    (void)value;
    struct synced *synced = (struct synced *)data;
    lock_notes();
    synced->rc = rc;
    synced->is_done = true;
    unlock_notes();
}

void sync_path(struct session *session, const char *path) {
    /* Not on the stack, which a check that gives up leaves before a late answer. */
    static struct synced synced;
    synced = (struct synced){.rc = 0, .is_done = false};
    struct timespec deadline = in_wait_seconds();
    EXPECT_INT(zoo_async(session->handle, path, note_sync, &synced), ZOK);
    lock_notes();
    while (!synced.is_done && wait_for_note(&deadline)) continue;
    bool is_done = synced.is_done;
    unlock_notes();
    EXPECT(is_done);
    EXPECT_INT(synced.rc, ZOK);
}

int exists_after_reconnecting(struct session *session, const char *path, struct Stat *stat) {
    int rc = ZCONNECTIONLOSS;
    for (int i = 0; i < WAIT_SECONDS * 100 && rc == ZCONNECTIONLOSS; i++) {
        rc = zoo_exists(session->handle, path, 0, stat);
        if (rc == ZCONNECTIONLOSS) usleep(10000);
    }
    return rc;
}

bool is_same_stat(const struct Stat *one, const struct Stat *other) {
    return one->czxid == other->czxid && one->mzxid == other->mzxid &&
           one->pzxid == other->pzxid && one->ctime == other->ctime &&
           one->mtime == other->mtime && one->version == other->version &&
           one->cversion == other->cversion && one->aversion == other->aversion &&
           one->ephemeralOwner == other->ephemeralOwner &&
           one->dataLength == other->dataLength && one->numChildren == other->numChildren;
}

void create_node(struct session *session, const char *path, const char *text) {
    int rc = zoo_create(session->handle, path, text, (int)strlen(text), &ZOO_OPEN_ACL_UNSAFE,
                        ZOO_PERSISTENT, NULL, 0);
    if (rc != ZOK) fail_at(__FILE__, __LINE__, "creation of %s: %s", path, zerror(rc));
}

static void delete_tree(struct session *session, const char *path) {
    struct String_vector names;
    int rc = zoo_get_children(session->handle, path, 0, &names);
    if (rc == ZNONODE) return;
    /* A node that may not be listed has no children in these checks. */
    if (rc != ZNOAUTH) {
        EXPECT_INT(rc, ZOK);
        for (int i = 0; i < names.count; i++) {
            char child[PATH_MAX_BYTES];
            snprintf(child, sizeof child, "%s/%s", path, names.data[i]);
            delete_tree(session, child);
        }
        deallocate_String_vector(&names);
    }
    rc = zoo_delete(session->handle, path, -1);
    /* Its session may have ended it, or its container's time may have come. */
    if (rc != ZNONODE) EXPECT_INT(rc, ZOK);
}

static void prepare(void) {
    struct session *cleaner = open_session(all_servers());
    delete_tree(cleaner, ROOT);
    create_node(cleaner, ROOT, "");
    close_session(cleaner);
}

static bool run_check(const struct check *check, bool is_prepared) {
    if (setjmp(end_of_check) == 0) {
        if (is_prepared) prepare();
        check->run();
        printf("ok %s\n", check->name);
    } else {
        printf("not ok %s: %s\n", check->name, reason);
    }
    fflush(stdout);
    bool has_failed = reason[0] != '\0';
    reason[0] = '\0';
    end_sessions();
    return !has_failed;
}

int main(int count, char **arguments) {
    if (count < 2) {
        fprintf(stderr, "usage: %s HOST:PORT,... [read-only]\n", arguments[0]);
        return 2;
    }
    connect_string = arguments[1];
    char *rest = strdup(connect_string);
    for (char *at = strtok(rest, ","); at != NULL; at = strtok(NULL, ",")) {
        if (server_count < SERVERS_MAX) servers[server_count++] = at;
    }
    zoo_set_debug_level(ZOO_LOG_LEVEL_ERROR);
    const struct check *all[] = {node_checks,   watch_checks, async_checks,
                                 access_checks, multi_checks, session_checks};
    const struct check *read_only[] = {read_only_checks};
    bool is_read_only = count > 2 && strcmp(arguments[2], "read-only") == 0;
    const struct check **groups = is_read_only ? read_only : all;
    size_t group_count = is_read_only ? 1 : sizeof all / sizeof *all;
    int failures = 0;
    for (size_t group = 0; group < group_count; group++) {
        for (const struct check *check = groups[group]; check->name != NULL; check++) {
            if (!run_check(check, !is_read_only)) failures++;
        }
    }
    return failures > 0;
}
