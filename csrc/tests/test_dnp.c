/* The CRC of DNP3 and the blocks of its frames. */
#include "check.h"

/* A frame of confirmed user data, published in the tests of opendnp3 (LinkFrame). */
static const uint8_t sealed[] = {0x05, 0x64, 0x14, 0xf3, 0x01, 0x00, 0x00, 0x04, 0x0a,
                                 0x3b, 0xc0, 0xc3, 0x01, 0x3c, 0x02, 0x06, 0x3c, 0x03,
                                 0x06, 0x3c, 0x04, 0x06, 0x3c, 0x01, 0x06, 0x9a, 0x12};
enum { SEALED = sizeof sealed, OPEN = SEALED - 4 };

/* A copy in memory of its own length, so that the sanitizers see its end. */
static uint8_t *copy(const uint8_t *data, int64_t length)
{
    uint8_t *memory = column(length, 1);
    memcpy(memory, data, (size_t)length);
    return memory;
}

/* Bit by bit, from the polynomial as the standard prints it, 0x3d65, reflected. */
static unsigned slow_crc(const uint8_t *data, int64_t length)
{
    unsigned crc = 0;
    for (int64_t i = 0; i < length; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0xa6bc : crc >> 1;
    }
    return ~crc & 0xffff;
}

static void the_crc_is_the_published_one(void)
{
    CHECK(gw_crc_dnp((const uint8_t *)"123456789", 9) == 0xea82); /* reveng's catalogue */
    CHECK(gw_crc_dnp(sealed, 8) == 0x3b0a);
    CHECK(gw_crc_dnp(sealed, 0) == 0xffff);
    uint8_t data[258];
    for (int i = 0; i < 258; i++)
        data[i] = (uint8_t)(i * 7 + 3);
    for (int length = 0; length <= 258; length++)
        CHECK(gw_crc_dnp(data, length) == slow_crc(data, length));
    for (int octet = 0; octet < 256; octet++) { /* every row of the table */
        uint8_t one = (uint8_t)octet;
        CHECK(gw_crc_dnp(&one, 1) == slow_crc(&one, 1));
    }
}

static void a_published_frame_opens_and_seals(void)
{
    uint8_t *frame = copy(sealed, SEALED), *data = column(OPEN, 1), *again = column(SEALED, 1);
    CHECK(gw_dnp_open(frame, SEALED, data, OPEN) == OPEN);
    CHECK(memcmp(data, sealed, 8) == 0 && memcmp(data + 8, sealed + 10, 15) == 0);
    CHECK(gw_dnp_seal(data, OPEN, again, SEALED) == SEALED);
    CHECK(memcmp(again, sealed, SEALED) == 0);
    CHECK(gw_dnp_open(frame, 10, data, 8) == 8); /* the header alone */
    free(frame), free(data), free(again);
}

static void every_length_comes_back(void)
{
    uint8_t data[GW_DNP_OPEN];
    for (int i = 0; i < GW_DNP_OPEN; i++)
        data[i] = (uint8_t)(i ^ 0x5a);
    for (int64_t length = 8; length <= GW_DNP_OPEN; length++) {
        int64_t whole = length + 2 + 2 * ((length - 8 + 15) / 16);
        uint8_t *in = copy(data, length), *frame = column(whole, 1), *out = column(length, 1);
        CHECK(gw_dnp_seal(in, length, frame, whole) == whole);
        CHECK(gw_dnp_seal(in, length, frame, whole - 1) == GW_NO_ROOM);
        CHECK(gw_dnp_open(frame, whole, out, length) == length);
        CHECK(memcmp(in, out, (size_t)length) == 0);
        CHECK(gw_dnp_open(frame, whole, out, length - 1) == GW_NO_ROOM);
        free(in), free(frame), free(out);
    }
}

static void every_flipped_bit_is_seen(void)
{
    uint8_t *frame = copy(sealed, SEALED), data[OPEN];
    for (int bit = 0; bit < SEALED * 8; bit++) {
        frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(gw_dnp_open(frame, SEALED, data, OPEN) == GW_BAD_CHECK);
        frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    free(frame);
}

static void lengths_that_no_frame_has_are_refused(void)
{
    uint8_t frame[300] = {0}, data[300];
    for (int64_t length = -1; length < 8; length++)
        CHECK(gw_dnp_seal(data, length, frame, 300) == GW_BAD_LENGTH);
    CHECK(gw_dnp_seal(data, GW_DNP_OPEN + 1, frame, 300) == GW_BAD_LENGTH);
    for (int64_t length = -1; length < 10; length++)
        CHECK(gw_dnp_open(frame, length, data, 300) == GW_BAD_LENGTH);
    for (int64_t length = 11; length <= GW_DNP_SEALED; length++) {
        int empty = (length - 10) % 18 == 1 || (length - 10) % 18 == 2;
        CHECK((gw_dnp_open(frame, length, data, 300) == GW_BAD_LENGTH) == empty);
    }
    CHECK(gw_dnp_open(frame, GW_DNP_SEALED + 1, data, 300) == GW_BAD_LENGTH);
}

int main(void)
{
    the_crc_is_the_published_one();
    a_published_frame_opens_and_seals();
    every_length_comes_back();
    every_flipped_bit_is_seen();
    lengths_that_no_frame_has_are_refused();
    return 0;
}
