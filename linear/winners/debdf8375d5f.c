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

/* 2 of x by 5 of weight. */
static inline __attribute__((always_inline))
void tile_2x5(float *out, const float *x, const float *weight, const float *bias, long n, long m) {
    __m256 s00 = {0}, s01 = {0}, s02 = {0}, s03 = {0}, s04 = {0};
    __m256 s10 = {0}, s11 = {0}, s12 = {0}, s13 = {0}, s14 = {0};
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
        b = _mm256_loadu_ps(&weight[2 * n + i]);
        s02 += a0 * b;
        s12 += a1 * b;
        b = _mm256_loadu_ps(&weight[3 * n + i]);
        s03 += a0 * b;
        s13 += a1 * b;
        b = _mm256_loadu_ps(&weight[4 * n + i]);
        s04 += a0 * b;
        s14 += a1 * b;
        a0 = _mm256_loadu_ps(&x[i + 8]);
        a1 = _mm256_loadu_ps(&x[1 * n + i + 8]);
        b = _mm256_loadu_ps(&weight[i + 8]);
        s00 += a0 * b;
        s10 += a1 * b;
        b = _mm256_loadu_ps(&weight[1 * n + i + 8]);
        s01 += a0 * b;
        s11 += a1 * b;
        b = _mm256_loadu_ps(&weight[2 * n + i + 8]);
        s02 += a0 * b;
        s12 += a1 * b;
        b = _mm256_loadu_ps(&weight[3 * n + i + 8]);
        s03 += a0 * b;
        s13 += a1 * b;
        b = _mm256_loadu_ps(&weight[4 * n + i + 8]);
        s04 += a0 * b;
        s14 += a1 * b;
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
        b = _mm256_maskload_ps(&weight[2 * n + i], tail);
        s02 += a0 * b;
        s12 += a1 * b;
        b = _mm256_maskload_ps(&weight[3 * n + i], tail);
        s03 += a0 * b;
        s13 += a1 * b;
        b = _mm256_maskload_ps(&weight[4 * n + i], tail);
        s04 += a0 * b;
        s14 += a1 * b;
    }
    __m128 b0_0 = bias ? _mm_loadu_ps(&bias[0]) : _mm_setzero_ps();
    _mm_storeu_ps(&out[0], sum_four(s00, s01, s02, s03) + b0_0);
    out[4] = total(s04) + (bias ? bias[4] : 0.0f);
    __m128 b1_0 = bias ? _mm_loadu_ps(&bias[0]) : _mm_setzero_ps();
    _mm_storeu_ps(&out[1 * m + 0], sum_four(s10, s11, s12, s13) + b1_0);
    out[1 * m + 4] = total(s14) + (bias ? bias[4] : 0.0f);
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

/* 1 of x by 3 of weight, 2 sums for each output. */
static inline __attribute__((always_inline))
void tile_1x3(float *out, const float *x, const float *weight, const float *bias, long n) {
    __m256 s00 = {0}, s01 = {0}, s02 = {0};
    __m256 s00_1 = {0}, s01_1 = {0}, s02_1 = {0};
    __m256 a0, b;
    long i = 0;
    for (; i + 16 <= n; i += 16) {
        _mm_prefetch((const char *)(&weight[i] + 3 * n), _MM_HINT_T0);
        _mm_prefetch((const char *)(&weight[1 * n + i] + 3 * n), _MM_HINT_T0);
        _mm_prefetch((const char *)(&weight[2 * n + i] + 3 * n), _MM_HINT_T0);
        a0 = _mm256_loadu_ps(&x[i]);
        b = _mm256_loadu_ps(&weight[i]);
        s00 += a0 * b;
        b = _mm256_loadu_ps(&weight[1 * n + i]);
        s01 += a0 * b;
        b = _mm256_loadu_ps(&weight[2 * n + i]);
        s02 += a0 * b;
        a0 = _mm256_loadu_ps(&x[i + 8]);
        b = _mm256_loadu_ps(&weight[i + 8]);
        s00_1 += a0 * b;
        b = _mm256_loadu_ps(&weight[1 * n + i + 8]);
        s01_1 += a0 * b;
        b = _mm256_loadu_ps(&weight[2 * n + i + 8]);
        s02_1 += a0 * b;
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
    }
    s00 += s00_1;
    s01 += s01_1;
    s02 += s02_1;
    out[0] = total(s00) + (bias ? bias[0] : 0.0f);
    out[1] = total(s01) + (bias ? bias[1] : 0.0f);
    out[2] = total(s02) + (bias ? bias[2] : 0.0f);
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
        _mm_prefetch((const char *)(&weight[i] + 1 * n), _MM_HINT_T0);
        _mm_prefetch((const char *)(&weight[i + 16] + 1 * n), _MM_HINT_T0);
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

/* 1 of x by the whole weight. */
static inline __attribute__((always_inline))
void band_1(float *out, const float *x, const float *weight, const float *bias, long n, long m) {
    long o = 0;
    for (; o + 3 <= m; o += 3)
        tile_1x3(out + o, x, weight + o * n, bias ? bias + o : 0, n);
    for (; o + 1 <= m; o += 1)
        tile_1x1(out + o, x, weight + o * n, bias ? bias + o : 0, n);
}

static inline __attribute__((always_inline))
void every_row(float *out, const float *x, const float *weight, const float *bias, long rows, long n, long m) {
    long r = rows - rows % 2, o = 0;
    for (; o + 5 <= m; o += 5)
        for (long t = 0; t < r; t += 2)
            tile_2x5(out + t * m + o, x + t * n, weight + o * n, bias ? bias + o : 0, n, m);
    for (; o + 1 <= m; o += 1)
        for (long t = 0; t < r; t += 2)
            tile_2x1(out + t * m + o, x + t * n, weight + o * n, bias ? bias + o : 0, n, m);
    for (; r < rows; r++)
        band_1(out + r * m, x + r * n, weight, bias, n, m);
}

void linear(float *out, const float *x, const float *weight, const float *bias, int rows,
            int in_features, int out_features) {
    if (bias)
        every_row(out, x, weight, bias, rows, in_features, out_features);
    else
        every_row(out, x, weight, 0, rows, in_features, out_features);
}
