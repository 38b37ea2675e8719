// The bytes that the load generator and the null broker share: growing buffers, non-blocking loopback sockets, MQTT frame lengths.
#ifndef WIRE_H
#define WIRE_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
  CONNECT = 0x10, CONNACK = 0x20, PUBLISH = 0x30, PUBACK = 0x40, PUBREC = 0x50, PUBREL = 0x60,
  PUBCOMP = 0x70, SUBSCRIBE = 0x80, SUBACK = 0x90
};

static void fail(const char *what) {
  if (errno) fprintf(stderr, "%s: %s\n", what, strerror(errno));
  else fprintf(stderr, "%s\n", what);
  exit(1);
}

static inline uint64_t nanoseconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

// Bytes from `start` to `end` are waiting.
struct buffer {
  uint8_t *bytes;
  size_t start, end, size;
};

// reserve makes room for `more` bytes at the end and returns where they go; the caller advances `end`.
static inline uint8_t *reserve(struct buffer *b, size_t more) {
  if (b->end + more > b->size) {
    if (b->start > 0) {
      memmove(b->bytes, b->bytes + b->start, b->end - b->start);
      b->end -= b->start;
      b->start = 0;
    }
    while (b->end + more > b->size) b->size = b->size ? b->size * 2 : 4096;
    b->bytes = realloc(b->bytes, b->size);
    if (!b->bytes) fail("Cannot get memory");
  }
  return b->bytes + b->end;
}

static inline void append(struct buffer *b, const void *bytes, size_t length) {
  memcpy(reserve(b, length), bytes, length);
  b->end += length;
}

static inline void append_ack(struct buffer *b, uint8_t type, unsigned packet_id) {
  uint8_t ack[4] = {type, 2, (uint8_t)(packet_id >> 8), (uint8_t)packet_id};
  append(b, ack, 4);
}

static inline void consumed(struct buffer *b) {
  if (b->start == b->end) b->start = b->end = 0;
}

static inline unsigned two_bytes(const uint8_t *at) { return (unsigned)at[0] << 8 | at[1]; }

// variable_length reads a Variable Byte Integer (MQTT 1.5.5): returns its size in bytes, 0 when `have` bytes do not hold all of it.
static inline size_t variable_length(const uint8_t *at, size_t have, size_t *value) {
  *value = 0;
  for (size_t i = 0; i < 4 && i < have; i++) {
    *value |= (size_t)(at[i] & 0x7f) << (7 * i);
    if (!(at[i] & 0x80)) return i + 1;
  }
  return 0;
}

// whole_frame returns the length of the frame at `at`, 0 when it is not complete; *body is where its variable header starts.
static inline size_t whole_frame(const uint8_t *at, size_t have, size_t *body) {
  size_t remaining, width;
  if (have < 2 || !(width = variable_length(at + 1, have - 1, &remaining))) return 0;
  *body = 1 + width;
  return have < 1 + width + remaining ? 0 : 1 + width + remaining;
}

static inline void unblock(int fd) {
  if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0) fail("fcntl");
}

#endif
