#include "kernels.h"

/* Loops without sums over lanes: activations, masks, Adam. Twins of Activation.swift, Elementwise.swift,
   Embedding.swift and AdamPass.swift. */

#if defined(__x86_64__)
#include "wide.h"

INLINE __m512 error_function(__m512 value) {
    __m512 x = _mm512_min_ps(all(4), _mm512_max_ps(all(-4), value));
    __m512 s = _mm512_mul_ps(x, x);
    __m512 p = _mm512_fmadd_ps(all(-2.72614225801306e-10f), s, all(2.77068142495902e-08f));
    p = _mm512_fmadd_ps(p, s, all(-2.10102402082508e-06f));
    p = _mm512_fmadd_ps(p, s, all(-5.69250639462346e-05f));
    p = _mm512_fmadd_ps(p, s, all(-7.34990630326855e-04f));
    p = _mm512_fmadd_ps(p, s, all(-2.95459980854025e-03f));
    p = _mm512_fmadd_ps(p, s, all(-1.60960333262415e-02f));
    __m512 q = _mm512_fmadd_ps(all(-1.45660718464996e-05f), s, all(-2.13374055278905e-04f));
    q = _mm512_fmadd_ps(q, s, all(-1.68282697438203e-03f));
    q = _mm512_fmadd_ps(q, s, all(-7.37332916720468e-03f));
    q = _mm512_fmadd_ps(q, s, all(-1.42647390514189e-02f));
    return _mm512_div_ps(_mm512_mul_ps(x, p), q);
}

INLINE __m512 negative(__m512 x) {
    return _mm512_castsi512_ps(_mm512_xor_si512(_mm512_castps_si512(x), _mm512_set1_epi32(0x80000000)));
}

INLINE __m512 sigmoid(__m512 x) {
    return _mm512_div_ps(all(1), _mm512_add_ps(all(1), exponential(negative(x))));
}

INLINE __m512 hyperbolic_tangent(__m512 x) {
    __m512 power = exponential(_mm512_add_ps(x, x));
    return _mm512_sub_ps(all(1), _mm512_div_ps(all(2), _mm512_add_ps(power, all(1))));
}

/* f(x), and f'(x) in `slope`. */
INLINE __m512 activated(const enum dtrain_activation function, __m512 x, __m512 *slope) {
    switch (function) {
    case dtrain_relu: {
        __mmask16 positive = _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_GT_OQ);
        *slope = _mm512_maskz_mov_ps(positive, all(1));
        return _mm512_maskz_mov_ps(positive, x);
    }
    case dtrain_gelu: {
        __m512 half = _mm512_mul_ps(all(0.5f), error_function(_mm512_mul_ps(x, all(0.70710677f))));
        __m512 phi = _mm512_add_ps(half, all(0.5f));
        __m512 square = _mm512_mul_ps(_mm512_mul_ps(x, x), all(-0.5f));
        __m512 density = _mm512_mul_ps(exponential(square), all(0.39894228f));
        *slope = _mm512_fmadd_ps(x, density, phi);
        return _mm512_mul_ps(x, phi);
    }
    case dtrain_silu: {
        __m512 s = sigmoid(x), product = _mm512_mul_ps(x, s);
        *slope = _mm512_fmadd_ps(product, _mm512_sub_ps(all(1), s), s);
        return product;
    }
    case dtrain_sigmoid: {
        __m512 s = sigmoid(x);
        *slope = _mm512_mul_ps(s, _mm512_sub_ps(all(1), s));
        return s;
    }
    case dtrain_tanh: {
        __m512 t = hyperbolic_tangent(x);
        *slope = _mm512_sub_ps(all(1), _mm512_mul_ps(t, t));
        return t;
    }
    }
    __builtin_unreachable();
}

INLINE void activate(
    const enum dtrain_activation function, float *h, const float *bias, long rows, long columns,
    struct dtrain_mask mask_, float *y, int keep) {
    for (long row = 0; row < rows; row++, h += columns, y += columns) {
        EACH_SIXTEEN(columns, {
            __m512 slope;
            __m512 x = _mm512_add_ps(load(h + i, some), load(bias + i, some));
            __m512 result = activated(function, x, &slope);
            store(y + i, masked(result, mask_, row * columns + i), some);
            if (keep) store(h + i, masked(slope, mask_, row * columns + i), some);
        })
    }
}

WIDE void dtrain_activate(
    enum dtrain_activation function, float *h, const float *bias, long rows, long columns,
    struct dtrain_mask mask_, float *y, int keep) {
    switch (function) {
    case dtrain_relu: return activate(dtrain_relu, h, bias, rows, columns, mask_, y, keep);
    case dtrain_gelu: return activate(dtrain_gelu, h, bias, rows, columns, mask_, y, keep);
    case dtrain_silu: return activate(dtrain_silu, h, bias, rows, columns, mask_, y, keep);
    case dtrain_sigmoid: return activate(dtrain_sigmoid, h, bias, rows, columns, mask_, y, keep);
    case dtrain_tanh: return activate(dtrain_tanh, h, bias, rows, columns, mask_, y, keep);
    }
}

WIDE void dtrain_activate_back(
    float *dy, const float *slope, long rows, long columns, long dy_row, long slope_row,
    float *d_bias) {
    _Alignas(64) float sums[columns_at_once];
    for (long first = 0; first < columns; first += columns_at_once) {
        long count = columns - first < columns_at_once ? columns - first : columns_at_once;
        EACH_SIXTEEN(count, { _mm512_store_ps(sums + i, load(d_bias + first + i, some)); })
        for (long row = 0; row < rows; row++) {
            float *to = dy + row * dy_row + first;
            const float *by = slope + row * slope_row + first;
            EACH_SIXTEEN(count, {
                __m512 product = _mm512_mul_ps(load(to + i, some), load(by + i, some));
                store(to + i, product, some);
                _mm512_store_ps(sums + i, _mm512_add_ps(_mm512_load_ps(sums + i), product));
            })
        }
        EACH_SIXTEEN(count, { store(d_bias + first + i, _mm512_load_ps(sums + i), some); })
    }
}

WIDE void dtrain_apply_mask(
    const float *from, long count, struct dtrain_mask mask_, float *to, int accumulate) {
    EACH_SIXTEEN(count, {
        __m512 product = masked(load(from + i, some), mask_, i);
        store(to + i, accumulate ? _mm512_add_ps(load(to + i, some), product) : product, some);
    })
}

WIDE void dtrain_embed_row(
    const float *from, const float *place, long count, float scale, struct dtrain_mask mask_,
    long start, float *to) {
    EACH_SIXTEEN(count, {
        __m512 sum = _mm512_fmadd_ps(load(from + i, some), all(scale), load(place + i, some));
        store(to + i, masked(sum, mask_, start + i), some);
    })
}

WIDE void dtrain_embed_row_back(
    const float *dy, long count, float scale, struct dtrain_mask mask_, long start, float *to) {
    EACH_SIXTEEN(count, {
        __m512 factor = mask_.bits ? _mm512_mul_ps(kept(mask_, start + i), all(scale)) : all(scale);
        store(to + i, _mm512_fmadd_ps(load(dy + i, some), factor, load(to + i, some)), some);
    })
}

WIDE void dtrain_adam_pass(
    const struct dtrain_adam *a, float *p, float *m, float *v, const float *g, long count) {
    EACH_SIXTEEN(count, {
        __m512 scaled = _mm512_mul_ps(load(g + i, some), all(a->scale));
        __m512 first = _mm512_mul_ps(load(m + i, some), all(a->keep_first));
        first = _mm512_fmadd_ps(scaled, all(a->take_first), first);
        __m512 second = _mm512_mul_ps(load(v + i, some), all(a->keep_second));
        second = _mm512_fmadd_ps(_mm512_mul_ps(scaled, scaled), all(a->take_second), second);
        __m512 root = _mm512_fmadd_ps(_mm512_sqrt_ps(second), all(a->root_factor), all(a->epsilon));
        __m512 parameter = _mm512_mul_ps(load(p + i, some), all(a->keep_parameter));
        parameter = _mm512_fmadd_ps(_mm512_div_ps(first, root), all(-a->step_size), parameter);
        store(m + i, first, some);
        store(v + i, second, some);
        store(p + i, parameter, some);
    })
}

/* Philox4x32-10 as in Philox.swift: a word of eight counters in the lower halves of eight lanes. What the
   upper halves hold meanwhile reaches no product. */
struct words {
    __m512i word[4];
};

INLINE void philox_round(struct words *w, __m512i key0, __m512i key1) {
    __m512i a = _mm512_mul_epu32(w->word[0], _mm512_set1_epi64(0xD2511F53));
    __m512i b = _mm512_mul_epu32(w->word[2], _mm512_set1_epi64(0xCD9E8D57));
    w->word[0] = _mm512_ternarylogic_epi64(_mm512_srli_epi64(b, 32), w->word[1], key0, 0x96);
    w->word[1] = b;
    w->word[2] = _mm512_ternarylogic_epi64(_mm512_srli_epi64(a, 32), w->word[3], key1, 0x96);
    w->word[3] = a;
}

/* A byte a counter: bit j is 1 where half j of its four words is not below the threshold. */
INLINE uint64_t bits_of(const struct words *w, uint64_t threshold) {
    __m512i limit = _mm512_set1_epi64(threshold), half = _mm512_set1_epi64(0xFFFF);
    __m512i below = _mm512_setzero_si512();
    for (int i = 0; i < 4; i++) {
        __m512i first = _mm512_sub_epi64(_mm512_and_si512(w->word[i], half), limit);
        __m512i second = _mm512_and_si512(_mm512_srli_epi64(w->word[i], 16), half);
        second = _mm512_sub_epi64(second, limit);
        first = _mm512_and_si512(first, _mm512_set1_epi64(1LL << (32 + 2 * i)));
        second = _mm512_and_si512(second, _mm512_set1_epi64(2LL << (32 + 2 * i)));
        below = _mm512_ternarylogic_epi64(below, first, second, 0xFE);
    }
    __m128i bytes = _mm512_cvtepi64_epi8(_mm512_srli_epi64(below, 32));
    return ~(uint64_t)_mm_cvtsi128_si64(bytes);
}

WIDE void dtrain_dropout_bits(const struct dtrain_philox *random, uint64_t threshold, uint8_t *to, long groups) {
    __m512i eight = _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0);
    /* Two chains of rounds keep the multiplier busy; the second may be for nothing. */
    for (long group = 0; group < groups; group += 2) {
        struct words w[2];
        uint32_t key0 = random->key[0], key1 = random->key[1];
        for (int i = 0; i < 2; i++) {
            uint64_t first = (uint64_t)(8 * (group + i));
            w[i].word[0] = _mm512_add_epi64(_mm512_set1_epi64(first), eight);
            for (int j = 0; j < 3; j++) w[i].word[j + 1] = _mm512_set1_epi64(random->place[j]);
        }
        for (int round = 0; round < 10; round++, key0 += 0x9E3779B9, key1 += 0xBB67AE85) {
            __m512i k0 = _mm512_set1_epi64(key0), k1 = _mm512_set1_epi64(key1);
            philox_round(&w[0], k0, k1);
            philox_round(&w[1], k0, k1);
        }
        for (int i = 0; i < 2 && group + i < groups; i++) {
            uint64_t bits = bits_of(&w[i], threshold);
            __builtin_memcpy(to + 8 * (group + i), &bits, 8);
        }
    }
}

#endif
