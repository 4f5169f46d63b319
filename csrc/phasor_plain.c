/* The loops of the phasors in plain C, for every processor. */
#include <stdint.h>

#define GW_PRODUCT(x, t) ((wrapping)((x) * (int64_t)(t)))
#define GW_TIMES(a, b, c, t) GW_PRODUCT(a - b - b + c, t)
#define GW_NARROW 0
#define GW_VECTOR 2
#define GW_SUM gw_sum_plain
#define GW_FILTER gw_filter_plain
#include "phasor_loops.h"
