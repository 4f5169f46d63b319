// Modbus TCP devices for the benchmarks: each connection is one device of 100 float32 (ABCD) in the
// holding registers 0..199, whose values all change with every poll.
//
//   devices PORT...          listens on 127.0.0.1 at each port; one thread, epoll, any number of
//                            connections; prints "ready" when it listens
//
// A poll begins with a read that covers register 0. Then, before it is answered,
//   value 0  counts the polls of this connection, modulo 2^24 (exact in a float32)
//   value 1  is the time of the change, µs since the Unix epoch modulo 2^24
//   others   move
// A line on standard input is answered by one on standard output: polls and requests so far.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { VALUES = 100, REGISTERS = 2 * VALUES, HEADER = 7, REQUEST = 12, MODULUS = 1 << 24 };

struct device {
    int fd;
    int listening;
    uint32_t polls;
    size_t held;
    uint8_t in[64 * REQUEST];
    uint8_t registers[2 * REGISTERS];
};

static uint64_t polls, requests;

static void put_float(uint8_t *at, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits = htonl(bits);
    memcpy(at, &bits, sizeof bits);
}

static void change(struct device *device) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t us = (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
    uint32_t k = ++device->polls;
    polls++;
    put_float(device->registers, (float)(k % MODULUS));
    put_float(device->registers + 4, (float)(us % MODULUS));
    for (uint32_t i = 2; i < VALUES; i++)
        put_float(device->registers + 4 * i, 200.0f + (float)i + 0.01f * (float)((k + i) % 997));
}

// Answers one request; returns the length of the answer.
static size_t answer(struct device *device, const uint8_t *request, uint8_t *out) {
    unsigned function = request[7];
    unsigned first = (unsigned)request[8] << 8 | request[9];
    unsigned count = (unsigned)request[10] << 8 | request[11];
    requests++;
    memcpy(out, request, HEADER);
    if (function != 3 || count == 0 || count > 125 || first + count > REGISTERS) {
        out[4] = 0, out[5] = 3;
        out[7] = (uint8_t)(function | 0x80);
        out[8] = function != 3 ? 1 : 2;
        return 9;
    }
    if (first == 0) change(device);
    unsigned bytes = 2 * count;
    out[4] = (uint8_t)((bytes + 3) >> 8), out[5] = (uint8_t)(bytes + 3);
    out[7] = 3;
    out[8] = (uint8_t)bytes;
    memcpy(out + 9, device->registers + 2 * first, bytes);
    return 9 + bytes;
}

// Reads what came and answers it; returns 0 where the connection is over.
static int serve(struct device *device) {
    uint8_t out[64 * 260];
    ssize_t got = recv(device->fd, device->in + device->held, sizeof device->in - device->held, 0);
    if (got <= 0) return got < 0 && (errno == EAGAIN || errno == EINTR);
    device->held += (size_t)got;
    size_t at = 0, length = 0;
    for (; device->held - at >= REQUEST; at += REQUEST)
        length += answer(device, device->in + at, out + length);
    device->held -= at;
    memmove(device->in, device->in + at, device->held);
    // Answers are small and one is awaited before the next is asked: the buffer has room.
    return length == 0 || send(device->fd, out, length, MSG_NOSIGNAL) == (ssize_t)length;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void watch(int epoll, struct device *device) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = device};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, device->fd, &event)) fail("epoll_ctl");
}

static struct device *new_device(int fd) {
    struct device *device = calloc(1, sizeof *device);
    if (!device) fail("calloc");
    device->fd = fd;
    return device;
}

static void listen_at(int epoll, int port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 4096))
        fail("listen");
    struct device *device = new_device(fd);
    device->listening = 1;
    watch(epoll, device);
}

static void accept_all(int epoll, int listener) {
    int fd, on = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        watch(epoll, new_device(fd));
    }
    if (errno != EAGAIN) perror("accept");
}

static void report(void) {
    char line[64];
    if (read(STDIN_FILENO, line, sizeof line) <= 0) exit(0);
    printf("%llu %llu\n", (unsigned long long)polls, (unsigned long long)requests);
    fflush(stdout);
}

int main(int argc, char **argv) {
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 1; i < argc; i++) listen_at(epoll, atoi(argv[i]));
    struct device *console = new_device(STDIN_FILENO);
    watch(epoll, console);
    puts("ready");
    fflush(stdout);
    struct epoll_event events[256];
    for (;;) {
        int n = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < n; i++) {
            struct device *device = events[i].data.ptr;
            if (device == console) {
                report();
            } else if (device->listening) {
                accept_all(epoll, device->fd);
            } else if (!serve(device)) {
                close(device->fd);
                free(device);
            }
        }
    }
}
