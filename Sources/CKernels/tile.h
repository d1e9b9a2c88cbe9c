/* The tiles of a product, of whatever MULTIPLY_ADD(sum, x, b) adds; with its target FEATURES.

   Included by the files that define the two. A word is a float32, or a pair of bfloat16. */
#include "avx512.h"

#define TILED __attribute__((target(FEATURES)))

/* `rows` × (16 · `vectors`) entries of C, each one chain in the order of depth.
   With two vectors 24 registers hold the sums, two a row of B, one an entry of A: each of the 14 loads
   serves 1.7 operations. */
TILED __attribute__((always_inline)) static inline void tile(
    const int rows, const int vectors, struct left a, const float *panel, long depth,
    struct target *to) {
    __m512 sum[most_rows][2];
    const float *next = to->c + rows * to->stride;
    const float *begin = panel;
#pragma unroll
    for (int r = 0; r < rows; r++) {
        sum[r][0] = _mm512_setzero_ps();
        sum[r][1] = _mm512_setzero_ps();
    }
#pragma nounroll
    for (int part = 0; part < rows; part++) {
        const float *end = begin + depth * (part + 1) / rows * lanes * vectors;
        __builtin_prefetch(next, 1, 3);
        if (vectors > 1) __builtin_prefetch(next + lanes, 1, 3);
        next += to->stride;
        fetch(&to->ahead, to->share);
        fetch_later(to->later, to->later_share);
#pragma nounroll
        while (panel < end) {
            __m512 b0 = _mm512_load_ps(panel);
            __m512 b1 = vectors > 1 ? _mm512_load_ps(panel + lanes) : b0;
#pragma unroll
            for (int r = 0; r < rows; r++) {
                __m512 x = _mm512_set1_ps(a.base[r * a.row]);
                sum[r][0] = MULTIPLY_ADD(sum[r][0], x, b0);
                if (vectors > 1) sum[r][1] = MULTIPLY_ADD(sum[r][1], x, b1);
            }
            a.base += a.depth;
            panel += lanes * vectors;
        }
    }
#pragma unroll
    for (int r = 0; r < rows; r++) {
        float *c = to->c + r * to->stride;
        __m512 low = sum[r][0], high = sum[r][1];
        if (to->add) {
            low = _mm512_add_ps(low, _mm512_maskz_loadu_ps(to->low, c));
            if (vectors > 1) {
                high = _mm512_add_ps(high, _mm512_maskz_loadu_ps(to->high, c + lanes));
            }
        }
        if (to->bias) {
            low = _mm512_add_ps(low, _mm512_maskz_loadu_ps(to->low, to->bias));
            if (vectors > 1) {
                high = _mm512_add_ps(high, _mm512_maskz_loadu_ps(to->high, to->bias + lanes));
            }
        }
        _mm512_mask_storeu_ps(c, to->low, low);
        if (vectors > 1) _mm512_mask_storeu_ps(c + lanes, to->high, high);
    }
}

typedef void tile_function(struct left, const float *, long, struct target *);

#define TILE(ROWS) \
    TILED static void tile_##ROWS##_narrow( \
        struct left a, const float *panel, long depth, struct target *to) { \
        tile(ROWS, 1, a, panel, depth, to); \
    } \
    TILED static void tile_##ROWS( \
        struct left a, const float *panel, long depth, struct target *to) { \
        tile(ROWS, 2, a, panel, depth, to); \
    }
TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6) TILE(7) TILE(8) TILE(9) TILE(10) TILE(11) TILE(12)

static tile_function *const narrow[] = {
    NULL, tile_1_narrow, tile_2_narrow, tile_3_narrow, tile_4_narrow, tile_5_narrow, tile_6_narrow,
    tile_7_narrow, tile_8_narrow, tile_9_narrow, tile_10_narrow, tile_11_narrow, tile_12_narrow,
};
static tile_function *const whole[] = {
    NULL, tile_1, tile_2, tile_3, tile_4, tile_5, tile_6, tile_7, tile_8, tile_9, tile_10, tile_11,
    tile_12,
};

/* All rows of a block by a panel. */
TILED static void tiles(
    struct block a, const float *panel, long depth, int vectors, struct target to) {
    tile_function *const *table = vectors > 1 ? whole : narrow;
    to.share = (to.ahead.left + a.rows - 1) / a.rows;
    for (long row = 0; row < a.rows;) {
        long count = next_rows(a.rows - row);
        struct left left = {a.base + row * a.row, a.row, a.depth};
        if (a.is_by_tile) {
            left = (struct left){a.base + packed_place(row, depth), 1, count};
        }
        table[count](left, panel, depth, &to);
        to.c += count * to.stride;
        row += count;
    }
}
