// The load generator: closed-loop MQTT clients in one thread, faster than any broker it measures. Every frame that comes is parsed and
// checked: order and completeness per publisher and subscriber. Settings are KEY=NUMBER (or text) arguments; the result is one line of JSON.
//
//   publisher i --topic bench/i%topics--> broker --> subscriber j (topic j%topics, or all of them with wildcard=1)
//
// With spread=N a publisher goes round N topics, message by message (bench/07/00, bench/07/01, ...), and the filter is bench/07/#.
//
// At most `window` messages of a publisher are outstanding: a message is done when every subscriber has it and, at QoS 1 and 2, when the
// publisher has its PUBACK or PUBCOMP. With pace=N they send N messages a second together, in turn, as far as their windows allow; latencies
// count from when a message was due. A payload is: send time in ns (8 bytes), publisher (4), sequence (4), padding.
#define _GNU_SOURCE
#include <sched.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include "connection.h"

enum { HEAD = 16, MAX_CLIENTS = 2048, MAX_PAYLOAD = 16 * 1024 * 1024, STALL_SECONDS = 2, BUCKETS = 64 * 32 };

static struct {
  int port, publishers, subscribers, topics, wildcard, spread, window, qos, payload, version, tls, websocket, kept, broker, core, pace;
  double warmup, seconds;
  const char *username, *password;
} load = {.publishers = 1, .subscribers = 1, .topics = 1, .window = 1, .payload = 64, .version = 4, .core = -1, .warmup = 0.5, .seconds = 2};

// A slot is one outstanding message; sequence & slot_mask finds it, slot + 1 is its packet identifier.
struct slot { uint32_t sequence, left; uint64_t time; };

struct publisher {
  struct connection connection;
  struct slot *slots;
  unsigned outstanding, fanout;
  uint32_t next;
  uint64_t sent;
  uint8_t *frame;         // the PUBLISH, made once; packet identifier and head of the payload are patched in the copy
  size_t length, id_at, payload_at, spread_at; // spread_at: the two digits that differ with spread=N
  bool waiting;           // has credit to send with, at the end of this turn
};

struct subscriber {
  struct connection connection;
  uint32_t *expected;     // per publisher, the sequence that must come next
};

static struct publisher *publishers;
static struct subscriber *subscribers;
static struct connection *dirty[MAX_CLIENTS * 2];
static unsigned dirty_count, waiting_count, waiting[MAX_CLIENTS], slot_count = 256;
static uint64_t delivered, duplicates, written_off, histogram[BUCKETS], largest;
static uint64_t paced, paced_since; // messages that were due since then
static bool sending = true, measuring;
static int epoll;

// 32 buckets per power of two: values are kept to 3 %.
static inline unsigned bucket_of(uint64_t value) {
  if (value < 32) return (unsigned)value;
  unsigned shift = 58 - (unsigned)__builtin_clzll(value);
  return (shift + 1) * 32 + (unsigned)(value >> shift & 31);
}

static double bucket_value(unsigned bucket) {
  if (bucket < 32) return bucket;
  unsigned shift = bucket / 32 - 1;
  return ((double)(32 + bucket % 32) + 0.5) * (double)(1ull << shift);
}

static double percentile(double part) {
  uint64_t total = 0, seen = 0;
  for (unsigned i = 0; i < BUCKETS; i++) total += histogram[i];
  for (unsigned i = 0; i < BUCKETS; i++)
    if ((seen += histogram[i]) >= (uint64_t)((double)total * part) && seen > 0) return bucket_value(i) / 1000;
  return 0;
}

static void touch(struct connection *c) {
  if (c->dirty) return;
  c->dirty = true;
  dirty[dirty_count++] = c;
}

static void want_to_send(struct publisher *p) {
  if (p->waiting || !sending || load.pace) return;
  p->waiting = true;
  waiting[waiting_count++] = (unsigned)(p - publishers);
}

static inline void credit(struct publisher *p, uint32_t sequence) {
  struct slot *slot = &p->slots[sequence & (slot_count - 1)];
  if (slot->sequence != sequence || slot->left == 0) return;
  if (--slot->left > 0) return;
  p->outstanding--;
  want_to_send(p);
}

// send_one sends a message; false = the window is full.
static bool send_one(struct publisher *p, uint64_t time) {
  uint32_t index = p->connection.index;
  unsigned number = p->next & (slot_count - 1);
  struct slot *slot = &p->slots[number];
  if (p->outstanding >= (unsigned)load.window || slot->left > 0) return false;
  slot->sequence = p->next;
  slot->left = p->fanout + (load.qos > 0);
  slot->time = time;
  uint8_t *at = reserve(&p->connection.out, p->length);
  memcpy(at, p->frame, p->length);
  memcpy(at + p->payload_at, &time, 8);
  memcpy(at + p->payload_at + 8, &index, 4);
  memcpy(at + p->payload_at + 12, &p->next, 4);
  if (load.spread > 0) {
    at[p->spread_at] = (uint8_t)('0' + p->next % (unsigned)load.spread / 10);
    at[p->spread_at + 1] = (uint8_t)('0' + p->next % (unsigned)load.spread % 10);
  }
  if (load.qos > 0) {
    at[p->id_at] = (uint8_t)((number + 1) >> 8);
    at[p->id_at + 1] = (uint8_t)(number + 1);
  }
  p->connection.out.end += p->length;
  p->next++;
  p->sent++;
  p->outstanding++;
  touch(&p->connection);
  return true;
}

// send_more fills the publisher's window.
static void send_more(struct publisher *p) {
  uint64_t time = nanoseconds();
  while (send_one(p, time));
  touch(&p->connection);
}

// send_due sends what the pace asks for by now.
static void send_due(void) {
  uint64_t now = nanoseconds();
  if (!paced_since) paced_since = now;
  for (;;) {
    uint64_t due = paced_since + (uint64_t)((double)paced * 1e9 / load.pace);
    if (due > now) return;
    send_one(&publishers[paced++ % (unsigned)load.publishers], due);
  }
}

static void count(uint64_t latency) {
  delivered++;
  if (!measuring) return;
  histogram[bucket_of(latency)]++;
  if (latency > largest) largest = latency;
}

static void deliver(struct subscriber *s, const uint8_t *payload, uint64_t time) {
  uint64_t sent;
  uint32_t index, sequence;
  memcpy(&sent, payload, 8);
  memcpy(&index, payload + 8, 4);
  memcpy(&sequence, payload + 12, 4);
  if (index >= (uint32_t)load.publishers) { errno = 0; fail("Cannot go on: a payload came back changed"); }
  struct publisher *p = &publishers[index];
  int32_t ahead = (int32_t)(sequence - s->expected[index]);
  if (ahead < 0) { duplicates++; return; }
  for (; ahead > 0; ahead--) credit(p, s->expected[index]++); // dropped by the broker
  s->expected[index]++;
  credit(p, sequence);
  count(time - sent);
}

static void on_publish(struct subscriber *s, const uint8_t *at, size_t length, size_t body, uint64_t time) {
  unsigned qos = at[0] >> 1 & 3;
  size_t payload = body + 2 + two_bytes(at + body), properties;
  if (qos) {
    append_ack(&s->connection.out, qos == 1 ? PUBACK : PUBREC, two_bytes(at + payload));
    touch(&s->connection);
    payload += 2;
  }
  if (load.version == 5) payload += variable_length(at + payload, 4, &properties) + properties;
  if (length - payload < HEAD) { errno = 0; fail("Cannot go on: a payload came back too short"); }
  deliver(s, at + payload, time);
}

// Without subscribers an acknowledgement is what counts: the broker has the message then.
static void acknowledged(struct connection *c, unsigned packet_id, uint64_t time) {
  struct publisher *p = &publishers[c->index];
  if (packet_id == 0 || packet_id > slot_count) { errno = 0; fail("Cannot go on: an unknown packet identifier was acknowledged"); }
  struct slot *slot = &p->slots[packet_id - 1];
  if (load.subscribers == 0 && slot->left > 0) count(time - slot->time);
  credit(p, slot->sequence);
}

static void on_frame(struct connection *c, const uint8_t *at, size_t length, size_t body, uint64_t time) {
  switch (at[0] & 0xf0) {
    case PUBLISH: on_publish((struct subscriber *)c, at, length, body, time); return;
    case PUBACK:
    case PUBCOMP:
      if (c->is_publisher) acknowledged(c, two_bytes(at + body), time);
      return;
    case PUBREC:
      append_ack(&c->out, PUBREL | 2, two_bytes(at + body));
      touch(c);
      return;
    case PUBREL:
      append_ack(&c->out, PUBCOMP, two_bytes(at + body));
      touch(c);
      return;
    default: errno = 0; fail("Cannot go on: the broker sent a packet of another type");
  }
}

static void receive(struct connection *c) {
  size_t body, length;
  while (fill(c)) {
    uint64_t time = nanoseconds();
    while ((length = whole_frame(c->in.bytes + c->in.start, c->in.end - c->in.start, &body))) {
      on_frame(c, c->in.bytes + c->in.start, length, body, time);
      c->in.start += length;
    }
    consumed(&c->in);
    if (!holds_more(c)) return;
  }
}

static void watch(struct connection *c, int operation) {
  struct epoll_event event = {.events = EPOLLIN | (c->blocked ? EPOLLOUT : 0), .data.ptr = c};
  epoll_ctl(epoll, operation, c->fd, &event);
}

static void end_turn(void) {
  if (load.pace && sending) send_due();
  for (unsigned i = 0; i < waiting_count; i++) {
    publishers[waiting[i]].waiting = false;
    if (sending) send_more(&publishers[waiting[i]]);
  }
  waiting_count = 0;
  for (unsigned i = 0; i < dirty_count; i++) {
    struct connection *c = dirty[i];
    c->dirty = false;
    bool blocked = !flush(c);
    if (blocked == c->blocked) continue;
    c->blocked = blocked;
    watch(c, EPOLL_CTL_MOD);
  }
  dirty_count = 0;
}

static unsigned outstanding(void) {
  unsigned total = 0;
  for (int i = 0; i < load.publishers; i++) total += publishers[i].outstanding;
  return total;
}

// write_off gives up what is outstanding: the broker has dropped it.
static void write_off(void) {
  for (int i = 0; i < load.publishers; i++) {
    for (unsigned k = 0; k < slot_count; k++) publishers[i].slots[k].left = 0;
    written_off += publishers[i].outstanding;
    publishers[i].outstanding = 0;
    want_to_send(&publishers[i]);
  }
}

// run turns the loop until `end` or, with `drain`, until nothing is outstanding.
static void run(uint64_t end, bool drain) {
  struct epoll_event events[256];
  uint64_t seen = delivered, moved = nanoseconds();
  for (;;) {
    end_turn();
    int count = epoll_wait(epoll, events, 256, load.pace ? 1 : 50);
    for (int i = 0; i < count; i++) {
      struct connection *c = events[i].data.ptr;
      if (events[i].events & EPOLLOUT) touch(c);
      if (events[i].events & ~(unsigned)EPOLLOUT) receive(c);
    }
    uint64_t now = nanoseconds();
    if (drain && outstanding() == 0) { end_turn(); return; }
    if (now >= end) return;
    if (delivered != seen) { seen = delivered; moved = now; }
    if (now - moved > STALL_SECONDS * 1000000000ull) { write_off(); moved = now; }
  }
}

static void put_text(struct buffer *b, const char *text) {
  size_t length = strlen(text);
  uint8_t size[2] = {(uint8_t)(length >> 8), (uint8_t)length};
  append(b, size, 2);
  append(b, text, length);
}

static void put_packet(struct buffer *b, uint8_t type, struct buffer *rest) {
  uint8_t head[5] = {type};
  size_t length = 1, left = rest->end;
  do head[length++] = (uint8_t)((left & 0x7f) | (left > 0x7f ? 0x80 : 0)); while (left >>= 7);
  append(b, head, length);
  append(b, rest->bytes, rest->end);
}

static void start_session(struct connection *c, const char *kind, unsigned index) {
  struct buffer rest = {0};
  char id[32];
  uint8_t flags[4] = {(uint8_t)load.version, 0x02, 0, 0}; // clean session, no keep alive
  if (load.kept && kind[0] == 's') flags[1] = 0; // the session outlives the run
  if (load.username) flags[1] |= 0xc0;
  c->index = index;
  open_connection(c, load.port, load.tls, load.websocket);
  put_text(&rest, load.version == 3 ? "MQIsdp" : "MQTT");
  append(&rest, flags, 4);
  if (load.version == 5) append(&rest, "", 1); // no properties
  snprintf(id, sizeof id, "%s%u", kind, index);
  put_text(&rest, id);
  if (load.username) {
    put_text(&rest, load.username);
    put_text(&rest, load.password);
  }
  put_packet(&c->out, CONNECT, &rest);
  flush(c);
  size_t body;
  const uint8_t *answer = next_frame(c, &body);
  errno = 0;
  if (answer[0] != CONNACK || answer[body + 1] != 0) fail("Cannot connect: CONNACK refuses");
  free(rest.bytes);
}

static void subscribe(struct connection *c, const char *filter) {
  struct buffer rest = {0};
  uint8_t qos = (uint8_t)load.qos;
  append(&rest, "\0\1", 2);
  if (load.version == 5) append(&rest, "", 1);
  put_text(&rest, filter);
  append(&rest, &qos, 1);
  put_packet(&c->out, SUBSCRIBE | 2, &rest);
  flush(c);
  size_t body;
  const uint8_t *answer = next_frame(c, &body);
  errno = 0;
  if (answer[0] != SUBACK || answer[body + 2 + (load.version == 5)] != qos) fail("Cannot subscribe: SUBACK refuses");
  free(rest.bytes);
}

static void topic_of(char *topic, int index, const char *below) { sprintf(topic, "bench/%02d%s", index % load.topics, load.spread ? below : ""); }

static void prepare_publisher(struct publisher *p, int index) {
  struct buffer rest = {0}, frame = {0};
  char topic[32];
  topic_of(topic, index, "/00");
  put_text(&rest, topic);
  p->spread_at = rest.end - 2;
  p->id_at = rest.end;
  if (load.qos > 0) append(&rest, "\0\0", 2);
  if (load.version == 5) append(&rest, "", 1);
  p->payload_at = rest.end;
  memset(reserve(&rest, (size_t)load.payload), 'x', (size_t)load.payload);
  rest.end += (size_t)load.payload;
  put_packet(&frame, (uint8_t)(PUBLISH | load.qos << 1), &rest);
  size_t head = frame.end - rest.end;
  p->spread_at += head;
  p->id_at += head;
  p->payload_at += head;
  p->length = frame.end;
  p->frame = frame.bytes;
  p->slots = calloc(slot_count, sizeof *p->slots);
  p->connection.is_publisher = true;
  for (int j = 0; j < load.subscribers; j++) p->fanout += load.wildcard || j % load.topics == index % load.topics;
  free(rest.bytes);
}

static void start(struct connection *c) {
  unblock(c->fd);
  watch(c, EPOLL_CTL_ADD);
}

static void open_all(void) {
  char topic[32];
  epoll = epoll_create1(0);
  publishers = calloc((size_t)load.publishers, sizeof *publishers);
  subscribers = calloc((size_t)load.subscribers, sizeof *subscribers);
  for (int i = 0; i < load.subscribers; i++) {
    struct subscriber *s = &subscribers[i];
    s->expected = calloc((size_t)load.publishers, sizeof *s->expected);
    topic_of(topic, i, "/#");
    start_session(&s->connection, "sub", (unsigned)i);
    subscribe(&s->connection, load.wildcard ? "bench/#" : topic);
    start(&s->connection);
  }
  for (int i = 0; i < load.publishers; i++) {
    prepare_publisher(&publishers[i], i);
    start_session(&publishers[i].connection, "pub", (unsigned)i);
    start(&publishers[i].connection);
    want_to_send(&publishers[i]);
  }
}

// broker_seconds is the CPU time of the broker's process, proc_pid_stat(5) fields 14 and 15.
static double broker_seconds(void) {
  char path[64], text[1024];
  unsigned long user = 0, kernel = 0;
  snprintf(path, sizeof path, "/proc/%d/stat", load.broker);
  FILE *file = load.broker ? fopen(path, "r") : NULL;
  if (!file) return 0;
  size_t length = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[length] = 0;
  char *after = strrchr(text, ')');
  if (after) sscanf(after, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &kernel);
  return (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
}

static double own_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void set(const char *argument) {
  static const struct { const char *name; int *value; } numbers[] = {
    {"port", &load.port}, {"publishers", &load.publishers}, {"subscribers", &load.subscribers}, {"topics", &load.topics},
    {"wildcard", &load.wildcard}, {"spread", &load.spread}, {"window", &load.window}, {"qos", &load.qos}, {"payload", &load.payload}, {"version", &load.version},
    {"tls", &load.tls}, {"websocket", &load.websocket}, {"kept", &load.kept}, {"broker", &load.broker}, {"core", &load.core}, {"pace", &load.pace}};
  const char *value = strchr(argument, '=');
  size_t length = value ? (size_t)(value++ - argument) : 0;
  for (size_t i = 0; value && i < sizeof numbers / sizeof *numbers; i++)
    if (strlen(numbers[i].name) == length && !strncmp(argument, numbers[i].name, length)) { *numbers[i].value = atoi(value); return; }
  if (value && !strncmp(argument, "warmup=", 7)) load.warmup = atof(value);
  else if (value && !strncmp(argument, "seconds=", 8)) load.seconds = atof(value);
  else if (value && !strncmp(argument, "username=", 9)) load.username = value;
  else if (value && !strncmp(argument, "password=", 9)) load.password = value;
  else { fprintf(stderr, "Cannot use setting \"%s\": not known\n", argument); exit(2); }
}

static void check_settings(void) {
  bool fits = load.port > 0 && load.publishers > 0 && load.publishers <= MAX_CLIENTS && load.subscribers >= (load.qos == 0) &&
              load.subscribers <= MAX_CLIENTS && load.topics > 0 && load.topics <= MAX_CLIENTS && load.spread >= 0 && load.spread <= 100 && load.window > 0 && load.window <= 8192 &&
              load.qos >= 0 && load.qos <= 2 && load.pace >= 0 && load.payload >= HEAD && load.payload <= MAX_PAYLOAD && (load.username == NULL) == (load.password == NULL);
  if (fits) return;
  fprintf(stderr, "Cannot use the settings: a number is out of range\n");
  exit(2);
}

int main(int count, char **arguments) {
  for (int i = 1; i < count; i++) set(arguments[i]);
  check_settings();
  while (slot_count < 4u * (unsigned)load.window) slot_count *= 2;
  if (load.core >= 0) {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(load.core, &cores);
    sched_setaffinity(0, sizeof cores, &cores);
  }
  open_all();
  run(nanoseconds() + (uint64_t)(load.warmup * 1e9), false);

  uint64_t before = delivered, began = nanoseconds();
  double own = own_seconds(), broker = broker_seconds();
  measuring = true;
  run(began + (uint64_t)(load.seconds * 1e9), false);
  measuring = false;
  double seconds = (double)(nanoseconds() - began) / 1e9, rate = (double)(delivered - before) / seconds;
  own = (own_seconds() - own) / seconds;
  broker = (broker_seconds() - broker) / seconds;

  sending = false;
  run(nanoseconds() + 10000000000ull, true);
  uint64_t expected = 0;
  for (int i = 0; i < load.publishers; i++) expected += publishers[i].sent * (load.subscribers > 0 ? publishers[i].fanout : 1);
  printf("{\"rate\":%.1f,\"p50\":%.2f,\"p99\":%.2f,\"p999\":%.2f,\"max\":%.2f,\"seconds\":%.3f,\"expected\":%llu,\"delivered\":%llu,\"duplicates\":%llu,"
         "\"writtenOff\":%llu,\"generatorCpu\":%.3f,\"brokerCpu\":%.3f}\n",
         rate, percentile(0.5), percentile(0.99), percentile(0.999), (double)largest / 1000, seconds, (unsigned long long)expected,
         (unsigned long long)delivered, (unsigned long long)duplicates, (unsigned long long)written_off, own, broker);
  return 0;
}
