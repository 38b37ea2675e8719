// Preloaded into a program, it records what reaches the files of one folder and in which order, and can make writes fail.
//
//   DISK_RECORDER_FOLDER  only files whose path begins with it
//   DISK_RECORDER_LOG     where to write to; one record per call:
//                         kind (1), path length (2), path, offset (8), length (8), bytes of a write; little endian
//                         w write  s fsync of a file  d fsync of a folder  t truncate  c created  u unlink
//   DISK_RECORDER_KILL    NAME:N, the program dies with its N-th write to a file of this name
//   DISK_RECORDER_ERRNO   a file: while it is there, writes to the files of the folder fail with the number in it
//
// cc -shared -fPIC -O1 -o disk-recorder.so disk-recorder.c -ldl -lpthread

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_FILES 4096

static char *paths[MOST_FILES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_file = -1;

#define REAL(name, type, ...) static type (*real)(__VA_ARGS__); if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

static ssize_t real_write(int file, const void *bytes, size_t length) {
  REAL("write", ssize_t, int, const void *, size_t);
  return real(file, bytes, length);
}

static int is_ours(const char *path) {
  const char *folder = getenv("DISK_RECORDER_FOLDER");
  return folder && path && strncmp(path, folder, strlen(folder)) == 0;
}

static int real_open(const char *path, int flags, mode_t mode) {
  REAL("open64", int, const char *, int, ...);
  return real(path, flags, mode);
}

static void put(const char kind, const char *path, uint64_t offset, const void *bytes, uint64_t length) {
  const char *name = getenv("DISK_RECORDER_LOG");
  if (log_file < 0 && name) log_file = real_open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  uint16_t path_length = strlen(path);
  char head[1 + 2 + 4096 + 16];
  head[0] = kind;
  memcpy(head + 1, &path_length, 2);
  memcpy(head + 3, path, path_length);
  memcpy(head + 3 + path_length, &offset, 8);
  memcpy(head + 11 + path_length, &length, 8);
  if (log_file < 0) return;
  if (real_write(log_file, head, 19 + path_length) < 0 || (bytes && real_write(log_file, bytes, length) < 0)) abort();
}

static int fails(void) {
  const char *name = getenv("DISK_RECORDER_ERRNO");
  if (!name) return 0;
  int file = real_open(name, O_RDONLY | O_CLOEXEC, 0);
  if (file < 0) return 0;
  char text[16] = {0};
  ssize_t length = read(file, text, 15);
  REAL("close", int, int);
  real(file);
  return length > 0 ? atoi(text) : 0;
}

static char *path_of(int file) { return file >= 0 && file < MOST_FILES ? paths[file] : NULL; }

static int opened(int file, const char *path, int flags, int was_there) {
  if (file < 0 || file >= MOST_FILES || !is_ours(path)) return file;
  pthread_mutex_lock(&lock);
  free(paths[file]);
  paths[file] = strdup(path);
  if ((flags & O_CREAT) && !was_there) put('c', path, 0, NULL, 0);
  pthread_mutex_unlock(&lock);
  return file;
}

static int exists(const char *path) {
  struct stat found;
  return stat(path, &found) == 0;
}

#define OPEN(name)                                             \
  int name(const char *path, int flags, ...) {                 \
    va_list rest;                                              \
    va_start(rest, flags);                                     \
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;  \
    va_end(rest);                                              \
    int was_there = is_ours(path) ? exists(path) : 1;          \
    return opened(real_open(path, flags, mode), path, flags, was_there); \
  }
OPEN(open)
OPEN(open64)

int close(int file) {
  REAL("close", int, int);
  pthread_mutex_lock(&lock);
  if (path_of(file)) {
    free(paths[file]);
    paths[file] = NULL;
  }
  pthread_mutex_unlock(&lock);
  return real(file);
}

/* Called after each write: this may have been the one. */
static void die_in_time(const char *path) {
  static int writes = 0;
  const char *kill_at = getenv("DISK_RECORDER_KILL");
  const char *colon = kill_at ? strchr(kill_at, ':') : NULL;
  if (!colon) return;
  size_t length = colon - kill_at, path_length = strlen(path);
  if (path_length <= length || strncmp(path + path_length - length, kill_at, length) || path[path_length - length - 1] != '/') return;
  if (++writes == atoi(colon + 1)) kill(getpid(), SIGKILL);
}

#define PWRITE(name, offset_type)                                                 \
  ssize_t name(int file, const void *bytes, size_t length, offset_type offset) {  \
    REAL(#name, ssize_t, int, const void *, size_t, offset_type);                 \
    char *path = path_of(file);                                                   \
    if (!path) return real(file, bytes, length, offset);                          \
    int error = fails();                                                          \
    if (error) return errno = error, -1;                                          \
    pthread_mutex_lock(&lock);                                                    \
    ssize_t done = real(file, bytes, length, offset);                             \
    if (done > 0) put('w', path, offset, bytes, done);                            \
    if (done > 0) die_in_time(path);                                              \
    pthread_mutex_unlock(&lock);                                                  \
    return done;                                                                  \
  }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

ssize_t write(int file, const void *bytes, size_t length) {
  char *path = path_of(file);
  if (!path) return real_write(file, bytes, length);
  pthread_mutex_lock(&lock);
  off_t end = lseek(file, 0, SEEK_END);
  ssize_t done = real_write(file, bytes, length);
  if (done > 0) put('w', path, end, bytes, done);
  pthread_mutex_unlock(&lock);
  return done;
}

#define SYNC(name)                                                                 \
  int name(int file) {                                                             \
    REAL(#name, int, int);                                                         \
    char *path = path_of(file);                                                    \
    if (!path) return real(file);                                                  \
    struct stat found;                                                             \
    int is_folder = fstat(file, &found) == 0 && S_ISDIR(found.st_mode);            \
    int done = real(file);                                                         \
    pthread_mutex_lock(&lock);                                                     \
    if (done == 0) put(is_folder ? 'd' : 's', path, 0, NULL, 0);                   \
    pthread_mutex_unlock(&lock);                                                   \
    return done;                                                                   \
  }
SYNC(fsync)
SYNC(fdatasync)

#define TRUNCATE(name, offset_type)                           \
  int name(int file, offset_type size) {                      \
    REAL(#name, int, int, offset_type);                       \
    char *path = path_of(file);                               \
    pthread_mutex_lock(&lock);                                \
    int done = real(file, size);                              \
    if (path && done == 0) put('t', path, size, NULL, 0);     \
    pthread_mutex_unlock(&lock);                              \
    return done;                                              \
  }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

int unlink(const char *path) {
  REAL("unlink", int, const char *);
  int done = real(path);
  pthread_mutex_lock(&lock);
  if (done == 0 && is_ours(path)) put('u', path, 0, NULL, 0);
  pthread_mutex_unlock(&lock);
  return done;
}
