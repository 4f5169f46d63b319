/* Records of frames and of what they did: each octet by hand. */
#include "check.h"

static uint8_t memory[64 + 19];

int main(void)
{
    gw_trace trace = {memory, sizeof memory, 0, 8, 0, 0};
    const uint8_t frame[10] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    const int32_t points[5] = {7, 8, 9, 10, 11};
    int64_t time;
    uint32_t number;

    /* Before the first frame nothing can have come of one. */
    CHECK(gw_trace_done(&trace, 0, 0, 1, 1, 0, (const uint8_t *)points, 4) == 1 && trace.at == 0);

    CHECK(gw_trace_frame(&trace, 1234567890123, 1, 258, frame, 10) == 1);
    CHECK(trace.at == 19 + 8 && trace.frames == 1);
    memcpy(&time, memory, 8);
    CHECK(time == 1234567890123 && memory[8] == 1);
    uint16_t text;
    memcpy(&text, memory + 9, 2);
    memcpy(&number, memory + 11, 4);
    CHECK(text == 258 && number == 8);
    memcpy(&number, memory + 15, 4);
    CHECK(number == 10 && memcmp(memory + 19, frame, 8) == 0);

    /* Five points, of which four are named. */
    CHECK(gw_trace_done(&trace, 5, 1, 70, 60, 0, (const uint8_t *)points, 20) == 1);
    CHECK(trace.at == 27 + 44 && trace.done == 1);
    CHECK(memory[27 + 8] == GW_TRACE_WAS_DONE && memory[27 + 9] == 1 && memory[27 + 10] == 4);
    memcpy(&number, memory + 27 + 12, 4);
    CHECK(number == 70);
    memcpy(&number, memory + 27 + 16, 4);
    CHECK(number == 60);
    memcpy(&time, memory + 27 + 20, 8);
    CHECK(time == 1 && memcmp(memory + 27 + 28, points, 16) == 0);

    /* Full: nothing is written, and nothing counts. */
    CHECK(gw_trace_done(&trace, 5, 0, 1, 1, 0, NULL, 0) == 0 && trace.done == 1);
    CHECK(gw_trace_frame(&trace, 6, 0, 0, frame, 1) == 0 && trace.frames == 1 && trace.at == 71);

    /* Other memory: numbers go on; an emission of an earlier frame, without points. */
    trace.at = 0;
    CHECK(gw_trace_frame(&trace, 7, 0, 0, frame, 0) == 2 && trace.done == 0 && trace.at == 19);
    CHECK(gw_trace_done(&trace, 8, 0, 1, 0, 1, NULL, 0) == 1 && trace.at == 63);
    memcpy(&time, memory + 19 + 20, 8);
    CHECK(time == 1 && memory[19 + 10] == 0 && memory[19 + 28] == 0);

    /* One too many is left out, and is no reason for other memory. */
    trace.done = GW_TRACE_MOST;
    CHECK(gw_trace_done(&trace, 9, 0, 1, 1, 0, NULL, 0) == 1 && trace.at == 63);
    return 0;
}
