/* The pass of each level; which one runs is decided in level.c. */
#ifndef GW_LEVEL_H
#define GW_LEVEL_H

#include "kernel.h"

/* The levels above plain C: x86-64, by compilers that can say which function may use what. */
#if defined(__x86_64__) && defined(__GNUC__)
#define GW_HAS_V3 1
#else
#define GW_HAS_V3 0
#endif

typedef int64_t gw_pass(gw_points *points, const gw_plan *plan, const uint8_t *data, int64_t time,
                        uint16_t quality, gw_rows *rows);

gw_pass gw_pass_plain;
gw_pass gw_pass_v3;

/* The pass of the level that is in force. */
gw_pass *gw_pass_now(void);

#endif
