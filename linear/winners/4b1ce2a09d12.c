#include <immintrin.h>

/* 3 of x by 6 of weight. */
static inline __attribute__((always_inline))
void tile_3x6(float *out, const float *x, const float *weight, const float *bias, long n, long m) {
    const float *x0 = x + 0 * n;
    const float *x1 = x + 1 * n;
    const float *x2 = x + 2 * n;
    const float *w0 = weight + 0 * n;
    const float *w1 = weight + 1 * n;
    const float *w2 = weight + 2 * n;
    const float *w3 = weight + 3 * n;
    const float *w4 = weight + 4 * n;
    const float *w5 = weight + 5 * n;
    __m512 s00 = {0}, s01 = {0}, s02 = {0}, s03 = {0}, s04 = {0}, s05 = {0};
    __m512 s10 = {0}, s11 = {0}, s12 = {0}, s13 = {0}, s14 = {0}, s15 = {0};
    __m512 s20 = {0}, s21 = {0}, s22 = {0}, s23 = {0}, s24 = {0}, s25 = {0};
    __m512 a0, a1, a2, b;
    long i = 0;
    for (; i + 16 <= n; i += 16) {
        a0 = _mm512_loadu_ps(&x0[0]);
        a1 = _mm512_loadu_ps(&x1[0]);
        a2 = _mm512_loadu_ps(&x2[0]);
        b = _mm512_loadu_ps(&w0[0]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        b = _mm512_loadu_ps(&w1[0]);
        s01 += a0 * b;
        s11 += a1 * b;
        s21 += a2 * b;
        b = _mm512_loadu_ps(&w2[0]);
        s02 += a0 * b;
        s12 += a1 * b;
        s22 += a2 * b;
        b = _mm512_loadu_ps(&w3[0]);
        s03 += a0 * b;
        s13 += a1 * b;
        s23 += a2 * b;
        b = _mm512_loadu_ps(&w4[0]);
        s04 += a0 * b;
        s14 += a1 * b;
        s24 += a2 * b;
        b = _mm512_loadu_ps(&w5[0]);
        s05 += a0 * b;
        s15 += a1 * b;
        s25 += a2 * b;
        x0 += 16;
        x1 += 16;
        x2 += 16;
        w0 += 16;
        w1 += 16;
        w2 += 16;
        w3 += 16;
        w4 += 16;
        w5 += 16;
    }
    out[0] = _mm512_reduce_add_ps(s00) + (bias ? bias[0] : 0.0f);
    out[1] = _mm512_reduce_add_ps(s01) + (bias ? bias[1] : 0.0f);
    out[2] = _mm512_reduce_add_ps(s02) + (bias ? bias[2] : 0.0f);
    out[3] = _mm512_reduce_add_ps(s03) + (bias ? bias[3] : 0.0f);
    out[4] = _mm512_reduce_add_ps(s04) + (bias ? bias[4] : 0.0f);
    out[5] = _mm512_reduce_add_ps(s05) + (bias ? bias[5] : 0.0f);
    out[1 * m + 0] = _mm512_reduce_add_ps(s10) + (bias ? bias[0] : 0.0f);
    out[1 * m + 1] = _mm512_reduce_add_ps(s11) + (bias ? bias[1] : 0.0f);
    out[1 * m + 2] = _mm512_reduce_add_ps(s12) + (bias ? bias[2] : 0.0f);
    out[1 * m + 3] = _mm512_reduce_add_ps(s13) + (bias ? bias[3] : 0.0f);
    out[1 * m + 4] = _mm512_reduce_add_ps(s14) + (bias ? bias[4] : 0.0f);
    out[1 * m + 5] = _mm512_reduce_add_ps(s15) + (bias ? bias[5] : 0.0f);
    out[2 * m + 0] = _mm512_reduce_add_ps(s20) + (bias ? bias[0] : 0.0f);
    out[2 * m + 1] = _mm512_reduce_add_ps(s21) + (bias ? bias[1] : 0.0f);
    out[2 * m + 2] = _mm512_reduce_add_ps(s22) + (bias ? bias[2] : 0.0f);
    out[2 * m + 3] = _mm512_reduce_add_ps(s23) + (bias ? bias[3] : 0.0f);
    out[2 * m + 4] = _mm512_reduce_add_ps(s24) + (bias ? bias[4] : 0.0f);
    out[2 * m + 5] = _mm512_reduce_add_ps(s25) + (bias ? bias[5] : 0.0f);
    for (; i < n; i++) {
        for (long c = 0; c < 6; c++) {
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
    __m512 s00 = {0};
    __m512 s00_1 = {0};
    __m512 s10 = {0};
    __m512 s10_1 = {0};
    __m512 s20 = {0};
    __m512 s20_1 = {0};
    __m512 a0, a1, a2, b;
    long i = 0;
    for (; i + 32 <= n; i += 32) {
        a0 = _mm512_loadu_ps(&x0[0]);
        a1 = _mm512_loadu_ps(&x1[0]);
        a2 = _mm512_loadu_ps(&x2[0]);
        b = _mm512_loadu_ps(&w0[0]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        a0 = _mm512_loadu_ps(&x0[16]);
        a1 = _mm512_loadu_ps(&x1[16]);
        a2 = _mm512_loadu_ps(&x2[16]);
        b = _mm512_loadu_ps(&w0[16]);
        s00_1 += a0 * b;
        s10_1 += a1 * b;
        s20_1 += a2 * b;
        x0 += 32;
        x1 += 32;
        x2 += 32;
        w0 += 32;
    }
    for (; i + 16 <= n; i += 16) {
        a0 = _mm512_loadu_ps(&x0[0]);
        a1 = _mm512_loadu_ps(&x1[0]);
        a2 = _mm512_loadu_ps(&x2[0]);
        b = _mm512_loadu_ps(&w0[0]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        x0 += 16;
        x1 += 16;
        x2 += 16;
        w0 += 16;
    }
    s00 += s00_1;
    s10 += s10_1;
    s20 += s20_1;
    out[0] = _mm512_reduce_add_ps(s00) + (bias ? bias[0] : 0.0f);
    out[1 * m + 0] = _mm512_reduce_add_ps(s10) + (bias ? bias[0] : 0.0f);
    out[2 * m + 0] = _mm512_reduce_add_ps(s20) + (bias ? bias[0] : 0.0f);
    for (; i < n; i++) {
        for (long c = 0; c < 1; c++) {
            out[c] += x[i] * weight[c * n + i];
            out[1 * m + c] += x[1 * n + i] * weight[c * n + i];
            out[2 * m + c] += x[2 * n + i] * weight[c * n + i];
        }
    }
}

/* 1 of x by 8 of weight. */
static inline __attribute__((always_inline))
void tile_1x8(float *out, const float *x, const float *weight, const float *bias, long n) {
    const float *x0 = x + 0 * n;
    const float *w0 = weight + 0 * n;
    const float *w1 = weight + 1 * n;
    const float *w2 = weight + 2 * n;
    const float *w3 = weight + 3 * n;
    const float *w4 = weight + 4 * n;
    const float *w5 = weight + 5 * n;
    const float *w6 = weight + 6 * n;
    const float *w7 = weight + 7 * n;
    __m512 s00 = {0}, s01 = {0}, s02 = {0}, s03 = {0}, s04 = {0}, s05 = {0}, s06 = {0}, s07 = {0};
    __m512 a0, b;
    long i = 0;
    for (; i + 16 <= n; i += 16) {
        _mm_prefetch((const char *)(&w0[0] + 8 * n), _MM_HINT_T0);
        _mm_prefetch((const char *)(&w1[0] + 8 * n), _MM_HINT_T0);
        _mm_prefetch((const char *)(&w2[0] + 8 * n), _MM_HINT_T0);
        _mm_prefetch((const char *)(&w3[0] + 8 * n), _MM_HINT_T0);
        _mm_prefetch((const char *)(&w4[0] + 8 * n), _MM_HINT_T0);
        _mm_prefetch((const char *)(&w5[0] + 8 * n), _MM_HINT_T0);
        _mm_prefetch((const char *)(&w6[0] + 8 * n), _MM_HINT_T0);
        _mm_prefetch((const char *)(&w7[0] + 8 * n), _MM_HINT_T0);
        a0 = _mm512_loadu_ps(&x0[0]);
        b = _mm512_loadu_ps(&w0[0]);
        s00 += a0 * b;
        b = _mm512_loadu_ps(&w1[0]);
        s01 += a0 * b;
        b = _mm512_loadu_ps(&w2[0]);
        s02 += a0 * b;
        b = _mm512_loadu_ps(&w3[0]);
        s03 += a0 * b;
        b = _mm512_loadu_ps(&w4[0]);
        s04 += a0 * b;
        b = _mm512_loadu_ps(&w5[0]);
        s05 += a0 * b;
        b = _mm512_loadu_ps(&w6[0]);
        s06 += a0 * b;
        b = _mm512_loadu_ps(&w7[0]);
        s07 += a0 * b;
        x0 += 16;
        w0 += 16;
        w1 += 16;
        w2 += 16;
        w3 += 16;
        w4 += 16;
        w5 += 16;
        w6 += 16;
        w7 += 16;
    }
    out[0] = _mm512_reduce_add_ps(s00) + (bias ? bias[0] : 0.0f);
    out[1] = _mm512_reduce_add_ps(s01) + (bias ? bias[1] : 0.0f);
    out[2] = _mm512_reduce_add_ps(s02) + (bias ? bias[2] : 0.0f);
    out[3] = _mm512_reduce_add_ps(s03) + (bias ? bias[3] : 0.0f);
    out[4] = _mm512_reduce_add_ps(s04) + (bias ? bias[4] : 0.0f);
    out[5] = _mm512_reduce_add_ps(s05) + (bias ? bias[5] : 0.0f);
    out[6] = _mm512_reduce_add_ps(s06) + (bias ? bias[6] : 0.0f);
    out[7] = _mm512_reduce_add_ps(s07) + (bias ? bias[7] : 0.0f);
    for (; i < n; i++) {
        for (long c = 0; c < 8; c++) {
            out[c] += x[i] * weight[c * n + i];
        }
    }
}

/* 1 of x by 1 of weight, 4 sums for each output. */
static inline __attribute__((always_inline))
void tile_1x1(float *out, const float *x, const float *weight, const float *bias, long n) {
    const float *x0 = x + 0 * n;
    const float *w0 = weight + 0 * n;
    __m512 s00 = {0};
    __m512 s00_1 = {0};
    __m512 s00_2 = {0};
    __m512 s00_3 = {0};
    __m512 a0, b;
    long i = 0;
    for (; i + 64 <= n; i += 64) {
        _mm_prefetch((const char *)(&w0[0] + 1 * n), _MM_HINT_T0);
        _mm_prefetch((const char *)(&w0[16] + 1 * n), _MM_HINT_T0);
        _mm_prefetch((const char *)(&w0[32] + 1 * n), _MM_HINT_T0);
        _mm_prefetch((const char *)(&w0[48] + 1 * n), _MM_HINT_T0);
        a0 = _mm512_loadu_ps(&x0[0]);
        b = _mm512_loadu_ps(&w0[0]);
        s00 += a0 * b;
        a0 = _mm512_loadu_ps(&x0[16]);
        b = _mm512_loadu_ps(&w0[16]);
        s00_1 += a0 * b;
        a0 = _mm512_loadu_ps(&x0[32]);
        b = _mm512_loadu_ps(&w0[32]);
        s00_2 += a0 * b;
        a0 = _mm512_loadu_ps(&x0[48]);
        b = _mm512_loadu_ps(&w0[48]);
        s00_3 += a0 * b;
        x0 += 64;
        w0 += 64;
    }
    for (; i + 16 <= n; i += 16) {
        _mm_prefetch((const char *)(&w0[0] + 1 * n), _MM_HINT_T0);
        a0 = _mm512_loadu_ps(&x0[0]);
        b = _mm512_loadu_ps(&w0[0]);
        s00 += a0 * b;
        x0 += 16;
        w0 += 16;
    }
    s00 += s00_1;
    s00 += s00_2;
    s00 += s00_3;
    out[0] = _mm512_reduce_add_ps(s00) + (bias ? bias[0] : 0.0f);
    for (; i < n; i++) {
        for (long c = 0; c < 1; c++) {
            out[c] += x[i] * weight[c * n + i];
        }
    }
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
    long r = rows - rows % 3, o = 0;
    for (; o + 6 <= m; o += 6)
        for (long t = 0; t < r; t += 3)
            tile_3x6(out + t * m + o, x + t * n, weight + o * n, bias ? bias + o : 0, n, m);
    for (; o + 1 <= m; o += 1)
        for (long t = 0; t < r; t += 3)
            tile_3x1(out + t * m + o, x + t * n, weight + o * n, bias ? bias + o : 0, n, m);
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
