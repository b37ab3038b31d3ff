/* Watches: of each kind, told once, shared, removed, and set again after a cut. */

#include "suite.h"

static int watch_data(struct session *session, const char *path) {
    char buffer[64];
    int length = sizeof buffer;
    return zoo_wget(session->handle, path, note_event, session, buffer, &length, NULL);
}

static int watch_children(struct session *session, const char *path) {
    struct String_vector names;
    int rc = zoo_wget_children(session->handle, path, note_event, session, &names);
    if (rc == ZOK) deallocate_String_vector(&names);
    return rc;
}

static int watch_existence(struct session *session, const char *path) {
    return zoo_wexists(session->handle, path, note_event, session, NULL);
}

static void is_told_once_of_each_kind_of_change(void) {
    struct session *session = open_session(server(0)), *other = open_session(server(-1));
    EXPECT_INT(watch_existence(session, ROOT "/w"), ZNONODE);
    create_node(other, ROOT "/w", "0");
    expect_event(session, ZOO_CREATED_EVENT, ROOT "/w");
    EXPECT_INT(watch_data(session, ROOT "/w"), ZOK);
    EXPECT_INT(zoo_set(other->handle, ROOT "/w", "1", 1, -1), ZOK);
    expect_event(session, ZOO_CHANGED_EVENT, ROOT "/w");
    EXPECT_INT(zoo_set(other->handle, ROOT "/w", "2", 1, -1), ZOK);
    EXPECT_INT(watch_children(session, ROOT "/w"), ZOK);
    create_node(other, ROOT "/w/c", "");
    expect_event(session, ZOO_CHILD_EVENT, ROOT "/w");
    EXPECT_INT(watch_data(session, ROOT "/w/c"), ZOK);
    EXPECT_INT(zoo_delete(other->handle, ROOT "/w/c", -1), ZOK);
    expect_event(session, ZOO_DELETED_EVENT, ROOT "/w/c");
    expect_no_event(session);
}

static void the_session_s_own_watcher_is_told_too(void) {
    struct session *session = open_session(server(0));
    struct String_vector names;
    struct Stat stat;
    char buffer[8];
    int length = sizeof buffer;
    EXPECT_INT(zoo_exists(session->handle, ROOT "/w", 1, NULL), ZNONODE);
    create_node(session, ROOT "/w", "0");
    expect_event(session, ZOO_CREATED_EVENT, ROOT "/w");
    EXPECT_INT(zoo_get(session->handle, ROOT "/w", 1, buffer, &length, NULL), ZOK);
    EXPECT_INT(zoo_set(session->handle, ROOT "/w", "1", 1, -1), ZOK);
    expect_event(session, ZOO_CHANGED_EVENT, ROOT "/w");
    EXPECT_INT(zoo_get_children2(session->handle, ROOT "/w", 1, &names, &stat), ZOK);
    deallocate_String_vector(&names);
    EXPECT_INT(zoo_delete(session->handle, ROOT "/w", -1), ZOK);
    expect_event(session, ZOO_DELETED_EVENT, ROOT "/w");
    expect_no_event(session);
}

static void several_watches_of_one_node_each_see_the_change(void) {
    struct session *first = open_session(server(0)), *second = open_session(server(-1));
    create_node(first, ROOT "/w", "0");
    sync_path(second, ROOT);
    EXPECT_INT(watch_data(first, ROOT "/w"), ZOK);
    EXPECT_INT(watch_data(second, ROOT "/w"), ZOK);
    EXPECT_INT(zoo_set(first->handle, ROOT "/w", "1", 1, -1), ZOK);
    expect_event(first, ZOO_CHANGED_EVENT, ROOT "/w");
    expect_event(second, ZOO_CHANGED_EVENT, ROOT "/w");
}

static void a_removed_watch_is_silent(void) {
    struct session *session = open_session(server(0));
    zhandle_t *zk = session->handle;
    create_node(session, ROOT "/w", "0");
    EXPECT_INT(watch_data(session, ROOT "/w"), ZOK);
    EXPECT_INT(zoo_remove_watches(zk, ROOT "/w", ZWATCHTYPE_DATA, note_event, session, 0), ZOK);
    EXPECT_INT(zoo_set(zk, ROOT "/w", "1", 1, -1), ZOK);
    expect_no_event(session);
    EXPECT_INT(zoo_remove_watches(zk, ROOT "/w", ZWATCHTYPE_DATA, note_event, session, 0),
               ZNOWATCHER);
}

static void all_watches_of_a_path_can_be_removed(void) {
    struct session *session = open_session(server(0));
    zhandle_t *zk = session->handle;
    create_node(session, ROOT "/w", "0");
    EXPECT_INT(watch_data(session, ROOT "/w"), ZOK);
    EXPECT_INT(watch_children(session, ROOT "/w"), ZOK);
    EXPECT_INT(zoo_remove_all_watches(zk, ROOT "/w", ZWATCHTYPE_CHILD, 0), ZOK);
    create_node(session, ROOT "/w/c", "");
    expect_no_event(session);
    EXPECT_INT(zoo_set(zk, ROOT "/w", "1", 1, -1), ZOK);
    expect_event(session, ZOO_CHANGED_EVENT, ROOT "/w");
    EXPECT_INT(watch_data(session, ROOT "/w"), ZOK);
    EXPECT_INT(watch_children(session, ROOT "/w"), ZOK);
    EXPECT_INT(zoo_remove_all_watches(zk, ROOT "/w", ZWATCHTYPE_DATA, 0), ZOK);
    EXPECT_INT(zoo_remove_all_watches(zk, ROOT "/w", ZWATCHTYPE_DATA, 0), ZNOWATCHER);
    EXPECT_INT(zoo_set(zk, ROOT "/w", "2", 1, -1), ZOK);
    expect_no_event(session);
}

static void what_changed_during_a_cut_is_told_after_it(void) {
    struct relay *relay = open_relay(server(0));
    struct session *session = open_session(relay_address(relay)), *other = open_session(server(-1));
    int64_t id = zoo_client_id(session->handle)->client_id;
    create_node(session, ROOT "/changed", "0");
    create_node(session, ROOT "/parent", "");
    create_node(session, ROOT "/gone", "");
    create_node(session, ROOT "/still", "");
    EXPECT_INT(watch_data(session, ROOT "/changed"), ZOK);
    EXPECT_INT(watch_children(session, ROOT "/parent"), ZOK);
    EXPECT_INT(watch_existence(session, ROOT "/gone"), ZOK);
    EXPECT_INT(watch_existence(session, ROOT "/new"), ZNONODE);
    EXPECT_INT(watch_data(session, ROOT "/still"), ZOK);
    cut_relay(relay);
    EXPECT_INT(zoo_set(other->handle, ROOT "/changed", "1", 1, -1), ZOK);
    await_state(session, ZOO_CONNECTED_STATE);
    expect_event(session, ZOO_CHANGED_EVENT, ROOT "/changed");
    create_node(other, ROOT "/parent/child", "");
    expect_event(session, ZOO_CHILD_EVENT, ROOT "/parent");
    EXPECT_INT(zoo_delete(other->handle, ROOT "/gone", -1), ZOK);
    expect_event(session, ZOO_DELETED_EVENT, ROOT "/gone");
    create_node(other, ROOT "/new", "");
    expect_event(session, ZOO_CREATED_EVENT, ROOT "/new");
    expect_no_event(session);
    EXPECT_INT(zoo_client_id(session->handle)->client_id, id);
    close_session(session);
    close_relay(relay);
}

const struct check watch_checks[] = {
    {"is told once of each kind of change", is_told_once_of_each_kind_of_change},
    {"the session's own watcher is told too", the_session_s_own_watcher_is_told_too},
    {"several watches of one node each see the change",
     several_watches_of_one_node_each_see_the_change},
    {"a removed watch is silent", a_removed_watch_is_silent},
    {"all watches of a path can be removed", all_watches_of_a_path_can_be_removed},
    {"what changed during a cut is told after it", what_changed_during_a_cut_is_told_after_it},
    {NULL, NULL},
};
