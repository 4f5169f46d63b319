/* Sampled values: frames and their rows, and all that can go wrong between them. */
#include "sampled.h"

static const int64_t base = (int64_t)SECOND * 4000;

/* When a row was sampled [ns]. */
static int64_t time_of(int64_t rate, int64_t index)
{
    return index / rate * 1000000000 + index % rate * 1000000000 / rate;
}

/* Send a frame from the publisher to the subscriber, 1 ms late. */
static int64_t send(gw_sv *sv, const gw_sv_publisher *publisher, int64_t index, uint8_t synch,
                    const uint16_t *quality, gw_sample_rows *rows)
{
    uint8_t *frame = frame_at(publisher, index, synch, quality);
    int64_t time = time_of(publisher->stream.rate, index) + 1000000;
    int64_t made = feed(sv, frame, gw_sv_frame_size(publisher), time, rows);
    free(frame);
    return made;
}

static void rows_are_what_was_sent(void)
{
    static const struct {
        int64_t rate, asdus;
        int32_t vlan, mode, clock;
        int64_t set_length;
    } profiles[] = {{4000, 1, 0x8000, -1, 0, 0}, {12800, 1, -1, 0, 1, 20},
                    {4800, 2, 0x8000, 1, 0, 3},  {14400, 6, -1, 1, 1, 0},
                    {4800, 16, 0x8000, -1, 0, 0}};
    for (size_t i = 0; i < sizeof profiles / sizeof *profiles; i++) {
        int64_t rate = profiles[i].rate, asdus = profiles[i].asdus;
        gw_sv_publisher publisher = usual_publisher(rate, asdus);
        publisher.vlan = profiles[i].vlan;
        publisher.mode = profiles[i].mode;
        publisher.clock = profiles[i].clock;
        publisher.set = (const uint8_t *)"MU0101/LLN0$PhsMeas1";
        publisher.set_length = profiles[i].set_length;
        gw_sv_setup setup = usual_subscriber(rate, asdus);
        gw_sv *sv = made(&setup);
        gw_sample_rows rows = rows_of(MOST * asdus);
        /* Across a second: smpCnt begins anew. */
        int64_t first = SECOND * rate - 20 * asdus;
        for (int64_t f = 0; f < 40; f++)
            CHECK(send(sv, &publisher, first + f * asdus, 2, NULL, &rows) == asdus);
        CHECK(rows.count == 40 * asdus && rows.runs == 1 && rows.marks == GW_GOOD);
        CHECK(rows.run_index[0] == first && rows.run_first[0] == 0);
        for (int64_t r = 0; r < rows.count; r++)
            for (int64_t c = 0; c < COLUMNS; c++)
                CHECK(rows.samples[r * COLUMNS + c] == sample_of(first + r, c) &&
                      rows.quality[r] == GW_GOOD && rows.each[r * COLUMNS + c] == GW_GOOD);
        gw_sv_state state = look(sv);
        CHECK(state.frames == 40 && state.rows == rows.count && state.learned == 1);
        CHECK(state.stream.next == first + rows.count && state.stream.gaps == 0);
        CHECK(llabs(state.away - 1000000 + (asdus - 1) * 1000000000 / rate) < 2);
        leave(sv, &rows);
    }
}

/* Data sets of other lengths than that of 9-2LE; a row is not written past its end. */
static void any_number_of_columns(void)
{
    for (int64_t columns = 1; columns <= GW_COLUMNS; columns += 1 + columns / 3) {
        gw_sv_publisher publisher = usual_publisher(4000, 1);
        gw_sv_setup setup = usual_subscriber(4000, 1);
        publisher.stream.columns = setup.stream.columns = columns;
        setup.watched = UINT32_MAX;
        gw_sv *sv = made(&setup);
        int32_t samples[GW_COLUMNS], *to = column(columns, sizeof *to);
        uint16_t quality[GW_COLUMNS] = {0}, merged = 0;
        uint8_t frame[512];
        int64_t size = gw_sv_frame_size(&publisher), none = 0, first = 0, index = 0, time = 0;
        for (int64_t bad = -1; bad < columns; bad++) {
            for (int64_t c = 0; c < columns; c++) {
                samples[c] = sample_of(bad, c);
                quality[c] = c == bad ? GW_OVERFLOW : GW_GOOD;
            }
            CHECK(gw_sv_encode(&publisher, bad + 1, samples, 1, columns, quality, 2, frame, 512) ==
                  size);
            gw_frames frames = {1, frame, size, &none, &size, &time};
            gw_sample_rows rows = {1, columns, 0, to, &merged, NULL, 0, &first, &index, 0};
            CHECK(gw_sv_decode(sv, &frames, &rows) == 1 && index == bad + 1);
            CHECK(merged == (bad < 0 ? GW_GOOD : GW_OVERFLOW) && rows.marks == merged);
            CHECK(memcmp(to, samples, (size_t)columns * sizeof *to) == 0);
        }
        free(sv), free(to);
    }
}

/* The example that a frame of 9-2LE is, octet for octet: written down from IEC 61850-9-2's tables. */
static void a_frame_is_what_the_standard_says(void)
{
    static const uint8_t head[] = {
        0x01, 0x0c, 0xcd, 0x04, 0x00, 0x01, 0x00, 0x30, 0xa7, 0x00, 0x00, 0x01, /* addresses */
        0x81, 0x00, 0x80, 0x00, 0x88, 0xba, 0x40, 0x00, 0x00, 0x68, 0, 0, 0, 0, /* tag, 104 octets */
        0x60, 0x5e, 0x80, 0x01, 0x01, 0xa2, 0x59, 0x30, 0x57,                   /* one ASDU */
        0x80, 0x06, 'M',  'U',  '0',  '1',  '0',  '1',  0x82, 0x02, 0x00, 0x03, /* svID, smpCnt */
        0x83, 0x04, 0x00, 0x00, 0x00, 0x01, 0x85, 0x01, 0x02, 0x87, 0x40};      /* to sample */
    gw_sv_publisher publisher = usual_publisher(4000, 1);
    uint8_t *frame = frame_at(&publisher, base + 3, 2, NULL);
    CHECK(gw_sv_frame_size(&publisher) == (int64_t)sizeof head + 64);
    CHECK(memcmp(frame, head, sizeof head) == 0);
    int32_t value = sample_of(base + 3, 7);
    const uint8_t *last = frame + sizeof head + 56;
    CHECK(last[0] == (uint8_t)((uint32_t)value >> 24) && last[3] == (uint8_t)value);
    free(frame);
}

static void quality_is_merged(void)
{
    gw_sv_publisher publisher = usual_publisher(4000, 1);
    gw_sv_setup setup = usual_subscriber(4000, 1);
    setup.watched = 0x7f;
    gw_sv *sv = made(&setup);
    gw_sample_rows rows = rows_of(MOST);
    uint16_t quality[COLUMNS] = {0, GW_QUESTIONABLE | GW_OVERFLOW, GW_INVALID | GW_FAILURE};
    quality[7] = GW_TEST | GW_DEVICE_TIME;
    static const uint8_t synchs[] = {0, 1, 2, 3, 4, 5, 254};
    static const int synchronised[] = {0, 1, 1, 0, 0, 1, 1};
    for (int i = 0; i < 7; i++) {
        CHECK(send(sv, &publisher, base + i, synchs[i], quality, &rows) == 1);
        unsigned clock = synchronised[i] ? GW_GOOD : GW_CLOCK_NOT_SYNCHRONISED;
        CHECK(rows.quality[i] == (GW_INVALID | GW_FAILURE | GW_OVERFLOW | clock));
        CHECK(rows.each[i * COLUMNS] == clock && rows.each[i * COLUMNS + 7] == (GW_TEST | clock));
    }
    CHECK(rows.marks == (GW_INVALID | GW_FAILURE | GW_OVERFLOW | GW_CLOCK_NOT_SYNCHRONISED));
    leave(sv, &rows);
    setup.synch = 2;
    sv = made(&setup);
    rows = rows_of(MOST);
    free(rows.each);
    rows.each = NULL;
    for (int i = 0; i < 7; i++)
        CHECK(send(sv, &publisher, base + i, synchs[i], NULL, &rows) == 1 &&
              (rows.quality[i] == GW_GOOD) == (synchs[i] == 2));
    leave(sv, &rows);
}

static void lost_late_and_double_rows_are_counted(void)
{
    gw_sv_publisher publisher = usual_publisher(4000, 1);
    gw_sv_setup setup = usual_subscriber(4000, 1);
    gw_sv *sv = made(&setup);
    gw_sample_rows rows = rows_of(MOST);
    CHECK(send(sv, &publisher, base, 2, NULL, &rows) == 1);
    CHECK(send(sv, &publisher, base, 2, NULL, &rows) == 0 && look(sv).duplicate == 1);
    CHECK(send(sv, &publisher, base - 1, 2, NULL, &rows) == 0 && look(sv).duplicate == 2);
    CHECK(send(sv, &publisher, base + 4, 2, NULL, &rows) == 1);
    CHECK(look(sv).stream.gaps == 1 && look(sv).stream.lost == 3);
    CHECK(send(sv, &publisher, base + 2, 2, NULL, &rows) == 0 && look(sv).late == 1);
    CHECK(send(sv, &publisher, base, 2, NULL, &rows) == 0 && look(sv).duplicate == 3);
    CHECK(send(sv, &publisher, base + 4, 2, NULL, &rows) == 0 && look(sv).duplicate == 4);
    CHECK(send(sv, &publisher, base + 5, 2, NULL, &rows) == 1);
    CHECK(rows.count == 3 && rows.runs == 2 && rows.run_index[1] == base + 4);
    CHECK(rows.run_first[1] == 1 && look(sv).frames == 3 && look(sv).rows == 3);
    /* Seconds without a frame, and a part of one. */
    CHECK(send(sv, &publisher, base + 7 * 4000 + 1777, 2, NULL, &rows) == 1);
    CHECK(rows.run_index[2] == base + 7 * 4000 + 1777 && look(sv).stream.gaps == 2);
    leave(sv, &rows);
}

/* The second is the nearest one, whether the frame seems late or early. */
static void the_second_is_that_of_the_clock(void)
{
    gw_sv_publisher publisher = usual_publisher(4000, 1);
    gw_sv_setup setup = usual_subscriber(4000, 1);
    for (int64_t late = -400000000; late <= 400000000; late += 100000000)
        for (int64_t number = 0; number < 4000; number += 1333) {
            gw_sv *sv = made(&setup);
            gw_sample_rows rows = rows_of(MOST);
            uint8_t *frame = frame_at(&publisher, base + number, 2, NULL);
            int64_t size = gw_sv_frame_size(&publisher);
            CHECK(feed(sv, frame, size, time_of(4000, base + number) + late, &rows) == 1);
            CHECK(rows.run_index[0] == base + number && llabs(look(sv).away - late) < 2);
            free(frame), leave(sv, &rows);
        }
    gw_sv *sv = made(&setup);
    gw_sample_rows rows = rows_of(MOST);
    uint8_t *frame = frame_at(&publisher, 3999, 2, NULL);
    CHECK(feed(sv, frame, gw_sv_frame_size(&publisher), 0, &rows) == 0 && look(sv).unfit == 1);
    free(frame), leave(sv, &rows);
}

static void simulated_frames_are_a_test(void)
{
    gw_sv_publisher real = usual_publisher(4000, 1), other = real;
    other.simulated = 1;
    gw_sv_setup setup = usual_subscriber(4000, 1);
    for (setup.simulated = 0; setup.simulated < 2; setup.simulated++) {
        gw_sv *sv = made(&setup);
        gw_sample_rows rows = rows_of(MOST);
        CHECK(send(sv, &real, base, 2, NULL, &rows) == 1 && rows.quality[0] == GW_GOOD);
        CHECK(send(sv, &other, base + 1, 2, NULL, &rows) == setup.simulated);
        CHECK(send(sv, &real, base + 2, 2, NULL, &rows) == !setup.simulated);
        CHECK(rows.quality[1] == (setup.simulated ? GW_TEST : GW_GOOD) && look(sv).aside == 1);
        leave(sv, &rows);
    }
}

/* A frame with a change, learned before or not: nothing comes of it, and it is counted. */
static void spoil(int64_t at, uint8_t octet, int64_t counter, int64_t shorter)
{
    gw_sv_publisher publisher = usual_publisher(4000, 1);
    publisher.mode = 1;
    gw_sv_setup setup = usual_subscriber(4000, 1);
    for (int learned = 0; learned < 2; learned++) {
        gw_sv *sv = made(&setup);
        gw_sample_rows rows = rows_of(MOST);
        if (learned)
            CHECK(send(sv, &publisher, base - 1, 2, NULL, &rows) == 1);
        uint8_t *frame = frame_at(&publisher, base, 2, NULL);
        frame[at] = octet;
        int64_t size = gw_sv_frame_size(&publisher) - shorter;
        CHECK(feed(sv, frame, size, time_of(4000, base), &rows) == 0);
        gw_sv_state state = look(sv);
        const int64_t counters[] = {state.foreign, state.malformed, state.unfit};
        for (int64_t i = 0; i < 3; i++)
            CHECK(counters[i] == (i == counter));
        free(frame), leave(sv, &rows);
    }
}

enum { FOREIGN, MALFORMED, UNFIT };

static void other_frames_are_counted(void)
{
    spoil(17, 0xb8, FOREIGN, 0);         /* GOOSE */
    spoil(0, 0x01, FOREIGN, 121);        /* no type */
    spoil(19, 0x01, FOREIGN, 0);         /* APPID */
    spoil(42, '2', FOREIGN, 0);          /* svID */
    spoil(0, 0x01, MALFORMED, 110);      /* no head */
    spoil(21, 0x07, MALFORMED, 0);       /* Length below the head's */
    spoil(0, 0x01, MALFORMED, 1);        /* Length beyond the frame */
    spoil(26, 0x61, MALFORMED, 0);       /* no savPdu */
    spoil(26, 0x7f, MALFORMED, 0);       /* a tag of several octets */
    spoil(27, 0x7f, MALFORMED, 0);       /* beyond what is there */
    spoil(27, 0x80, MALFORMED, 0);       /* indefinite */
    spoil(27, 0x85, MALFORMED, 0);       /* a length of 5 octets */
    spoil(28, 0x82, MALFORMED, 0);       /* no noASDU */
    spoil(29, 0x00, MALFORMED, 0);       /* of no octets */
    spoil(30, 0x00, MALFORMED, 0);       /* 0 */
    spoil(30, 0x81, MALFORMED, 0);       /* negative */
    spoil(30, 0x02, MALFORMED, 0);       /* not as many */
    spoil(31, 0xa3, MALFORMED, 0);       /* no seqASDU */
    spoil(31, 0x81, MALFORMED, 0);       /* security, and nothing after it */
    spoil(32, 0x5e, MALFORMED, 0);       /* something after it */
    spoil(33, 0x31, MALFORMED, 0);       /* no ASDU */
    spoil(34, 0x5c, MALFORMED, 0);       /* that ends in the midst of one */
    spoil(35, 0x82, MALFORMED, 0);       /* no svID, and smpCnt of 6 octets */
    spoil(35, 0x81, MALFORMED, 0);       /* no svID */
    spoil(43, 0x80, MALFORMED, 0);       /* svID again */
    spoil(43, 0x81, MALFORMED, 0);       /* no smpCnt */
    spoil(45, 0xff, UNFIT, 0);           /* smpCnt of no second */
    spoil(52, 0x02, UNFIT, 0);           /* confRev */
    spoil(53, 0x84, MALFORMED, 0);       /* refrTm of an octet */
    spoil(58, 0x10, UNFIT, 0);           /* smpRate */
    spoil(128, 0x02, UNFIT, 0);          /* smpMod */
    gw_sv_publisher publisher = usual_publisher(4800, 2);
    gw_sv_setup setup = usual_subscriber(4800, 1);
    gw_sv *sv = made(&setup);
    gw_sample_rows rows = rows_of(MOST);
    int64_t index = (int64_t)SECOND * 4800;
    CHECK(send(sv, &publisher, index, 2, NULL, &rows) == 0 && look(sv).unfit == 1);
    publisher.asdus = 1;
    publisher.stream.columns = 4;
    CHECK(send(sv, &publisher, index, 2, NULL, &rows) == 0 && look(sv).unfit == 2);
    leave(sv, &rows);
}

/* What a subscriber that takes any stream takes, and what later editions append. */
static void some_things_may_be_otherwise(void)
{
    gw_sv_publisher publisher = usual_publisher(4000, 1);
    gw_sv_setup setup = usual_subscriber(4000, 1);
    setup.appid = -1;
    setup.revision = -1;
    setup.id_length = 0;
    setup.id = NULL;
    gw_sv *sv = made(&setup);
    gw_sample_rows rows = rows_of(MOST);
    int64_t size = gw_sv_frame_size(&publisher);
    uint8_t *frame = frame_at(&publisher, base, 2, NULL), more[256];
    /* Two tags, a length of one octet in the form of four, security, and a part 0x89 of 3 octets. */
    static const uint8_t pdu[] = {0x60, 0x84, 0x00, 0x00, 0x00, 0x69, 0x80, 0x02, 0x00, 0x01,
                                  0x81, 0x03, 1,    2,    3,    0xa2, 0x5e, 0x30, 0x5c};
    static const uint8_t appended[] = {0x89, 0x03, 7, 8, 9};
    memcpy(more, frame, 12);
    memcpy(more + 12, "\x88\xa8\x00\x01", 4);
    memcpy(more + 16, frame + 12, 14);
    memcpy(more + 30, pdu, sizeof pdu);
    int64_t asdu = size - 35;
    memcpy(more + 30 + sizeof pdu, frame + 35, (size_t)asdu);
    memcpy(more + 30 + (int64_t)sizeof pdu + asdu, appended, sizeof appended);
    int64_t whole = 30 + (int64_t)sizeof pdu + asdu + (int64_t)sizeof appended;
    more[25] = (uint8_t)(whole - 22);
    memset(more + whole, 0xee, 9); /* padding */
    CHECK(feed(sv, more, whole + 9, time_of(4000, base), &rows) == 1);
    CHECK(rows.samples[7] == sample_of(base, 7));
    more[44] = 4; /* of what secures it: the frame is parsed anew, and its row was there */
    CHECK(feed(sv, more, whole + 9, time_of(4000, base), &rows) == 0);
    CHECK(look(sv).learned == 2 && look(sv).duplicate == 1);
    free(frame), leave(sv, &rows);
}

static void what_cannot_be_is_refused(void)
{
    gw_sv_setup setup = usual_subscriber(4000, 1), bad[8];
    for (int i = 0; i < 8; i++)
        bad[i] = setup;
    bad[0].asdus = 0;
    bad[1].asdus = GW_SV_ASDUS + 1;
    bad[2].appid = 0x10000;
    bad[3].revision = INT64_C(1) << 32;
    bad[4].synch = 0;
    bad[5].synch = 3;
    bad[6].id_length = GW_SV_ID + 1;
    bad[7].stream.rate = 0;
    gw_sv *sv = made(&setup);
    for (int i = 0; i < 8; i++)
        CHECK(gw_sv_init(sv, gw_sv_size(), &bad[i]) == (i < 7 ? GW_BAD_SETUP : GW_BAD_STREAM));
    CHECK(gw_sv_init(sv, gw_sv_size() - 1, &setup) == GW_NO_ROOM);

    gw_sample_rows rows = rows_of(1);
    uint8_t octets[4] = {0};
    int64_t offset[2] = {0, 4}, size[2] = {4, 0}, time[2] = {0, 0};
    gw_frames frames = {2, octets, 4, offset, size, time};
    CHECK(gw_sv_decode(sv, &frames, &rows) == GW_ROWS_FULL);
    frames.n = -1;
    CHECK(gw_sv_decode(sv, &frames, &rows) == GW_BAD_BLOCK);
    frames.n = 1;
    CHECK(gw_sv_decode(sv, &frames, &rows) == 0);
    rows.columns = 7;
    CHECK(gw_sv_decode(sv, &frames, &rows) == GW_BAD_BLOCK);
    rows.columns = COLUMNS;
    static const int64_t wrong[][3] = {{-1, 1, 0}, {5, 0, 0}, {0, 5, 0}, {0, -1, 0}};
    for (int i = 0; i < 4; i++) {
        offset[0] = wrong[i][0];
        size[0] = wrong[i][1];
        CHECK(gw_sv_decode(sv, &frames, &rows) == GW_SHORT_BLOCK);
    }
    offset[0] = size[0] = 0;
    for (int i = 0; i < 2; i++) {
        time[0] = i ? INT64_MAX : -1;
        CHECK(gw_sv_decode(sv, &frames, &rows) == GW_BAD_INDEX);
    }
    leave(sv, &rows);
}

static void publishers_are_checked(void)
{
    gw_sv_publisher good = usual_publisher(4000, 1), bad[15];
    for (int i = 0; i < 15; i++)
        bad[i] = good;
    bad[0].asdus = 0;
    bad[1].asdus = 17;
    bad[2].vlan = 0x10000;
    bad[3].appid = -1;
    bad[4].appid = 0x10000;
    bad[5].revision = -1;
    bad[6].revision = INT64_C(1) << 32;
    bad[7].mode = 2;
    bad[8].id_length = 0;
    bad[9].id_length = GW_SV_ID + 1;
    bad[10].set_length = -1;
    bad[11].set_length = GW_SV_ID + 1;
    bad[12].mode = 0; /* not whole samples per cycle */
    bad[12].stream.nominal = 60;
    bad[13].asdus = 16; /* too long for Ethernet */
    bad[13].stream.columns = 12;
    bad[14].stream.nominal = 16;
    int32_t samples[3 * COLUMNS] = {0};
    uint8_t out[512];
    for (int i = 0; i < 15; i++) {
        int64_t code = i < 14 ? GW_BAD_SETUP : GW_BAD_STREAM;
        CHECK(gw_sv_frame_size(&bad[i]) == code);
        CHECK(gw_sv_encode(&bad[i], 0, samples, 1, COLUMNS, NULL, 0, out, 512) == code);
    }
    int64_t size = gw_sv_frame_size(&good);
    CHECK(gw_sv_encode(&good, 0, samples, 2, COLUMNS, NULL, 0, out, 2 * size) == 2 * size);
    CHECK(gw_sv_encode(&good, 0, samples, 2, COLUMNS, NULL, 0, out, 2 * size - 1) == GW_NO_ROOM);
    CHECK(gw_sv_encode(&good, -1, samples, 1, COLUMNS, NULL, 0, out, 512) == GW_BAD_INDEX);
    CHECK(gw_sv_encode(&good, 0, samples, 1, COLUMNS - 1, NULL, 0, out, 512) == GW_BAD_BLOCK);
    good.asdus = 2;
    CHECK(gw_sv_encode(&good, 0, samples, 3, COLUMNS, NULL, 0, out, 512) == GW_BAD_BLOCK);
}

static void put32(uint8_t *at, uint32_t value, int swapped)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> 8 * (swapped ? i : 3 - i));
}

static void files_hold_frames(void)
{
    for (int kind = 0; kind < 4; kind++) {
        int swapped = kind & 1, fine = kind >> 1;
        uint8_t file[24 + 3 * 16 + 5 + 3] = {0};
        put32(file, fine ? 0xa1b23c4d : 0xa1b2c3d4, swapped);
        put32(file + 20, 1, swapped);
        int64_t at = 24, n = 0, offset[3], size[3], time[3];
        for (uint32_t i = 0; i < 3; i++) { /* of 5, 0 and 7 octets; of the last one, 3 are there */
            put32(file + at, 1700000000 + i, swapped);
            put32(file + at + 4, 7, swapped);
            put32(file + at + 8, i == 0 ? 5 : i == 1 ? 0 : 7, swapped);
            at += 16 + (i == 0 ? 5 : 0);
        }
        int64_t next = 0;
        n = gw_pcap_frames(file, sizeof file, &next, 1, offset, size, time);
        CHECK(n == 1 && offset[0] == 40 && size[0] == 5 && next == 45);
        CHECK(time[0] == 1700000000 * INT64_C(1000000000) + (fine ? 7 : 7000));
        n = gw_pcap_frames(file, sizeof file, &next, 3, offset, size, time);
        CHECK(n == 1 && offset[0] == 61 && size[0] == 0 && next == 61);
        CHECK(gw_pcap_frames(file, sizeof file, &next, 3, offset, size, time) == 0);
        CHECK(gw_pcap_frames(file, 23, &next, 3, offset, size, time) == GW_BAD_FILE);
        CHECK(gw_pcap_frames(file, 60, &next, 3, offset, size, time) == GW_BAD_FILE);
        next = -1;
        CHECK(gw_pcap_frames(file, 60, &next, 3, offset, size, time) == GW_BAD_FILE);
        next = 0;
        put32(file + 20, 113, swapped);
        CHECK(gw_pcap_frames(file, sizeof file, &next, 3, offset, size, time) == GW_BAD_FILE);
        put32(file, 0x0a0d0d0a, swapped);
        CHECK(gw_pcap_frames(file, sizeof file, &next, 3, offset, size, time) == GW_BAD_FILE);
    }
}

int main(void)
{
    on_every_level(rows_are_what_was_sent);
    on_every_level(any_number_of_columns);
    a_frame_is_what_the_standard_says();
    on_every_level(quality_is_merged);
    lost_late_and_double_rows_are_counted();
    the_second_is_that_of_the_clock();
    simulated_frames_are_a_test();
    other_frames_are_counted();
    some_things_may_be_otherwise();
    what_cannot_be_is_refused();
    publishers_are_checked();
    files_hold_frames();
    for (int64_t code = GW_NO_RING; code <= GW_BAD_FILE; code++)
        CHECK(strlen(gw_strerror(code)) > 20);
    return 0;
}
