/* Sampled values: a publisher's frames. */
#include <string.h>

#include "stream.h"
#include "sv.h"

enum { TAGGED = 4, ADDRESSES = 12, HEAD = 8 };

/* Octets are counted where `at` is NULL. */
typedef struct {
    uint8_t *at;
    int64_t used;
} pen;

static void put(pen *to, uint64_t value, int64_t octets)
{
    for (int64_t i = octets - 1; i >= 0; i--, to->used++)
        if (to->at)
            to->at[to->used] = (uint8_t)(value >> (8 * i));
}

static void put_octets(pen *to, const uint8_t *from, int64_t n)
{
    if (to->at && n > 0)
        memcpy(to->at + to->used, from, (size_t)n);
    to->used += n;
}

/* Tag and length in the fewest octets (X.690 clause 10.1). */
static void put_head(pen *to, unsigned tag, int64_t length)
{
    put(to, tag, 1);
    if (length > 0xff)
        put(to, 0x82, 1);
    else if (length > 0x7f)
        put(to, 0x81, 1);
    put(to, (uint64_t)length, length > 0xff ? 2 : 1);
}

static int64_t whole(int64_t length)
{
    pen none = {NULL, 0};
    put_head(&none, 0, length);
    return none.used + length;
}

static int64_t asdu_length(const gw_sv_publisher *p)
{
    return whole(p->id_length) + (p->set_length > 0 ? whole(p->set_length) : 0) + whole(2) +
           whole(4) + (p->clock ? whole(8) : 0) + whole(1) + (p->mode >= 0 ? 2 * whole(2) : 0) +
           whole(GW_PAIR * p->stream.columns);
}

/* UtcTime, IEC 61850-8-1 clause 8.1.3.7: seconds, 24 bits of a fraction, and how good it is. */
static void put_clock(pen *to, int64_t rate, int64_t index, unsigned synch)
{
    enum { NOT_SYNCHRONISED = 0x20, BITS_20 = 20 };
    put_head(to, GW_TAG_CLOCK, 8);
    put(to, (uint64_t)(index / rate), 4);
    put(to, (uint64_t)(index % rate << 24) / (uint64_t)rate, 3);
    put(to, synch ? BITS_20 : NOT_SYNCHRONISED | BITS_20, 1);
}

/* One ASDU, of a row, or of none where octets are only counted. */
static void put_asdu(pen *to, const gw_sv_publisher *p, int64_t index, const int32_t *row,
                     const uint16_t *quality, unsigned synch)
{
    int64_t rate = p->stream.rate;
    put_head(to, GW_TAG_ASDU, asdu_length(p));
    put_head(to, GW_TAG_ID, p->id_length);
    put_octets(to, p->id, p->id_length);
    if (p->set_length > 0) {
        put_head(to, GW_TAG_SET, p->set_length);
        put_octets(to, p->set, p->set_length);
    }
    put_head(to, GW_TAG_COUNT, 2);
    put(to, (uint64_t)(index % rate), 2);
    put_head(to, GW_TAG_REVISION, 4);
    put(to, (uint64_t)p->revision, 4);
    if (p->clock)
        put_clock(to, rate, index, synch);
    put_head(to, GW_TAG_SYNCH, 1);
    put(to, synch, 1);
    if (p->mode >= 0) {
        put_head(to, GW_TAG_RATE, 2);
        put(to, (uint64_t)(p->mode == 0 ? rate / p->stream.nominal : rate), 2);
    }
    put_head(to, GW_TAG_SAMPLE, GW_PAIR * p->stream.columns);
    for (int64_t c = 0; c < p->stream.columns; c++) {
        put(to, row ? (uint32_t)row[c] : 0, 4);
        put(to, quality ? quality[c] & GW_SV_QUALITY : 0, 4);
    }
    if (p->mode >= 0) {
        put_head(to, GW_TAG_MODE, 2);
        put(to, (uint64_t)p->mode, 2);
    }
}

static void put_frame(pen *to, const gw_sv_publisher *p, int64_t index, const int32_t *rows,
                      int64_t stride, const uint16_t *quality, unsigned synch)
{
    int64_t asdus = p->asdus * whole(asdu_length(p));
    int64_t pdu = whole(1) + whole(asdus);
    put_octets(to, p->destination, 6);
    put_octets(to, p->source, 6);
    if (p->vlan >= 0)
        put(to, (uint64_t)0x8100 << 16 | (uint64_t)p->vlan, 4);
    put(to, GW_ETHERTYPE_SV, 2);
    put(to, (uint64_t)p->appid, 2);
    put(to, (uint64_t)(HEAD + whole(pdu)), 2);
    put(to, p->simulated ? GW_SIMULATED : 0, 2);
    put(to, 0, 2);
    put_head(to, GW_TAG_PDU, pdu);
    put_head(to, GW_TAG_ASDUS, 1);
    put(to, (uint64_t)p->asdus, 1);
    put_head(to, GW_TAG_SEQUENCE, asdus);
    for (int64_t a = 0; a < p->asdus; a++)
        put_asdu(to, p, index + a, rows ? rows + a * stride : NULL,
                 quality ? quality + a * p->stream.columns : NULL, synch);
}

int64_t gw_sv_frame_size(const gw_sv_publisher *p)
{
    int64_t code = gw_stream_check(&p->stream);
    if (code < 0)
        return code;
    if (p->asdus < 1 || p->asdus > GW_SV_ASDUS || p->vlan > 0xffff || p->appid < 0 ||
        p->appid > 0xffff || p->revision < 0 || p->revision > UINT32_MAX || p->mode > 1 ||
        (p->mode == 0 && p->stream.rate % p->stream.nominal != 0) || p->id_length < 1 ||
        p->id_length > GW_SV_ID || p->set_length < 0 || p->set_length > GW_SV_ID)
        return GW_BAD_SETUP;
    pen count = {NULL, 0};
    put_frame(&count, p, 0, NULL, 0, NULL, 0);
    return count.used > GW_SV_OCTETS - (p->vlan < 0 ? TAGGED : 0) ? GW_BAD_SETUP : count.used;
}

int64_t gw_sv_encode(const gw_sv_publisher *publisher, int64_t index, const int32_t *samples,
                     int64_t n, int64_t stride, const uint16_t *quality, uint8_t synch,
                     uint8_t *out, int64_t capacity)
{
    const gw_sv_publisher *p = publisher;
    int64_t size = gw_sv_frame_size(p);
    if (size < 0)
        return size;
    const gw_stream_state fresh = {0};
    int64_t code = gw_stream_accepts(&p->stream, &fresh, index, n, stride);
    if (code < 0 || n % p->asdus != 0)
        return code < 0 ? code : GW_BAD_BLOCK;
    if (n / p->asdus > capacity / size)
        return GW_NO_ROOM;
    pen to = {out, 0};
    for (int64_t row = 0; row < n; row += p->asdus)
        put_frame(&to, p, index + row, samples + row * stride, stride,
                  quality ? quality + row * p->stream.columns : NULL, synch);
    return to.used;
}
