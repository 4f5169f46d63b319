/* The loops of the phasors in plain C, for every processor. */
#include <stdint.h>

/* The second difference has up to 34 bits, and the table at most 31. */
#define GW_TIMES(a, b, c, t) ((wrapping)((a - b - b + c) * (int64_t)(t)))
#define GW_VECTOR 2
#define GW_SUM gw_sum_plain
#define GW_FILTER gw_filter_plain
#include "phasor_loops.h"
