/* Who may do what: the schemes, each permission, what a lister of entries is shown. */

#include "suite.h"

struct added {
    int rc;
};

static struct added added;

static void on_auth(int rc, const void *data) {
    (void)data;
    lock_notes();
    added.rc = rc;
    unlock_notes();
    count_answer();
}

static int add_auth(struct session *session, const char *scheme, const char *identity) {
    reset_answers();
    int length = identity == NULL ? 0 : (int)strlen(identity);
    EXPECT_INT(zoo_add_auth(session->handle, scheme, identity, length, on_auth, NULL), ZOK);
    await_answers(1);
    return added.rc;
}

static int create_with(struct session *session, const char *path, int perms, char *scheme,
                       char *id) {
    struct ACL entry = {.perms = perms, .id = {.scheme = scheme, .id = id}};
    struct ACL_vector acl = {1, &entry};
    return zoo_create(session->handle, path, "x", 1, &acl, ZOO_PERSISTENT, NULL, 0);
}

static void strangers_are_kept_out(void) {
    struct session *owner = open_session(server(0)), *stranger = open_session(server(-1));
    char buffer[8];
    int length = sizeof buffer;
    EXPECT_INT(add_auth(owner, "digest", "bob:secret"), ZOK);
    EXPECT_INT(zoo_create(owner->handle, ROOT "/p", "x", 1, &ZOO_CREATOR_ALL_ACL, 0, NULL, 0), ZOK);
    sync_path(stranger, ROOT);
    EXPECT_INT(zoo_get(stranger->handle, ROOT "/p", 0, buffer, &length, NULL), ZNOAUTH);
    EXPECT_INT(zoo_set(stranger->handle, ROOT "/p", "y", 1, -1), ZNOAUTH);
    EXPECT_INT(zoo_create(stranger->handle, ROOT "/p/c", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0),
               ZNOAUTH);
    EXPECT_INT(zoo_get(owner->handle, ROOT "/p", 0, buffer, &length, NULL), ZOK);
    EXPECT_INT(add_auth(stranger, "digest", "bob:secret"), ZOK);
    EXPECT_INT(zoo_set(stranger->handle, ROOT "/p", "y", 1, -1), ZOK);
    EXPECT_INT(zoo_set_acl(stranger->handle, ROOT "/p", 0, &ZOO_OPEN_ACL_UNSAFE), ZOK);
}

static void an_identity_is_shown_again_after_a_cut(void) {
    struct relay *relay = open_relay(server(0));
    struct session *owner = open_session(relay_address(relay));
    EXPECT_INT(add_auth(owner, "digest", "bob:secret"), ZOK);
    EXPECT_INT(zoo_create(owner->handle, ROOT "/p", "x", 1, &ZOO_CREATOR_ALL_ACL, 0, NULL, 0), ZOK);
    cut_relay(relay);
    EXPECT_INT(exists_after_reconnecting(owner, ROOT "/p", NULL), ZOK);
    EXPECT_INT(zoo_set(owner->handle, ROOT "/p", "y", 1, -1), ZOK);
    EXPECT_INT(zoo_set_acl(owner->handle, ROOT "/p", 0, &ZOO_OPEN_ACL_UNSAFE), ZOK);
    close_session(owner);
    close_relay(relay);
}

/* What `stranger` may do with a node and its child when it has one permission. */
static void expect_only(struct session *stranger, const char *path, int perms) {
    zhandle_t *zk = stranger->handle;
    char buffer[8], child[PATH_MAX_BYTES];
    int length = sizeof buffer;
    struct String_vector names;
    struct ACL_vector acl;
    int read = zoo_get(zk, path, 0, buffer, &length, NULL);
    EXPECT_INT(read, perms == ZOO_PERM_READ ? ZOK : ZNOAUTH);
    int listed = zoo_get_children(zk, path, 0, &names);
    if (listed == ZOK) deallocate_String_vector(&names);
    EXPECT_INT(listed, read);
    EXPECT_INT(zoo_set(zk, path, "y", 1, -1), perms == ZOO_PERM_WRITE ? ZOK : ZNOAUTH);
    snprintf(child, sizeof child, "%s/child", path);
    EXPECT_INT(zoo_delete(zk, child, -1), perms == ZOO_PERM_DELETE ? ZOK : ZNOAUTH);
    snprintf(child, sizeof child, "%s/another", path);
    EXPECT_INT(zoo_create(zk, child, "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0),
               perms == ZOO_PERM_CREATE ? ZOK : ZNOAUTH);
    int shown = zoo_get_acl(zk, path, &acl, NULL);
    if (shown == ZOK) deallocate_ACL_vector(&acl);
    EXPECT_INT(shown, perms == ZOO_PERM_READ || perms == ZOO_PERM_ADMIN ? ZOK : ZNOAUTH);
    EXPECT_INT(zoo_set_acl(zk, path, -1, &ZOO_OPEN_ACL_UNSAFE),
               perms == ZOO_PERM_ADMIN ? ZOK : ZNOAUTH);
}

static void each_permission_allows_its_own(void) {
    struct session *owner = open_session(server(0)), *stranger = open_session(server(-1));
    EXPECT_INT(add_auth(owner, "digest", "bob:secret"), ZOK);
    for (int bit = 0; bit < 5; bit++) {
        char path[64], child[PATH_MAX_BYTES];
        struct ACL entries[] = {{.perms = 1 << bit, .id = ZOO_ANYONE_ID_UNSAFE},
                                {.perms = ZOO_PERM_ALL, .id = ZOO_AUTH_IDS}};
        const struct ACL_vector acl = {2, entries};
        snprintf(path, sizeof path, ROOT "/p%d", bit);
        snprintf(child, sizeof child, "%s/child", path);
        EXPECT_INT(zoo_create(owner->handle, path, "x", 1, &acl, 0, NULL, 0), ZOK);
        create_node(owner, child, "");
        sync_path(stranger, path);
        expect_only(stranger, path, 1 << bit);
        sync_path(owner, path);
        EXPECT_INT(zoo_set_acl(owner->handle, path, -1, &ZOO_OPEN_ACL_UNSAFE), ZOK);
    }
}

static void entries_and_their_version_are_shown(void) {
    struct session *session = open_session(server(0));
    zhandle_t *zk = session->handle;
    struct ACL_vector acl;
    struct Stat stat;
    create_node(session, ROOT "/a", "");
    EXPECT_INT(zoo_get_acl(zk, ROOT "/a", &acl, &stat), ZOK);
    EXPECT_INT(acl.count, 1);
    EXPECT_INT(acl.data[0].perms, ZOO_PERM_ALL);
    EXPECT_TEXT(acl.data[0].id.scheme, "world");
    EXPECT_TEXT(acl.data[0].id.id, "anyone");
    EXPECT_INT(stat.aversion, 0);
    deallocate_ACL_vector(&acl);
    EXPECT_INT(zoo_set_acl(zk, ROOT "/a", 3, &ZOO_READ_ACL_UNSAFE), ZBADVERSION);
    EXPECT_INT(zoo_set_acl(zk, ROOT "/a", 0, &ZOO_OPEN_ACL_UNSAFE), ZOK);
    EXPECT_INT(zoo_get_acl(zk, ROOT "/a", &acl, &stat), ZOK);
    EXPECT_INT(stat.aversion, 1);
    deallocate_ACL_vector(&acl);
}

static void addresses_are_a_scheme(void) {
    struct session *session = open_session(server(0));
    char buffer[8];
    int length = sizeof buffer;
    EXPECT_INT(create_with(session, ROOT "/here", 31, "ip", "127.0.0.1"), ZOK);
    EXPECT_INT(create_with(session, ROOT "/net", 31, "ip", "127.0.0.0/8"), ZOK);
    EXPECT_INT(create_with(session, ROOT "/away", 31, "ip", "10.1.2.3"), ZOK);
    EXPECT_INT(zoo_get(session->handle, ROOT "/here", 0, buffer, &length, NULL), ZOK);
    EXPECT_INT(zoo_get(session->handle, ROOT "/net", 0, buffer, &length, NULL), ZOK);
    EXPECT_INT(zoo_get(session->handle, ROOT "/away", 0, buffer, &length, NULL), ZNOAUTH);
    EXPECT_INT(create_with(session, ROOT "/bad", 31, "ip", "127.0.0.0/99"), ZINVALIDACL);
}

static void an_unknown_scheme_fails_the_session(void) {
    struct session *session = open_session(server(0));
    EXPECT_INT(add_auth(session, "unknown", "x"), ZAUTHFAILED);
    EXPECT_INT(zoo_exists(session->handle, ROOT, 0, NULL), ZINVALIDSTATE);
}

const struct check access_checks[] = {
    {"strangers are kept out", strangers_are_kept_out},
    {"an identity is shown again after a cut", an_identity_is_shown_again_after_a_cut},
    {"each permission allows its own", each_permission_allows_its_own},
    {"entries and their version are shown", entries_and_their_version_are_shown},
    {"addresses are a scheme", addresses_are_a_scheme},
    {"an unknown scheme fails the session", an_unknown_scheme_fails_the_session},
    {NULL, NULL},
};
