#include <immintrin.h>

static inline float total(__m256 v) {
    __m128 s = _mm256_castps256_ps128(v) + _mm256_extractf128_ps(v, 1);
    s += _mm_movehl_ps(s, s);
    return _mm_cvtss_f32(s + _mm_movehdup_ps(s));
}

/* The totals of four vectors, side by side. */
static inline __m128 sum_four(__m256 a, __m256 b, __m256 c, __m256 d) {
    __m256 s = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
    return _mm256_castps256_ps128(s) + _mm256_extractf128_ps(s, 1);
}

/* 4 of x by 2 of weight. */
static inline __attribute__((always_inline))
void tile_4x2(float *out, const float *x, const float *weight, const float *bias, long n, long m) {
    const float *x0 = x + 0 * n;
    const float *x1 = x + 1 * n;
    const float *x2 = x + 2 * n;
    const float *x3 = x + 3 * n;
    const float *w0 = weight + 0 * n;
    const float *w1 = weight + 1 * n;
    __m256 s00 = {0}, s01 = {0};
    __m256 s10 = {0}, s11 = {0};
    __m256 s20 = {0}, s21 = {0};
    __m256 s30 = {0}, s31 = {0};
    __m256 a0, a1, a2, a3, b;
    long i = 0;
    for (; i + 32 <= n; i += 32) {
        a0 = _mm256_loadu_ps(&x0[0]);
        a1 = _mm256_loadu_ps(&x1[0]);
        a2 = _mm256_loadu_ps(&x2[0]);
        a3 = _mm256_loadu_ps(&x3[0]);
        b = _mm256_loadu_ps(&w0[0]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        s30 += a3 * b;
        b = _mm256_loadu_ps(&w1[0]);
        s01 += a0 * b;
        s11 += a1 * b;
        s21 += a2 * b;
        s31 += a3 * b;
        a0 = _mm256_loadu_ps(&x0[8]);
        a1 = _mm256_loadu_ps(&x1[8]);
        a2 = _mm256_loadu_ps(&x2[8]);
        a3 = _mm256_loadu_ps(&x3[8]);
        b = _mm256_loadu_ps(&w0[8]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        s30 += a3 * b;
        b = _mm256_loadu_ps(&w1[8]);
        s01 += a0 * b;
        s11 += a1 * b;
        s21 += a2 * b;
        s31 += a3 * b;
        a0 = _mm256_loadu_ps(&x0[16]);
        a1 = _mm256_loadu_ps(&x1[16]);
        a2 = _mm256_loadu_ps(&x2[16]);
        a3 = _mm256_loadu_ps(&x3[16]);
        b = _mm256_loadu_ps(&w0[16]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        s30 += a3 * b;
        b = _mm256_loadu_ps(&w1[16]);
        s01 += a0 * b;
        s11 += a1 * b;
        s21 += a2 * b;
        s31 += a3 * b;
        a0 = _mm256_loadu_ps(&x0[24]);
        a1 = _mm256_loadu_ps(&x1[24]);
        a2 = _mm256_loadu_ps(&x2[24]);
        a3 = _mm256_loadu_ps(&x3[24]);
        b = _mm256_loadu_ps(&w0[24]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        s30 += a3 * b;
        b = _mm256_loadu_ps(&w1[24]);
        s01 += a0 * b;
        s11 += a1 * b;
        s21 += a2 * b;
        s31 += a3 * b;
        x0 += 32;
        x1 += 32;
        x2 += 32;
        x3 += 32;
        w0 += 32;
        w1 += 32;
    }
    for (; i + 8 <= n; i += 8) {
        a0 = _mm256_loadu_ps(&x0[0]);
        a1 = _mm256_loadu_ps(&x1[0]);
        a2 = _mm256_loadu_ps(&x2[0]);
        a3 = _mm256_loadu_ps(&x3[0]);
        b = _mm256_loadu_ps(&w0[0]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        s30 += a3 * b;
        b = _mm256_loadu_ps(&w1[0]);
        s01 += a0 * b;
        s11 += a1 * b;
        s21 += a2 * b;
        s31 += a3 * b;
        x0 += 8;
        x1 += 8;
        x2 += 8;
        x3 += 8;
        w0 += 8;
        w1 += 8;
    }
    out[0] = total(s00) + (bias ? bias[0] : 0.0f);
    out[1] = total(s01) + (bias ? bias[1] : 0.0f);
    out[1 * m + 0] = total(s10) + (bias ? bias[0] : 0.0f);
    out[1 * m + 1] = total(s11) + (bias ? bias[1] : 0.0f);
    out[2 * m + 0] = total(s20) + (bias ? bias[0] : 0.0f);
    out[2 * m + 1] = total(s21) + (bias ? bias[1] : 0.0f);
    out[3 * m + 0] = total(s30) + (bias ? bias[0] : 0.0f);
    out[3 * m + 1] = total(s31) + (bias ? bias[1] : 0.0f);
    for (; i < n; i++) {
        for (long c = 0; c < 2; c++) {
            out[c] += x[i] * weight[c * n + i];
            out[1 * m + c] += x[1 * n + i] * weight[c * n + i];
            out[2 * m + c] += x[2 * n + i] * weight[c * n + i];
            out[3 * m + c] += x[3 * n + i] * weight[c * n + i];
        }
    }
}

/* 4 of x by 1 of weight. */
static inline __attribute__((always_inline))
void tile_4x1(float *out, const float *x, const float *weight, const float *bias, long n, long m) {
    const float *x0 = x + 0 * n;
    const float *x1 = x + 1 * n;
    const float *x2 = x + 2 * n;
    const float *x3 = x + 3 * n;
    const float *w0 = weight + 0 * n;
    __m256 s00 = {0};
    __m256 s10 = {0};
    __m256 s20 = {0};
    __m256 s30 = {0};
    __m256 a0, a1, a2, a3, b;
    long i = 0;
    for (; i + 32 <= n; i += 32) {
        a0 = _mm256_loadu_ps(&x0[0]);
        a1 = _mm256_loadu_ps(&x1[0]);
        a2 = _mm256_loadu_ps(&x2[0]);
        a3 = _mm256_loadu_ps(&x3[0]);
        b = _mm256_loadu_ps(&w0[0]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        s30 += a3 * b;
        a0 = _mm256_loadu_ps(&x0[8]);
        a1 = _mm256_loadu_ps(&x1[8]);
        a2 = _mm256_loadu_ps(&x2[8]);
        a3 = _mm256_loadu_ps(&x3[8]);
        b = _mm256_loadu_ps(&w0[8]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        s30 += a3 * b;
        a0 = _mm256_loadu_ps(&x0[16]);
        a1 = _mm256_loadu_ps(&x1[16]);
        a2 = _mm256_loadu_ps(&x2[16]);
        a3 = _mm256_loadu_ps(&x3[16]);
        b = _mm256_loadu_ps(&w0[16]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        s30 += a3 * b;
        a0 = _mm256_loadu_ps(&x0[24]);
        a1 = _mm256_loadu_ps(&x1[24]);
        a2 = _mm256_loadu_ps(&x2[24]);
        a3 = _mm256_loadu_ps(&x3[24]);
        b = _mm256_loadu_ps(&w0[24]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        s30 += a3 * b;
        x0 += 32;
        x1 += 32;
        x2 += 32;
        x3 += 32;
        w0 += 32;
    }
    for (; i + 8 <= n; i += 8) {
        a0 = _mm256_loadu_ps(&x0[0]);
        a1 = _mm256_loadu_ps(&x1[0]);
        a2 = _mm256_loadu_ps(&x2[0]);
        a3 = _mm256_loadu_ps(&x3[0]);
        b = _mm256_loadu_ps(&w0[0]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        s30 += a3 * b;
        x0 += 8;
        x1 += 8;
        x2 += 8;
        x3 += 8;
        w0 += 8;
    }
    out[0] = total(s00) + (bias ? bias[0] : 0.0f);
    out[1 * m + 0] = total(s10) + (bias ? bias[0] : 0.0f);
    out[2 * m + 0] = total(s20) + (bias ? bias[0] : 0.0f);
    out[3 * m + 0] = total(s30) + (bias ? bias[0] : 0.0f);
    for (; i < n; i++) {
        for (long c = 0; c < 1; c++) {
            out[c] += x[i] * weight[c * n + i];
            out[1 * m + c] += x[1 * n + i] * weight[c * n + i];
            out[2 * m + c] += x[2 * n + i] * weight[c * n + i];
            out[3 * m + c] += x[3 * n + i] * weight[c * n + i];
        }
    }
}

/* 2 of x by 2 of weight. */
static inline __attribute__((always_inline))
void tile_2x2(float *out, const float *x, const float *weight, const float *bias, long n, long m) {
    const float *x0 = x + 0 * n;
    const float *x1 = x + 1 * n;
    const float *w0 = weight + 0 * n;
    const float *w1 = weight + 1 * n;
    __m256 s00 = {0}, s01 = {0};
    __m256 s10 = {0}, s11 = {0};
    __m256 a0, a1, b;
    long i = 0;
    for (; i + 32 <= n; i += 32) {
        a0 = _mm256_loadu_ps(&x0[0]);
        a1 = _mm256_loadu_ps(&x1[0]);
        b = _mm256_loadu_ps(&w0[0]);
        s00 += a0 * b;
        s10 += a1 * b;
        b = _mm256_loadu_ps(&w1[0]);
        s01 += a0 * b;
        s11 += a1 * b;
        a0 = _mm256_loadu_ps(&x0[8]);
        a1 = _mm256_loadu_ps(&x1[8]);
        b = _mm256_loadu_ps(&w0[8]);
        s00 += a0 * b;
        s10 += a1 * b;
        b = _mm256_loadu_ps(&w1[8]);
        s01 += a0 * b;
        s11 += a1 * b;
        a0 = _mm256_loadu_ps(&x0[16]);
        a1 = _mm256_loadu_ps(&x1[16]);
        b = _mm256_loadu_ps(&w0[16]);
        s00 += a0 * b;
        s10 += a1 * b;
        b = _mm256_loadu_ps(&w1[16]);
        s01 += a0 * b;
        s11 += a1 * b;
        a0 = _mm256_loadu_ps(&x0[24]);
        a1 = _mm256_loadu_ps(&x1[24]);
        b = _mm256_loadu_ps(&w0[24]);
        s00 += a0 * b;
        s10 += a1 * b;
        b = _mm256_loadu_ps(&w1[24]);
        s01 += a0 * b;
        s11 += a1 * b;
        x0 += 32;
        x1 += 32;
        w0 += 32;
        w1 += 32;
    }
    for (; i + 8 <= n; i += 8) {
        a0 = _mm256_loadu_ps(&x0[0]);
        a1 = _mm256_loadu_ps(&x1[0]);
        b = _mm256_loadu_ps(&w0[0]);
        s00 += a0 * b;
        s10 += a1 * b;
        b = _mm256_loadu_ps(&w1[0]);
        s01 += a0 * b;
        s11 += a1 * b;
        x0 += 8;
        x1 += 8;
        w0 += 8;
        w1 += 8;
    }
    out[0] = total(s00) + (bias ? bias[0] : 0.0f);
    out[1] = total(s01) + (bias ? bias[1] : 0.0f);
    out[1 * m + 0] = total(s10) + (bias ? bias[0] : 0.0f);
    out[1 * m + 1] = total(s11) + (bias ? bias[1] : 0.0f);
    for (; i < n; i++) {
        for (long c = 0; c < 2; c++) {
            out[c] += x[i] * weight[c * n + i];
            out[1 * m + c] += x[1 * n + i] * weight[c * n + i];
        }
    }
}

/* 2 of x by 1 of weight, 2 sums for each output. */
static inline __attribute__((always_inline))
void tile_2x1(float *out, const float *x, const float *weight, const float *bias, long n, long m) {
    const float *x0 = x + 0 * n;
    const float *x1 = x + 1 * n;
    const float *w0 = weight + 0 * n;
    __m256 s00 = {0};
    __m256 s00_1 = {0};
    __m256 s10 = {0};
    __m256 s10_1 = {0};
    __m256 a0, a1, b;
    long i = 0;
    for (; i + 32 <= n; i += 32) {
        a0 = _mm256_loadu_ps(&x0[0]);
        a1 = _mm256_loadu_ps(&x1[0]);
        b = _mm256_loadu_ps(&w0[0]);
        s00 += a0 * b;
        s10 += a1 * b;
        a0 = _mm256_loadu_ps(&x0[8]);
        a1 = _mm256_loadu_ps(&x1[8]);
        b = _mm256_loadu_ps(&w0[8]);
        s00_1 += a0 * b;
        s10_1 += a1 * b;
        a0 = _mm256_loadu_ps(&x0[16]);
        a1 = _mm256_loadu_ps(&x1[16]);
        b = _mm256_loadu_ps(&w0[16]);
        s00 += a0 * b;
        s10 += a1 * b;
        a0 = _mm256_loadu_ps(&x0[24]);
        a1 = _mm256_loadu_ps(&x1[24]);
        b = _mm256_loadu_ps(&w0[24]);
        s00_1 += a0 * b;
        s10_1 += a1 * b;
        x0 += 32;
        x1 += 32;
        w0 += 32;
    }
    for (; i + 8 <= n; i += 8) {
        a0 = _mm256_loadu_ps(&x0[0]);
        a1 = _mm256_loadu_ps(&x1[0]);
        b = _mm256_loadu_ps(&w0[0]);
        s00 += a0 * b;
        s10 += a1 * b;
        x0 += 8;
        x1 += 8;
        w0 += 8;
    }
    s00 += s00_1;
    s10 += s10_1;
    out[0] = total(s00) + (bias ? bias[0] : 0.0f);
    out[1 * m + 0] = total(s10) + (bias ? bias[0] : 0.0f);
    for (; i < n; i++) {
        for (long c = 0; c < 1; c++) {
            out[c] += x[i] * weight[c * n + i];
            out[1 * m + c] += x[1 * n + i] * weight[c * n + i];
        }
    }
}

/* 3 of x by 2 of weight. */
static inline __attribute__((always_inline))
void tile_3x2(float *out, const float *x, const float *weight, const float *bias, long n, long m) {
    const float *x0 = x + 0 * n;
    const float *x1 = x + 1 * n;
    const float *x2 = x + 2 * n;
    const float *w0 = weight + 0 * n;
    const float *w1 = weight + 1 * n;
    __m256 s00 = {0}, s01 = {0};
    __m256 s10 = {0}, s11 = {0};
    __m256 s20 = {0}, s21 = {0};
    __m256 a0, a1, a2, b;
    long i = 0;
    for (; i + 32 <= n; i += 32) {
        a0 = _mm256_loadu_ps(&x0[0]);
        a1 = _mm256_loadu_ps(&x1[0]);
        a2 = _mm256_loadu_ps(&x2[0]);
        b = _mm256_loadu_ps(&w0[0]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        b = _mm256_loadu_ps(&w1[0]);
        s01 += a0 * b;
        s11 += a1 * b;
        s21 += a2 * b;
        a0 = _mm256_loadu_ps(&x0[8]);
        a1 = _mm256_loadu_ps(&x1[8]);
        a2 = _mm256_loadu_ps(&x2[8]);
        b = _mm256_loadu_ps(&w0[8]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        b = _mm256_loadu_ps(&w1[8]);
        s01 += a0 * b;
        s11 += a1 * b;
        s21 += a2 * b;
        a0 = _mm256_loadu_ps(&x0[16]);
        a1 = _mm256_loadu_ps(&x1[16]);
        a2 = _mm256_loadu_ps(&x2[16]);
        b = _mm256_loadu_ps(&w0[16]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        b = _mm256_loadu_ps(&w1[16]);
        s01 += a0 * b;
        s11 += a1 * b;
        s21 += a2 * b;
        a0 = _mm256_loadu_ps(&x0[24]);
        a1 = _mm256_loadu_ps(&x1[24]);
        a2 = _mm256_loadu_ps(&x2[24]);
        b = _mm256_loadu_ps(&w0[24]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        b = _mm256_loadu_ps(&w1[24]);
        s01 += a0 * b;
        s11 += a1 * b;
        s21 += a2 * b;
        x0 += 32;
        x1 += 32;
        x2 += 32;
        w0 += 32;
        w1 += 32;
    }
    for (; i + 8 <= n; i += 8) {
        a0 = _mm256_loadu_ps(&x0[0]);
        a1 = _mm256_loadu_ps(&x1[0]);
        a2 = _mm256_loadu_ps(&x2[0]);
        b = _mm256_loadu_ps(&w0[0]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        b = _mm256_loadu_ps(&w1[0]);
        s01 += a0 * b;
        s11 += a1 * b;
        s21 += a2 * b;
        x0 += 8;
        x1 += 8;
        x2 += 8;
        w0 += 8;
        w1 += 8;
    }
    out[0] = total(s00) + (bias ? bias[0] : 0.0f);
    out[1] = total(s01) + (bias ? bias[1] : 0.0f);
    out[1 * m + 0] = total(s10) + (bias ? bias[0] : 0.0f);
    out[1 * m + 1] = total(s11) + (bias ? bias[1] : 0.0f);
    out[2 * m + 0] = total(s20) + (bias ? bias[0] : 0.0f);
    out[2 * m + 1] = total(s21) + (bias ? bias[1] : 0.0f);
    for (; i < n; i++) {
        for (long c = 0; c < 2; c++) {
            out[c] += x[i] * weight[c * n + i];
            out[1 * m + c] += x[1 * n + i] * weight[c * n + i];
            out[2 * m + c] += x[2 * n + i] * weight[c * n + i];
        }
    }
}

/* 3 of x by 1 of weight, 2 sums for each output. */
static inline __attribute__((always_inline))
void tile_3x1(float *out, const float *x, const float *weight, const float *bias, long n, long m) {
    const float *x0 = x + 0 * n;
    const float *x1 = x + 1 * n;
    const float *x2 = x + 2 * n;
    const float *w0 = weight + 0 * n;
    __m256 s00 = {0};
    __m256 s00_1 = {0};
    __m256 s10 = {0};
    __m256 s10_1 = {0};
    __m256 s20 = {0};
    __m256 s20_1 = {0};
    __m256 a0, a1, a2, b;
    long i = 0;
    for (; i + 32 <= n; i += 32) {
        a0 = _mm256_loadu_ps(&x0[0]);
        a1 = _mm256_loadu_ps(&x1[0]);
        a2 = _mm256_loadu_ps(&x2[0]);
        b = _mm256_loadu_ps(&w0[0]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        a0 = _mm256_loadu_ps(&x0[8]);
        a1 = _mm256_loadu_ps(&x1[8]);
        a2 = _mm256_loadu_ps(&x2[8]);
        b = _mm256_loadu_ps(&w0[8]);
        s00_1 += a0 * b;
        s10_1 += a1 * b;
        s20_1 += a2 * b;
        a0 = _mm256_loadu_ps(&x0[16]);
        a1 = _mm256_loadu_ps(&x1[16]);
        a2 = _mm256_loadu_ps(&x2[16]);
        b = _mm256_loadu_ps(&w0[16]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        a0 = _mm256_loadu_ps(&x0[24]);
        a1 = _mm256_loadu_ps(&x1[24]);
        a2 = _mm256_loadu_ps(&x2[24]);
        b = _mm256_loadu_ps(&w0[24]);
        s00_1 += a0 * b;
        s10_1 += a1 * b;
        s20_1 += a2 * b;
        x0 += 32;
        x1 += 32;
        x2 += 32;
        w0 += 32;
    }
    for (; i + 8 <= n; i += 8) {
        a0 = _mm256_loadu_ps(&x0[0]);
        a1 = _mm256_loadu_ps(&x1[0]);
        a2 = _mm256_loadu_ps(&x2[0]);
        b = _mm256_loadu_ps(&w0[0]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        x0 += 8;
        x1 += 8;
        x2 += 8;
        w0 += 8;
    }
    s00 += s00_1;
    s10 += s10_1;
    s20 += s20_1;
    out[0] = total(s00) + (bias ? bias[0] : 0.0f);
    out[1 * m + 0] = total(s10) + (bias ? bias[0] : 0.0f);
    out[2 * m + 0] = total(s20) + (bias ? bias[0] : 0.0f);
    for (; i < n; i++) {
        for (long c = 0; c < 1; c++) {
            out[c] += x[i] * weight[c * n + i];
            out[1 * m + c] += x[1 * n + i] * weight[c * n + i];
            out[2 * m + c] += x[2 * n + i] * weight[c * n + i];
        }
    }
}

/* 1 of x by 5 of weight. */
static inline __attribute__((always_inline))
void tile_1x5(float *out, const float *x, const float *weight, const float *bias, long n) {
    const float *x0 = x + 0 * n;
    const float *w0 = weight + 0 * n;
    const float *w1 = weight + 1 * n;
    const float *w2 = weight + 2 * n;
    const float *w3 = weight + 3 * n;
    const float *w4 = weight + 4 * n;
    __m256 s00 = {0}, s01 = {0}, s02 = {0}, s03 = {0}, s04 = {0};
    __m256 a0, b;
    long i = 0;
    for (; i + 32 <= n; i += 32) {
        a0 = _mm256_loadu_ps(&x0[0]);
        b = _mm256_loadu_ps(&w0[0]);
        s00 += a0 * b;
        b = _mm256_loadu_ps(&w1[0]);
        s01 += a0 * b;
        b = _mm256_loadu_ps(&w2[0]);
        s02 += a0 * b;
        b = _mm256_loadu_ps(&w3[0]);
        s03 += a0 * b;
        b = _mm256_loadu_ps(&w4[0]);
        s04 += a0 * b;
        a0 = _mm256_loadu_ps(&x0[8]);
        b = _mm256_loadu_ps(&w0[8]);
        s00 += a0 * b;
        b = _mm256_loadu_ps(&w1[8]);
        s01 += a0 * b;
        b = _mm256_loadu_ps(&w2[8]);
        s02 += a0 * b;
        b = _mm256_loadu_ps(&w3[8]);
        s03 += a0 * b;
        b = _mm256_loadu_ps(&w4[8]);
        s04 += a0 * b;
        a0 = _mm256_loadu_ps(&x0[16]);
        b = _mm256_loadu_ps(&w0[16]);
        s00 += a0 * b;
        b = _mm256_loadu_ps(&w1[16]);
        s01 += a0 * b;
        b = _mm256_loadu_ps(&w2[16]);
        s02 += a0 * b;
        b = _mm256_loadu_ps(&w3[16]);
        s03 += a0 * b;
        b = _mm256_loadu_ps(&w4[16]);
        s04 += a0 * b;
        a0 = _mm256_loadu_ps(&x0[24]);
        b = _mm256_loadu_ps(&w0[24]);
        s00 += a0 * b;
        b = _mm256_loadu_ps(&w1[24]);
        s01 += a0 * b;
        b = _mm256_loadu_ps(&w2[24]);
        s02 += a0 * b;
        b = _mm256_loadu_ps(&w3[24]);
        s03 += a0 * b;
        b = _mm256_loadu_ps(&w4[24]);
        s04 += a0 * b;
        x0 += 32;
        w0 += 32;
        w1 += 32;
        w2 += 32;
        w3 += 32;
        w4 += 32;
    }
    for (; i + 8 <= n; i += 8) {
        a0 = _mm256_loadu_ps(&x0[0]);
        b = _mm256_loadu_ps(&w0[0]);
        s00 += a0 * b;
        b = _mm256_loadu_ps(&w1[0]);
        s01 += a0 * b;
        b = _mm256_loadu_ps(&w2[0]);
        s02 += a0 * b;
        b = _mm256_loadu_ps(&w3[0]);
        s03 += a0 * b;
        b = _mm256_loadu_ps(&w4[0]);
        s04 += a0 * b;
        x0 += 8;
        w0 += 8;
        w1 += 8;
        w2 += 8;
        w3 += 8;
        w4 += 8;
    }
    __m128 b0_0 = bias ? _mm_loadu_ps(&bias[0]) : _mm_setzero_ps();
    _mm_storeu_ps(&out[0], sum_four(s00, s01, s02, s03) + b0_0);
    out[4] = total(s04) + (bias ? bias[4] : 0.0f);
    for (; i < n; i++) {
        for (long c = 0; c < 5; c++) {
            out[c] += x[i] * weight[c * n + i];
        }
    }
}

/* 1 of x by 1 of weight, 4 sums for each output. */
static inline __attribute__((always_inline))
void tile_1x1(float *out, const float *x, const float *weight, const float *bias, long n) {
    const float *x0 = x + 0 * n;
    const float *w0 = weight + 0 * n;
    __m256 s00 = {0};
    __m256 s00_1 = {0};
    __m256 s00_2 = {0};
    __m256 s00_3 = {0};
    __m256 a0, b;
    long i = 0;
    for (; i + 32 <= n; i += 32) {
        a0 = _mm256_loadu_ps(&x0[0]);
        b = _mm256_loadu_ps(&w0[0]);
        s00 += a0 * b;
        a0 = _mm256_loadu_ps(&x0[8]);
        b = _mm256_loadu_ps(&w0[8]);
        s00_1 += a0 * b;
        a0 = _mm256_loadu_ps(&x0[16]);
        b = _mm256_loadu_ps(&w0[16]);
        s00_2 += a0 * b;
        a0 = _mm256_loadu_ps(&x0[24]);
        b = _mm256_loadu_ps(&w0[24]);
        s00_3 += a0 * b;
        x0 += 32;
        w0 += 32;
    }
    for (; i + 8 <= n; i += 8) {
        a0 = _mm256_loadu_ps(&x0[0]);
        b = _mm256_loadu_ps(&w0[0]);
        s00 += a0 * b;
        x0 += 8;
        w0 += 8;
    }
    s00 += s00_1;
    s00 += s00_2;
    s00 += s00_3;
    out[0] = total(s00) + (bias ? bias[0] : 0.0f);
    for (; i < n; i++) {
        for (long c = 0; c < 1; c++) {
            out[c] += x[i] * weight[c * n + i];
        }
    }
}

/* 4 of x by so many rows of weight. */
static inline __attribute__((always_inline))
void band_4(float *out, const float *x, const float *weight, const float *bias, long n, long count, long m) {
    long o = 0;
    for (; o + 2 <= count; o += 2)
        tile_4x2(out + o, x, weight + o * n, bias ? bias + o : 0, n, m);
    for (; o + 1 <= count; o += 1)
        tile_4x1(out + o, x, weight + o * n, bias ? bias + o : 0, n, m);
}

/* 2 of x by so many rows of weight. */
static inline __attribute__((always_inline))
void band_2(float *out, const float *x, const float *weight, const float *bias, long n, long count, long m) {
    long o = 0;
    for (; o + 2 <= count; o += 2)
        tile_2x2(out + o, x, weight + o * n, bias ? bias + o : 0, n, m);
    for (; o + 1 <= count; o += 1)
        tile_2x1(out + o, x, weight + o * n, bias ? bias + o : 0, n, m);
}

/* 3 of x by so many rows of weight. */
static inline __attribute__((always_inline))
void band_3(float *out, const float *x, const float *weight, const float *bias, long n, long count, long m) {
    long o = 0;
    for (; o + 2 <= count; o += 2)
        tile_3x2(out + o, x, weight + o * n, bias ? bias + o : 0, n, m);
    for (; o + 1 <= count; o += 1)
        tile_3x1(out + o, x, weight + o * n, bias ? bias + o : 0, n, m);
}

/* 1 of x by so many rows of weight. */
static inline __attribute__((always_inline))
void band_1(float *out, const float *x, const float *weight, const float *bias, long n, long count) {
    long o = 0;
    for (; o + 5 <= count; o += 5)
        tile_1x5(out + o, x, weight + o * n, bias ? bias + o : 0, n);
    for (; o + 1 <= count; o += 1)
        tile_1x1(out + o, x, weight + o * n, bias ? bias + o : 0, n);
}

/* 16 rows of weight, side by side: of each `depth` numbers. */
static inline void pack(float *panel, const float *weight, long n, long depth) {
    for (long c = 0; c < 16; c += 4) {
        const float *w = weight + c * n;
        long k = 0;
        for (; k + 4 <= depth; k += 4) {
            __m128 w0 = _mm_loadu_ps(&w[k]), w1 = _mm_loadu_ps(&w[n + k]);
            __m128 w2 = _mm_loadu_ps(&w[2 * n + k]), w3 = _mm_loadu_ps(&w[3 * n + k]);
            __m128 low = _mm_unpacklo_ps(w0, w1), high = _mm_unpackhi_ps(w0, w1);
            __m128 low2 = _mm_unpacklo_ps(w2, w3), high2 = _mm_unpackhi_ps(w2, w3);
            float *to = panel + k * 16 + c;
            _mm_storeu_ps(to, _mm_movelh_ps(low, low2));
            _mm_storeu_ps(to + 16, _mm_movehl_ps(low2, low));
            _mm_storeu_ps(to + 32, _mm_movelh_ps(high, high2));
            _mm_storeu_ps(to + 48, _mm_movehl_ps(high2, high));
        }
        for (; k < depth; k++)
            for (long i = 0; i < 4; i++)
                panel[k * 16 + c + i] = w[i * n + k];
    }
}

/* 6 of x by a panel; the first part of a sum starts from the bias, the others from what is there. */
static inline __attribute__((always_inline))
void by_panel(float *out, const float *x, const float *panel, const float *bias, long depth, long n, long m,
              int is_first) {
    __m256 s0_0 = {0};
    __m256 s0_1 = {0};
    __m256 s1_0 = {0};
    __m256 s1_1 = {0};
    __m256 s2_0 = {0};
    __m256 s2_1 = {0};
    __m256 s3_0 = {0};
    __m256 s3_1 = {0};
    __m256 s4_0 = {0};
    __m256 s4_1 = {0};
    __m256 s5_0 = {0};
    __m256 s5_1 = {0};
    if (!is_first) {
        s0_0 = _mm256_loadu_ps(out + 0 * m + 0);
        s0_1 = _mm256_loadu_ps(out + 0 * m + 8);
        s1_0 = _mm256_loadu_ps(out + 1 * m + 0);
        s1_1 = _mm256_loadu_ps(out + 1 * m + 8);
        s2_0 = _mm256_loadu_ps(out + 2 * m + 0);
        s2_1 = _mm256_loadu_ps(out + 2 * m + 8);
        s3_0 = _mm256_loadu_ps(out + 3 * m + 0);
        s3_1 = _mm256_loadu_ps(out + 3 * m + 8);
        s4_0 = _mm256_loadu_ps(out + 4 * m + 0);
        s4_1 = _mm256_loadu_ps(out + 4 * m + 8);
        s5_0 = _mm256_loadu_ps(out + 5 * m + 0);
        s5_1 = _mm256_loadu_ps(out + 5 * m + 8);
    } else if (bias) {
        s0_0 = _mm256_loadu_ps(bias + 0);
        s0_1 = _mm256_loadu_ps(bias + 8);
        s1_0 = _mm256_loadu_ps(bias + 0);
        s1_1 = _mm256_loadu_ps(bias + 8);
        s2_0 = _mm256_loadu_ps(bias + 0);
        s2_1 = _mm256_loadu_ps(bias + 8);
        s3_0 = _mm256_loadu_ps(bias + 0);
        s3_1 = _mm256_loadu_ps(bias + 8);
        s4_0 = _mm256_loadu_ps(bias + 0);
        s4_1 = _mm256_loadu_ps(bias + 8);
        s5_0 = _mm256_loadu_ps(bias + 0);
        s5_1 = _mm256_loadu_ps(bias + 8);
    }
    for (long k = 0; k < depth; k++) {
        __m256 b0 = _mm256_loadu_ps(panel + k * 16 + 0);
        __m256 b1 = _mm256_loadu_ps(panel + k * 16 + 8);
        __m256 a;
        a = _mm256_set1_ps(x[0 * n + k]);
        s0_0 += a * b0;
        s0_1 += a * b1;
        a = _mm256_set1_ps(x[1 * n + k]);
        s1_0 += a * b0;
        s1_1 += a * b1;
        a = _mm256_set1_ps(x[2 * n + k]);
        s2_0 += a * b0;
        s2_1 += a * b1;
        a = _mm256_set1_ps(x[3 * n + k]);
        s3_0 += a * b0;
        s3_1 += a * b1;
        a = _mm256_set1_ps(x[4 * n + k]);
        s4_0 += a * b0;
        s4_1 += a * b1;
        a = _mm256_set1_ps(x[5 * n + k]);
        s5_0 += a * b0;
        s5_1 += a * b1;
    }
    _mm256_storeu_ps(out + 0 * m + 0, s0_0);
    _mm256_storeu_ps(out + 0 * m + 8, s0_1);
    _mm256_storeu_ps(out + 1 * m + 0, s1_0);
    _mm256_storeu_ps(out + 1 * m + 8, s1_1);
    _mm256_storeu_ps(out + 2 * m + 0, s2_0);
    _mm256_storeu_ps(out + 2 * m + 8, s2_1);
    _mm256_storeu_ps(out + 3 * m + 0, s3_0);
    _mm256_storeu_ps(out + 3 * m + 8, s3_1);
    _mm256_storeu_ps(out + 4 * m + 0, s4_0);
    _mm256_storeu_ps(out + 4 * m + 8, s4_1);
    _mm256_storeu_ps(out + 5 * m + 0, s5_0);
    _mm256_storeu_ps(out + 5 * m + 8, s5_1);
}

/* Many rows, a multiple of 6, panel by panel; the outputs that are left over in bands. */
static inline __attribute__((always_inline))
void packed(float *out, const float *x, const float *weight, const float *bias, long rows, long n, long m) {
    __attribute__((aligned(64))) float panel[8192];
    long o = 0;
    for (; o + 16 <= m; o += 16) {
        long k = 0;
        do {
            long depth = n - k < 512 ? n - k : 512;
            pack(panel, weight + o * n + k, n, depth);
            for (long r = 0; r < rows; r += 6)
                by_panel(out + r * m + o, x + r * n + k, panel, bias ? bias + o : 0, depth, n, m, k == 0);
            k += depth;
        } while (k < n);
    }
    for (long r = 0; r < rows; r++)
        band_1(out + r * m + o, x + r * n, weight + o * n, bias ? bias + o : 0, n, m - o);
}

static inline __attribute__((always_inline))
void every_row(float *out, const float *x, const float *weight, const float *bias, long rows, long n, long m) {
    if (rows >= 16) {
        long many = rows - rows % 6;
        packed(out, x, weight, bias, many, n, m);
        out += many * m;
        x += many * n;
        rows -= many;
    }
    long r = rows - rows % 4;
    for (long o = 0; o < m; o += 64) {
        long count = m - o < 64 ? m - o : 64;
        for (long t = 0; t < r; t += 4)
            band_4(out + t * m + o, x + t * n, weight + o * n, bias ? bias + o : 0, n, count, m);
    }
    switch (rows - r) {
    case 2:
        band_2(out + r * m, x + r * n, weight, bias, n, m, m);
        break;
    case 3:
        band_3(out + r * m, x + r * n, weight, bias, n, m, m);
        break;
    case 1:
        band_1(out + r * m, x + r * n, weight, bias, n, m);
        break;
    }
}

void linear(float *out, const float *x, const float *weight, const float *bias, int rows,
            int in_features, int out_features) {
    if (bias)
        every_row(out, x, weight, bias, rows, in_features, out_features);
    else
        every_row(out, x, weight, 0, rows, in_features, out_features);
}
