// The consumer at the end of the benchmarks: an MQTT 3.1.1 client that finds, in each message, when
// which device's values had changed, and notes when it got them.
//
//   subscriber PORT QOS FILE   subscribes to `#` at 127.0.0.1; prints "ready" when it is subscribed,
//                              and appends one record per poll of a device to FILE
//
// record: uint32 device, uint32 counter, uint32 changed [µs mod 2^24], uint32 historical (0 or 1),
//         uint64 received [µs]
//
// It understands two shapes: columns {"points":["a.counter",…],"values":[…]}, where the points
// d<number>.counter and d<number>.changed follow each other, and a plain object with
// "counter":…, "changed":… and "device":"d<number>".
// A line on standard input is answered by one on standard output: messages, bytes, values, records.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct record {
    uint32_t device, counter, changed, historical;
    uint64_t received;
};

enum { BUFFER = 64 << 20 };

static uint64_t messages, bytes, values, records;
static FILE *out;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static uint64_t now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

static void note(double counter, double changed, double device, int historical, uint64_t when) {
    struct record record = {(uint32_t)device, (uint32_t)counter, (uint32_t)changed,
                            (uint32_t)historical, when};
    fwrite(&record, sizeof record, 1, out);
    records++;
}

static const char *find(const char *from, const char *end, const char *what) {
    return from ? memmem(from, (size_t)(end - from), what, strlen(what)) : NULL;
}

static void columns(const char *point, const char *end, int historical, uint64_t when) {
    const char *value = find(point, end, "],\"values\":[");
    if (!value) return;
    const char *last = value;
    value += strlen("],\"values\":[");
    for (;;) {
        const char *quote = memchr(point, '"', (size_t)(last + 1 - point));
        if (!quote) return;
        // The name ends at the next quote; names of the benchmark have nothing escaped.
        const char *close = memchr(quote + 1, '"', (size_t)(last - quote));
        if (!close) return;
        values++;
        // A message may end between the two: its successor goes on.
        static double counter;
        if (close - quote > 8 && !memcmp(close - 8, ".counter", 8)) counter = strtod(value, NULL);
        if (close - quote > 8 && !memcmp(close - 8, ".changed", 8))
            note(counter, strtod(value, NULL), strtod(quote + 2, NULL), historical, when);
        point = close + 1;
        const char *comma = memchr(value, ',', (size_t)(end - value));
        if (!comma) return;
        value = comma + 1;
    }
}

static double field(const char *from, const char *end, const char *what) {
    const char *at = find(from, end, what);
    return at ? strtod(at + strlen(what), NULL) : -1.0;
}

static void message(const char *payload, const char *end, uint64_t when) {
    static const char POINTS[] = "\"points\":[";
    messages++;
    bytes += (uint64_t)(end - payload);
    const char *limit = end - payload > 512 ? payload + 512 : end;
    const char *points = find(payload, limit, POINTS);
    if (points) {
        int historical = find(payload, points, "\"historical\":true") != NULL;
        columns(points + sizeof POINTS - 1, end, historical, when);
    } else if (find(payload, limit, "\"counter\":")) {
        for (const char *at = payload; (at = memchr(at, ':', (size_t)(end - at))); at++) values++;
        note(field(payload, end, "\"counter\":"), field(payload, end, "\"changed\":"),
             field(payload, end, "\"device\":\"d"), 0, when);
    }
}

static void send_all(int fd, const void *data, size_t length) {
    if (send(fd, data, length, MSG_NOSIGNAL) != (ssize_t)length) fail("send");
}

// Takes whole packets off the buffer; returns how many bytes they had.
static size_t take(int fd, const uint8_t *buffer, size_t held, int *subscribed) {
    uint64_t when = now_us();
    size_t at = 0;
    for (;;) {
        size_t length = 0, head = 1;
        int shift = 0;
        do {
            if (at + head >= held) return at;
            length |= (size_t)(buffer[at + head] & 0x7F) << shift;
            shift += 7;
        } while (buffer[at + head++] & 0x80);
        if (held - at < head + length) return at;
        const uint8_t *packet = buffer + at, *body = packet + head;
        if (packet[0] >> 4 == 3) {
            size_t topic = (size_t)body[0] << 8 | body[1];
            int qos = packet[0] >> 1 & 3;
            if (qos) {
                uint8_t ack[4] = {0x40, 2, body[2 + topic], body[3 + topic]};
                send_all(fd, ack, sizeof ack);
            }
            message((const char *)body + 2 + topic + (qos ? 2 : 0), (const char *)body + length,
                    when);
        } else if (packet[0] >> 4 == 9) {
            *subscribed = 1;
        }
        at += head + length;
    }
}

static int connect_to(int port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, size = 4 << 20;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address)) fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    out = fopen(argv[3], "wb");
    if (!out) fail(argv[3]);
    int fd = connect_to(atoi(argv[1]));
    // CONNECT: clean session, no keep-alive, client "subscriber"; SUBSCRIBE: packet 1, "#".
    static const uint8_t connect_packet[] = {0x10, 22, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 0,
                                             0, 10, 's', 'u', 'b', 's', 'c', 'r', 'i', 'b',
                                             'e', 'r'};
    uint8_t subscribe[] = {0x82, 6, 0, 1, 0, 1, '#', (uint8_t)atoi(argv[2])};
    send_all(fd, connect_packet, sizeof connect_packet);
    send_all(fd, subscribe, sizeof subscribe);
    uint8_t *buffer = malloc(BUFFER);
    size_t held = 0;
    int subscribed = 0, said = 0;
    struct pollfd ready[2] = {{.fd = fd, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
    for (;;) {
        if (poll(ready, 2, -1) < 0 && errno != EINTR) fail("poll");
        if (ready[0].revents) {
            ssize_t got = recv(fd, buffer + held, BUFFER - held, 0);
            if (got <= 0) return 0;
            held += (size_t)got;
            size_t used = take(fd, buffer, held, &subscribed);
            held -= used;
            memmove(buffer, buffer + used, held);
        }
        if (subscribed && !said) {
            said = 1;
            puts("ready");
            fflush(stdout);
        }
        if (ready[1].revents) {
            char line[64];
            if (read(STDIN_FILENO, line, sizeof line) <= 0) return 0;
            fflush(out);
            printf("%llu %llu %llu %llu\n", (unsigned long long)messages, (unsigned long long)bytes,
                   (unsigned long long)values, (unsigned long long)records);
            fflush(stdout);
        }
    }
}
