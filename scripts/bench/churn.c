/* Connects, sends one get, reads the whole reply and closes, over and over, on several sockets at
 * once from one thread: churn PORT CLIENTS SECONDS KEY REPLY_BYTES.
 *
 * Prints how many conns were served and how many were not, and the seconds that it took. Conns come
 * from several addresses in turn, so that ports in TIME_WAIT do not run out.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS_MAX 1024
#define SOURCES 9
#define WAIT_MS 1000

struct client {
  int fd;
  int is_sent;
  int got;
};

static struct client clients[CLIENTS_MAX];
static struct sockaddr_in server;
static char request[300];
static size_t request_bytes;
static int reply_bytes;
static int poller;
static long served, failed;
static unsigned turn;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

static void die(const char *what) {
  perror(what);
  exit(1);
}

static void start(int slot) {
  struct client *client = &clients[slot];
  int on = 1;
  client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (client->fd < 0) die("socket");
  client->is_sent = client->got = 0;
  setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  struct sockaddr_in source = {.sin_family = AF_INET};
  source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + turn++ % SOURCES);
  if (bind(client->fd, (struct sockaddr *)&source, sizeof source) < 0) die("bind");
  if (connect(client->fd, (struct sockaddr *)&server, sizeof server) < 0 && errno != EINPROGRESS)
    die("connect");
  struct epoll_event event = {.events = EPOLLOUT, .data.u32 = slot};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, client->fd, &event) < 0) die("epoll_ctl");
}

static void finish(int slot, int is_served) {
  if (is_served) served++;
  else failed++;
  close(clients[slot].fd);
  start(slot);
}

static void serve(int slot) {
  struct client *client = &clients[slot];
  char bytes[65536];
  if (!client->is_sent) {
    if (send(client->fd, request, request_bytes, MSG_NOSIGNAL) != (ssize_t)request_bytes) {
      finish(slot, 0);
      return;
    }
    client->is_sent = 1;
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = slot};
    epoll_ctl(poller, EPOLL_CTL_MOD, client->fd, &event);
    return;
  }
  ssize_t count = recv(client->fd, bytes, sizeof bytes, 0);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) {
    finish(slot, 0);
    return;
  }
  client->got += count;
  if (client->got < reply_bytes) return;
  finish(slot, client->got == reply_bytes && memcmp(bytes + count - 5, "END\r\n", 5) == 0);
}

int main(int argc, char **argv) {
  if (argc != 6) return 2;
  int count = atoi(argv[2]);
  double seconds = atof(argv[3]);
  if (count < 1 || count > CLIENTS_MAX) return 2;
  server.sin_family = AF_INET;
  server.sin_port = htons(atoi(argv[1]));
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  request_bytes = snprintf(request, sizeof request, "get %s\r\n", argv[4]);
  reply_bytes = atoi(argv[5]);
  poller = epoll_create1(0);
  double begin = now();
  for (int slot = 0; slot < count; slot++) start(slot);
  while (now() - begin < seconds) {
    struct epoll_event events[64];
    int ready = epoll_wait(poller, events, 64, WAIT_MS);
    for (int at = 0; at < ready; at++) serve(events[at].data.u32);
  }
  printf("{\"served\": %ld, \"failed\": %ld, \"seconds\": %.6f}\n", served, failed, now() - begin);
  return 0;
}
