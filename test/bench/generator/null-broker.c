// The null broker: the least that answers the load generator. No topic rules, no sessions, no checks; whole runs of frames are copied as
// they came. What the generator reaches against it is the generator's (and the kernel's) own ceiling. Prints its port, ends with stdin.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "wire.h"

// The generator's topics begin with bench/NN; where a message goes is known from that.
enum { MAX_CONNECTIONS = 4096, CHUNK = 256 * 1024, ROUTE = 8 };

struct connection {
  int fd;
  uint8_t version;
  bool dirty, blocked;
  struct buffer in, out;
  char filter[64];        // what it subscribed with, "" = nothing
  char topic[ROUTE + 1];  // the beginning of the topics that `targets` was made for
  unsigned targets, *target;
};

static struct connection connections[MAX_CONNECTIONS];
static unsigned connection_count, dirty_count, dirty[MAX_CONNECTIONS];
static int epoll;

static void touch(unsigned index) {
  if (connections[index].dirty) return;
  connections[index].dirty = true;
  dirty[dirty_count++] = index;
}

static bool covers(const char *filter, const char *topic) {
  return strncmp(filter, topic, ROUTE) == 0 || strcmp(filter, "bench/#") == 0;
}

static void resolve(struct connection *c, const uint8_t *topic) {
  memcpy(c->topic, topic, ROUTE);
  c->targets = 0;
  c->target = realloc(c->target, connection_count * sizeof *c->target);
  for (unsigned i = 0; i < connection_count; i++)
    if (connections[i].fd >= 0 && covers(connections[i].filter, c->topic)) c->target[c->targets++] = i;
}

// forward copies the frame at `at`, and all that follow with the same length and beginning of the topic, to the subscribers; returns the bytes taken.
static size_t forward(struct connection *c, const uint8_t *at, size_t have, size_t frame, size_t body) {
  unsigned qos = at[0] >> 1 & 3;
  size_t topic = two_bytes(at + body), run = 0;
  errno = 0;
  if (topic < ROUTE) fail("Cannot go on: not a topic of the generator");
  if (memcmp(c->topic, at + body + 2, ROUTE) != 0) resolve(c, at + body + 2);
  while (run + frame <= have && memcmp(at + run, at, body + 2 + ROUTE) == 0) {
    if (qos) append_ack(&c->out, qos == 1 ? PUBACK : PUBREC, two_bytes(at + run + body + 2 + topic));
    run += frame;
  }
  for (unsigned i = 0; i < c->targets; i++) {
    append(&connections[c->target[i]].out, at, run);
    touch(c->target[i]);
  }
  return run;
}

static void answer_subscribe(struct connection *c, const uint8_t *at, size_t body) {
  uint8_t ack[6] = {SUBACK, 3, at[body], at[body + 1], 0, 0};
  size_t filter = body + 2 + (c->version == 5), length = two_bytes(at + filter); // the generator sends no properties
  if (length >= sizeof c->filter) fail("filter too long");
  memcpy(c->filter, at + filter + 2, length);
  c->filter[length] = 0;
  ack[1] = c->version == 5 ? 4 : 3;
  ack[c->version == 5 ? 5 : 4] = at[filter + 2 + length];
  append(&c->out, ack, 2 + (size_t)ack[1]);
}

static void answer(struct connection *c, const uint8_t *at, size_t body) {
  switch (at[0] & 0xf0) {
    case CONNECT:
      c->version = at[body + 6];
      append(&c->out, c->version == 5 ? "\x20\x03\0\0\0" : "\x20\x02\0\0", c->version == 5 ? 5 : 4);
      return;
    case SUBSCRIBE: answer_subscribe(c, at, body); return;
    case PUBREC: append_ack(&c->out, PUBREL | 2, two_bytes(at + body)); return;
    case PUBREL: append_ack(&c->out, PUBCOMP, two_bytes(at + body)); return;
  }
}

static void close_connection(struct connection *c) {
  close(c->fd);
  c->fd = -1;
  c->filter[0] = 0;
  c->out.start = c->out.end = 0;
  for (unsigned i = 0; i < connection_count; i++) connections[i].topic[0] = 0; // targets are stale
}

static void receive(unsigned index) {
  struct connection *c = &connections[index];
  ssize_t n = recv(c->fd, reserve(&c->in, CHUNK), CHUNK, 0);
  if (n == 0 || (n < 0 && errno != EAGAIN)) return close_connection(c);
  if (n < 0) return;
  c->in.end += (size_t)n;
  size_t body, frame;
  while ((frame = whole_frame(c->in.bytes + c->in.start, c->in.end - c->in.start, &body))) {
    const uint8_t *at = c->in.bytes + c->in.start;
    if ((at[0] & 0xf0) == PUBLISH) frame = forward(c, at, c->in.end - c->in.start, frame, body);
    else answer(c, at, body);
    c->in.start += frame;
  }
  consumed(&c->in);
  if (c->out.end > c->out.start) touch(index);
}

static void flush(unsigned index) {
  struct connection *c = &connections[index];
  if (c->fd < 0) return;
  while (c->out.start < c->out.end) {
    ssize_t n = send(c->fd, c->out.bytes + c->out.start, c->out.end - c->out.start, MSG_NOSIGNAL);
    if (n < 0) break;
    c->out.start += (size_t)n;
  }
  bool blocked = c->out.start < c->out.end;
  if (!blocked) consumed(&c->out);
  if (blocked == c->blocked) return;
  c->blocked = blocked;
  struct epoll_event event = {.events = EPOLLIN | (blocked ? EPOLLOUT : 0), .data.u32 = index};
  epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &event);
}

static void accept_one(int listener) {
  if (connection_count == MAX_CONNECTIONS) fail("too many connections");
  struct connection *c = &connections[connection_count];
  int one = 1;
  c->fd = accept(listener, NULL, NULL);
  if (c->fd < 0) fail("accept");
  unblock(c->fd);
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = connection_count++};
  epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event);
}

int main(void) {
  enum { STDIN = MAX_CONNECTIONS, LISTENER };
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  epoll = epoll_create1(0);
  if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, 1024)) fail("listen");
  getsockname(listener, (struct sockaddr *)&address, &length);
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &(struct epoll_event){.events = EPOLLIN, .data.u32 = LISTENER});
  epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &(struct epoll_event){.events = EPOLLIN, .data.u32 = STDIN});
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  struct epoll_event events[256];
  for (;;) {
    int count = epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < count; i++) {
      unsigned index = events[i].data.u32;
      if (index == STDIN) return 0; // whoever started us is gone
      if (index == LISTENER) accept_one(listener);
      else if (connections[index].fd >= 0) {
        if (events[i].events & EPOLLOUT) touch(index);
        if (events[i].events & ~(unsigned)EPOLLOUT) receive(index);
      }
    }
    for (unsigned i = 0; i < dirty_count; i++) {
      connections[dirty[i]].dirty = false;
      flush(dirty[i]);
    }
    dirty_count = 0;
  }
}
