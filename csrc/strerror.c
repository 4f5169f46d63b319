/* The sentence of each return code. */
#include "kernel.h"

const char *gw_strerror(int64_t code)
{
    switch (code) {
    case GW_OK:
        return "no error";
    case GW_NO_POINT:
        return "a point id lies outside the points table";
    case GW_SHORT_BLOCK:
        return "the block is shorter than its plan";
    case GW_ROWS_FULL:
        return "there are fewer free rows than samples";
    case GW_BAD_PLAN:
        return "the plan is malformed, or was compiled for another points table";
    case GW_BAD_LEVEL:
        return "this processor does not support that level";
    case GW_BAD_LENGTH:
        return "no frame has that length";
    case GW_NO_ROOM:
        return "the result does not fit the memory given for it";
    case GW_BAD_CHECK:
        return "a check is not that of its block";
    case GW_BAD_STREAM:
        return "a stream has no such rate, nominal frequency, hold, columns or scales";
    case GW_BAD_INDEX:
        return "the index lies before the one expected, or its time beyond all times";
    case GW_BAD_BLOCK:
        return "the block has fewer columns than the stream, or a number of rows that cannot be";
    case GW_BAD_SETUP:
        return "what is to be measured is outside what can be";
    case GW_BAD_QUANTITY:
        return "the meter has no such quantity";
    case GW_EVENTS_FULL:
        return "there are fewer free events than may happen";
    case GW_NO_SUMS:
        return "there are no sums to be shown";
    case GW_BAD_FILE:
        return "this is no file of Ethernet frames as libpcap writes them";
    case GW_BAD_RING:
        return "the ring holds what no system writes there";
    case GW_LINK_DOWN:
        return "the interface is down or gone";
    case GW_NO_RING:
        return "only Linux has rings of frames";
    case GW_BAD_FRAME:
        return "no frame of C37.118 begins there";
    case GW_OTHER_FRAME:
        return "the frame is of another kind or stream";
    case GW_OTHER_SIZE:
        return "the frame has not the length that its configuration says";
    case GW_BAD_CONFIG:
        return "the configuration contradicts itself or its length";
    case GW_FRAGMENT:
        return "the configuration comes in several frames";
    case GW_BAD_TIME:
        return "a time or a field that a frame cannot say";
    default:
        return code > 0 ? "no error" : "unknown error";
    }
}
