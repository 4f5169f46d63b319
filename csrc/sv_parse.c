/*
 * Sampled values: the whole parser, for frames that are not as the one before.
 *
 * What it accepts of BER (X.690): tags of one octet; definite lengths, in up to 4 octets besides the
 * first; parts in the order of the standard, each once.  Parts that later editions may append to an
 * ASDU, with higher tags, are passed over.  What follows the savPdu is padding.
 */
#include <string.h>

#include "sv.h"

/* Octets that are still to be read, of a frame that begins at `frame`. */
typedef struct {
    const uint8_t *at;
    int64_t left;
} octets;

/* Read tag and length, and let `value` be what they announce; 0 where that is not there. */
static int element(octets *from, unsigned *tag, octets *value)
{
    if (from->left < 2 || (from->at[0] & 0x1f) == 0x1f)
        return 0;
    *tag = from->at[0];
    int64_t length = from->at[1], header = 2;
    if (length > 0x7f) {
        int64_t more = length - 0x80;
        if (more < 1 || more > 4 || from->left < 2 + more)
            return 0;
        length = 0;
        for (int64_t i = 0; i < more; i++)
            length = length << 8 | from->at[2 + i];
        header += more;
    }
    if (length > from->left - header)
        return 0;
    *value = (octets){from->at + header, length};
    from->at += header + length;
    from->left -= header + length;
    return 1;
}

/* smpMod 0: samples per nominal cycle; 1: samples per second; 2: seconds per sample. */
static int is_rate(const gw_sv_setup *setup, int64_t rate, int64_t mode)
{
    return mode == 0   ? rate * setup->stream.nominal == setup->stream.rate
           : mode == 1 ? rate == setup->stream.rate
                       : 0;
}

/* What has been read of an ASDU. */
typedef struct {
    unsigned seen; /* bit t where tag 0x80 + t was there */
    int64_t rate, mode;
    int foreign, unfit;
} reading;

/* One part; 0 where its length is not that of its tag. */
static int take(const gw_sv_setup *setup, const uint8_t *frame, unsigned tag, octets value,
                reading *so_far, gw_asdu *asdu)
{
    /* Octets of count, revision, clock, synch, rate; then of mode. */
    static const int64_t lengths[] = {[2] = 2, [3] = 4, [4] = 8, [5] = 1, [6] = 2, [8] = 2};
    unsigned number = tag - GW_TAG_ID;
    int32_t at = (int32_t)(value.at - frame);
    if (number < sizeof lengths / sizeof *lengths && lengths[number] != 0 &&
        lengths[number] != value.left)
        return 0;
    if (tag == GW_TAG_ID)
        so_far->foreign = setup->id_length != 0 &&
                          (value.left != setup->id_length ||
                           memcmp(value.at, setup->id, (size_t)value.left) != 0);
    else if (tag == GW_TAG_COUNT)
        asdu->count = at;
    else if (tag == GW_TAG_REVISION)
        so_far->unfit |= setup->revision >= 0 && gw_be32(value.at) != setup->revision;
    else if (tag == GW_TAG_CLOCK)
        asdu->clock = at;
    else if (tag == GW_TAG_SYNCH)
        asdu->synch = at;
    else if (tag == GW_TAG_RATE)
        so_far->rate = gw_be16(value.at);
    else if (tag == GW_TAG_MODE)
        so_far->mode = gw_be16(value.at);
    else if (tag == GW_TAG_SAMPLE) {
        asdu->sample = at;
        so_far->unfit |= value.left != GW_PAIR * setup->stream.columns;
    }
    return 1;
}

static gw_verdict parse_asdu(const gw_sv_setup *setup, const uint8_t *frame, octets from,
                             gw_asdu *asdu)
{
    static const unsigned needed = 1 << 0 | 1 << 2 | 1 << 3 | 1 << 5 | 1 << 7;
    reading so_far = {.rate = -1};
    *asdu = (gw_asdu){-1, -1, -1, -1};
    for (unsigned tag, last = GW_TAG_ID - 1; from.left > 0; last = tag) {
        octets value;
        if (!element(&from, &tag, &value) || tag <= last ||
            !take(setup, frame, tag, value, &so_far, asdu))
            return GW_SV_MALFORMED;
        so_far.seen |= tag <= GW_TAG_MODE ? 1u << (tag - GW_TAG_ID) : 0;
    }
    if ((so_far.seen & needed) != needed)
        return GW_SV_MALFORMED;
    if (so_far.foreign)
        return GW_SV_FOREIGN;
    if (so_far.rate >= 0 && !is_rate(setup, so_far.rate, so_far.mode))
        return GW_SV_UNFIT;
    return so_far.unfit ? GW_SV_UNFIT : GW_SV_FITS;
}

/* savPdu: noASDU, perhaps what secures it, and the ASDUs. */
static gw_verdict parse_pdu(const gw_sv_setup *setup, const uint8_t *frame, octets pdu,
                            gw_layout *layout)
{
    unsigned tag;
    octets value, sequence;
    if (!element(&pdu, &tag, &value) || tag != GW_TAG_ASDUS || value.left < 1 || value.left > 2 ||
        value.at[0] > 0x7f || !element(&pdu, &tag, &sequence))
        return GW_SV_MALFORMED;
    int64_t asdus = value.left == 1 ? value.at[0] : gw_be16(value.at);
    if (tag == GW_TAG_SECURITY && !element(&pdu, &tag, &sequence))
        return GW_SV_MALFORMED;
    if (tag != GW_TAG_SEQUENCE || pdu.left != 0)
        return GW_SV_MALFORMED;
    gw_verdict worst = GW_SV_FITS;
    layout->asdus = 0;
    while (sequence.left > 0) {
        gw_asdu asdu;
        if (!element(&sequence, &tag, &value) || tag != GW_TAG_ASDU)
            return GW_SV_MALFORMED;
        gw_verdict verdict = parse_asdu(setup, frame, value, &asdu);
        if (verdict == GW_SV_MALFORMED || verdict == GW_SV_FOREIGN)
            return verdict;
        worst = verdict != GW_SV_FITS ? verdict : worst;
        if (layout->asdus < setup->asdus)
            layout->asdu[layout->asdus] = asdu;
        layout->asdus++;
    }
    if (layout->asdus != asdus || asdus == 0)
        return GW_SV_MALFORMED;
    return asdus > setup->asdus ? GW_SV_UNFIT : worst;
}

gw_verdict gw_sv_parse(const gw_sv_setup *setup, const uint8_t *frame, int64_t size,
                       gw_layout *layout)
{
    int64_t at = 12;
    /* IEEE 802.1Q tags, of a provider perhaps, too. */
    while (at + 6 <= size && (gw_be16(frame + at) == 0x8100 || gw_be16(frame + at) == 0x88a8))
        at += 4;
    if (at + 2 > size || gw_be16(frame + at) != GW_ETHERTYPE_SV)
        return GW_SV_FOREIGN;
    if (size > GW_SV_OCTETS || at + 10 > size)
        return GW_SV_MALFORMED;
    const uint8_t *head = frame + at + 2;
    int64_t length = gw_be16(head + 2); /* of the head, 8 octets, and what follows */
    if (setup->appid >= 0 && gw_be16(head) != (uint32_t)setup->appid)
        return GW_SV_FOREIGN;
    if (length < 8 || length > size - at - 2)
        return GW_SV_MALFORMED;
    layout->simulated = (gw_be16(head + 4) & GW_SIMULATED) != 0;
    unsigned tag;
    octets apdu = {head + 8, length - 8}, pdu;
    if (!element(&apdu, &tag, &pdu) || tag != GW_TAG_PDU)
        return GW_SV_MALFORMED;
    layout->end = (int32_t)(apdu.at - frame);
    return parse_pdu(setup, frame, pdu, layout);
}
