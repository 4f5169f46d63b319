/* Files of frames as libpcap writes them (pcap-savefile(5)). */
#include "sv.h"

enum {
    HEAD = 24,         /* octets of the file's head, and of a frame's */
    FRAME_HEAD = 16,
    LINK = 20,         /* where the kind of link is */
    ETHERNET = 1       /* LINKTYPE_ETHERNET */
};

static uint32_t number(const uint8_t *at, int swapped)
{
    uint32_t x = gw_be32(at);
    return swapped ? __builtin_bswap32(x) : x;
}

int64_t gw_pcap_frames(const uint8_t *data, int64_t length, int64_t *at, int64_t capacity,
                       int64_t *offset, int64_t *size, int64_t *time)
{
    if (length < HEAD || *at < 0 || *at > length)
        return GW_BAD_FILE;
    uint32_t magic = gw_be32(data);
    int swapped = magic == 0xd4c3b2a1 || magic == 0x4d3cb2a1;
    magic = number(data, swapped);
    int64_t unit = magic == 0xa1b2c3d4 ? 1000 : magic == 0xa1b23c4d ? 1 : 0; /* ns */
    if (unit == 0 || (number(data + LINK, swapped) & 0xffff) != ETHERNET)
        return GW_BAD_FILE;
    int64_t from = *at == 0 ? HEAD : *at, n = 0;
    while (n < capacity && length - from >= FRAME_HEAD) {
        int64_t captured = number(data + from + 8, swapped);
        if (captured > length - from - FRAME_HEAD)
            break;
        time[n] = number(data + from, swapped) * INT64_C(1000000000) +
                  number(data + from + 4, swapped) * unit;
        offset[n] = from + FRAME_HEAD;
        size[n++] = captured;
        from += FRAME_HEAD + captured;
    }
    *at = from;
    return n;
}
