#include "kernels.h"

/* Products of operands that are rounded to bfloat16, added up in float32.

   An entry of C is a sum of blocks of 256 of depth, in order. A block's sum begins at +0 and takes pair
   after pair: first the product of the odd elements, then that of the even ones, each by a fused
   multiply-add. This is the order of VDPBF16PS. The last element without a partner has zeros for one, which
   changes nothing: s + 0·0 = s for every s, since no sum is -0.

   Why neither flushing nor rounding of subnormals can make a difference. Rounding clears magnitudes below
   2⁻⁵⁶, so an operand is 0 or has an exponent of at least -56. It has 8 bits, so it is a multiple of 2⁻⁶³.
   A product of two is a multiple of 2⁻¹²⁶. A sum begins at 0, a multiple of 2⁻¹²⁶. Sum plus product is a
   multiple of 2⁻¹²⁶, and rounding to 24 bits keeps it one: it gives a number of coarser steps, or changes
   nothing. So each sum is 0, or at least 2⁻¹²⁶ and thus normal: no operand, product or sum is subnormal. No
   sum is -0 either: +0 plus anything, and x + (-x), are +0 when rounding to nearest. */

#if defined(__x86_64__)
#include "bf16.h"

/* Two multiply-adds a pair: operands as floats, the odd element of each pair first, for the tiles of
   float32. */

/* Rows k and k + 1 of a panel exchanged; rounded if they are not. */
INLINE void exchange(float *panel, long depth, int vectors, int rounds) {
    long width = lanes * vectors;
    for (long k = 0; k < depth; k += 2) {
        for (int half = 0; half < vectors; half++) {
            float *at = panel + k * width + half * lanes;
            __m512 even = _mm512_load_ps(at);
            __m512 odd = k + 1 < depth ? _mm512_load_ps(at + width) : _mm512_setzero_ps();
            _mm512_store_ps(at, rounds ? rounded(odd) : odd);
            _mm512_store_ps(at + width, rounds ? rounded(even) : even);
        }
    }
}

/* One row of a panel of B as it lies, zeros past its end. */
INLINE void panel_row(const struct dtrain_product *p, long k, long column, int vectors, float *to) {
    long place = k * p->b_depth + column;
    for (int half = 0; half < vectors; half++) {
        __mmask16 some = mask(p->b_columns - column - half * lanes);
        __m512 row = p->rounded
            ? widened(_mm256_maskz_loadu_epi16(some, p->rounded + place + half * lanes))
            : rounded(_mm512_maskz_loadu_ps(some, p->b + place + half * lanes));
        _mm512_store_ps(to + half * lanes, row);
    }
}

WIDE static void panel_of_floats(
    const struct dtrain_product *p, long at, long column, long depth, int vectors) {
    if (p->b_column == 1) {
        long width = lanes * vectors;
        for (long k = 0; k < depth; k += 2) {
            float *to = p->panel + k * width;
            panel_row(p, at + k, column, vectors, to + width);
            if (k + 1 < depth) {
                panel_row(p, at + k + 1, column, vectors, to);
            } else {
                for (int half = 0; half < vectors; half++) {
                    _mm512_store_ps(to + half * lanes, _mm512_setzero_ps());
                }
            }
        }
        return;
    }
    long columns = p->b_columns - column;
    if (!p->rounded) {
        const float *b = p->b + at * p->b_depth + column * p->b_column;
        pack_transposed(b, 4 * p->b_column, columns, 4 * depth, vectors, p->panel);
        return exchange(p->panel, depth, vectors, 1);
    }
    const uint16_t *b = p->rounded + at * p->b_depth + column * p->b_column;
    for (long j = 0; j < columns && j < most_columns; j++, b += p->b_column) {
        for (long k = 0; k < depth; k += lanes) {
            __m256i some = _mm256_maskz_loadu_epi16(mask(depth - k), b + k);
            _mm512_store_ps(p->scratch + j * row_stride + k, widened(some));
        }
    }
    pack_transposed(p->scratch, 4 * row_stride, columns, 4 * depth, vectors, p->panel);
    exchange(p->panel, depth, vectors, 0);
}

/* For each tile as many a row as it has rows of Aᵀ. */
INLINE void columns_as_floats(const float *a, long stride, long rows, long depth, float *to) {
    long deep = depth + (depth & 1);
    for (long k = 0; k < depth; k += 2, a += 2 * stride) {
        for (long row = 0; row < rows;) {
            long count = next_rows(rows - row);
            __mmask16 some = mask(count);
            float *place = to + packed_place(row, deep) + k * count;
            __m512 even = _mm512_maskz_loadu_ps(some, a + row);
            __m512 odd = k + 1 < depth
                ? _mm512_maskz_loadu_ps(some, a + stride + row) : _mm512_setzero_ps();
            _mm512_mask_storeu_ps(place, some, rounded(odd));
            _mm512_mask_storeu_ps(place + count, some, rounded(even));
            row += count;
        }
    }
}

WIDE static struct block block_of_floats(
    const struct dtrain_product *p, long first, long rows, long at, long depth) {
    const float *from = p->a + first * p->a_row + at * p->a_depth;
    if (p->a_row == 1 && p->a_depth != 1) {
        columns_as_floats(from, p->a_depth, rows, depth, p->block);
        return (struct block){p->block, rows, 1, 0, 1};
    }
    float *to = p->block;
    for (long row = 0; row < rows; row++, from += p->a_row, to += row_stride) {
        for (long k = 0; k < depth; k += lanes) {
            __m512 some = rounded(_mm512_maskz_loadu_ps(mask(depth - k), from + k));
            _mm512_store_ps(to + k, _mm512_permute_ps(some, 0xB1));
        }
    }
    return (struct block){p->block, rows, row_stride, 1, 0};
}

static const struct way floats = {block_of_floats, panel_of_floats, dtrain_tiles_avx512, 2};

WIDE void dtrain_multiply_bf16(const struct dtrain_product *p, int paired) {
    const struct way *way = paired ? &dtrain_pairs : &floats;
    const void *b = p->rounded ? (const void *)p->rounded : p->b;
    long size = p->rounded ? 2 : 4;
    long rows = row_block(p->rows);
    for (long at = 0; at < p->depth; at += dtrain_depth_block) {
        long depth = p->depth - at < dtrain_depth_block ? p->depth - at : dtrain_depth_block;
        long words = (depth + 1) / 2 * way->words;
        for (long first = 0; first < p->rows; first += rows) {
            long count = p->rows - first < rows ? p->rows - first : rows;
            struct block a = way->block(p, first, count, at, depth);
            struct lines later = next_block_lines(p, first, rows, at);
            long later_share = later.left / ((p->columns + most_columns - 1) / most_columns * count) + 1;
            for (long column = 0; column < p->columns; column += most_columns) {
                long width = p->columns - column;
                int vectors = width > lanes ? 2 : 1;
                way->panel(p, at, column, depth, vectors);
                struct target to = {
                    .c = p->c + first * p->c_row + column, .stride = p->c_row,
                    .low = mask(width), .high = mask(width - lanes),
                    .bias = p->bias && at == 0 ? p->bias + column : NULL,
                    .add = p->accumulate || at > 0,
                    .ahead = panel_lines(p, b, size, at, column + most_columns, depth),
                    .later = &later, .later_share = later_share,
                };
                way->tiles(a, p->panel, words, vectors, to);
            }
        }
    }
}

WIDE void dtrain_round_avx512(const float *from, uint16_t *to, long count) {
    for (long i = 0; i < count; i += lanes) {
        __mmask16 some = mask(count - i);
        __m512i bits = _mm512_castps_si512(rounded(_mm512_maskz_loadu_ps(some, from + i)));
        _mm256_mask_storeu_epi16(to + i, some, _mm512_cvtepi32_epi16(_mm512_srli_epi32(bits, 16)));
    }
}

#else

/* Never called: dtrain_has_avx512 says no. */
void dtrain_multiply_bf16(const struct dtrain_product *product, int paired) {
    (void)product, (void)paired;
}
void dtrain_round_avx512(const float *from, uint16_t *to, long count) {
    (void)from, (void)to, (void)count;
}

#endif
