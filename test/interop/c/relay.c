/* A way to a server that can be cut: how a session whose connection breaks is seen to go on. */

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "suite.h"

#define LINKS_MAX 8
#define CHUNK_BYTES 65536

struct link {
    int client;
    int server;
};

struct relay {
    pthread_t thread;
    pthread_mutex_t mutex;
    int listener;
    struct sockaddr_in target;
    char address[32];
    struct link links[LINKS_MAX];
    int link_count;
    bool is_silent;
    bool is_blocked;
    bool is_closing;
};

static void drop_link(struct relay *relay, int index) {
    close(relay->links[index].client);
    close(relay->links[index].server);
    relay->links[index] = relay->links[--relay->link_count];
}

static void accept_link(struct relay *relay) {
    int client = accept(relay->listener, NULL, NULL);
    int target = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr *address = (struct sockaddr *)&relay->target;
    if (relay->is_blocked || relay->link_count == LINKS_MAX || connect(target, address, sizeof relay->target) != 0) {
        close(client);
        close(target);
        return;
    }
    relay->links[relay->link_count++] = (struct link){.client = client, .server = target};
}

/* False when either side has ended. */
static bool pass(int from, int to, bool is_dropped) {
    char chunk[CHUNK_BYTES];
    ssize_t length = recv(from, chunk, sizeof chunk, MSG_DONTWAIT);
    for (ssize_t sent = is_dropped ? length : 0; sent < length;) {
        ssize_t part = send(to, chunk + sent, length - sent, MSG_NOSIGNAL);
        if (part <= 0) return false;
        sent += part;
    }
    return length > 0;
}

static void turn(struct relay *relay) {
    struct pollfd polled[1 + 2 * LINKS_MAX] = {{.fd = relay->listener, .events = POLLIN}};
    int count = relay->link_count;
    for (int i = 0; i < count; i++) {
        polled[1 + 2 * i] = (struct pollfd){.fd = relay->links[i].client, .events = POLLIN};
        polled[2 + 2 * i] = (struct pollfd){.fd = relay->links[i].server, .events = POLLIN};
    }
    poll(polled, 1 + 2 * count, 0);
    for (int i = count - 1; i >= 0; i--) {
        struct link link = relay->links[i];
        bool is_alive = polled[1 + 2 * i].revents == 0 || pass(link.client, link.server, false);
        if (is_alive && polled[2 + 2 * i].revents != 0) {
            is_alive = pass(link.server, link.client, relay->is_silent);
        }
        if (!is_alive) drop_link(relay, i);
    }
    if (polled[0].revents != 0) accept_link(relay);
}

static void *run(void *context) {
    struct relay *relay = context;
    bool is_closing = false;
    while (!is_closing) {
        usleep(1000);
        pthread_mutex_lock(&relay->mutex);
        turn(relay);
        is_closing = relay->is_closing;
        pthread_mutex_unlock(&relay->mutex);
    }
    return NULL;
}

struct relay *open_relay(const char *address) {
    struct relay *relay = calloc(1, sizeof *relay);
    const char *colon = strrchr(address, ':');
    EXPECT(colon != NULL);
    relay->target.sin_family = AF_INET;
    relay->target.sin_port = htons((uint16_t)atoi(colon + 1));
    relay->target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct sockaddr_in own = {.sin_family = AF_INET};
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof own;
    relay->listener = socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_INT(bind(relay->listener, (struct sockaddr *)&own, sizeof own), 0);
    EXPECT_INT(listen(relay->listener, LINKS_MAX), 0);
    EXPECT_INT(getsockname(relay->listener, (struct sockaddr *)&own, &length), 0);
    snprintf(relay->address, sizeof relay->address, "127.0.0.1:%d", ntohs(own.sin_port));
    pthread_mutex_init(&relay->mutex, NULL);
    EXPECT_INT(pthread_create(&relay->thread, NULL, run, relay), 0);
    return relay;
}

const char *relay_address(const struct relay *relay) {
    return relay->address;
}

void silence_relay(struct relay *relay) {
    pthread_mutex_lock(&relay->mutex);
    relay->is_silent = true;
    pthread_mutex_unlock(&relay->mutex);
}

void cut_relay(struct relay *relay) {
    pthread_mutex_lock(&relay->mutex);
    relay->is_silent = false;
    while (relay->link_count > 0) drop_link(relay, 0);
    pthread_mutex_unlock(&relay->mutex);
}

void block_relay(struct relay *relay, bool is_blocked) {
    pthread_mutex_lock(&relay->mutex);
    relay->is_blocked = is_blocked;
    pthread_mutex_unlock(&relay->mutex);
    cut_relay(relay);
}

void close_relay(struct relay *relay) {
    pthread_mutex_lock(&relay->mutex);
    relay->is_closing = true;
    pthread_mutex_unlock(&relay->mutex);
    pthread_join(relay->thread, NULL);
    cut_relay(relay);
    close(relay->listener);
    free(relay);
}
