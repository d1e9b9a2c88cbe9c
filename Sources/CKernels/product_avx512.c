#include "kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define WIDE __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq")))
#define INLINE WIDE __attribute__((always_inline)) static inline

enum { most_rows = 12, lanes = 16, most_columns = 2 * lanes, row_stride = 272 };

/* Lines of memory that will be read soon, `per_row` in each row. */
struct lines {
    const float *row;
    long stride;
    long per_row, line, left;
};

static inline void fetch(struct lines *ahead, long count) {
    for (; count > 0 && ahead->left > 0; count--, ahead->left--) {
        __builtin_prefetch(ahead->row + ahead->line * lanes, 0, 3);
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
};

/* A tile's left operand: rows, or columns of what is to be transposed. */
struct left {
    const float *base;
    long row, depth;
};

/* `rows` × (16 · `vectors`) entries of C, each one chain of fused multiply-adds in the order of depth.
   With two vectors 24 registers hold the sums, two a row of B, one an entry of A: each of the 14 loads
   serves 1.7 operations. */
INLINE void tile(
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
#pragma nounroll
        while (panel < end) {
            __m512 b0 = _mm512_load_ps(panel);
            __m512 b1 = vectors > 1 ? _mm512_load_ps(panel + lanes) : b0;
#pragma unroll
            for (int r = 0; r < rows; r++) {
                __m512 x = _mm512_set1_ps(a.base[r * a.row]);
                sum[r][0] = _mm512_fmadd_ps(x, b0, sum[r][0]);
                if (vectors > 1) sum[r][1] = _mm512_fmadd_ps(x, b1, sum[r][1]);
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
    WIDE static void tile_##ROWS##_narrow( \
        struct left a, const float *panel, long depth, struct target *to) { \
        tile(ROWS, 1, a, panel, depth, to); \
    } \
    WIDE static void tile_##ROWS( \
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

/* How many of the `left` rows the next tile takes: the last two share what few would be too slow for. */
static inline long next_rows(long left) {
    if (left <= most_rows) return left;
    return left < 2 * most_rows ? (left + 1) / 2 : most_rows;
}

INLINE __mmask16 mask(long count) {
    return count >= lanes ? 0xFFFF : count <= 0 ? 0 : (__mmask16)((1u << count) - 1);
}

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

/* Four entries of each of four rows that are four apart, a quarter of a register each. */
INLINE __m512 quarters(const float *const *rows, long k) {
    __m512 q = _mm512_castps128_ps512(_mm_loadu_ps(rows[0] + k));
    q = _mm512_insertf32x4(q, _mm_loadu_ps(rows[4] + k), 1);
    q = _mm512_insertf32x4(q, _mm_loadu_ps(rows[8] + k), 2);
    return _mm512_insertf32x4(q, _mm_loadu_ps(rows[12] + k), 3);
}

/* 16 rows' entries k..<k + 4 become four rows of 16. */
INLINE void transpose_four(const float *const *rows, long k, float *to, long stride) {
    __m512 r0 = quarters(rows, k), r1 = quarters(rows + 1, k);
    __m512 r2 = quarters(rows + 2, k), r3 = quarters(rows + 3, k);
    __m512d p0 = _mm512_castps_pd(_mm512_unpacklo_ps(r0, r1));
    __m512d p1 = _mm512_castps_pd(_mm512_unpackhi_ps(r0, r1));
    __m512d p2 = _mm512_castps_pd(_mm512_unpacklo_ps(r2, r3));
    __m512d p3 = _mm512_castps_pd(_mm512_unpackhi_ps(r2, r3));
    _mm512_store_ps(to, _mm512_castpd_ps(_mm512_unpacklo_pd(p0, p2)));
    _mm512_store_ps(to + stride, _mm512_castpd_ps(_mm512_unpackhi_pd(p0, p2)));
    _mm512_store_ps(to + 2 * stride, _mm512_castpd_ps(_mm512_unpacklo_pd(p1, p3)));
    _mm512_store_ps(to + 3 * stride, _mm512_castpd_ps(_mm512_unpackhi_pd(p1, p3)));
}

static const float zeros[dtrain_depth_block];

/* The same of a B whose columns are rows of memory. */
INLINE void pack_transposed(
    const float *b, long stride, long columns, long depth, int vectors, float *to) {
    for (int half = 0; half < vectors; half++) {
        const float *rows[lanes];
        for (int j = 0; j < lanes; j++) {
            long column = half * lanes + j;
            rows[j] = column < columns ? b + column * stride : zeros;
        }
        float *out = to + half * lanes;
        long k = 0;
        for (; k + 4 <= depth; k += 4) {
            transpose_four(rows, k, out + k * lanes * vectors, lanes * vectors);
        }
        for (; k < depth; k++) {
            for (int j = 0; j < lanes; j++) out[k * lanes * vectors + j] = rows[j][k];
        }
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

/* Where the tile that begins at `row` finds its part of a packed Aᵀ: the gap after each tile keeps their
   beginnings out of each other's places in the cache. */
static inline long packed_place(long row, long depth) {
    return row * depth + (row + most_rows - 1) / most_rows * lanes;
}

/* Columns of A: for each tile as many a row as it has rows. */
INLINE void pack_columns(const float *a, long stride, long rows, long depth, float *to) {
    for (long k = 0; k < depth; k++) {
        for (long row = 0; row < rows;) {
            long count = next_rows(rows - row);
            __mmask16 some = mask(count);
            float *place = to + packed_place(row, depth) + k * count;
            _mm512_mask_storeu_ps(place, some, _mm512_maskz_loadu_ps(some, a + row));
            row += count;
        }
        a += stride;
    }
}

/* What packing the panel at `column` would read. */
static inline struct lines panel_lines(const struct dtrain_product *p, long at, long column, long depth) {
    long columns = p->b_columns - column;
    if (columns > most_columns) columns = most_columns;
    if (columns <= 0) return (struct lines){p->b, 0, 1, 0, 0};
    const float *from = p->b + at * p->b_depth + column * p->b_column;
    if (p->b_column == 1) {
        long per_row = (columns + lanes - 1) / lanes;
        return (struct lines){from, p->b_depth, per_row, 0, depth * per_row};
    }
    long per_row = (depth + lanes - 1) / lanes;
    return (struct lines){from, p->b_column, per_row, 0, columns * per_row};
}

/* The rows of A that pass by the panels, and how. */
struct block {
    const float *base;
    long rows, row, depth;
    int is_by_tile;
};

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

INLINE void tiles(
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

/* Blocks of about equal size, all but the last of whole tiles. */
static inline long row_block(long rows) {
    if (rows <= dtrain_row_limit) return rows;
    long blocks = (rows + dtrain_row_limit - 1) / dtrain_row_limit;
    return ((rows + blocks - 1) / blocks + most_rows - 1) / most_rows * most_rows;
}

WIDE void dtrain_multiply_avx512(const struct dtrain_product *p) {
    long rows = row_block(p->rows);
    for (long at = 0; at < p->depth; at += dtrain_depth_block) {
        long depth = p->depth - at < dtrain_depth_block ? p->depth - at : dtrain_depth_block;
        for (long first = 0; first < p->rows; first += rows) {
            long count = p->rows - first < rows ? p->rows - first : rows;
            struct block a = pack_block(p, first, count, at, depth);
            for (long column = 0; column < p->columns; column += most_columns) {
                long width = p->columns - column;
                int vectors = width > lanes ? 2 : 1;
                const float *b = p->b + at * p->b_depth + column * p->b_column;
                if (p->b_column == 1) {
                    pack_panel(b, p->b_depth, p->b_columns - column, depth, vectors, p->panel);
                } else {
                    pack_transposed(b, p->b_column, p->b_columns - column, depth, vectors, p->panel);
                }
                struct target to = {
                    .c = p->c + first * p->c_row + column, .stride = p->c_row,
                    .low = mask(width), .high = mask(width - lanes),
                    .bias = p->bias && at == 0 ? p->bias + column : NULL,
                    .add = p->accumulate || at > 0,
                    .ahead = panel_lines(p, at, column + most_columns, depth),
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

/* Never called: dtrain_has_avx512 says no. */
void dtrain_multiply_avx512(const struct dtrain_product *product) { (void)product; }
long dtrain_multiply_adds_avx512(long rounds) { return 0 * rounds; }

#endif
