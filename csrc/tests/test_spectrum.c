/* Spectra and sums. */
#include "stream.h"

static void lengths_are_checked(void)
{
    static const int64_t bad[] = {-64, 0, 32, 100, 16384};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK(gw_spectrum_size(bad[i]) == GW_BAD_LENGTH);
        CHECK(gw_spectrum_init(NULL, 0, bad[i]) == GW_BAD_LENGTH);
    }
    int64_t size = gw_spectrum_size(64);
    gw_spectrum *spectrum = column(size, 1);
    CHECK(gw_spectrum_init(spectrum, size - 1, 64) == GW_NO_ROOM);
    CHECK(gw_spectrum_init(spectrum, size, 64) == GW_OK);
    int32_t *rows = column(8 * 200, sizeof *rows);
    double squares[8 * 32];
    CHECK(gw_spectrum_lines(spectrum, rows, 200, 15.9, 100.0, 32, squares) == GW_SHORT_BLOCK);
    CHECK(gw_spectrum_lines(spectrum, rows, 200, 16.0, 168.5, 32, squares) == GW_SHORT_BLOCK);
    CHECK(gw_spectrum_lines(spectrum, rows, 200, 16.0, 0.0, 32, squares) == GW_SHORT_BLOCK);
    CHECK(gw_spectrum_lines(spectrum, rows, 200, (double)NAN, 1.0, 32, squares) ==
          GW_SHORT_BLOCK);
    CHECK(gw_spectrum_lines(spectrum, rows, 200, 16.0, 100.0, 33, squares) == GW_BAD_LENGTH);
    CHECK(gw_spectrum_lines(spectrum, rows, 200, 16.0, 100.0, 0, squares) == GW_BAD_LENGTH);
    CHECK(gw_spectrum_lines(spectrum, rows, 200, 16.0, 168.0, 32, squares) == GW_OK);
    free(spectrum), free(rows);
}

/* Each lane has a line of its own, whatever the number of points; all others are empty. */
static void lines_are_where_they_belong(void)
{
    for (int64_t points = 64; points <= 1024; points *= 2) {
        int64_t size = gw_spectrum_size(points), count = 400;
        gw_spectrum *spectrum = column(size, 1);
        CHECK(gw_spectrum_init(spectrum, size, points) == GW_OK);
        int32_t *rows = column(8 * count, sizeof *rows);
        double start = 20.25, length = 333.4;
        for (int64_t n = 0; n < count; n++)
            for (int l = 0; l < 8; l++) {
                double turns = (2 * l + 1) * ((double)n - start) / length;
                rows[8 * n + l] = (int32_t)lrint(1e8 * sqrt(2.0) * cos(2.0 * pi * turns + l));
            }
        double *squares = doubles(points / 2 * 8, 0.0);
        CHECK(gw_spectrum_lines(spectrum, rows, count, start, length, points / 2, squares) == 0);
        for (int64_t k = 1; k < 32; k++)
            for (int l = 0; l < 8; l++)
                CHECK(close_to(sqrt(squares[8 * k + l]), k == 2 * l + 1 ? 1e8 : 0.0, 1e8 * 1e-5));
        free(spectrum), free(rows), free(squares);
    }
}

/* The sums of extremes do not fit 64 bits. */
static void sums_are_exact(void)
{
    enum { N = 1000 };
    int32_t *rows = column(8 * N, sizeof *rows);
    for (int n = 0; n < N; n++)
        for (int l = 0; l < 8; l++)
            rows[8 * n + l] = l < 4 ? INT32_MIN : (l < 6 ? INT32_MAX : INT32_MIN);
    uint64_t high[16], low[16];
    gw_row_sums(rows, N, high, low);
    /* 2^62 * N = (2^30 * N) * 2^32; (2^31 - 1)^2 = 2^62 - 2^32 + 1; -2^31 (2^31 - 1) = -2^62 + 2^31 */
    const uint64_t most = (uint64_t)N << 30;
    for (int p = 0; p < 16; p++) {
        uint64_t h = most, l = 0;
        if (p == 4 || p == 5)
            h = most - N, l = N;
        if (p == 8 || p == 9)
            h = 0 - most, l = (uint64_t)N << 31;
        CHECK(high[p] + (low[p] >> 32) == h + (l >> 32));
        CHECK((low[p] & 0xffffffff) == (l & 0xffffffff));
    }
    gw_row_sums(rows, 0, high, low);
    for (int p = 0; p < 16; p++)
        CHECK(high[p] == 0 && low[p] == 0);
    free(rows);
}

int main(void)
{
    lengths_are_checked();
    on_every_level(lines_are_where_they_belong);
    on_every_level(sums_are_exact);
    return 0;
}
