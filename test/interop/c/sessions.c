/* Sessions: resumed, refused, moved, with a root of their own, with a list of servers. */

#include <arpa/inet.h>
#include <stdlib.h>

#include "suite.h"

#define CONFIG_BYTES 4096

/* The port that the session's connection leads to; 0 when it has none. */
static int connected_port(struct session *session) {
    struct sockaddr_in address = {0};
    socklen_t length = sizeof address;
    struct sockaddr *found =
        zookeeper_get_connected_host(session->handle, (struct sockaddr *)&address, &length);
    return found == NULL ? 0 : ntohs(address.sin_port);
}

static int port_of(const char *address) {
    return atoi(strrchr(address, ':') + 1);
}

static void a_session_is_resumed_with_its_id_and_password(void) {
    struct relay *relay = open_relay(server(0));
    struct session *first = open_session(relay_address(relay));
    EXPECT_INT(zoo_create(first->handle, ROOT "/mine", "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL,
                          NULL, 0),
               ZOK);
    clientid_t id = *zoo_client_id(first->handle);
    /* The process that held the session cannot come back. */
    close_relay(relay);
    struct session *second = begin_session(server(-1), &id, 0);
    await_state(second, ZOO_CONNECTED_STATE);
    sync_path(second, "/");
    EXPECT_INT(zoo_client_id(second->handle)->client_id, id.client_id);
    struct Stat stat;
    EXPECT_INT(zoo_exists(second->handle, ROOT "/mine", 0, &stat), ZOK);
    EXPECT_INT(stat.ephemeralOwner, id.client_id);
}

static void a_wrong_password_is_refused(void) {
    struct session *first = open_session(server(0));
    clientid_t id = *zoo_client_id(first->handle);
    id.passwd[3] ^= 1;
    struct session *second = begin_session(server(-1), &id, 0);
    await_state(second, ZOO_EXPIRED_SESSION_STATE);
    EXPECT(is_unrecoverable(second->handle));
    /* A server cuts the session's connection before it looks at the password; the session lives on. */
    int code = zoo_exists(first->handle, ROOT, 0, NULL);
    if (code == ZCONNECTIONLOSS) code = zoo_exists(first->handle, ROOT, 0, NULL);
    EXPECT_INT(code, ZOK);
}

static void a_closed_session_is_gone(void) {
    struct session *first = open_session(server(0));
    clientid_t id = *zoo_client_id(first->handle);
    close_session(first);
    struct session *second = begin_session(server(0), &id, 0);
    await_state(second, ZOO_EXPIRED_SESSION_STATE);
    EXPECT_INT(zoo_exists(second->handle, ROOT, 0, NULL), ZINVALIDSTATE);
}

/* Waits as long as a session lives of which nothing is heard. */
static void a_session_that_is_silent_too_long_expires(void) {
    struct relay *relay = open_relay(server(0));
    struct session *session = open_session(relay_address(relay)), *other = open_session(server(-1));
    EXPECT_INT(zoo_create(session->handle, ROOT "/mine", "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL,
                          NULL, 0),
               ZOK);
    sync_path(other, ROOT);
    EXPECT_INT(zoo_wexists(other->handle, ROOT "/mine", note_event, other, NULL), ZOK);
    block_relay(relay, true);
    expect_event(other, ZOO_DELETED_EVENT, ROOT "/mine");
    block_relay(relay, false);
    await_state(session, ZOO_EXPIRED_SESSION_STATE);
    EXPECT_INT(zoo_exists(session->handle, ROOT, 0, NULL), ZINVALIDSTATE);
    close_session(session);
    close_relay(relay);
}

static void a_cut_connection_keeps_its_session(void) {
    struct relay *relay = open_relay(server(0));
    struct session *session = open_session(relay_address(relay));
    int64_t id = zoo_client_id(session->handle)->client_id;
    struct Stat stat;
    EXPECT_INT(zoo_create(session->handle, ROOT "/mine", "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL,
                          NULL, 0),
               ZOK);
    cut_relay(relay);
    EXPECT_INT(exists_after_reconnecting(session, ROOT "/mine", &stat), ZOK);
    EXPECT_INT(stat.ephemeralOwner, id);
    EXPECT_INT(zoo_client_id(session->handle)->client_id, id);
    close_session(session);
    close_relay(relay);
}

static void a_dead_server_in_the_list_is_passed_over(void) {
    char hosts[128];
    snprintf(hosts, sizeof hosts, "127.0.0.1:1,127.0.0.1:2,%s", server(0));
    zoo_deterministic_conn_order(1);
    struct session *session = begin_session(hosts, NULL, 0);
    zoo_deterministic_conn_order(0);
    await_state(session, ZOO_CONNECTED_STATE);
    EXPECT_INT(connected_port(session), port_of(server(0)));
    EXPECT_INT(zoo_exists(session->handle, ROOT, 0, NULL), ZOK);
}

static void another_server_of_the_list_takes_over(void) {
    struct relay *relay = open_relay(server(0));
    struct session *other = open_session(server(0));
    char hosts[128];
    snprintf(hosts, sizeof hosts, "%s,%s", relay_address(relay), server(-1));
    zoo_deterministic_conn_order(1);
    struct session *session = begin_session(hosts, NULL, 0);
    zoo_deterministic_conn_order(0);
    await_state(session, ZOO_CONNECTED_STATE);
    EXPECT_INT(connected_port(session), port_of(relay_address(relay)));
    int64_t id = zoo_client_id(session->handle)->client_id;
    create_node(session, ROOT "/w", "");
    EXPECT_INT(zoo_wexists(session->handle, ROOT "/w", note_event, session, NULL), ZOK);
    close_relay(relay);
    EXPECT_INT(exists_after_reconnecting(session, ROOT "/w", NULL), ZOK);
    EXPECT_INT(connected_port(session), port_of(server(-1)));
    EXPECT_INT(zoo_client_id(session->handle)->client_id, id);
    EXPECT_INT(zoo_set(other->handle, ROOT "/w", "x", 1, -1), ZOK);
    expect_event(session, ZOO_CHANGED_EVENT, ROOT "/w");
}

static void a_root_of_its_own_is_what_it_sees(void) {
    struct session *outer = open_session(server(0));
    char hosts[128], made[64];
    create_node(outer, ROOT "/inner", "");
    snprintf(hosts, sizeof hosts, "%s" ROOT "/inner", server(0));
    struct session *inner = open_session(hosts);
    EXPECT_INT(zoo_wexists(inner->handle, "/n", note_event, inner, NULL), ZNONODE);
    EXPECT_INT(zoo_create(inner->handle, "/n", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, made, sizeof made),
               ZOK);
    EXPECT_TEXT(made, "/n");
    expect_event(inner, ZOO_CREATED_EVENT, "/n");
    EXPECT_INT(zoo_exists(outer->handle, ROOT "/inner/n", 0, NULL), ZOK);
    EXPECT_INT(zoo_exists(inner->handle, ROOT, 0, NULL), ZNONODE);
}

static void a_timeout_is_agreed_on(void) {
    struct session *session = open_session(server(0));
    EXPECT_INT(zoo_recv_timeout(session->handle), SESSION_TIMEOUT_MS);
}

static void a_reader_may_write_while_there_is_a_majority(void) {
    struct session *session = begin_session(server(0), NULL, ZOO_READONLY);
    await_state(session, ZOO_CONNECTED_STATE);
    create_node(session, ROOT "/n", "");
}

static void the_configuration_can_be_read(void) {
    struct session *session = open_session(server(0));
    char config[CONFIG_BYTES];
    int length = sizeof config - 1;
    struct Stat stat;
    EXPECT_INT(zoo_getconfig(session->handle, 0, config, &length, &stat), ZOK);
    length = sizeof config - 1;
    EXPECT_INT(zoo_wgetconfig(session->handle, note_event, session, config, &length, &stat), ZOK);
    config[length < 0 ? 0 : length] = '\0';
    if (!is_ensemble()) return;
    EXPECT(strstr(config, "server.1=127.0.0.1:") != NULL);
    EXPECT(strstr(config, "version=") != NULL);
}

static void a_reconfiguration_is_refused_where_it_is_off(void) {
    struct session *session = open_session(server(0));
    char config[CONFIG_BYTES];
    int length = sizeof config;
    EXPECT_INT(zoo_reconfig(session->handle, "server.9=127.0.0.1:1:2;3", NULL, NULL, -1, config,
                            &length, NULL),
               ZRECONFIGDISABLED);
}

static void a_minority_serves_reads_only(void) {
    struct session *session = begin_session(all_servers(), NULL, ZOO_READONLY);
    await_state(session, ZOO_READONLY_STATE);
    struct String_vector names;
    EXPECT_INT(zoo_get_children(session->handle, "/", 0, &names), ZOK);
    deallocate_String_vector(&names);
    EXPECT_INT(zoo_create(session->handle, "/n", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0),
               ZNOTREADONLY);
    EXPECT_INT(zoo_delete(session->handle, "/n", -1), ZNOTREADONLY);
    EXPECT_INT(zoo_exists(session->handle, "/n", 0, NULL), ZNONODE);
}

const struct check session_checks[] = {
    {"a session is resumed with its id and password", a_session_is_resumed_with_its_id_and_password},
    {"a wrong password is refused", a_wrong_password_is_refused},
    {"a closed session is gone", a_closed_session_is_gone},
    {"a session that is silent too long expires", a_session_that_is_silent_too_long_expires},
    {"a cut connection keeps its session", a_cut_connection_keeps_its_session},
    {"a dead server in the list is passed over", a_dead_server_in_the_list_is_passed_over},
    {"another server of the list takes over", another_server_of_the_list_takes_over},
    {"a root of its own is what it sees", a_root_of_its_own_is_what_it_sees},
    {"a timeout is agreed on", a_timeout_is_agreed_on},
    {"a reader may write while there is a majority", a_reader_may_write_while_there_is_a_majority},
    {"the configuration can be read", the_configuration_can_be_read},
    {"a reconfiguration is refused where it is off", a_reconfiguration_is_refused_where_it_is_off},
    {NULL, NULL},
};

const struct check read_only_checks[] = {
    {"a minority serves reads only", a_minority_serves_reads_only},
    {NULL, NULL},
};
