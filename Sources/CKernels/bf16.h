/* Rounding to bfloat16 with AVX-512, without its instructions for bfloat16. */
#pragma once

#include "avx512.h"

/* Each float rounded to the nearest bfloat16, of two the even one, and cleared to +0 below 2⁻⁵⁶; as a
   float. A value that is not a number stays one: quiet, its last 16 bits cut off. */
INLINE __m512 rounded(__m512 value) {
    __m512i bits = _mm512_castps_si512(value);
    __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    __m512i half = _mm512_add_epi32(odd, _mm512_set1_epi32(0x7FFF));
    __m512i quiet = _mm512_or_si512(bits, _mm512_set1_epi32(0x400000));
    __mmask16 number = _mm512_cmp_ps_mask(value, value, _CMP_ORD_Q);
    __m512i sum = _mm512_mask_add_epi32(quiet, number, bits, half);
    __m512i magnitude = _mm512_and_si512(sum, _mm512_set1_epi32(0x7FFFFFFF));
    __mmask16 large = _mm512_cmpge_epu32_mask(magnitude, _mm512_set1_epi32(0x23800000));
    return _mm512_castsi512_ps(
        _mm512_maskz_and_epi32(large, sum, _mm512_set1_epi32(0xFFFF0000)));
}

/* 16 bfloat16 as floats. */
INLINE __m512 widened(__m256i halves) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
}

/* How the operands of a product are packed, and multiplied: by pairs or by two multiply-adds. */
struct way {
    struct block (*block)(const struct dtrain_product *, long first, long rows, long at, long depth);
    void (*panel)(const struct dtrain_product *, long at, long column, long depth, int vectors);
    void (*tiles)(struct block, const float *panel, long depth, int vectors, struct target);
    /* Words of the panel for each pair. */
    int words;
};

/* Only where dtrain_has_bf16_pairs. */
extern const struct way dtrain_pairs;
