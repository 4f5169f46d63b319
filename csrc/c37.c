/* Frames of C37.118: their check, where they begin and end, and what all of them say. */
#include "c37.h"
#include "c37_table.h"
#include "level.h"

enum { SYNC = 0xaa, HALF = 0xffff, FRACTION = 0xffffff };

/* What eight octets leave, the first one in the highest bits. */
static inline unsigned remainder_of(uint64_t x)
{
    return remainder_after[7][x >> 56] ^ remainder_after[6][x >> 48 & 0xff] ^
           remainder_after[5][x >> 40 & 0xff] ^ remainder_after[4][x >> 32 & 0xff] ^
           remainder_after[3][x >> 24 & 0xff] ^ remainder_after[2][x >> 16 & 0xff] ^
           remainder_after[1][x >> 8 & 0xff] ^ remainder_after[0][x & 0xff];
}

/* Eight octets a step: their remainders do not wait for each other. */
uint16_t gw_c37_crc(const uint8_t *data, int64_t length)
{
#if GW_HAS_V3
    if (length >= 16 && gw_level() == GW_X86_64_V3)
        return (uint16_t)remainder_of(gw_c37_fold_v3(data, length));
#endif
    unsigned crc = 0xffff;
    for (; length >= 8; data += 8, length -= 8)
        crc = remainder_of(((uint64_t)gw_be32(data) << 32 | gw_be32(data + 4)) ^
                           (uint64_t)crc << 48);
    for (; length > 0; data++, length--)
        crc = (crc << 8 & HALF) ^ remainder_after[0][crc >> 8 ^ *data];
    return (uint16_t)crc;
}

/* Bit 7 of the second octet of SYNC is reserved, 0 (table 2). */
static int may_begin(const uint8_t *octets, int64_t length)
{
    if (octets[0] != SYNC)
        return 0;
    return length < 2 || octets[1] >> 4 < GW_C37_KINDS;
}

int64_t gw_c37_find(const uint8_t *octets, int64_t length)
{
    int64_t at = 1;
    while (at < length && !may_begin(octets + at, length - at))
        at++;
    return at < length ? at : length < 0 ? 0 : length;
}

int64_t gw_c37_open(const uint8_t *octets, int64_t length, gw_c37_header *header)
{
    if (length < 1)
        return 0;
    if (!may_begin(octets, length))
        return GW_BAD_FRAME;
    if (length < 4)
        return 0;
    int64_t size = gw_be16(octets + 2);
    if (size < GW_C37_LEAST)
        return GW_BAD_FRAME;
    if (length < size)
        return 0;
    if (gw_be16(octets + size - 2) != gw_c37_crc(octets, size - 2))
        return GW_BAD_CHECK;
    *header = (gw_c37_header){
        .kind = octets[1] >> 4,
        .version = octets[1] & 0xf,
        .idcode = gw_be16(octets + 4),
        .size = (int32_t)size,
        .second = gw_be32(octets + 6),
        .fraction = (int32_t)(gw_be32(octets + 10) & FRACTION),
        .time_quality = octets[10],
    };
    return size;
}

int gw_c37_header_fits(const gw_c37_header *header)
{
    int fits = header->kind >= 0 && header->kind < GW_C37_KINDS && header->version >= 0 &&
               header->version <= 0xf && header->idcode >= 0 && header->idcode <= HALF &&
               header->fraction >= 0 && header->fraction <= FRACTION &&
               header->time_quality >= 0 && header->time_quality <= 0xff;
    return fits ? GW_OK : GW_BAD_TIME;
}

int64_t gw_c37_seal(const gw_c37_header *header, const uint8_t *body, int64_t length,
                    uint8_t *octets, int64_t capacity)
{
    if (gw_c37_header_fits(header) != GW_OK)
        return GW_BAD_TIME;
    if (length < 0 || length > GW_C37_MOST - GW_C37_LEAST)
        return GW_BAD_LENGTH;
    int64_t size = length + GW_C37_LEAST;
    if (capacity < size)
        return GW_NO_ROOM;
    gw_c37_begin(octets, header, size);
    if (length > 0)
        memcpy(octets + GW_C37_BODY, body, (size_t)length);
    gw_c37_end(octets, size);
    return size;
}
