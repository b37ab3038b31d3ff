/* The asynchronous calls: each of them, answers in order, thousands at once, and lost ones. */

#include "suite.h"

#define PIPELINED 20000
#define ANSWERS_MAX 32

/* What the completions were told, in the order of their calls. */
struct answer {
    int rc;
    char text[64];
    struct Stat stat;
};

static struct answer answers[ANSWERS_MAX];
static int order[ANSWERS_MAX];
static int order_count;

static struct answer *note_answer(int rc, const void *data) {
    int index = (int)(intptr_t)data;
    lock_notes();
    order[order_count++] = index;
    answers[index].rc = rc;
    unlock_notes();
    return &answers[index];
}

static void note_text(struct answer *answer, const char *text, int length) {
    if (text != NULL) snprintf(answer->text, sizeof answer->text, "%.*s", length, text);
}

static void note_stat(struct answer *answer, const struct Stat *stat) {
    if (stat != NULL) answer->stat = *stat;
}

static void on_void(int rc, const void *data) {
    note_answer(rc, data);
    count_answer();
}

static void on_stat(int rc, const struct Stat *stat, const void *data) {
    note_stat(note_answer(rc, data), stat);
    count_answer();
}

static void on_data(int rc, const char *value, int length, const struct Stat *stat,
                    const void *data) {
    struct answer *answer = note_answer(rc, data);
    note_text(answer, value, length);
    note_stat(answer, stat);
    count_answer();
}

static void on_string(int rc, const char *value, const void *data) {
    note_text(note_answer(rc, data), value, sizeof answers->text);
    count_answer();
}

static void on_string_stat(int rc, const char *value, const struct Stat *stat, const void *data) {
    struct answer *answer = note_answer(rc, data);
    note_text(answer, value, sizeof answer->text);
    note_stat(answer, stat);
    count_answer();
}

static void on_strings(int rc, const struct String_vector *names, const void *data) {
    struct answer *answer = note_answer(rc, data);
    if (names != NULL) snprintf(answer->text, sizeof answer->text, "%d", names->count);
    count_answer();
}

static void on_strings_stat(int rc, const struct String_vector *names, const struct Stat *stat,
                            const void *data) {
    struct answer *answer = note_answer(rc, data);
    if (names != NULL) snprintf(answer->text, sizeof answer->text, "%d", names->count);
    note_stat(answer, stat);
    count_answer();
}

static void on_acl(int rc, struct ACL_vector *acl, struct Stat *stat, const void *data) {
    struct answer *answer = note_answer(rc, data);
    if (acl != NULL && acl->count > 0) note_text(answer, acl->data[0].id.scheme, 64);
    note_stat(answer, stat);
    count_answer();
}

static const void *numbered(int index) {
    return (const void *)(intptr_t)index;
}

static void forget_answers(void) {
    memset(answers, 0, sizeof answers);
    order_count = 0;
    reset_answers();
}

static void expect_in_order(int count) {
    await_answers(count);
    EXPECT_INT(order_count, count);
    for (int i = 0; i < count; i++) EXPECT_INT(order[i], i);
}

static void every_creation_and_change_is_answered(void) {
    struct session *session = open_session(server(0));
    zhandle_t *zk = session->handle;
    const struct ACL_vector *open = &ZOO_OPEN_ACL_UNSAFE;
    struct ACL_vector read_only = ZOO_READ_ACL_UNSAFE;
    zoo_op_t ops[2];
    zoo_op_result_t results[2];
    forget_answers();
    EXPECT_INT(zoo_acreate(zk, ROOT "/a", "x", 1, open, 0, on_string, numbered(0)), ZOK);
    EXPECT_INT(zoo_acreate2(zk, ROOT "/b", "xy", 2, open, 0, on_string_stat, numbered(1)), ZOK);
    EXPECT_INT(zoo_acreate_ttl(zk, ROOT "/c", "x", 1, open, ZOO_PERSISTENT_WITH_TTL, 3600000,
                               on_string, numbered(2)),
               ZOK);
    EXPECT_INT(zoo_acreate2_ttl(zk, ROOT "/d", "x", 1, open, ZOO_PERSISTENT_WITH_TTL, 3600000,
                                on_string_stat, numbered(3)),
               ZOK);
    EXPECT_INT(zoo_aset(zk, ROOT "/a", "new", 3, 0, on_stat, numbered(4)), ZOK);
    EXPECT_INT(zoo_aset_acl(zk, ROOT "/b", 0, &read_only, on_void, numbered(5)), ZOK);
    EXPECT_INT(zoo_adelete(zk, ROOT "/c", 0, on_void, numbered(6)), ZOK);
    EXPECT_INT(zoo_async(zk, ROOT, on_string, numbered(7)), ZOK);
    zoo_set_op_init(&ops[0], ROOT "/a", "in a multi", 10, 1, NULL);
    zoo_delete_op_init(&ops[1], ROOT "/d", -1);
    EXPECT_INT(zoo_amulti(zk, 2, ops, results, on_void, numbered(8)), ZOK);
    expect_in_order(9);
    for (int i = 0; i < 9; i++) EXPECT_INT(answers[i].rc, ZOK);
    EXPECT_TEXT(answers[0].text, ROOT "/a");
    EXPECT_TEXT(answers[1].text, ROOT "/b");
    EXPECT_INT(answers[1].stat.dataLength, 2);
    EXPECT_TEXT(answers[2].text, ROOT "/c");
    EXPECT_TEXT(answers[3].text, ROOT "/d");
    EXPECT_INT(answers[4].stat.version, 1);
    EXPECT_TEXT(answers[7].text, ROOT);
    EXPECT_INT(results[0].err, ZOK);
    EXPECT_INT(results[1].err, ZOK);
    EXPECT_INT(zoo_aset(zk, ROOT "/b", "", 0, -1, on_stat, numbered(9)), ZOK);
    expect_in_order(10);
    EXPECT_INT(answers[9].rc, ZNOAUTH);
}

static void every_read_is_answered(void) {
    struct session *session = open_session(server(0));
    zhandle_t *zk = session->handle;
    watcher_fn watcher = note_event;
    create_node(session, ROOT "/a", "abc");
    forget_answers();
    EXPECT_INT(zoo_aexists(zk, ROOT "/a", 0, on_stat, numbered(0)), ZOK);
    EXPECT_INT(zoo_awexists(zk, ROOT "/no", watcher, session, on_stat, numbered(1)), ZOK);
    EXPECT_INT(zoo_aget(zk, ROOT "/a", 0, on_data, numbered(2)), ZOK);
    EXPECT_INT(zoo_awget(zk, ROOT "/a", watcher, session, on_data, numbered(3)), ZOK);
    EXPECT_INT(zoo_aget_children(zk, ROOT, 0, on_strings, numbered(4)), ZOK);
    EXPECT_INT(zoo_awget_children(zk, ROOT, watcher, session, on_strings, numbered(5)), ZOK);
    EXPECT_INT(zoo_aget_children2(zk, ROOT, 0, on_strings_stat, numbered(6)), ZOK);
    EXPECT_INT(zoo_awget_children2(zk, ROOT, watcher, session, on_strings_stat, numbered(7)), ZOK);
    EXPECT_INT(zoo_aget_acl(zk, ROOT "/a", on_acl, numbered(8)), ZOK);
    EXPECT_INT(zoo_agetconfig(zk, 0, on_data, numbered(9)), ZOK);
    EXPECT_INT(zoo_awgetconfig(zk, watcher, session, on_data, numbered(10)), ZOK);
    EXPECT_INT(zoo_aget(zk, ROOT "/no", 0, on_data, numbered(11)), ZOK);
    expect_in_order(12);
    EXPECT_INT(answers[0].stat.dataLength, 3);
    EXPECT_INT(answers[1].rc, ZNONODE);
    EXPECT_TEXT(answers[2].text, "abc");
    EXPECT_TEXT(answers[3].text, "abc");
    EXPECT_TEXT(answers[4].text, "1");
    EXPECT_TEXT(answers[5].text, "1");
    EXPECT_INT(answers[6].stat.numChildren, 1);
    EXPECT_INT(answers[7].stat.numChildren, 1);
    EXPECT_TEXT(answers[8].text, "world");
    EXPECT_INT(answers[9].rc, ZOK);
    EXPECT_INT(answers[10].rc, ZOK);
    EXPECT_INT(answers[11].rc, ZNONODE);
    EXPECT_INT(zoo_set(zk, ROOT "/a", "", 0, -1), ZOK);
    expect_event(session, ZOO_CHANGED_EVENT, ROOT "/a");
    /* Two calls have left the same watch; it is one. */
    EXPECT_INT(zoo_delete(zk, ROOT "/a", -1), ZOK);
    expect_event(session, ZOO_CHILD_EVENT, ROOT);
    expect_no_event(session);
}

static void watches_are_removed_asynchronously(void) {
    struct session *session = open_session(server(0));
    zhandle_t *zk = session->handle;
    create_node(session, ROOT "/a", "abc");
    forget_answers();
    EXPECT_INT(zoo_awget(zk, ROOT "/a", note_event, session, on_data, numbered(0)), ZOK);
    await_answers(1);
    /* The library calls what it is given, though its header says that it is a pointer to that. */
    void_completion_t *completion = (void_completion_t *)on_void;
    EXPECT_INT(zoo_aremove_all_watches(zk, ROOT "/a", ZWATCHTYPE_ANY, 0, completion, numbered(1)),
               ZOK);
    await_answers(2);
    EXPECT_INT(answers[1].rc, ZOK);
    EXPECT_INT(zoo_set(zk, ROOT "/a", "", 0, -1), ZOK);
    expect_no_event(session);
}

static int wrong_answers;

static void on_pipelined_set(int rc, const struct Stat *stat, const void *data) {
    bool is_right = rc == ZOK && stat->version == (int)(intptr_t)data + 1;
    lock_notes();
    if (!is_right) wrong_answers++;
    unlock_notes();
    count_answer();
}

static void on_pipelined_get(int rc, const char *value, int length, const struct Stat *stat,
                             const void *data) {
    char expected[16];
    int expected_length = snprintf(expected, sizeof expected, "%d", (int)(intptr_t)data);
    bool is_right = rc == ZOK && stat->version == (int)(intptr_t)data + 1 &&
                    length == expected_length && memcmp(value, expected, length) == 0;
    lock_notes();
    if (!is_right) wrong_answers++;
    unlock_notes();
    count_answer();
}

/* Each write names the version before it, so one out of its turn is refused. */
static void thousands_at_once_are_carried_out_in_order(void) {
    struct session *session = open_session(server(-1));
    zhandle_t *zk = session->handle;
    create_node(session, ROOT "/n", "");
    reset_answers();
    wrong_answers = 0;
    for (int i = 0; i < PIPELINED / 2; i++) {
        char value[16];
        int length = snprintf(value, sizeof value, "%d", i);
        EXPECT_INT(zoo_aset(zk, ROOT "/n", value, length, i, on_pipelined_set, numbered(i)), ZOK);
        EXPECT_INT(zoo_aget(zk, ROOT "/n", 0, on_pipelined_get, numbered(i)), ZOK);
    }
    await_answers(PIPELINED);
    EXPECT_INT(wrong_answers, 0);
}

static void calls_on_their_way_are_lost_with_the_connection(void) {
    struct relay *relay = open_relay(server(0));
    struct session *session = open_session(relay_address(relay));
    zhandle_t *zk = session->handle;
    struct session *other = open_session(server(-1));
    EXPECT_INT(zoo_wexists(other->handle, ROOT "/n", note_event, other, NULL), ZNONODE);
    forget_answers();
    silence_relay(relay);
    EXPECT_INT(zoo_acreate(zk, ROOT "/n", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, on_string, numbered(0)),
               ZOK);
    expect_event(other, ZOO_CREATED_EVENT, ROOT "/n");
    cut_relay(relay);
    await_answers(1);
    EXPECT_INT(answers[0].rc, ZCONNECTIONLOSS);
    await_state(session, ZOO_CONNECTED_STATE);
    sync_path(session, "/");
    EXPECT_INT(zoo_exists(zk, ROOT "/n", 0, NULL), ZOK);
    close_session(session);
    close_relay(relay);
}

const struct check async_checks[] = {
    {"every creation and change is answered", every_creation_and_change_is_answered},
    {"every read is answered", every_read_is_answered},
    {"watches are removed asynchronously", watches_are_removed_asynchronously},
    {"thousands at once are carried out in order", thousands_at_once_are_carried_out_in_order},
    {"calls on their way are lost with the connection",
     calls_on_their_way_are_lost_with_the_connection},
    {NULL, NULL},
};
