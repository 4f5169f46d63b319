/* The parts of sampled values: how a frame is built, and how it is read. */
#ifndef GW_SV_H
#define GW_SV_H

#include "kernel.h"

enum {
    GW_ETHERTYPE_SV = 0x88ba,     /* IEC 61850-9-2 clause 5.3.3 */
    GW_SIMULATED = 0x8000,        /* of Reserved 1, annex C */
    GW_PAIR = 8,                  /* octets of a value and its quality */
    GW_SV_QUALITY = 0x1fff,       /* bits of quality that are the same here and there */
    GW_SV_OCTETS = 1522           /* of the longest frame, with a tag and without its check */
};

/* Tags of savPdu and its parts, IEC 61850-9-2 clause 8.5.2. */
enum {
    GW_TAG_PDU = 0x60,
    GW_TAG_ASDUS = 0x80, /* noASDU */
    GW_TAG_SECURITY = 0x81,
    GW_TAG_SEQUENCE = 0xa2, /* seqASDU */
    GW_TAG_ASDU = 0x30,
    GW_TAG_ID = 0x80,
    GW_TAG_SET = 0x81,
    GW_TAG_COUNT = 0x82,
    GW_TAG_REVISION = 0x83,
    GW_TAG_CLOCK = 0x84, /* refrTm */
    GW_TAG_SYNCH = 0x85,
    GW_TAG_RATE = 0x86,
    GW_TAG_SAMPLE = 0x87,
    GW_TAG_MODE = 0x88
};

/* Where the parts of an ASDU that change are, from the start of the frame; below 0 for none. */
typedef struct {
    int32_t count;
    int32_t clock;
    int32_t synch;
    int32_t sample;
} gw_asdu;

typedef struct {
    int64_t asdus;
    int32_t end; /* of the savPdu */
    int simulated;
    gw_asdu asdu[GW_SV_ASDUS];
} gw_layout;

/* What a frame is. */
typedef enum { GW_SV_FITS = 0, GW_SV_FOREIGN, GW_SV_MALFORMED, GW_SV_UNFIT } gw_verdict;

/* sv_parse.c */
gw_verdict gw_sv_parse(const gw_sv_setup *setup, const uint8_t *frame, int64_t size,
                       gw_layout *layout);

/* Numbers as they are sent, the most significant octet first. */
static inline uint32_t gw_be16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static inline uint32_t gw_be32(const uint8_t *at)
{
    return gw_be16(at) << 16 | gw_be16(at + 2);
}

#endif
