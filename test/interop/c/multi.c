/* Several changes in one: all or none, results in order, and what each member may be. */

#include "suite.h"

static void all_changes_happen_at_once(void) {
    struct session *session = open_session(server(0));
    char made[64], numbered[64];
    struct Stat stat, first, second;
    zoo_op_t ops[5];
    zoo_op_result_t results[5];
    create_node(session, ROOT "/kept", "old");
    create_node(session, ROOT "/gone", "");
    zoo_check_op_init(&ops[0], ROOT "/kept", 0);
    zoo_create_op_init(&ops[1], ROOT "/made", "x", 1, &ZOO_OPEN_ACL_UNSAFE, 0, made, sizeof made);
    zoo_create_op_init(&ops[2], ROOT "/made/s-", "x", 1, &ZOO_OPEN_ACL_UNSAFE,
                       ZOO_EPHEMERAL_SEQUENTIAL, numbered, sizeof numbered);
    zoo_set_op_init(&ops[3], ROOT "/kept", "new", 3, 0, &stat);
    zoo_delete_op_init(&ops[4], ROOT "/gone", 0);
    EXPECT_INT(zoo_multi(session->handle, 5, ops, results), ZOK);
    for (int i = 0; i < 5; i++) EXPECT_INT(results[i].err, ZOK);
    EXPECT_TEXT(made, ROOT "/made");
    EXPECT_TEXT(numbered, ROOT "/made/s-0000000000");
    EXPECT_INT(stat.version, 1);
    EXPECT_INT(zoo_exists(session->handle, ROOT "/made", 0, &first), ZOK);
    EXPECT_INT(zoo_exists(session->handle, numbered, 0, &second), ZOK);
    EXPECT(first.czxid == second.czxid && first.czxid == stat.mzxid);
    EXPECT_INT(zoo_exists(session->handle, ROOT "/gone", 0, NULL), ZNONODE);
}

static void one_refusal_undoes_all(void) {
    struct session *session = open_session(server(0));
    zoo_op_t ops[4];
    zoo_op_result_t results[4];
    create_node(session, ROOT "/kept", "old");
    zoo_create_op_init(&ops[0], ROOT "/never", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0);
    zoo_set_op_init(&ops[1], ROOT "/kept", "new", 3, 9, NULL);
    zoo_create_op_init(&ops[2], ROOT "/neither", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0);
    zoo_delete_op_init(&ops[3], ROOT "/none", -1);
    EXPECT_INT(zoo_multi(session->handle, 4, ops, results), ZBADVERSION);
    EXPECT_INT(results[0].err, ZOK);
    EXPECT_INT(results[1].err, ZBADVERSION);
    EXPECT_INT(results[2].err, ZRUNTIMEINCONSISTENCY);
    EXPECT_INT(results[3].err, ZRUNTIMEINCONSISTENCY);
    EXPECT_INT(zoo_exists(session->handle, ROOT "/never", 0, NULL), ZNONODE);
}

static void a_check_alone_only_looks(void) {
    struct session *session = open_session(server(0));
    zoo_op_t op;
    zoo_op_result_t result;
    struct Stat before, after;
    create_node(session, ROOT "/kept", "old");
    EXPECT_INT(zoo_exists(session->handle, ROOT "/kept", 0, &before), ZOK);
    zoo_check_op_init(&op, ROOT "/kept", 0);
    EXPECT_INT(zoo_multi(session->handle, 1, &op, &result), ZOK);
    zoo_check_op_init(&op, ROOT "/kept", 1);
    EXPECT_INT(zoo_multi(session->handle, 1, &op, &result), ZBADVERSION);
    zoo_check_op_init(&op, ROOT "/none", 0);
    EXPECT_INT(zoo_multi(session->handle, 1, &op, &result), ZNONODE);
    EXPECT_INT(zoo_exists(session->handle, ROOT "/kept", 0, &after), ZOK);
    EXPECT(is_same_stat(&before, &after));
}

static void members_see_the_members_before_them(void) {
    struct session *session = open_session(server(0));
    zoo_op_t ops[5];
    zoo_op_result_t results[5];
    zoo_create_op_init(&ops[0], ROOT "/a", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0);
    zoo_create_op_init(&ops[1], ROOT "/a/b", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0);
    zoo_set_op_init(&ops[2], ROOT "/a/b", "x", 1, 0, NULL);
    zoo_check_op_init(&ops[3], ROOT "/a/b", 1);
    zoo_delete_op_init(&ops[4], ROOT "/a/b", 1);
    EXPECT_INT(zoo_multi(session->handle, 5, ops, results), ZOK);
    EXPECT_INT(zoo_exists(session->handle, ROOT "/a/b", 0, NULL), ZNONODE);
    EXPECT_INT(zoo_exists(session->handle, ROOT "/a", 0, NULL), ZOK);
}

static void each_member_s_watches_fire(void) {
    struct session *session = open_session(server(0)), *other = open_session(server(-1));
    struct String_vector names;
    zoo_op_t ops[2];
    zoo_op_result_t results[2];
    create_node(session, ROOT "/a", "");
    EXPECT_INT(zoo_wget_children(session->handle, ROOT, note_event, session, &names), ZOK);
    deallocate_String_vector(&names);
    EXPECT_INT(zoo_wexists(session->handle, ROOT "/a", note_event, session, NULL), ZOK);
    zoo_set_op_init(&ops[0], ROOT "/a", "x", 1, -1, NULL);
    zoo_create_op_init(&ops[1], ROOT "/b", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0);
    EXPECT_INT(zoo_multi(other->handle, 2, ops, results), ZOK);
    expect_event(session, ZOO_CHANGED_EVENT, ROOT "/a");
    expect_event(session, ZOO_CHILD_EVENT, ROOT);
    expect_no_event(session);
}

const struct check multi_checks[] = {
    {"all changes happen at once", all_changes_happen_at_once},
    {"one refusal undoes all", one_refusal_undoes_all},
    {"a check alone only looks", a_check_alone_only_looks},
    {"members see the members before them", members_see_the_members_before_them},
    {"each member's watches fire", each_member_s_watches_fire},
    {NULL, NULL},
};
