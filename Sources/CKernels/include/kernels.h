/* What Swift cannot say: which instructions a processor has, and loops for wider ones than all have.

   Every loop here has a twin in Swift that runs everywhere, and gives the same bits. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* 1 when the processor and the system can run the instructions that the whole program is compiled for. */
int dtrain_has_floor(void);

/* 1 when they can run AVX-512 F, VL, BW and DQ. */
int dtrain_has_avx512(void);

/* What the calling thread's floating-point control says beside IEEE 754's usual mode: 0 if nothing, else
   the bits for another rounding or for flushing what is subnormal to 0. */
uint64_t dtrain_float_mode(void);

/* Hints that a line of memory will be read (or written) soon; never faults. */
static inline void dtrain_prefetch(const void *_Nonnull address) {
    __builtin_prefetch(address, 0, 3);
}
static inline void dtrain_prefetch_to_write(const void *_Nonnull address) {
    __builtin_prefetch(address, 1, 3);
}

/* C ← A·B (+ C) (+ bias in every row), the sums as Multiplier defines them.

   Entry (i, k) of A lies at a[i * a_row + k * a_depth], one of the two strides being 1; entry (k, j) of
   B at b[k * b_depth + j * b_column], likewise. Columns of C from b_columns on count as columns of
   zeros. `panel` and `block` are workspace of as many floats as the constants say, aligned to 64 bytes. */
struct dtrain_product {
    const float *_Nonnull a;
    long a_row, a_depth;
    const float *_Nonnull b;
    long b_depth, b_column, b_columns;
    float *_Nonnull c;
    long c_row;
    long rows, columns, depth;
    const float *_Nullable bias;
    int accumulate;
    float *_Nonnull panel;
    float *_Nonnull block;
    /* Of products of bfloat16: B as dtrain_round left it, laid out like b, instead of b. */
    const uint16_t *_Nullable rounded;
    /* Of products of bfloat16: workspace of dtrain_panel_floats. */
    float *_Nullable scratch;
};

enum {
    /* The order of a sum: chains of so many, added in order. */
    dtrain_depth_block = 256,
    /* Most rows of A that pass by a panel of B before the next. */
    dtrain_row_limit = 336,
    dtrain_panel_floats = 272 * 32,
    dtrain_block_floats = 272 * 336,
};

/* C ← (A ∘ scales of rows)·(B ∘ scales of columns) (+ bias in every row), A and B whole numbers of at most
   8 bits. A word holds two neighbours in depth as 16 bits each, the first in the lower half. A has `words` of
   them a row; `panels` of 16 columns have 16 of them for each word of depth. b_scales has room for whole
   panels. */
struct dtrain_int8_product {
    const int32_t *_Nonnull a;
    const float *_Nonnull a_scales;
    const int32_t *_Nonnull panels;
    const float *_Nonnull b_scales;
    const float *_Nullable bias;
    float *_Nonnull c;
    long c_row, rows, columns, words;
};
void dtrain_multiply_int8(const struct dtrain_int8_product *_Nonnull product);

/* Only where dtrain_has_avx512, as all that bears its name. */
void dtrain_multiply_avx512(const struct dtrain_product *_Nonnull product);

/* 1 when the processor has AVX512_BF16, and its instructions were found to give the bits of two float32
   multiply-adds, the odd element of each pair first, and of rounding to nearest even. */
int dtrain_has_bf16_pairs(void);

/* The product of operands rounded to bfloat16: see Rounding in Kernels. By the instruction for pairs where
   `paired`, which needs dtrain_has_bf16_pairs; else by two multiply-adds a pair. */
void dtrain_multiply_bf16(const struct dtrain_product *_Nonnull product, int paired);

/* Copies `count` floats, rounded to bfloat16. */
void dtrain_round_avx512(const float *_Nonnull from, uint16_t *_Nonnull to, long count);

/* Twins of loops in Swift, which say what they compute. Rows are of `count` floats. */

#if defined(__x86_64__)
#define DTRAIN_WIDE(...) __VA_ARGS__;
#else
/* Never called: dtrain_has_avx512 says no. */
#define DTRAIN_WIDE(...) static inline __VA_ARGS__ { __builtin_trap(); }
#endif

/* Which elements dropout keeps, bit i % 8 of byte i / 8, and their factor; no bits where it keeps all. */
struct dtrain_mask {
    const uint8_t *_Nullable bits;
    float scale;
};

DTRAIN_WIDE(void dtrain_extent(
    const float *_Nonnull x, long count, float *_Nonnull largest, float *_Nonnull sum))
DTRAIN_WIDE(float dtrain_exponentials(float *_Nonnull x, long count, float largest, int keep))
DTRAIN_WIDE(void dtrain_scale_and_shift(float *_Nonnull x, long count, float factor, float less))

DTRAIN_WIDE(void dtrain_attention_rows(
    float *_Nonnull x, long rows, long keys, long count, int causal, float scale,
    struct dtrain_mask mask, long start, float *_Nonnull dropped))
DTRAIN_WIDE(void dtrain_attention_rows_back(
    const float *_Nonnull x, long rows, long count, float scale, struct dtrain_mask mask,
    long start, float *_Nonnull slope, float *_Nonnull dropped))

DTRAIN_WIDE(void dtrain_residual_row(
    const float *_Nonnull x, const float *_Nonnull inner, const float *_Nonnull bias, long count,
    struct dtrain_mask mask, long start, float *_Nonnull to))
DTRAIN_WIDE(void dtrain_normalise_row(
    const float *_Nonnull x, long count, float epsilon, const float *_Nonnull gain,
    const float *_Nonnull bias, float *_Nonnull y, float *_Nonnull statistics))
DTRAIN_WIDE(void dtrain_normalise_back(
    const float *_Nonnull dy, const float *_Nonnull x, const float *_Nonnull gain,
    const float *_Nonnull statistics, long rows, long columns, long dy_row, long x_row,
    float *_Nonnull d_gain, float *_Nonnull d_bias, float *_Nonnull dx, long dx_row,
    int accumulate))

enum dtrain_activation { dtrain_relu, dtrain_gelu, dtrain_silu, dtrain_sigmoid, dtrain_tanh };

DTRAIN_WIDE(void dtrain_activate(
    enum dtrain_activation function, float *_Nonnull h, const float *_Nonnull bias, long rows,
    long columns, struct dtrain_mask mask, float *_Nonnull y, int keep))
DTRAIN_WIDE(void dtrain_activate_back(
    float *_Nonnull dy, const float *_Nonnull slope, long rows, long columns, long dy_row,
    long slope_row, float *_Nonnull d_bias))
DTRAIN_WIDE(void dtrain_apply_mask(
    const float *_Nonnull from, long count, struct dtrain_mask mask, float *_Nonnull to,
    int accumulate))
DTRAIN_WIDE(void dtrain_embed_row(
    const float *_Nonnull from, const float *_Nonnull place, long count, float scale,
    struct dtrain_mask mask, long start, float *_Nonnull to))
DTRAIN_WIDE(void dtrain_embed_row_back(
    const float *_Nonnull dy, long count, float scale, struct dtrain_mask mask, long start,
    float *_Nonnull to))

struct dtrain_adam {
    float scale, keep_first, take_first, keep_second, take_second, step_size, root_factor, epsilon,
        keep_parameter;
};
DTRAIN_WIDE(void dtrain_adam_pass(
    const struct dtrain_adam *_Nonnull a, float *_Nonnull p, float *_Nonnull m, float *_Nonnull v,
    const float *_Nonnull g, long count))

struct dtrain_philox {
    uint32_t key[2], place[3];
};
/* Bits for 64 elements a group. */
DTRAIN_WIDE(void dtrain_dropout_bits(
    const struct dtrain_philox *_Nonnull random, uint64_t threshold, uint8_t *_Nonnull to,
    long groups))

/* Twelve chains of so many multiply-adds, between registers. Returns the number of operations. */
long dtrain_multiply_adds_avx512(long rounds);
/* The same of pairs of bfloat16, where dtrain_has_bf16_pairs. */
long dtrain_multiply_adds_bf16(long rounds);
