#if defined(__x86_64__)
#define FEATURES "avx512f,avx512vl,avx512bw,avx512dq"
#define MULTIPLY_ADD(sum, x, b) _mm512_fmadd_ps(x, b, sum)
#include "tile.h"

/* Packing: copies in the order in which the tiles read. */

/* Rows 0..<depth of B's columns in the panel; columns past the end are 0. */
INLINE void pack_panel(const float *b, long stride, long columns, long depth, int vectors, float *to) {
    __mmask16 low = mask(columns), high = mask(columns - lanes);
    for (long k = 0; k < depth; k++) {
        _mm512_store_ps(to, _mm512_maskz_loadu_ps(low, b));
        if (vectors > 1) _mm512_store_ps(to + lanes, _mm512_maskz_loadu_ps(high, b + lanes));
        b += stride;
        to += lanes * vectors;
    }
}

/* Rows of A closer together than they lie. */
INLINE void pack_rows(const float *a, long stride, long rows, long depth, float *to) {
    for (long row = 0; row < rows; row++) {
        for (long k = 0; k < depth; k += lanes) {
            __mmask16 some = mask(depth - k);
            _mm512_store_ps(to + k, _mm512_maskz_loadu_ps(some, a + k));
        }
        a += stride;
        to += row_stride;
    }
}

/* Columns of A: for each tile as many a row as it has rows. What is stored past them is overwritten by the
   next k, or lies in the gap after the tile. */
INLINE void pack_columns(const float *a, long stride, long rows, long depth, float *to) {
    for (long k = 0; k < depth; k++) {
        for (long row = 0; row < rows;) {
            long count = next_rows(rows - row);
            float *place = to + packed_place(row, depth) + k * count;
            _mm512_storeu_ps(place, _mm512_maskz_loadu_ps(mask(count), a + row));
            row += count;
        }
        a += stride;
    }
}

INLINE struct block pack_block(const struct dtrain_product *p, long first, long rows, long at, long depth) {
    const float *from = p->a + first * p->a_row + at * p->a_depth;
    if (p->a_row == 1 && p->a_depth != 1) {
        pack_columns(from, p->a_depth, rows, depth, p->block);
        return (struct block){p->block, rows, 1, 0, 1};
    }
    /* Rows far apart compete for the same places in the cache; few panels would not repay a copy. */
    if (p->a_row > row_stride && p->columns > 2 * most_columns) {
        pack_rows(from, p->a_row, rows, depth, p->block);
        return (struct block){p->block, rows, row_stride, 1, 0};
    }
    return (struct block){from, rows, p->a_row, 1, 0};
}

WIDE void dtrain_tiles_avx512(
    struct block a, const float *panel, long depth, int vectors, struct target to) {
    tiles(a, panel, depth, vectors, to);
}

WIDE void dtrain_multiply_avx512(const struct dtrain_product *p) {
    long rows = row_block(p->rows);
    for (long at = 0; at < p->depth; at += dtrain_depth_block) {
        long depth = p->depth - at < dtrain_depth_block ? p->depth - at : dtrain_depth_block;
        for (long first = 0; first < p->rows; first += rows) {
            long count = p->rows - first < rows ? p->rows - first : rows;
            struct block a = pack_block(p, first, count, at, depth);
            struct lines later = next_block_lines(p, first, rows, at);
            long later_share = later.left / ((p->columns + most_columns - 1) / most_columns * count) + 1;
            for (long column = 0; column < p->columns; column += most_columns) {
                long width = p->columns - column;
                int vectors = width > lanes ? 2 : 1;
                const float *b = p->b + at * p->b_depth + column * p->b_column;
                if (p->b_column == 1) {
                    pack_panel(b, p->b_depth, p->b_columns - column, depth, vectors, p->panel);
                } else {
                    pack_transposed(
                        b, 4 * p->b_column, p->b_columns - column, 4 * depth, vectors, p->panel);
                }
                struct target to = {
                    .c = p->c + first * p->c_row + column, .stride = p->c_row,
                    .low = mask(width), .high = mask(width - lanes),
                    .bias = p->bias && at == 0 ? p->bias + column : NULL,
                    .add = p->accumulate || at > 0,
                    .ahead = panel_lines(p, p->b, 4, at, column + most_columns, depth),
                    .later = &later, .later_share = later_share,
                };
                tiles(a, p->panel, depth, vectors, to);
            }
        }
    }
}

WIDE long dtrain_multiply_adds_avx512(long rounds) {
    __m512 sum[12], factor = _mm512_set1_ps(0.999f), term = _mm512_set1_ps(0.001f);
#pragma unroll
    for (int i = 0; i < 12; i++) sum[i] = _mm512_set1_ps((float)i);
    for (long round = 0; round < rounds; round++) {
#pragma unroll
        for (int i = 0; i < 12; i++) sum[i] = _mm512_fmadd_ps(sum[i], factor, term);
    }
    /* Asked, so that the loop is not for nothing. */
    for (int i = 1; i < 12; i++) sum[0] = _mm512_add_ps(sum[0], sum[i]);
    return _mm512_reduce_add_ps(sum[0]) < 0 ? 0 : 12L * 2 * lanes * rounds;
}

#else
#include "kernels.h"

/* Never called: dtrain_has_avx512 says no. */
void dtrain_multiply_avx512(const struct dtrain_product *product) { (void)product; }
long dtrain_multiply_adds_avx512(long rounds) { return 0 * rounds; }

#endif
