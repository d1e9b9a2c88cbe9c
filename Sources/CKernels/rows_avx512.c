#include "kernels.h"

/* Loops over rows: losses, attention's weights, norms. Twins of CrossEntropy.swift, AttentionRow.swift and
   Normalisation.swift. */

#if defined(__x86_64__)
#include "wide.h"

WIDE void dtrain_extent(const float *x, long count, float *largest, float *sum) {
    __m512 lowest = all(-__builtin_inff());
    __m256 most = low(lowest), sums = _mm256_setzero_ps();
    EACH_SIXTEEN(count, {
        __m512 value = load(x + i, some);
        most = larger(most, _mm512_mask_mov_ps(lowest, some, value));
        sums = plus(sums, value);
    })
    *largest = maximum(most);
    *sum = total(sums);
}

WIDE float dtrain_exponentials(float *x, long count, float largest, int keep) {
    __m256 sum = _mm256_setzero_ps();
    EACH_SIXTEEN(count, {
        __m512 value = exponential(_mm512_sub_ps(load(x + i, some), all(largest)));
        value = _mm512_maskz_mov_ps(some, value);
        sum = plus(sum, value);
        if (keep) store(x + i, value, some);
    })
    return total(sum);
}

WIDE void dtrain_scale_and_shift(float *x, long count, float factor, float less) {
    EACH_SIXTEEN(count, {
        store(x + i, _mm512_fmadd_ps(load(x + i, some), all(factor), all(-less)), some);
    })
}

INLINE void attention_row(
    float *x, long seen, long count, float scale, struct dtrain_mask mask_, long start,
    float *dropped) {
    __m512 lowest = all(-__builtin_inff());
    __m256 most = low(lowest), sum = _mm256_setzero_ps();
    EACH_SIXTEEN(seen, {
        most = larger(most, _mm512_mask_mov_ps(lowest, some, load(x + i, some)));
    })
    __m512 shift = all(-scale * maximum(most)), factor = all(scale);
    EACH_SIXTEEN(seen, {
        __m512 value = exponential(_mm512_fmadd_ps(load(x + i, some), factor, shift));
        value = _mm512_maskz_mov_ps(some, value);
        sum = plus(sum, value);
        store(x + i, value, some);
    })
    factor = all(1 / total(sum));
    EACH_SIXTEEN(count, {
        __mmask16 real = some & mask(seen - i);
        __m512 weight = _mm512_mul_ps(load(x + i, real), factor);
        store(x + i, weight, some);
        if (mask_.bits) store(dropped + i, _mm512_mul_ps(weight, kept(mask_, start + i)), some);
    })
}

WIDE void dtrain_attention_rows(
    float *x, long rows, long keys, long count, int causal, float scale, struct dtrain_mask mask,
    long start, float *dropped) {
    for (long row = 0; row < rows; row++) {
        long seen = causal && row + 1 < keys ? row + 1 : keys;
        attention_row(
            x + row * count, seen, count, scale, mask, start + row * count, dropped + row * count);
    }
}

INLINE void attention_row_back(
    const float *x, long count, float scale, struct dtrain_mask mask_, long start, float *slope,
    float *dropped) {
    __m256 sum = _mm256_setzero_ps();
    EACH_SIXTEEN(count, {
        __m512 weight = load(x + i, some);
        __m512 value = load(slope + i, some);
        if (mask_.bits) {
            __m512 factor = kept(mask_, start + i);
            value = _mm512_mul_ps(value, factor);
            store(slope + i, value, some);
            store(dropped + i, _mm512_mul_ps(weight, factor), some);
        }
        sum = plus_product(sum, value, weight);
    })
    __m512 product = all(total(sum));
    EACH_SIXTEEN(count, {
        __m512 weight = _mm512_mul_ps(load(x + i, some), all(scale));
        store(slope + i, _mm512_mul_ps(_mm512_sub_ps(load(slope + i, some), product), weight), some);
    })
}

WIDE void dtrain_attention_rows_back(
    const float *x, long rows, long count, float scale, struct dtrain_mask mask, long start,
    float *slope, float *dropped) {
    for (long row = 0; row < rows; row++) {
        attention_row_back(
            x + row * count, count, scale, mask, start + row * count, slope + row * count,
            dropped + row * count);
    }
}

WIDE void dtrain_residual_row(
    const float *x, const float *inner, const float *bias, long count, struct dtrain_mask mask_,
    long start, float *to) {
    EACH_SIXTEEN(count, {
        __m512 sum = _mm512_add_ps(load(inner + i, some), load(bias + i, some));
        __m512 factor = mask_.bits ? kept(mask_, start + i) : all(1);
        store(to + i, _mm512_fmadd_ps(sum, factor, load(x + i, some)), some);
    })
}

WIDE void dtrain_normalise_row(
    const float *x, long count, float epsilon, const float *gain, const float *bias, float *y,
    float *statistics) {
    __m256 sum = _mm256_setzero_ps(), squares = _mm256_setzero_ps();
    EACH_SIXTEEN(count, { sum = plus(sum, load(x + i, some)); })
    float mean = total(sum) / (float)count;
    EACH_SIXTEEN(count, {
        __m512 difference = _mm512_maskz_sub_ps(some, load(x + i, some), all(mean));
        squares = plus(squares, _mm512_mul_ps(difference, difference));
    })
    float inverse = 1 / root(total(squares) / (float)count + epsilon);
    statistics[0] = mean;
    statistics[1] = inverse;
    EACH_SIXTEEN(count, {
        __m512 normal = _mm512_mul_ps(_mm512_sub_ps(load(x + i, some), all(mean)), all(inverse));
        store(y + i, _mm512_fmadd_ps(normal, load(gain + i, some), load(bias + i, some)), some);
    })
}

INLINE __m512 normal(const float *x, const float *statistics, __mmask16 some) {
    return _mm512_mul_ps(
        _mm512_sub_ps(load(x, some), all(statistics[0])), all(statistics[1]));
}

INLINE void normalise_row_back(
    const float *dy, const float *x, const float *gain, const float *statistics, long count,
    float *dx, int accumulate) {
    __m256 sum = _mm256_setzero_ps(), projected = _mm256_setzero_ps();
    EACH_SIXTEEN(count, {
        __m512 g = _mm512_mul_ps(load(dy + i, some), load(gain + i, some));
        sum = plus(sum, g);
        projected = plus_product(projected, g, normal(x + i, statistics, some));
    })
    __m512 shift = all(total(sum) / (float)count), tilt = all(total(projected) / (float)count);
    EACH_SIXTEEN(count, {
        __m512 rest = _mm512_mul_ps(load(dy + i, some), load(gain + i, some));
        __m512 tilted = _mm512_mul_ps(normal(x + i, statistics, some), tilt);
        rest = _mm512_sub_ps(_mm512_sub_ps(rest, shift), tilted);
        rest = _mm512_mul_ps(rest, all(statistics[1]));
        store(dx + i, accumulate ? _mm512_add_ps(load(dx + i, some), rest) : rest, some);
    })
}

INLINE void sum_rows_back(
    const float *dy, const float *x, const float *statistics, long rows, long count, long dy_row,
    long x_row, float *d_gain, float *d_bias) {
    _Alignas(64) float gains[columns_at_once], biases[columns_at_once];
    EACH_SIXTEEN(count, {
        _mm512_store_ps(gains + i, load(d_gain + i, some));
        _mm512_store_ps(biases + i, load(d_bias + i, some));
    })
    for (long row = 0; row < rows; row++, dy += dy_row, x += x_row, statistics += 2) {
        EACH_SIXTEEN(count, {
            __m512 slope = load(dy + i, some);
            __m512 gain = _mm512_load_ps(gains + i);
            gain = _mm512_fmadd_ps(slope, normal(x + i, statistics, some), gain);
            _mm512_store_ps(gains + i, gain);
            _mm512_store_ps(biases + i, _mm512_add_ps(_mm512_load_ps(biases + i), slope));
        })
    }
    EACH_SIXTEEN(count, {
        store(d_gain + i, _mm512_load_ps(gains + i), some);
        store(d_bias + i, _mm512_load_ps(biases + i), some);
    })
}

WIDE void dtrain_normalise_back(
    const float *dy, const float *x, const float *gain, const float *statistics, long rows,
    long columns, long dy_row, long x_row, float *d_gain, float *d_bias, float *dx, long dx_row,
    int accumulate) {
    /* Eight rows at a time stay in the first-level cache from the first loop to the second. */
    for (long left = rows; left > 0; left -= 8) {
        long some = left < 8 ? left : 8;
        for (long first = 0; first < columns; first += columns_at_once) {
            long count = columns - first < columns_at_once ? columns - first : columns_at_once;
            sum_rows_back(
                dy + first, x + first, statistics, some, count, dy_row, x_row, d_gain + first,
                d_bias + first);
        }
        for (long row = 0; row < some; row++) {
            normalise_row_back(
                dy + row * dy_row, x + row * x_row, gain, statistics + 2 * row, columns,
                dx + row * dx_row, accumulate);
        }
        dy += 8 * dy_row;
        x += 8 * x_row;
        dx += 8 * dx_row;
        statistics += 16;
    }
}

#endif
