/*
 * The two loops of the phasors, for loops_pass.h.
 *
 * The includer's lanes define GW_VECTOR, the lanes of a vector, GW_PRODUCT(x, t), the product of
 * numbers of 32 bits of which those of x stand in 64, GW_TIMES(a, b, c, t), that of a - 2b + c, and
 * GW_NARROW, whether it pays where these fit 32 bits.
 * Vectors run over the columns, so that the order of each column's sum is one on every level.
 */
#include <string.h>

#include "loops.h"

typedef int32_t narrow __attribute__((vector_size(4 * GW_VECTOR)));
typedef int64_t wide __attribute__((vector_size(8 * GW_VECTOR)));
typedef uint64_t wrapping __attribute__((vector_size(8 * GW_VECTOR)));
typedef double real __attribute__((vector_size(8 * GW_VECTOR)));

#define GW_LOAD32(to, from)                    \
    do {                                       \
        narrow narrow_;                      \
        memcpy(&narrow_, (from), sizeof narrow_);          \
        to = __builtin_convertvector(narrow_, __typeof__(to)); \
    } while (0)

/* Carry on the sums of one vector; small: second differences fit 32 bits. */
static inline __attribute__((always_inline)) void
sum_vector(const int32_t *now, int64_t count, int64_t lanes, int64_t cycle, const int32_t *table,
           int small, uint64_t *const sums[4])
{
    wrapping once[2], twice[2];
    for (int part = 0; part < 2; part++) {
        memcpy(&once[part], sums[part], sizeof(wide));
        memcpy(&twice[part], sums[2 + part], sizeof(wide));
    }
    const int32_t *before = now - cycle * lanes, *first = before - cycle * lanes;
    for (int64_t i = 0; i < count; i++) {
        /* The table has the same number one cycle and two cycles before. */
        if (small) {
            narrow a, b, c;
            memcpy(&a, now + i * lanes, sizeof a);
            memcpy(&b, before + i * lanes, sizeof b);
            memcpy(&c, first + i * lanes, sizeof c);
            wide difference = __builtin_convertvector(a - b - b + c, wide);
            for (int part = 0; part < 2; part++)
                once[part] += GW_PRODUCT(difference, table[2 * i + part]);
        } else {
            wide a, b, c;
            GW_LOAD32(a, now + i * lanes);
            GW_LOAD32(b, before + i * lanes);
            GW_LOAD32(c, first + i * lanes);
            for (int part = 0; part < 2; part++)
                once[part] += GW_TIMES(a, b, c, table[2 * i + part]);
        }
        for (int part = 0; part < 2; part++)
            twice[part] += once[part];
    }
    for (int part = 0; part < 2; part++) {
        memcpy(sums[part], &once[part], sizeof(wide));
        memcpy(sums[2 + part], &twice[part], sizeof(wide));
    }
}

static void carry(const int32_t *rows, int64_t count, int64_t lanes, int64_t cycle,
            const int32_t *table, int small, gw_sums *sums)
{
    for (int64_t lane = 0; lane < lanes; lane += GW_VECTOR) {
        uint64_t *const of[4] = {&sums->once[0][lane], &sums->once[1][lane],
                                 &sums->twice[0][lane], &sums->twice[1][lane]};
        if (small && GW_NARROW)
            sum_vector(rows + lane, count, lanes, cycle, table, 1, of);
        else
            sum_vector(rows + lane, count, lanes, cycle, table, 0, of);
    }
}

static void instants(const int32_t *rows, int64_t count, int64_t lanes, int64_t apart,
               const double *taps, gw_vectors vectors)
{
    for (int64_t lane = 0; lane < lanes; lane += GW_VECTOR) {
        real sum[GW_INSTANTS][2] = {{{0.0}}};
        const int32_t *from = rows + lane;
        for (int64_t i = 0; i < count; i++)
            for (int k = 0; k < GW_INSTANTS; k++) {
                real x;
                GW_LOAD32(x, from + (i + k * apart) * lanes);
                sum[k][0] += x * taps[2 * i];
                sum[k][1] += x * taps[2 * i + 1];
            }
        for (int k = 0; k < GW_INSTANTS; k++)
            for (int part = 0; part < 2; part++)
                memcpy(&vectors[k][part][lane], &sum[k][part], sizeof(wide));
    }
}
