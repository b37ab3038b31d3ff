/*
 * What the files of the suite share. A check runs in the main thread and ends at its first failed
 * expectation; the library's own threads only note what they are told, and wake the main thread.
 */

#ifndef SUITE_H
#define SUITE_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <zookeeper/zookeeper.h>

#define ROOT "/c-client"
#define WAIT_SECONDS 20
#define SESSION_TIMEOUT_MS 8000
#define EVENTS_MAX 64
#define PATH_MAX_BYTES 256

struct check {
    const char *name;
    void (*run)(void);
};

/* Each file's checks, ended by one without a name. */
extern const struct check node_checks[];
extern const struct check watch_checks[];
extern const struct check async_checks[];
extern const struct check access_checks[];
extern const struct check multi_checks[];
extern const struct check session_checks[];
extern const struct check read_only_checks[];

/* Ends the running check with a reason. */
_Noreturn void fail_at(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define EXPECT(condition)                                              \
    do {                                                               \
        if (!(condition)) fail_at(__FILE__, __LINE__, "%s", #condition); \
    } while (0)

#define EXPECT_INT(actual, expected)                                                          \
    do {                                                                                      \
        long long actual_ = (actual), expected_ = (expected);                                 \
        if (actual_ != expected_)                                                             \
            fail_at(__FILE__, __LINE__, "%s is %lld, not %lld", #actual, actual_, expected_); \
    } while (0)

#define EXPECT_TEXT(actual, expected)                                                    \
    do {                                                                                 \
        const char *actual_ = (actual), *expected_ = (expected);                         \
        if (strcmp(actual_, expected_) != 0)                                             \
            fail_at(__FILE__, __LINE__, "%s is %s, not %s", #actual, actual_, expected_); \
    } while (0)

struct event {
    int type;
    char path[PATH_MAX_BYTES];
};

/* A session with the events that its watches have told of and nobody has taken yet. */
struct session {
    zhandle_t *handle;
    int state;
    struct event events[EVENTS_MAX];
    int event_count;
    struct session *next;
};

/* The address of a server: 0 is the first, -1 the last; one server is all of them. */
const char *server(int index);
const char *all_servers(void);
bool is_ensemble(void);

/* A session that has seen all that was written before; closed when the check ends. */
struct session *open_session(const char *hosts);
/* The same with what `zookeeper_init` offers; `id` may be NULL. Not yet connected. */
struct session *begin_session(const char *hosts, const clientid_t *id, int flags);
void await_state(struct session *session, int state);
/* The state when it is one of the two; the check fails when neither comes. */
int await_either(struct session *session, int state, int other);
void close_session(struct session *session);

/* A watcher whose context is its session: it notes the event there. */
void note_event(zhandle_t *handle, int type, int state, const char *path, void *context);
void expect_event(struct session *session, int type, const char *path);
/* Nothing has been told that was not expected, after a round trip that brings what was on its way. */
void expect_no_event(struct session *session);

/* Compares the fields; what lies between them is not written. */
bool is_same_stat(const struct Stat *one, const struct Stat *other);
void create_node(struct session *session, const char *path, const char *text);
void sync_path(struct session *session, const char *path);
/* What `zoo_exists` answers once the connection that has just been lost is there again. */
int exists_after_reconnecting(struct session *session, const char *path, struct Stat *stat);

/* Counts answers; the main thread waits for a number of them. */
void count_answer(void);
void reset_answers(void);
void await_answers(int count);

/* Held while a completion notes what it was told. */
void lock_notes(void);
void unlock_notes(void);

/* A way to a server that can be cut; its sessions find it again after a moment. */
struct relay;
struct relay *open_relay(const char *address);
const char *relay_address(const struct relay *relay);
/* From here to the next cut, what the server sends is dropped. */
void silence_relay(struct relay *relay);
void cut_relay(struct relay *relay);
/* Cuts it; while it is blocked, no connection lasts. */
void block_relay(struct relay *relay, bool is_blocked);
void close_relay(struct relay *relay);

#endif
