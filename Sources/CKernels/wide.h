/* Sixteen floats at a time, with the sums of eight: what the loops over rows share.

   The twin of Wide.swift and VectorMath.swift. Every lane is computed by the same operations in the same
   order, and sums and maxima have eight parts: so the bits are those of registers of eight. */
#pragma once

#include "avx512.h"

/* Runs the statements for each sixteen of a row from `i` on; `some` are the lanes that are there. All of
   them but for the last: known to the compiler, so that masks cost nothing. */
#define EACH_SIXTEEN(count, ...) \
    { \
        long i = 0; \
        for (; i + lanes <= (count); i += lanes) { \
            const __mmask16 some = 0xFFFF; \
            __VA_ARGS__ \
        } \
        if (i < (count)) { \
            const __mmask16 some = mask((count) - i); \
            __VA_ARGS__ \
        } \
    }

/* Columns whose sums over rows are kept in aligned memory meanwhile: what crosses lines of the cache is
   slow to read back. */
enum { columns_at_once = 1024 };

INLINE __m512 load(const float *from, __mmask16 some) {
    return _mm512_maskz_loadu_ps(some, from);
}

INLINE void store(float *to, __m512 value, __mmask16 some) {
    _mm512_mask_storeu_ps(to, some, value);
}

INLINE __m512 all(float value) {
    return _mm512_set1_ps(value);
}

INLINE __m256 low(__m512 value) {
    return _mm512_castps512_ps256(value);
}

INLINE __m256 high(__m512 value) {
    return _mm512_extractf32x8_ps(value, 1);
}

/* The eight partial sums, the next sixteen added. */
INLINE __m256 plus(__m256 sum, __m512 value) {
    return _mm256_add_ps(_mm256_add_ps(sum, low(value)), high(value));
}

/* The eight partial sums, the products of the next sixteen added. */
INLINE __m256 plus_product(__m256 sum, __m512 a, __m512 b) {
    sum = _mm256_fmadd_ps(low(a), low(b), sum);
    return _mm256_fmadd_ps(high(a), high(b), sum);
}

/* The larger of each pair; the second where one is not a number. */
INLINE __m256 larger(__m256 most, __m512 value) {
    return _mm256_max_ps(_mm256_max_ps(most, low(value)), high(value));
}

/* Sum of eight in the order of `Wide.total`. */
INLINE float total(__m256 sum) {
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(sum), _mm256_extractf128_ps(sum, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(two) + _mm_cvtss_f32(_mm_movehdup_ps(two));
}

INLINE float root(float value) {
    return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(value)));
}

INLINE float maximum(__m256 most) {
    __m128 four = _mm_max_ps(_mm256_extractf128_ps(most, 1), _mm256_castps256_ps128(most));
    __m128 two = _mm_max_ps(_mm_movehl_ps(four, four), four);
    float x = _mm_cvtss_f32(two), y = _mm_cvtss_f32(_mm_movehdup_ps(two));
    return x > y ? x : y;
}

/* e^x: see VectorMath.swift. */
INLINE __m512 exponential(__m512 value) {
    __m512 x = _mm512_min_ps(all(88), _mm512_max_ps(all(-87), value));
    __m512 magic = all(12582912);
    __m512 shifted = _mm512_fmadd_ps(x, all(1.44269504f), magic);
    __m512 n = _mm512_sub_ps(shifted, magic);
    __m512 r = _mm512_fmadd_ps(n, all(-0.693359375f), x);
    r = _mm512_fmadd_ps(n, all(2.1219444e-4f), r);
    __m512 p = _mm512_fmadd_ps(all(1.98756915e-4f), r, all(1.39819995e-3f));
    p = _mm512_fmadd_ps(p, r, all(8.3334519e-3f));
    p = _mm512_fmadd_ps(p, r, all(4.1665796e-2f));
    p = _mm512_fmadd_ps(p, r, all(1.66666655e-1f));
    p = _mm512_fmadd_ps(p, r, all(0.5f));
    p = _mm512_fmadd_ps(p, _mm512_mul_ps(r, r), _mm512_add_ps(r, all(1)));
    __m512i integer = _mm512_sub_epi32(_mm512_castps_si512(shifted), _mm512_set1_epi32(0x4B400000));
    __m512i power = _mm512_slli_epi32(_mm512_add_epi32(integer, _mm512_set1_epi32(127)), 23);
    return _mm512_mul_ps(p, _mm512_castsi512_ps(power));
}

/* The scale where dropout keeps an element, else 0: for the sixteen from `index` on. */
INLINE __m512 kept(struct dtrain_mask mask, long index) {
    uint32_t word;
    __builtin_memcpy(&word, mask.bits + (index >> 3), 4);
    return _mm512_maskz_mov_ps((__mmask16)(word >> (index & 7)), all(mask.scale));
}

/* The value by what dropout makes of it, if there is dropout. */
INLINE __m512 masked(__m512 value, struct dtrain_mask mask, long index) {
    return mask.bits ? _mm512_mul_ps(value, kept(mask, index)) : value;
}
