/* What the loops with AVX-512 share: how a product is cut, and how its operands are packed. */
#pragma once

#include "kernels.h"
#include <immintrin.h>

#define WIDE __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq")))
#define INLINE WIDE __attribute__((always_inline)) static inline

enum { most_rows = 12, lanes = 16, most_columns = 2 * lanes, row_stride = 272 };

/* Lines of memory that will be read soon, `per_row` in each row; rows `stride` bytes apart. */
struct lines {
    const char *row;
    long stride;
    long per_row, line, left;
};

static inline void fetch(struct lines *ahead, long count) {
    for (; count > 0 && ahead->left > 0; count--, ahead->left--) {
        __builtin_prefetch(ahead->row + ahead->line * 64, 0, 3);
        if (++ahead->line == ahead->per_row) {
            ahead->line = 0;
            ahead->row += ahead->stride;
        }
    }
}

/* Where the sums of a tile go: columns of the panel in C; and what is fetched meanwhile for each of its
   rows, little by little, for a core waits for few lines at a time. */
struct target {
    float *c;
    long stride;
    __mmask16 low, high;
    const float *bias;
    int add;
    struct lines ahead;
    long share;
    /* The next block of A, for the second-level cache, which all panels of this one share. */
    struct lines *later;
    long later_share;
};

/* Of the same for the second-level cache. */
static inline void fetch_later(struct lines *later, long count) {
    for (; count > 0 && later->left > 0; count--, later->left--) {
        __builtin_prefetch(later->row + later->line * 64, 0, 2);
        if (++later->line == later->per_row) {
            later->line = 0;
            later->row += later->stride;
        }
    }
}

/* A tile's left operand: rows, or columns of what is to be transposed. */
struct left {
    const float *base;
    long row, depth;
};

/* How many of the `left` rows the next tile takes: the last two share what few would be too slow for. */
static inline long next_rows(long left) {
    if (left <= most_rows) return left;
    return left < 2 * most_rows ? (left + 1) / 2 : most_rows;
}

INLINE __mmask16 mask(long count) {
    return count >= lanes ? 0xFFFF : count <= 0 ? 0 : (__mmask16)((1u << count) - 1);
}

/* The rows of A that pass by the panels, and how. */
struct block {
    const float *base;
    long rows, row, depth;
    int is_by_tile;
};

/* Four words of each of four rows that are four apart, a quarter of a register each. */
INLINE __m512 quarters(const char *const *rows, long byte) {
    __m512 q = _mm512_castps128_ps512(_mm_loadu_ps((const float *)(rows[0] + byte)));
    q = _mm512_insertf32x4(q, _mm_loadu_ps((const float *)(rows[4] + byte)), 1);
    q = _mm512_insertf32x4(q, _mm_loadu_ps((const float *)(rows[8] + byte)), 2);
    return _mm512_insertf32x4(q, _mm_loadu_ps((const float *)(rows[12] + byte)), 3);
}

/* 16 rows' four words from `byte` on become four rows of 16. */
INLINE void transpose_four(const char *const *rows, long byte, float *to, long stride) {
    __m512 r0 = quarters(rows, byte), r1 = quarters(rows + 1, byte);
    __m512 r2 = quarters(rows + 2, byte), r3 = quarters(rows + 3, byte);
    __m512d p0 = _mm512_castps_pd(_mm512_unpacklo_ps(r0, r1));
    __m512d p1 = _mm512_castps_pd(_mm512_unpackhi_ps(r0, r1));
    __m512d p2 = _mm512_castps_pd(_mm512_unpacklo_ps(r2, r3));
    __m512d p3 = _mm512_castps_pd(_mm512_unpackhi_ps(r2, r3));
    _mm512_store_ps(to, _mm512_castpd_ps(_mm512_unpacklo_pd(p0, p2)));
    _mm512_store_ps(to + stride, _mm512_castpd_ps(_mm512_unpackhi_pd(p0, p2)));
    _mm512_store_ps(to + 2 * stride, _mm512_castpd_ps(_mm512_unpacklo_pd(p1, p3)));
    _mm512_store_ps(to + 3 * stride, _mm512_castpd_ps(_mm512_unpackhi_pd(p1, p3)));
}

static const char zeros[4 * dtrain_depth_block];

/* A panel of B whose columns are rows of memory, `stride` bytes apart and `bytes` long; columns past the
   end are 0. Half a word at their end is filled up with zeros. */
INLINE void pack_transposed(
    const void *b, long stride, long columns, long bytes, int vectors, float *to) {
    for (int half = 0; half < vectors; half++) {
        const char *rows[lanes];
        for (int j = 0; j < lanes; j++) {
            long column = half * lanes + j;
            rows[j] = column < columns ? (const char *)b + column * stride : zeros;
        }
        float *out = to + half * lanes;
        long at = 0;
        for (; at + 16 <= bytes; at += 16) {
            transpose_four(rows, at, out + at / 4 * lanes * vectors, lanes * vectors);
        }
        for (; at < bytes; at += 4) {
            for (int j = 0; j < lanes; j++) {
                float *word = out + at / 4 * lanes * vectors + j;
                *word = 0;
                __builtin_memcpy(word, rows[j] + at, bytes - at < 4 ? 2 : 4);
            }
        }
    }
}

/* Where the tile that begins at `row` finds its part of a packed Aᵀ: the gap after each tile keeps their
   beginnings out of each other's places in the cache. */
static inline long packed_place(long row, long depth) {
    return row * depth + (row + most_rows - 1) / most_rows * lanes;
}

/* Blocks of about equal size, all but the last of whole tiles. */
static inline long row_block(long rows) {
    if (rows <= dtrain_row_limit) return rows;
    long blocks = (rows + dtrain_row_limit - 1) / dtrain_row_limit;
    return ((rows + blocks - 1) / blocks + most_rows - 1) / most_rows * most_rows;
}

/* What packing the panel at `column` would read: of B as it lies, entries of `size` bytes. */
static inline struct lines panel_lines(
    const struct dtrain_product *p, const void *b, long size, long at, long column, long depth) {
    long columns = p->b_columns - column;
    if (columns > most_columns) columns = most_columns;
    if (columns <= 0) return (struct lines){b, 0, 1, 0, 0};
    const char *from = (const char *)b + (at * p->b_depth + column * p->b_column) * size;
    if (p->b_column == 1) {
        long per_row = (columns * size + 63) / 64;
        return (struct lines){from, p->b_depth * size, per_row, 0, depth * per_row};
    }
    long per_row = (depth * size + 63) / 64;
    return (struct lines){from, p->b_column * size, per_row, 0, columns * per_row};
}

/* What packing `count` rows of A from `first` on would read, for depth from `at` on. */
static inline struct lines block_lines(
    const struct dtrain_product *p, long first, long count, long at, long depth) {
    const char *from = (const char *)(p->a + first * p->a_row + at * p->a_depth);
    if (p->a_row == 1 && p->a_depth != 1) {
        long per_row = (4 * count + 63) / 64;
        return (struct lines){from, 4 * p->a_depth, per_row, 0, depth * per_row};
    }
    long per_row = (4 * depth + 63) / 64;
    return (struct lines){from, 4 * p->a_row, per_row, 0, count * per_row};
}

static inline long smaller(long a, long b) {
    return a < b ? a : b;
}

/* The block of A after that of `first` and `at`, blocks being of `rows`; no lines after the last. */
static inline struct lines next_block_lines(const struct dtrain_product *p, long first, long rows, long at) {
    first += rows;
    if (first >= p->rows) {
        first = 0;
        at += dtrain_depth_block;
    }
    if (at >= p->depth) return (struct lines){(const char *)p->a, 0, 1, 0, 0};
    return block_lines(
        p, first, smaller(rows, p->rows - first), at, smaller(dtrain_depth_block, p->depth - at));
}

/* All rows of a block by a panel of float32, whose sums go to `to`. */
void dtrain_tiles_avx512(struct block a, const float *panel, long depth, int vectors, struct target to);
