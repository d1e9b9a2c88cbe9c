#include "kernels.h"

#include <string.h>

/* Products of whole numbers of 8 bits, kept as 16 so that two products are added without overflow.

   A word is a pair of neighbours in depth. A sum is exact, so its order is free: any instructions give the
   same bits. */

enum { width = 16, most_rows = 6 };

typedef int32_t eight __attribute__((vector_size(32), aligned(4)));

#if defined(__x86_64__)
#include <immintrin.h>

/* sum + a[2i] · b[2i] + a[2i + 1] · b[2i + 1], for each of eight words. */
static inline eight add_pairs(eight sum, eight a, eight b) {
    return sum + (eight)_mm256_madd_epi16((__m256i)a, (__m256i)b);
}
#else
static inline eight add_pairs(eight sum, eight a, eight b) {
    /* The halves of a word, each with its sign. */
    return sum + ((a << 16) >> 16) * ((b << 16) >> 16) + (a >> 16) * (b >> 16);
}
#endif

typedef float eight_floats __attribute__((vector_size(32), aligned(4)));

/* The sixteen results of a row. */
static inline void store_whole(
    const struct dtrain_int8_product *p, long row, long column, eight low, eight high) {
    float *c = p->c + row * p->c_row + column, scale = p->a_scales[row];
    const eight_floats *scales = (const eight_floats *)(p->b_scales + column);
    eight_floats first = __builtin_convertvector(low, eight_floats) * (scales[0] * scale);
    eight_floats second = __builtin_convertvector(high, eight_floats) * (scales[1] * scale);
    if (p->bias) {
        const eight_floats *bias = (const eight_floats *)(p->bias + column);
        first += bias[0];
        second += bias[1];
    }
    *(eight_floats *)c = first;
    *(eight_floats *)(c + 8) = second;
}

/* Up to eight results, in the last columns. */
static inline void store(float *to, long count, eight sum, float scale, const float *scales, const float *bias) {
    eight_floats factors, terms = {0}, values;
    memcpy(&factors, scales, sizeof factors);
    values = __builtin_convertvector(sum, eight_floats) * (factors * scale);
    if (bias) {
        memcpy(&terms, bias, sizeof(float) * (count < 8 ? count : 8));
        values += terms;
    }
    memcpy(to, &values, sizeof(float) * (count < 8 ? count : 8));
}

__attribute__((always_inline)) static inline void tile(
    const int rows, const struct dtrain_int8_product *p, long first, long column, const int32_t *panel) {
    eight sum[most_rows][2];
    const int32_t *a = p->a + first * p->words;
#pragma unroll
    for (int r = 0; r < rows; r++) {
        sum[r][0] = (eight){0};
        sum[r][1] = (eight){0};
    }
#pragma nounroll
    for (long k = 0; k < p->words; k++, panel += width) {
        eight low = *(const eight *)panel, high = *(const eight *)(panel + 8);
#pragma unroll
        for (int r = 0; r < rows; r++) {
            eight x = (eight){0} + a[r * p->words + k];
            sum[r][0] = add_pairs(sum[r][0], x, low);
            sum[r][1] = add_pairs(sum[r][1], x, high);
        }
    }
    long left = p->columns - column;
    if (left >= width) {
#pragma unroll
        for (int r = 0; r < rows; r++) store_whole(p, first + r, column, sum[r][0], sum[r][1]);
        return;
    }
#pragma unroll
    for (int r = 0; r < rows; r++) {
        float *c = p->c + (first + r) * p->c_row + column, scale = p->a_scales[first + r];
        const float *bias = p->bias ? p->bias + column : NULL;
        store(c, left, sum[r][0], scale, p->b_scales + column, bias);
        if (left > 8) store(c + 8, left - 8, sum[r][1], scale, p->b_scales + column + 8, bias ? bias + 8 : NULL);
    }
}

void dtrain_multiply_int8(const struct dtrain_int8_product *p) {
    for (long column = 0; column < p->columns; column += width) {
        const int32_t *panel = p->panels + column * p->words;
        long row = 0;
        for (; row + most_rows <= p->rows; row += most_rows) tile(most_rows, p, row, column, panel);
        switch (p->rows - row) {
        case 1: tile(1, p, row, column, panel); break;
        case 2: tile(2, p, row, column, panel); break;
        case 3: tile(3, p, row, column, panel); break;
        case 4: tile(4, p, row, column, panel); break;
        case 5: tile(5, p, row, column, panel); break;
        default: break;
        }
    }
}
