/* Nodes through the synchronous calls: every kind of creation, reads, writes, refusals, sizes. */

#include <stdlib.h>

#include "suite.h"

#define PATH_BYTES 128
#define TTL_MS 300

static void creates_reads_updates_and_deletes(void) {
    zhandle_t *zk = open_session(server(0))->handle;
    char buffer[PATH_BYTES];
    int length = sizeof buffer;
    struct Stat stat, after;
    EXPECT_INT(zoo_create(zk, ROOT "/a", "one", 3, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT, buffer,
                          sizeof buffer),
               ZOK);
    EXPECT_TEXT(buffer, ROOT "/a");
    EXPECT_INT(zoo_get(zk, ROOT "/a", 0, buffer, &length, &stat), ZOK);
    EXPECT_INT(length, 3);
    EXPECT(memcmp(buffer, "one", 3) == 0);
    EXPECT_INT(stat.version, 0);
    EXPECT_INT(stat.dataLength, 3);
    EXPECT(stat.czxid == stat.mzxid && stat.czxid == stat.pzxid && stat.czxid > 0);
    EXPECT_INT(stat.ephemeralOwner, 0);
    EXPECT_INT(zoo_set(zk, ROOT "/a", "second", 6, 0), ZOK);
    EXPECT_INT(zoo_set2(zk, ROOT "/a", "third", 5, 1, &after), ZOK);
    EXPECT_INT(after.version, 2);
    EXPECT(after.mzxid > stat.mzxid && after.mtime >= stat.mtime);
    EXPECT_INT(zoo_exists(zk, ROOT "/a", 0, &stat), ZOK);
    EXPECT(is_same_stat(&stat, &after));
    EXPECT_INT(zoo_delete(zk, ROOT "/a", 2), ZOK);
    EXPECT_INT(zoo_exists(zk, ROOT "/a", 0, &stat), ZNONODE);
}

static void lists_children_with_their_stat(void) {
    struct session *session = open_session(server(0));
    struct String_vector names;
    struct Stat stat;
    create_node(session, ROOT "/x", "");
    create_node(session, ROOT "/y", "");
    EXPECT_INT(zoo_get_children(session->handle, ROOT, 0, &names), ZOK);
    EXPECT_INT(names.count, 2);
    deallocate_String_vector(&names);
    EXPECT_INT(zoo_get_children2(session->handle, ROOT, 0, &names, &stat), ZOK);
    EXPECT_INT(names.count, 2);
    EXPECT_INT(stat.numChildren, 2);
    EXPECT_INT(stat.cversion, 2);
    deallocate_String_vector(&names);
    EXPECT_INT(zoo_get_children(session->handle, ROOT "/x", 0, &names), ZOK);
    EXPECT_INT(names.count, 0);
    deallocate_String_vector(&names);
    EXPECT_INT(zoo_get_children(session->handle, ROOT "/none", 0, &names), ZNONODE);
}

static void numbers_sequential_nodes(void) {
    zhandle_t *zk = open_session(server(0))->handle;
    static const char *const expected[] = {ROOT "/s-0000000000", ROOT "/s-0000000001",
                                           ROOT "/s-0000000002"};
    for (int i = 0; i < 3; i++) {
        char made[PATH_BYTES];
        int mode = i == 1 ? ZOO_EPHEMERAL_SEQUENTIAL : ZOO_PERSISTENT_SEQUENTIAL;
        EXPECT_INT(
            zoo_create(zk, ROOT "/s-", "", 0, &ZOO_OPEN_ACL_UNSAFE, mode, made, sizeof made), ZOK);
        EXPECT_TEXT(made, expected[i]);
    }
}

static void create2_returns_the_stat(void) {
    zhandle_t *zk = open_session(server(0))->handle;
    char made[PATH_BYTES];
    struct Stat stat, seen;
    EXPECT_INT(zoo_create2(zk, ROOT "/c-", "four", 4, &ZOO_OPEN_ACL_UNSAFE,
                           ZOO_PERSISTENT_SEQUENTIAL, made, sizeof made, &stat),
               ZOK);
    EXPECT_TEXT(made, ROOT "/c-0000000000");
    EXPECT_INT(zoo_exists(zk, made, 0, &seen), ZOK);
    EXPECT(is_same_stat(&stat, &seen));
    EXPECT_INT(stat.dataLength, 4);
}

static void data_may_be_null_empty_or_any_bytes(void) {
    zhandle_t *zk = open_session(server(0))->handle;
    char bytes[256], buffer[sizeof bytes];
    int length = sizeof buffer;
    for (int i = 0; i < 256; i++) bytes[i] = (char)i;
    EXPECT_INT(zoo_create(zk, ROOT "/null", NULL, -1, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0), ZOK);
    EXPECT_INT(zoo_get(zk, ROOT "/null", 0, buffer, &length, NULL), ZOK);
    EXPECT_INT(length, -1);
    length = sizeof buffer;
    EXPECT_INT(zoo_create(zk, ROOT "/empty", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0), ZOK);
    EXPECT_INT(zoo_get(zk, ROOT "/empty", 0, buffer, &length, NULL), ZOK);
    EXPECT_INT(length, 0);
    length = sizeof buffer;
    EXPECT_INT(zoo_create(zk, ROOT "/any", bytes, 256, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0), ZOK);
    EXPECT_INT(zoo_get(zk, ROOT "/any", 0, buffer, &length, NULL), ZOK);
    EXPECT_INT(length, 256);
    EXPECT(memcmp(bytes, buffer, sizeof bytes) == 0);
    EXPECT_INT(zoo_set(zk, ROOT "/any", NULL, -1, -1), ZOK);
    EXPECT_INT(zoo_get(zk, ROOT "/any", 0, buffer, &length, NULL), ZOK);
    EXPECT_INT(length, -1);
}

static void carries_data_near_the_limit_of_a_packet(void) {
    zhandle_t *zk = open_session(server(0))->handle;
    int size = 1024 * 1024 - 512, length = size;
    char *data = malloc(size), *seen = malloc(size);
    for (int i = 0; i < size; i++) data[i] = (char)(i * 31 >> 3);
    int created = zoo_create(zk, ROOT "/large", data, size, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0);
    int read = zoo_get(zk, ROOT "/large", 0, seen, &length, NULL);
    bool is_equal = length == size && memcmp(data, seen, size) == 0;
    free(data);
    free(seen);
    EXPECT_INT(created, ZOK);
    EXPECT_INT(read, ZOK);
    EXPECT(is_equal);
}

static void a_packet_over_the_limit_ends_the_connection(void) {
    struct session *session = open_session(server(0));
    int size = 2 * 1024 * 1024;
    char *data = calloc(1, size);
    int rc = zoo_create(session->handle, ROOT "/huge", data, size, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0);
    free(data);
    EXPECT_INT(rc, ZCONNECTIONLOSS);
    await_state(session, ZOO_CONNECTED_STATE);
    sync_path(session, "/");
    EXPECT_INT(zoo_exists(session->handle, ROOT "/huge", 0, NULL), ZNONODE);
}

static void refusals_have_their_own_codes(void) {
    struct session *session = open_session(server(0));
    zhandle_t *zk = session->handle;
    const struct ACL_vector *open = &ZOO_OPEN_ACL_UNSAFE;
    const struct ACL_vector none = {0, NULL};
    struct Id nobody = {"nonsense", "x"};
    struct ACL bad_entry = {.perms = 31, .id = nobody};
    const struct ACL_vector bad = {1, &bad_entry};
    create_node(session, ROOT "/a", "");
    create_node(session, ROOT "/a/b", "");
    EXPECT_INT(zoo_create(zk, ROOT "/a", "", 0, open, 0, NULL, 0), ZNODEEXISTS);
    EXPECT_INT(zoo_create(zk, ROOT "/no/b", "", 0, open, 0, NULL, 0), ZNONODE);
    EXPECT_INT(zoo_create(zk, ROOT "/n", "", 0, &none, 0, NULL, 0), ZINVALIDACL);
    EXPECT_INT(zoo_create(zk, ROOT "/n", "", 0, &bad, 0, NULL, 0), ZINVALIDACL);
    EXPECT_INT(zoo_create(zk, ROOT "/n", "", 0, open, ZOO_EPHEMERAL, NULL, 0), ZOK);
    EXPECT_INT(zoo_create(zk, ROOT "/n/b", "", 0, open, 0, NULL, 0), ZNOCHILDRENFOREPHEMERALS);
    EXPECT_INT(zoo_create(zk, "relative", "", 0, open, 0, NULL, 0), ZBADARGUMENTS);
    EXPECT_INT(zoo_delete(zk, ROOT "/a", -1), ZNOTEMPTY);
    EXPECT_INT(zoo_delete(zk, ROOT "/a/b", 7), ZBADVERSION);
    EXPECT_INT(zoo_delete(zk, ROOT "/no", -1), ZNONODE);
    EXPECT_INT(zoo_set(zk, ROOT "/a", "", 0, 7), ZBADVERSION);
    EXPECT_INT(zoo_set(zk, ROOT "/no", "", 0, -1), ZNONODE);
    EXPECT_INT(zoo_delete(zk, "/zookeeper", -1), ZBADARGUMENTS);
}

static void ephemeral_nodes_end_with_their_session(void) {
    struct session *owner = open_session(server(-1)), *other = open_session(server(0));
    struct Stat stat;
    EXPECT_INT(zoo_create(owner->handle, ROOT "/mine", "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL,
                          NULL, 0),
               ZOK);
    sync_path(other, ROOT);
    EXPECT_INT(zoo_wexists(other->handle, ROOT "/mine", note_event, other, &stat), ZOK);
    EXPECT_INT(stat.ephemeralOwner, zoo_client_id(owner->handle)->client_id);
    close_session(owner);
    expect_event(other, ZOO_DELETED_EVENT, ROOT "/mine");
    EXPECT_INT(zoo_exists(other->handle, ROOT "/mine", 0, NULL), ZNONODE);
}

static void an_emptied_container_is_removed(void) {
    struct session *session = open_session(server(0));
    struct Stat stat;
    EXPECT_INT(zoo_create(session->handle, ROOT "/box", "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_CONTAINER,
                          NULL, 0),
               ZOK);
    create_node(session, ROOT "/box/in", "");
    EXPECT_INT(zoo_wexists(session->handle, ROOT "/box", note_event, session, &stat), ZOK);
    /* Inside, the owner says what kind of node it is; clients see none. */
    EXPECT_INT(stat.ephemeralOwner, 0);
    EXPECT_INT(zoo_delete(session->handle, ROOT "/box/in", -1), ZOK);
    expect_event(session, ZOO_DELETED_EVENT, ROOT "/box");
}

static void a_node_with_a_time_to_live_is_removed_after_it(void) {
    struct session *session = open_session(server(0));
    zhandle_t *zk = session->handle;
    char made[PATH_BYTES];
    struct Stat stat, created;
    EXPECT_INT(zoo_create_ttl(zk, ROOT "/t", "x", 1, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT_WITH_TTL,
                              TTL_MS, made, sizeof made),
               ZOK);
    EXPECT_INT(zoo_wexists(zk, ROOT "/t", note_event, session, &stat), ZOK);
    EXPECT_INT(stat.ephemeralOwner, 0);
    expect_event(session, ZOO_DELETED_EVENT, ROOT "/t");
    EXPECT_INT(zoo_create2_ttl(zk, ROOT "/t-", "x", 1, &ZOO_OPEN_ACL_UNSAFE,
                               ZOO_PERSISTENT_SEQUENTIAL_WITH_TTL, 3600000, made, sizeof made,
                               &created),
               ZOK);
    EXPECT_TEXT(made, ROOT "/t-0000000001");
    EXPECT_INT(created.ephemeralOwner, 0);
    EXPECT_INT(zoo_create_ttl(zk, ROOT "/u", "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT_WITH_TTL,
                              0, NULL, 0),
               ZBADARGUMENTS);
    EXPECT_INT(zoo_create_ttl(zk, ROOT "/u", "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT, 100, NULL,
                              0),
               ZBADARGUMENTS);
}

static void every_server_shows_what_was_written(void) {
    struct session *writer = open_session(server(0));
    create_node(writer, ROOT "/shared", "by all");
    for (int i = 0; i < 3; i++) {
        struct session *reader = open_session(server(i));
        EXPECT_INT(zoo_exists(reader->handle, ROOT "/shared", 0, NULL), ZOK);
    }
}

const struct check node_checks[] = {
    {"creates, reads, updates and deletes", creates_reads_updates_and_deletes},
    {"lists children with their stat", lists_children_with_their_stat},
    {"numbers sequential nodes", numbers_sequential_nodes},
    {"create2 returns the stat", create2_returns_the_stat},
    {"data may be null, empty or any bytes", data_may_be_null_empty_or_any_bytes},
    {"carries data near the limit of a packet", carries_data_near_the_limit_of_a_packet},
    {"a packet over the limit ends the connection", a_packet_over_the_limit_ends_the_connection},
    {"refusals have their own codes", refusals_have_their_own_codes},
    {"ephemeral nodes end with their session", ephemeral_nodes_end_with_their_session},
    {"an emptied container is removed", an_emptied_container_is_removed},
    {"a node with a time to live is removed after it",
     a_node_with_a_time_to_live_is_removed_after_it},
    {"every server shows what was written", every_server_shows_what_was_written},
    {NULL, NULL},
};
