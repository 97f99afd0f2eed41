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

/* 5 of x by 2 of weight. */
static inline __attribute__((always_inline))
void tile_5x2(float *out, const float *x, const float *weight, const float *bias, long n, long m) {
    __m256 s00 = {0}, s01 = {0};
    __m256 s10 = {0}, s11 = {0};
    __m256 s20 = {0}, s21 = {0};
    __m256 s30 = {0}, s31 = {0};
    __m256 s40 = {0}, s41 = {0};
    __m256 a0, a1, a2, a3, a4, b;
    long i = 0;
    for (; i + 16 <= n; i += 16) {
        a0 = _mm256_loadu_ps(&x[i]);
        a1 = _mm256_loadu_ps(&x[1 * n + i]);
        a2 = _mm256_loadu_ps(&x[2 * n + i]);
        a3 = _mm256_loadu_ps(&x[3 * n + i]);
        a4 = _mm256_loadu_ps(&x[4 * n + i]);
        b = _mm256_loadu_ps(&weight[i]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        s30 += a3 * b;
        s40 += a4 * b;
        b = _mm256_loadu_ps(&weight[1 * n + i]);
        s01 += a0 * b;
        s11 += a1 * b;
        s21 += a2 * b;
        s31 += a3 * b;
        s41 += a4 * b;
        a0 = _mm256_loadu_ps(&x[i + 8]);
        a1 = _mm256_loadu_ps(&x[1 * n + i + 8]);
        a2 = _mm256_loadu_ps(&x[2 * n + i + 8]);
        a3 = _mm256_loadu_ps(&x[3 * n + i + 8]);
        a4 = _mm256_loadu_ps(&x[4 * n + i + 8]);
        b = _mm256_loadu_ps(&weight[i + 8]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        s30 += a3 * b;
        s40 += a4 * b;
        b = _mm256_loadu_ps(&weight[1 * n + i + 8]);
        s01 += a0 * b;
        s11 += a1 * b;
        s21 += a2 * b;
        s31 += a3 * b;
        s41 += a4 * b;
    }
    for (; i < n; i += 8) {
        const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        const __m256i tail = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(n - i)), lanes);
        a0 = _mm256_maskload_ps(&x[i], tail);
        a1 = _mm256_maskload_ps(&x[1 * n + i], tail);
        a2 = _mm256_maskload_ps(&x[2 * n + i], tail);
        a3 = _mm256_maskload_ps(&x[3 * n + i], tail);
        a4 = _mm256_maskload_ps(&x[4 * n + i], tail);
        b = _mm256_maskload_ps(&weight[i], tail);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        s30 += a3 * b;
        s40 += a4 * b;
        b = _mm256_maskload_ps(&weight[1 * n + i], tail);
        s01 += a0 * b;
        s11 += a1 * b;
        s21 += a2 * b;
        s31 += a3 * b;
        s41 += a4 * b;
    }
    out[0] = total(s00) + (bias ? bias[0] : 0.0f);
    out[1] = total(s01) + (bias ? bias[1] : 0.0f);
    out[1 * m + 0] = total(s10) + (bias ? bias[0] : 0.0f);
    out[1 * m + 1] = total(s11) + (bias ? bias[1] : 0.0f);
    out[2 * m + 0] = total(s20) + (bias ? bias[0] : 0.0f);
    out[2 * m + 1] = total(s21) + (bias ? bias[1] : 0.0f);
    out[3 * m + 0] = total(s30) + (bias ? bias[0] : 0.0f);
    out[3 * m + 1] = total(s31) + (bias ? bias[1] : 0.0f);
    out[4 * m + 0] = total(s40) + (bias ? bias[0] : 0.0f);
    out[4 * m + 1] = total(s41) + (bias ? bias[1] : 0.0f);
}

/* 5 of x by 1 of weight. */
static inline __attribute__((always_inline))
void tile_5x1(float *out, const float *x, const float *weight, const float *bias, long n, long m) {
    __m256 s00 = {0};
    __m256 s10 = {0};
    __m256 s20 = {0};
    __m256 s30 = {0};
    __m256 s40 = {0};
    __m256 a0, a1, a2, a3, a4, b;
    long i = 0;
    for (; i + 16 <= n; i += 16) {
        a0 = _mm256_loadu_ps(&x[i]);
        a1 = _mm256_loadu_ps(&x[1 * n + i]);
        a2 = _mm256_loadu_ps(&x[2 * n + i]);
        a3 = _mm256_loadu_ps(&x[3 * n + i]);
        a4 = _mm256_loadu_ps(&x[4 * n + i]);
        b = _mm256_loadu_ps(&weight[i]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        s30 += a3 * b;
        s40 += a4 * b;
        a0 = _mm256_loadu_ps(&x[i + 8]);
        a1 = _mm256_loadu_ps(&x[1 * n + i + 8]);
        a2 = _mm256_loadu_ps(&x[2 * n + i + 8]);
        a3 = _mm256_loadu_ps(&x[3 * n + i + 8]);
        a4 = _mm256_loadu_ps(&x[4 * n + i + 8]);
        b = _mm256_loadu_ps(&weight[i + 8]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        s30 += a3 * b;
        s40 += a4 * b;
    }
    for (; i < n; i += 8) {
        const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        const __m256i tail = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(n - i)), lanes);
        a0 = _mm256_maskload_ps(&x[i], tail);
        a1 = _mm256_maskload_ps(&x[1 * n + i], tail);
        a2 = _mm256_maskload_ps(&x[2 * n + i], tail);
        a3 = _mm256_maskload_ps(&x[3 * n + i], tail);
        a4 = _mm256_maskload_ps(&x[4 * n + i], tail);
        b = _mm256_maskload_ps(&weight[i], tail);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        s30 += a3 * b;
        s40 += a4 * b;
    }
    out[0] = total(s00) + (bias ? bias[0] : 0.0f);
    out[1 * m + 0] = total(s10) + (bias ? bias[0] : 0.0f);
    out[2 * m + 0] = total(s20) + (bias ? bias[0] : 0.0f);
    out[3 * m + 0] = total(s30) + (bias ? bias[0] : 0.0f);
    out[4 * m + 0] = total(s40) + (bias ? bias[0] : 0.0f);
}

/* 2 of x by 2 of weight. */
static inline __attribute__((always_inline))
void tile_2x2(float *out, const float *x, const float *weight, const float *bias, long n, long m) {
    __m256 s00 = {0}, s01 = {0};
    __m256 s10 = {0}, s11 = {0};
    __m256 a0, a1, b;
    long i = 0;
    for (; i + 16 <= n; i += 16) {
        a0 = _mm256_loadu_ps(&x[i]);
        a1 = _mm256_loadu_ps(&x[1 * n + i]);
        b = _mm256_loadu_ps(&weight[i]);
        s00 += a0 * b;
        s10 += a1 * b;
        b = _mm256_loadu_ps(&weight[1 * n + i]);
        s01 += a0 * b;
        s11 += a1 * b;
        a0 = _mm256_loadu_ps(&x[i + 8]);
        a1 = _mm256_loadu_ps(&x[1 * n + i + 8]);
        b = _mm256_loadu_ps(&weight[i + 8]);
        s00 += a0 * b;
        s10 += a1 * b;
        b = _mm256_loadu_ps(&weight[1 * n + i + 8]);
        s01 += a0 * b;
        s11 += a1 * b;
    }
    for (; i < n; i += 8) {
        const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        const __m256i tail = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(n - i)), lanes);
        a0 = _mm256_maskload_ps(&x[i], tail);
        a1 = _mm256_maskload_ps(&x[1 * n + i], tail);
        b = _mm256_maskload_ps(&weight[i], tail);
        s00 += a0 * b;
        s10 += a1 * b;
        b = _mm256_maskload_ps(&weight[1 * n + i], tail);
        s01 += a0 * b;
        s11 += a1 * b;
    }
    out[0] = total(s00) + (bias ? bias[0] : 0.0f);
    out[1] = total(s01) + (bias ? bias[1] : 0.0f);
    out[1 * m + 0] = total(s10) + (bias ? bias[0] : 0.0f);
    out[1 * m + 1] = total(s11) + (bias ? bias[1] : 0.0f);
}

/* 2 of x by 1 of weight, 2 sums for each output. */
static inline __attribute__((always_inline))
void tile_2x1(float *out, const float *x, const float *weight, const float *bias, long n, long m) {
    __m256 s00 = {0};
    __m256 s00_1 = {0};
    __m256 s10 = {0};
    __m256 s10_1 = {0};
    __m256 a0, a1, b;
    long i = 0;
    for (; i + 16 <= n; i += 16) {
        a0 = _mm256_loadu_ps(&x[i]);
        a1 = _mm256_loadu_ps(&x[1 * n + i]);
        b = _mm256_loadu_ps(&weight[i]);
        s00 += a0 * b;
        s10 += a1 * b;
        a0 = _mm256_loadu_ps(&x[i + 8]);
        a1 = _mm256_loadu_ps(&x[1 * n + i + 8]);
        b = _mm256_loadu_ps(&weight[i + 8]);
        s00_1 += a0 * b;
        s10_1 += a1 * b;
    }
    for (; i < n; i += 8) {
        const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        const __m256i tail = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(n - i)), lanes);
        a0 = _mm256_maskload_ps(&x[i], tail);
        a1 = _mm256_maskload_ps(&x[1 * n + i], tail);
        b = _mm256_maskload_ps(&weight[i], tail);
        s00 += a0 * b;
        s10 += a1 * b;
    }
    s00 += s00_1;
    s10 += s10_1;
    out[0] = total(s00) + (bias ? bias[0] : 0.0f);
    out[1 * m + 0] = total(s10) + (bias ? bias[0] : 0.0f);
}

/* 3 of x by 2 of weight. */
static inline __attribute__((always_inline))
void tile_3x2(float *out, const float *x, const float *weight, const float *bias, long n, long m) {
    __m256 s00 = {0}, s01 = {0};
    __m256 s10 = {0}, s11 = {0};
    __m256 s20 = {0}, s21 = {0};
    __m256 a0, a1, a2, b;
    long i = 0;
    for (; i + 16 <= n; i += 16) {
        a0 = _mm256_loadu_ps(&x[i]);
        a1 = _mm256_loadu_ps(&x[1 * n + i]);
        a2 = _mm256_loadu_ps(&x[2 * n + i]);
        b = _mm256_loadu_ps(&weight[i]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        b = _mm256_loadu_ps(&weight[1 * n + i]);
        s01 += a0 * b;
        s11 += a1 * b;
        s21 += a2 * b;
        a0 = _mm256_loadu_ps(&x[i + 8]);
        a1 = _mm256_loadu_ps(&x[1 * n + i + 8]);
        a2 = _mm256_loadu_ps(&x[2 * n + i + 8]);
        b = _mm256_loadu_ps(&weight[i + 8]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        b = _mm256_loadu_ps(&weight[1 * n + i + 8]);
        s01 += a0 * b;
        s11 += a1 * b;
        s21 += a2 * b;
    }
    for (; i < n; i += 8) {
        const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        const __m256i tail = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(n - i)), lanes);
        a0 = _mm256_maskload_ps(&x[i], tail);
        a1 = _mm256_maskload_ps(&x[1 * n + i], tail);
        a2 = _mm256_maskload_ps(&x[2 * n + i], tail);
        b = _mm256_maskload_ps(&weight[i], tail);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        b = _mm256_maskload_ps(&weight[1 * n + i], tail);
        s01 += a0 * b;
        s11 += a1 * b;
        s21 += a2 * b;
    }
    out[0] = total(s00) + (bias ? bias[0] : 0.0f);
    out[1] = total(s01) + (bias ? bias[1] : 0.0f);
    out[1 * m + 0] = total(s10) + (bias ? bias[0] : 0.0f);
    out[1 * m + 1] = total(s11) + (bias ? bias[1] : 0.0f);
    out[2 * m + 0] = total(s20) + (bias ? bias[0] : 0.0f);
    out[2 * m + 1] = total(s21) + (bias ? bias[1] : 0.0f);
}

/* 3 of x by 1 of weight, 2 sums for each output. */
static inline __attribute__((always_inline))
void tile_3x1(float *out, const float *x, const float *weight, const float *bias, long n, long m) {
    __m256 s00 = {0};
    __m256 s00_1 = {0};
    __m256 s10 = {0};
    __m256 s10_1 = {0};
    __m256 s20 = {0};
    __m256 s20_1 = {0};
    __m256 a0, a1, a2, b;
    long i = 0;
    for (; i + 16 <= n; i += 16) {
        a0 = _mm256_loadu_ps(&x[i]);
        a1 = _mm256_loadu_ps(&x[1 * n + i]);
        a2 = _mm256_loadu_ps(&x[2 * n + i]);
        b = _mm256_loadu_ps(&weight[i]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        a0 = _mm256_loadu_ps(&x[i + 8]);
        a1 = _mm256_loadu_ps(&x[1 * n + i + 8]);
        a2 = _mm256_loadu_ps(&x[2 * n + i + 8]);
        b = _mm256_loadu_ps(&weight[i + 8]);
        s00_1 += a0 * b;
        s10_1 += a1 * b;
        s20_1 += a2 * b;
    }
    for (; i < n; i += 8) {
        const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        const __m256i tail = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(n - i)), lanes);
        a0 = _mm256_maskload_ps(&x[i], tail);
        a1 = _mm256_maskload_ps(&x[1 * n + i], tail);
        a2 = _mm256_maskload_ps(&x[2 * n + i], tail);
        b = _mm256_maskload_ps(&weight[i], tail);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
    }
    s00 += s00_1;
    s10 += s10_1;
    s20 += s20_1;
    out[0] = total(s00) + (bias ? bias[0] : 0.0f);
    out[1 * m + 0] = total(s10) + (bias ? bias[0] : 0.0f);
    out[2 * m + 0] = total(s20) + (bias ? bias[0] : 0.0f);
}

/* 4 of x by 2 of weight. */
static inline __attribute__((always_inline))
void tile_4x2(float *out, const float *x, const float *weight, const float *bias, long n, long m) {
    __m256 s00 = {0}, s01 = {0};
    __m256 s10 = {0}, s11 = {0};
    __m256 s20 = {0}, s21 = {0};
    __m256 s30 = {0}, s31 = {0};
    __m256 a0, a1, a2, a3, b;
    long i = 0;
    for (; i + 16 <= n; i += 16) {
        a0 = _mm256_loadu_ps(&x[i]);
        a1 = _mm256_loadu_ps(&x[1 * n + i]);
        a2 = _mm256_loadu_ps(&x[2 * n + i]);
        a3 = _mm256_loadu_ps(&x[3 * n + i]);
        b = _mm256_loadu_ps(&weight[i]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        s30 += a3 * b;
        b = _mm256_loadu_ps(&weight[1 * n + i]);
        s01 += a0 * b;
        s11 += a1 * b;
        s21 += a2 * b;
        s31 += a3 * b;
        a0 = _mm256_loadu_ps(&x[i + 8]);
        a1 = _mm256_loadu_ps(&x[1 * n + i + 8]);
        a2 = _mm256_loadu_ps(&x[2 * n + i + 8]);
        a3 = _mm256_loadu_ps(&x[3 * n + i + 8]);
        b = _mm256_loadu_ps(&weight[i + 8]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        s30 += a3 * b;
        b = _mm256_loadu_ps(&weight[1 * n + i + 8]);
        s01 += a0 * b;
        s11 += a1 * b;
        s21 += a2 * b;
        s31 += a3 * b;
    }
    for (; i < n; i += 8) {
        const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        const __m256i tail = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(n - i)), lanes);
        a0 = _mm256_maskload_ps(&x[i], tail);
        a1 = _mm256_maskload_ps(&x[1 * n + i], tail);
        a2 = _mm256_maskload_ps(&x[2 * n + i], tail);
        a3 = _mm256_maskload_ps(&x[3 * n + i], tail);
        b = _mm256_maskload_ps(&weight[i], tail);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        s30 += a3 * b;
        b = _mm256_maskload_ps(&weight[1 * n + i], tail);
        s01 += a0 * b;
        s11 += a1 * b;
        s21 += a2 * b;
        s31 += a3 * b;
    }
    out[0] = total(s00) + (bias ? bias[0] : 0.0f);
    out[1] = total(s01) + (bias ? bias[1] : 0.0f);
    out[1 * m + 0] = total(s10) + (bias ? bias[0] : 0.0f);
    out[1 * m + 1] = total(s11) + (bias ? bias[1] : 0.0f);
    out[2 * m + 0] = total(s20) + (bias ? bias[0] : 0.0f);
    out[2 * m + 1] = total(s21) + (bias ? bias[1] : 0.0f);
    out[3 * m + 0] = total(s30) + (bias ? bias[0] : 0.0f);
    out[3 * m + 1] = total(s31) + (bias ? bias[1] : 0.0f);
}

/* 4 of x by 1 of weight. */
static inline __attribute__((always_inline))
void tile_4x1(float *out, const float *x, const float *weight, const float *bias, long n, long m) {
    __m256 s00 = {0};
    __m256 s10 = {0};
    __m256 s20 = {0};
    __m256 s30 = {0};
    __m256 a0, a1, a2, a3, b;
    long i = 0;
    for (; i + 16 <= n; i += 16) {
        a0 = _mm256_loadu_ps(&x[i]);
        a1 = _mm256_loadu_ps(&x[1 * n + i]);
        a2 = _mm256_loadu_ps(&x[2 * n + i]);
        a3 = _mm256_loadu_ps(&x[3 * n + i]);
        b = _mm256_loadu_ps(&weight[i]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        s30 += a3 * b;
        a0 = _mm256_loadu_ps(&x[i + 8]);
        a1 = _mm256_loadu_ps(&x[1 * n + i + 8]);
        a2 = _mm256_loadu_ps(&x[2 * n + i + 8]);
        a3 = _mm256_loadu_ps(&x[3 * n + i + 8]);
        b = _mm256_loadu_ps(&weight[i + 8]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        s30 += a3 * b;
    }
    for (; i < n; i += 8) {
        const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        const __m256i tail = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(n - i)), lanes);
        a0 = _mm256_maskload_ps(&x[i], tail);
        a1 = _mm256_maskload_ps(&x[1 * n + i], tail);
        a2 = _mm256_maskload_ps(&x[2 * n + i], tail);
        a3 = _mm256_maskload_ps(&x[3 * n + i], tail);
        b = _mm256_maskload_ps(&weight[i], tail);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        s30 += a3 * b;
    }
    out[0] = total(s00) + (bias ? bias[0] : 0.0f);
    out[1 * m + 0] = total(s10) + (bias ? bias[0] : 0.0f);
    out[2 * m + 0] = total(s20) + (bias ? bias[0] : 0.0f);
    out[3 * m + 0] = total(s30) + (bias ? bias[0] : 0.0f);
}

/* 1 of x by 8 of weight. */
static inline __attribute__((always_inline))
void tile_1x8(float *out, const float *x, const float *weight, const float *bias, long n) {
    __m256 s00 = {0}, s01 = {0}, s02 = {0}, s03 = {0}, s04 = {0}, s05 = {0}, s06 = {0}, s07 = {0};
    __m256 a0, b;
    long i = 0;
    for (; i + 16 <= n; i += 16) {
        a0 = _mm256_loadu_ps(&x[i]);
        b = _mm256_loadu_ps(&weight[i]);
        s00 += a0 * b;
        b = _mm256_loadu_ps(&weight[1 * n + i]);
        s01 += a0 * b;
        b = _mm256_loadu_ps(&weight[2 * n + i]);
        s02 += a0 * b;
        b = _mm256_loadu_ps(&weight[3 * n + i]);
        s03 += a0 * b;
        b = _mm256_loadu_ps(&weight[4 * n + i]);
        s04 += a0 * b;
        b = _mm256_loadu_ps(&weight[5 * n + i]);
        s05 += a0 * b;
        b = _mm256_loadu_ps(&weight[6 * n + i]);
        s06 += a0 * b;
        b = _mm256_loadu_ps(&weight[7 * n + i]);
        s07 += a0 * b;
        a0 = _mm256_loadu_ps(&x[i + 8]);
        b = _mm256_loadu_ps(&weight[i + 8]);
        s00 += a0 * b;
        b = _mm256_loadu_ps(&weight[1 * n + i + 8]);
        s01 += a0 * b;
        b = _mm256_loadu_ps(&weight[2 * n + i + 8]);
        s02 += a0 * b;
        b = _mm256_loadu_ps(&weight[3 * n + i + 8]);
        s03 += a0 * b;
        b = _mm256_loadu_ps(&weight[4 * n + i + 8]);
        s04 += a0 * b;
        b = _mm256_loadu_ps(&weight[5 * n + i + 8]);
        s05 += a0 * b;
        b = _mm256_loadu_ps(&weight[6 * n + i + 8]);
        s06 += a0 * b;
        b = _mm256_loadu_ps(&weight[7 * n + i + 8]);
        s07 += a0 * b;
    }
    for (; i < n; i += 8) {
        const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        const __m256i tail = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(n - i)), lanes);
        a0 = _mm256_maskload_ps(&x[i], tail);
        b = _mm256_maskload_ps(&weight[i], tail);
        s00 += a0 * b;
        b = _mm256_maskload_ps(&weight[1 * n + i], tail);
        s01 += a0 * b;
        b = _mm256_maskload_ps(&weight[2 * n + i], tail);
        s02 += a0 * b;
        b = _mm256_maskload_ps(&weight[3 * n + i], tail);
        s03 += a0 * b;
        b = _mm256_maskload_ps(&weight[4 * n + i], tail);
        s04 += a0 * b;
        b = _mm256_maskload_ps(&weight[5 * n + i], tail);
        s05 += a0 * b;
        b = _mm256_maskload_ps(&weight[6 * n + i], tail);
        s06 += a0 * b;
        b = _mm256_maskload_ps(&weight[7 * n + i], tail);
        s07 += a0 * b;
    }
    __m128 b0_0 = bias ? _mm_loadu_ps(&bias[0]) : _mm_setzero_ps();
    _mm_storeu_ps(&out[0], sum_four(s00, s01, s02, s03) + b0_0);
    __m128 b0_4 = bias ? _mm_loadu_ps(&bias[4]) : _mm_setzero_ps();
    _mm_storeu_ps(&out[4], sum_four(s04, s05, s06, s07) + b0_4);
}

/* 1 of x by 1 of weight, 4 sums for each output. */
static inline __attribute__((always_inline))
void tile_1x1(float *out, const float *x, const float *weight, const float *bias, long n) {
    __m256 s00 = {0};
    __m256 s00_1 = {0};
    __m256 s00_2 = {0};
    __m256 s00_3 = {0};
    __m256 a0, b;
    long i = 0;
    for (; i + 32 <= n; i += 32) {
        a0 = _mm256_loadu_ps(&x[i]);
        b = _mm256_loadu_ps(&weight[i]);
        s00 += a0 * b;
        a0 = _mm256_loadu_ps(&x[i + 8]);
        b = _mm256_loadu_ps(&weight[i + 8]);
        s00_1 += a0 * b;
        a0 = _mm256_loadu_ps(&x[i + 16]);
        b = _mm256_loadu_ps(&weight[i + 16]);
        s00_2 += a0 * b;
        a0 = _mm256_loadu_ps(&x[i + 24]);
        b = _mm256_loadu_ps(&weight[i + 24]);
        s00_3 += a0 * b;
    }
    for (; i < n; i += 8) {
        const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        const __m256i tail = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(n - i)), lanes);
        a0 = _mm256_maskload_ps(&x[i], tail);
        b = _mm256_maskload_ps(&weight[i], tail);
        s00 += a0 * b;
    }
    s00 += s00_1;
    s00 += s00_2;
    s00 += s00_3;
    out[0] = total(s00) + (bias ? bias[0] : 0.0f);
}

/* 5 of x by the whole weight. */
static inline __attribute__((always_inline))
void band_5(float *out, const float *x, const float *weight, const float *bias, long n, long m) {
    long o = 0;
    for (; o + 2 <= m; o += 2)
        tile_5x2(out + o, x, weight + o * n, bias ? bias + o : 0, n, m);
    for (; o + 1 <= m; o += 1)
        tile_5x1(out + o, x, weight + o * n, bias ? bias + o : 0, n, m);
}

/* 2 of x by the whole weight. */
static inline __attribute__((always_inline))
void band_2(float *out, const float *x, const float *weight, const float *bias, long n, long m) {
    long o = 0;
    for (; o + 2 <= m; o += 2)
        tile_2x2(out + o, x, weight + o * n, bias ? bias + o : 0, n, m);
    for (; o + 1 <= m; o += 1)
        tile_2x1(out + o, x, weight + o * n, bias ? bias + o : 0, n, m);
}

/* 3 of x by the whole weight. */
static inline __attribute__((always_inline))
void band_3(float *out, const float *x, const float *weight, const float *bias, long n, long m) {
    long o = 0;
    for (; o + 2 <= m; o += 2)
        tile_3x2(out + o, x, weight + o * n, bias ? bias + o : 0, n, m);
    for (; o + 1 <= m; o += 1)
        tile_3x1(out + o, x, weight + o * n, bias ? bias + o : 0, n, m);
}

/* 4 of x by the whole weight. */
static inline __attribute__((always_inline))
void band_4(float *out, const float *x, const float *weight, const float *bias, long n, long m) {
    long o = 0;
    for (; o + 2 <= m; o += 2)
        tile_4x2(out + o, x, weight + o * n, bias ? bias + o : 0, n, m);
    for (; o + 1 <= m; o += 1)
        tile_4x1(out + o, x, weight + o * n, bias ? bias + o : 0, n, m);
}

/* 1 of x by the whole weight. */
static inline __attribute__((always_inline))
void band_1(float *out, const float *x, const float *weight, const float *bias, long n, long m) {
    long o = 0;
    for (; o + 8 <= m; o += 8)
        tile_1x8(out + o, x, weight + o * n, bias ? bias + o : 0, n);
    for (; o + 1 <= m; o += 1)
        tile_1x1(out + o, x, weight + o * n, bias ? bias + o : 0, n);
}

static inline __attribute__((always_inline))
void every_row(float *out, const float *x, const float *weight, const float *bias, long rows, long n, long m) {
    long r = 0;
    for (; r + 5 <= rows; r += 5)
        band_5(out + r * m, x + r * n, weight, bias, n, m);
    switch (rows - r) {
    case 2:
        band_2(out + r * m, x + r * n, weight, bias, n, m);
        break;
    case 3:
        band_3(out + r * m, x + r * n, weight, bias, n, m);
        break;
    case 4:
        band_4(out + r * m, x + r * n, weight, bias, n, m);
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
