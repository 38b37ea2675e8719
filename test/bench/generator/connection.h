// One client connection of the load generator: TCP, TLS (when built with OpenSSL) or WebSocket, behind fill() and flush().
#ifndef CONNECTION_H
#define CONNECTION_H

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "wire.h"

#ifdef WITH_TLS
#include <openssl/err.h>
#include <openssl/ssl.h>
#else
typedef void SSL;
#endif

enum { CHUNK = 128 * 1024, HANDSHAKE_SECONDS = 10 };

struct connection {
  int fd;
  bool is_publisher, dirty, blocked;
  unsigned index;                    // among the publishers or among the subscribers
  SSL *tls;                          // NULL = no TLS
  bool websocket;
  struct buffer in, out;             // MQTT bytes
  struct buffer raw_in, raw_out;     // WebSocket frames; unused without
  size_t frame_left;                 // payload bytes of the current WebSocket frame still to come
};

static ssize_t transport_read(struct connection *c, uint8_t *to, size_t size) {
#ifdef WITH_TLS
  if (c->tls) {
    size_t total = 0;
    do { // OpenSSL gives one record at a time
      int n = SSL_read(c->tls, to + total, (int)(size - total));
      if (n > 0) { total += (size_t)n; continue; }
      if (total > 0) break;
      if (SSL_get_error(c->tls, n) != SSL_ERROR_WANT_READ) return 0;
      errno = EAGAIN;
      return -1;
    } while (total < size && SSL_has_pending(c->tls));
    return (ssize_t)total;
  }
#endif
  return recv(c->fd, to, size, 0);
}

// holds_more tells whether TLS has bytes in its own buffer, for which the socket will not become readable again.
static inline bool holds_more(struct connection *c) {
#ifdef WITH_TLS
  return c->tls && SSL_has_pending(c->tls);
#else
  (void)c;
  return false;
#endif
}

static ssize_t transport_write(struct connection *c, const uint8_t *from, size_t size) {
#ifdef WITH_TLS
  if (c->tls) {
    int n = SSL_write(c->tls, from, (int)size);
    if (n > 0) return n;
    errno = EAGAIN;
    return -1;
  }
#endif
  return send(c->fd, from, size, MSG_NOSIGNAL);
}

// unwrap moves the payloads of complete and partial WebSocket frames from raw_in to in (RFC 6455 5.2; a server's frames are not masked).
static void unwrap(struct connection *c) {
  struct buffer *raw = &c->raw_in;
  for (;;) {
    size_t have = raw->end - raw->start;
    uint8_t *at = raw->bytes + raw->start;
    if (c->frame_left > 0) {
      size_t part = have < c->frame_left ? have : c->frame_left;
      append(&c->in, at, part);
      raw->start += part;
      c->frame_left -= part;
      if (c->frame_left > 0) break;
      continue;
    }
    if (have < 2) break;
    size_t length = at[1] & 0x7f, head = length < 126 ? 2 : length == 126 ? 4 : 10;
    if (have < head) break;
    if (head > 2) {
      length = 0;
      for (size_t i = 2; i < head; i++) length = length << 8 | at[i];
    }
    if ((at[0] & 0x0f) > 2) { errno = 0; fail("Cannot go on: the broker sent a WebSocket control frame"); }
    raw->start += head;
    c->frame_left = length;
  }
  consumed(raw);
}

// wrap makes one binary frame of all of out; the mask is zero, so the payload stays as it is.
static void wrap(struct connection *c) {
  size_t length = c->out.end - c->out.start, head = 2;
  uint8_t frame[14] = {0x82};
  if (length < 126) frame[1] = (uint8_t)length;
  else if (length < 65536) { frame[1] = 126; frame[2] = (uint8_t)(length >> 8); frame[3] = (uint8_t)length; head = 4; }
  else { frame[1] = 127; for (int i = 0; i < 8; i++) frame[2 + i] = (uint8_t)(length >> (56 - 8 * i)); head = 10; }
  frame[1] |= 0x80;
  append(&c->raw_out, frame, head + 4);
  append(&c->raw_out, c->out.bytes + c->out.start, length);
  c->out.start = c->out.end = 0;
}

// fill reads once; false = nothing there. Ends the program when the broker closed the connection.
static bool fill(struct connection *c) {
  struct buffer *to = c->websocket ? &c->raw_in : &c->in;
  ssize_t n = transport_read(c, reserve(to, CHUNK), CHUNK);
  if (n < 0 && errno == EAGAIN) return false;
  if (n <= 0) { errno = n ? errno : 0; fail("Cannot go on: the broker closed a connection"); }
  to->end += (size_t)n;
  if (c->websocket) unwrap(c);
  return true;
}

// flush writes what waits; false = the socket is full.
static bool flush(struct connection *c) {
  if (c->websocket && c->out.end > c->out.start) wrap(c);
  struct buffer *from = c->websocket ? &c->raw_out : &c->out;
  while (from->start < from->end) {
    ssize_t n = transport_write(c, from->bytes + from->start, from->end - from->start);
    if (n < 0 && errno == EAGAIN) return false;
    if (n <= 0) fail("Cannot write");
    from->start += (size_t)n;
  }
  consumed(from);
  return true;
}

static void start_tls(struct connection *c) {
#ifdef WITH_TLS
  static SSL_CTX *context;
  if (!context) {
    context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_default_read_buffer_len(context, CHUNK);
  }
  c->tls = SSL_new(context);
  SSL_set_fd(c->tls, c->fd);
  errno = 0;
  if (SSL_connect(c->tls) != 1) fail("TLS handshake");
#else
  (void)c;
  errno = 0;
  fail("Cannot use TLS: built without OpenSSL");
#endif
}

static void start_websocket(struct connection *c) {
  static const char request[] = "GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n";
  char response[4096] = "";
  size_t length = 0;
  append(&c->out, request, sizeof request - 1);
  flush(c);
  while (length < sizeof response - 1 && !strstr(response, "\r\n\r\n")) {
    if (transport_read(c, (uint8_t *)response + length, 1) != 1) fail("WebSocket handshake");
    response[++length] = 0;
  }
  errno = 0;
  if (!strstr(response, " 101 ")) fail("WebSocket handshake");
  c->websocket = true;
}

// open_connection connects and does the TLS and WebSocket handshakes, blocking with a time limit.
static void open_connection(struct connection *c, int port, bool tls, bool websocket) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct timeval limit = {.tv_sec = HANDSHAKE_SECONDS};
  int one = 1;
  c->fd = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if (connect(c->fd, (struct sockaddr *)&address, sizeof address)) fail("Cannot connect");
  if (tls) start_tls(c);
  if (websocket) start_websocket(c);
}

// next_frame waits for one whole MQTT packet and returns where it starts; *body is the offset of its variable header.
static uint8_t *next_frame(struct connection *c, size_t *body) {
  size_t length;
  while (!(length = whole_frame(c->in.bytes + c->in.start, c->in.end - c->in.start, body)))
    if (!fill(c)) fail("Cannot go on: the broker does not answer");
  uint8_t *at = c->in.bytes + c->in.start;
  c->in.start += length;
  return at;
}

#endif
