#include "kernels.h"

/* Products of bfloat16 by VDPBF16PS: a word holds a pair, its even element in the lower half. */

#if defined(__x86_64__)
#define FEATURES "avx512f,avx512vl,avx512bw,avx512dq,avx512bf16"
#define MULTIPLY_ADD(sum, x, b) \
    _mm512_dpbf16_ps(sum, (__m512bh)_mm512_castps_si512(x), (__m512bh)_mm512_castps_si512(b))
#include "tile.h"
#include "bf16.h"

#define PAIRED TILED __attribute__((always_inline)) static inline

/* A row of words: 256 of depth, and what keeps rows out of each other's places in the cache. */
enum { word_stride = 144 };

/* 32 floats rounded, those of `low` first: what `rounded` of bf16.h gives. */
PAIRED __m512i halves(__m512 low, __m512 high) {
    __m512i both = (__m512i)_mm512_cvtne2ps_pbh(high, low);
    __m512i magnitude = _mm512_and_si512(both, _mm512_set1_epi16(0x7FFF));
    __mmask32 large = _mm512_cmpge_epu16_mask(magnitude, _mm512_set1_epi16(0x2380));
    return _mm512_maskz_mov_epi16(large, both);
}

/* The place of each half in 16 words of an element of the first half and one of the second. */
PAIRED __m512i alternating(int first, int second) {
    __m512i lane = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    return _mm512_add_epi32(
        _mm512_or_si512(lane, _mm512_slli_epi32(lane, 16)),
        _mm512_set1_epi32(first | second << 16));
}

/* 16 pairs of neighbours in depth. */
PAIRED __m512 pairs(__m512 even, __m512 odd) {
    return _mm512_castsi512_ps(_mm512_permutexvar_epi16(alternating(0, 16), halves(even, odd)));
}

/* Rows of floats, along depth, become rows of words. */
PAIRED void round_rows(
    const float *from, long stride, long rows, long depth, float *to) {
    for (long row = 0; row < rows; row++, from += stride, to += word_stride) {
        for (long k = 0; k < depth; k += 2 * lanes) {
            __m512 low = _mm512_maskz_loadu_ps(mask(depth - k), from + k);
            __m512 high = _mm512_maskz_loadu_ps(mask(depth - k - lanes), from + k + lanes);
            _mm512_store_si512(to + k / 2, halves(low, high));
        }
    }
}

/* A panel of B as it lies, from floats. */
PAIRED void panel_of_floats(
    const float *b, long stride, long columns, long depth, int vectors, float *to) {
    for (int half = 0; half < vectors; half++, b += lanes, columns -= lanes) {
        __mmask16 some = mask(columns);
        const float *from = b;
        float *out = to + half * lanes;
        for (long k = 0; k < depth; k += 2, from += 2 * stride, out += lanes * vectors) {
            __m512 even = _mm512_maskz_loadu_ps(some, from);
            __m512 odd = _mm512_maskz_loadu_ps(k + 1 < depth ? some : 0, from + stride);
            _mm512_store_ps(out, pairs(even, odd));
        }
    }
}

/* The same from rounded copies. */
PAIRED void panel_of_copies(
    const uint16_t *b, long stride, long columns, long depth, int vectors, float *to) {
    __mmask32 some = mask(columns) | (__mmask32)mask(columns - lanes) << lanes;
    __m512i low = alternating(0, 32), high = alternating(lanes, lanes + 32);
    for (long k = 0; k < depth; k += 2, b += 2 * stride, to += lanes * vectors) {
        __m512i even = _mm512_maskz_loadu_epi16(some, b);
        __m512i odd = _mm512_maskz_loadu_epi16(k + 1 < depth ? some : 0, b + stride);
        _mm512_store_si512(to, _mm512_permutex2var_epi16(even, low, odd));
        if (vectors > 1) {
            _mm512_store_si512(to + lanes, _mm512_permutex2var_epi16(even, high, odd));
        }
    }
}

TILED static void panel(
    const struct dtrain_product *p, long at, long column, long depth, int vectors) {
    long place = at * p->b_depth + column * p->b_column, columns = p->b_columns - column;
    if (p->b_column == 1 && p->rounded) {
        panel_of_copies(p->rounded + place, p->b_depth, columns, depth, vectors, p->panel);
    } else if (p->b_column == 1) {
        panel_of_floats(p->b + place, p->b_depth, columns, depth, vectors, p->panel);
    } else if (p->rounded) {
        pack_transposed(
            p->rounded + place, 2 * p->b_column, columns, 2 * depth, vectors, p->panel);
    } else {
        long rows = columns < most_columns ? columns : most_columns;
        round_rows(p->b + place, p->b_column, rows, depth, p->scratch);
        pack_transposed(
            p->scratch, 4 * word_stride, columns, (2 * depth + 3) / 4 * 4, vectors, p->panel);
    }
}

TILED static struct block block(
    const struct dtrain_product *p, long first, long rows, long at, long depth) {
    const float *a = p->a + first * p->a_row + at * p->a_depth;
    if (p->a_row != 1 || p->a_depth == 1) {
        round_rows(a, p->a_row, rows, depth, p->block);
        return (struct block){p->block, rows, word_stride, 1, 0};
    }
    long words = (depth + 1) / 2;
    for (long k = 0; k < depth; k += 2, a += 2 * p->a_depth) {
        for (long row = 0; row < rows;) {
            long count = next_rows(rows - row);
            __mmask16 some = mask(count);
            __m512 even = _mm512_maskz_loadu_ps(some, a + row);
            __m512 odd = _mm512_maskz_loadu_ps(k + 1 < depth ? some : 0, a + p->a_depth + row);
            float *place = p->block + packed_place(row, words) + k / 2 * count;
            _mm512_storeu_ps(place, pairs(even, odd));
            row += count;
        }
    }
    return (struct block){p->block, rows, 1, 0, 1};
}

const struct way dtrain_pairs = {block, panel, tiles, 1};

/* Random numbers of the probe. Source: Marsaglia, "Xorshift RNGs" (2003). */
static uint32_t next(uint32_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Operands as `rounded` leaves them, of exponents from 2⁻⁵⁶ up, the range of each round its own. */
TILED static __m512 operand(uint32_t *state, uint32_t round) {
    uint32_t words[lanes];
    for (int i = 0; i < lanes; i++) {
        uint32_t range = 1u << round % 7, low = round % 3 == 0 ? 71 : 127 - range / 2;
        words[i] = 0;
        for (int half = 0; half < 2; half++) {
            uint32_t exponent = low + next(state) % range, rest = next(state);
            if (rest >> 28) words[i] |= ((rest & 1) << 15 | exponent << 7 | (rest >> 8 & 0x7F)) << 16 * half;
        }
    }
    return _mm512_loadu_ps(words);
}

TILED static int products_agree(void) {
    uint32_t state = 20170612;
    for (uint32_t round = 0; round < 64; round++) {
        __m512 sum = _mm512_setzero_ps(), plain = _mm512_setzero_ps();
        __m512i upper = _mm512_set1_epi32(0xFFFF0000);
        for (int k = 0; k < 32; k++) {
            __m512 x = operand(&state, round), y = operand(&state, round);
            __m512i a = _mm512_castps_si512(x), b = _mm512_castps_si512(y);
            sum = MULTIPLY_ADD(sum, x, y);
            plain = _mm512_fmadd_ps(
                _mm512_castsi512_ps(_mm512_and_si512(a, upper)),
                _mm512_castsi512_ps(_mm512_and_si512(b, upper)), plain);
            plain = _mm512_fmadd_ps(
                _mm512_castsi512_ps(_mm512_slli_epi32(a, 16)),
                _mm512_castsi512_ps(_mm512_slli_epi32(b, 16)), plain);
            if (_mm512_cmpneq_epi32_mask(_mm512_castps_si512(sum), _mm512_castps_si512(plain))) return 0;
        }
    }
    return 1;
}

/* For each exponent and sign: halfway, a little more, a little less, to even and to odd. */
TILED static int roundings_agree(void) {
    static const uint32_t ends[lanes] = {
        0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF, 0x10000, 0x17FFF, 0x18000, 0x18001, 0x1FFFF, 0x7F7FFF,
        0x7F8000, 0x7FFFFF, 0x400000, 0x555555,
    };
    __m512i end = _mm512_loadu_si512(ends);
    for (int exponent = 0; exponent < 512; exponent++) {
        __m512 x = _mm512_castsi512_ps(_mm512_or_si512(end, _mm512_set1_epi32(exponent << 23)));
        __m512i both = halves(x, x);
        __m256i plain = _mm512_cvtepi32_epi16(_mm512_srli_epi32(_mm512_castps_si512(rounded(x)), 16));
        if (_mm256_cmpneq_epi16_mask(_mm512_castsi512_si256(both), plain)) return 0;
        if (_mm256_cmpneq_epi16_mask(_mm512_extracti64x4_epi64(both, 1), plain)) return 0;
    }
    return 1;
}

TILED long dtrain_multiply_adds_bf16(long rounds) {
    __m512 sum[12], factor = _mm512_set1_ps(0.001f), other = _mm512_set1_ps(0.003f);
#pragma unroll
    for (int i = 0; i < 12; i++) sum[i] = _mm512_set1_ps((float)i);
    for (long round = 0; round < rounds; round++) {
#pragma unroll
        for (int i = 0; i < 12; i++) sum[i] = MULTIPLY_ADD(sum[i], factor, other);
    }
    /* Asked, so that the loop is not for nothing. */
    for (int i = 1; i < 12; i++) sum[0] = _mm512_add_ps(sum[0], sum[i]);
    return _mm512_reduce_add_ps(sum[0]) < 0 ? 0 : 12L * 4 * lanes * rounds;
}

int dtrain_has_bf16_pairs(void) {
    __builtin_cpu_init();
    return dtrain_has_avx512() && __builtin_cpu_supports("avx512bf16") && products_agree()
        && roundings_agree();
}

#else

int dtrain_has_bf16_pairs(void) { return 0; }
long dtrain_multiply_adds_bf16(long rounds) { return 0 * rounds; }

#endif
