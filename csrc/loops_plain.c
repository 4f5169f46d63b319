/* The loops over samples in plain C, for every processor. */
#include "lanes_plain.h"
#define GW_LOOPS gw_loops_plain
#include "loops_pass.h"
