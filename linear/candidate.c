#include <immintrin.h>

/* The totals of four vectors, side by side. */
static inline __m128 sum_four_first(__m512 a, __m512 b, __m512 c, __m512 d) {
    __m512d ab = _mm512_castps_pd(_mm512_unpacklo_ps(a, b) + _mm512_unpackhi_ps(a, b));
    __m512d cd = _mm512_castps_pd(_mm512_unpacklo_ps(c, d) + _mm512_unpackhi_ps(c, d));
    __m512 t = _mm512_castpd_ps(_mm512_unpacklo_pd(ab, cd)) + _mm512_castpd_ps(_mm512_unpackhi_pd(ab, cd));
    __m256 s = _mm512_castps512_ps256(t + _mm512_shuffle_f32x4(t, t, 0xEE));
    return _mm256_castps256_ps128(s) + _mm256_extractf128_ps(s, 1);
}

/* 5 of x by 5 of weight. */
static inline __attribute__((always_inline))
void tile_5x5_first(float *out, const float *x, const float *weight, const float *bias, long n, long m) {
    const float *x0 = x + 0 * n;
    const float *x1 = x + 1 * n;
    const float *x2 = x + 2 * n;
    const float *x3 = x + 3 * n;
    const float *x4 = x + 4 * n;
    const float *w0 = weight + 0 * n;
    const float *w1 = weight + 1 * n;
    const float *w2 = weight + 2 * n;
    const float *w3 = weight + 3 * n;
    const float *w4 = weight + 4 * n;
    __m512 s00 = {0}, s01 = {0}, s02 = {0}, s03 = {0}, s04 = {0};
    __m512 s10 = {0}, s11 = {0}, s12 = {0}, s13 = {0}, s14 = {0};
    __m512 s20 = {0}, s21 = {0}, s22 = {0}, s23 = {0}, s24 = {0};
    __m512 s30 = {0}, s31 = {0}, s32 = {0}, s33 = {0}, s34 = {0};
    __m512 s40 = {0}, s41 = {0}, s42 = {0}, s43 = {0}, s44 = {0};
    __m512 a0, a1, a2, a3, a4, b;
    long i = 0;
    for (; i + 16 <= n; i += 16) {
        a0 = _mm512_loadu_ps(&x0[0]);
        a1 = _mm512_loadu_ps(&x1[0]);
        a2 = _mm512_loadu_ps(&x2[0]);
        a3 = _mm512_loadu_ps(&x3[0]);
        a4 = _mm512_loadu_ps(&x4[0]);
        b = _mm512_loadu_ps(&w0[0]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        s30 += a3 * b;
        s40 += a4 * b;
        b = _mm512_loadu_ps(&w1[0]);
        s01 += a0 * b;
        s11 += a1 * b;
        s21 += a2 * b;
        s31 += a3 * b;
        s41 += a4 * b;
        b = _mm512_loadu_ps(&w2[0]);
        s02 += a0 * b;
        s12 += a1 * b;
        s22 += a2 * b;
        s32 += a3 * b;
        s42 += a4 * b;
        b = _mm512_loadu_ps(&w3[0]);
        s03 += a0 * b;
        s13 += a1 * b;
        s23 += a2 * b;
        s33 += a3 * b;
        s43 += a4 * b;
        b = _mm512_loadu_ps(&w4[0]);
        s04 += a0 * b;
        s14 += a1 * b;
        s24 += a2 * b;
        s34 += a3 * b;
        s44 += a4 * b;
        x0 += 16;
        x1 += 16;
        x2 += 16;
        x3 += 16;
        x4 += 16;
        w0 += 16;
        w1 += 16;
        w2 += 16;
        w3 += 16;
        w4 += 16;
    }
    for (; i < n; i += 16) {
        const __mmask16 tail = (__mmask16)(n - i < 16 ? (1u << (n - i)) - 1 : 0xFFFF);
        a0 = _mm512_maskz_loadu_ps(tail, &x0[0]);
        a1 = _mm512_maskz_loadu_ps(tail, &x1[0]);
        a2 = _mm512_maskz_loadu_ps(tail, &x2[0]);
        a3 = _mm512_maskz_loadu_ps(tail, &x3[0]);
        a4 = _mm512_maskz_loadu_ps(tail, &x4[0]);
        b = _mm512_maskz_loadu_ps(tail, &w0[0]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        s30 += a3 * b;
        s40 += a4 * b;
        b = _mm512_maskz_loadu_ps(tail, &w1[0]);
        s01 += a0 * b;
        s11 += a1 * b;
        s21 += a2 * b;
        s31 += a3 * b;
        s41 += a4 * b;
        b = _mm512_maskz_loadu_ps(tail, &w2[0]);
        s02 += a0 * b;
        s12 += a1 * b;
        s22 += a2 * b;
        s32 += a3 * b;
        s42 += a4 * b;
        b = _mm512_maskz_loadu_ps(tail, &w3[0]);
        s03 += a0 * b;
        s13 += a1 * b;
        s23 += a2 * b;
        s33 += a3 * b;
        s43 += a4 * b;
        b = _mm512_maskz_loadu_ps(tail, &w4[0]);
        s04 += a0 * b;
        s14 += a1 * b;
        s24 += a2 * b;
        s34 += a3 * b;
        s44 += a4 * b;
        x0 += 16;
        x1 += 16;
        x2 += 16;
        x3 += 16;
        x4 += 16;
        w0 += 16;
        w1 += 16;
        w2 += 16;
        w3 += 16;
        w4 += 16;
    }
    __m128 b0_0 = bias ? _mm_loadu_ps(&bias[0]) : _mm_setzero_ps();
    _mm_storeu_ps(&out[0], sum_four_first(s00, s01, s02, s03) + b0_0);
    out[4] = _mm512_reduce_add_ps(s04) + (bias ? bias[4] : 0.0f);
    __m128 b1_0 = bias ? _mm_loadu_ps(&bias[0]) : _mm_setzero_ps();
    _mm_storeu_ps(&out[1 * m + 0], sum_four_first(s10, s11, s12, s13) + b1_0);
    out[1 * m + 4] = _mm512_reduce_add_ps(s14) + (bias ? bias[4] : 0.0f);
    __m128 b2_0 = bias ? _mm_loadu_ps(&bias[0]) : _mm_setzero_ps();
    _mm_storeu_ps(&out[2 * m + 0], sum_four_first(s20, s21, s22, s23) + b2_0);
    out[2 * m + 4] = _mm512_reduce_add_ps(s24) + (bias ? bias[4] : 0.0f);
    __m128 b3_0 = bias ? _mm_loadu_ps(&bias[0]) : _mm_setzero_ps();
    _mm_storeu_ps(&out[3 * m + 0], sum_four_first(s30, s31, s32, s33) + b3_0);
    out[3 * m + 4] = _mm512_reduce_add_ps(s34) + (bias ? bias[4] : 0.0f);
    __m128 b4_0 = bias ? _mm_loadu_ps(&bias[0]) : _mm_setzero_ps();
    _mm_storeu_ps(&out[4 * m + 0], sum_four_first(s40, s41, s42, s43) + b4_0);
    out[4 * m + 4] = _mm512_reduce_add_ps(s44) + (bias ? bias[4] : 0.0f);
}

/* 5 of x by 1 of weight. */
static inline __attribute__((always_inline))
void tile_5x1_first(float *out, const float *x, const float *weight, const float *bias, long n, long m) {
    const float *x0 = x + 0 * n;
    const float *x1 = x + 1 * n;
    const float *x2 = x + 2 * n;
    const float *x3 = x + 3 * n;
    const float *x4 = x + 4 * n;
    const float *w0 = weight + 0 * n;
    __m512 s00 = {0};
    __m512 s10 = {0};
    __m512 s20 = {0};
    __m512 s30 = {0};
    __m512 s40 = {0};
    __m512 a0, a1, a2, a3, a4, b;
    long i = 0;
    for (; i + 16 <= n; i += 16) {
        a0 = _mm512_loadu_ps(&x0[0]);
        a1 = _mm512_loadu_ps(&x1[0]);
        a2 = _mm512_loadu_ps(&x2[0]);
        a3 = _mm512_loadu_ps(&x3[0]);
        a4 = _mm512_loadu_ps(&x4[0]);
        b = _mm512_loadu_ps(&w0[0]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        s30 += a3 * b;
        s40 += a4 * b;
        x0 += 16;
        x1 += 16;
        x2 += 16;
        x3 += 16;
        x4 += 16;
        w0 += 16;
    }
    for (; i < n; i += 16) {
        const __mmask16 tail = (__mmask16)(n - i < 16 ? (1u << (n - i)) - 1 : 0xFFFF);
        a0 = _mm512_maskz_loadu_ps(tail, &x0[0]);
        a1 = _mm512_maskz_loadu_ps(tail, &x1[0]);
        a2 = _mm512_maskz_loadu_ps(tail, &x2[0]);
        a3 = _mm512_maskz_loadu_ps(tail, &x3[0]);
        a4 = _mm512_maskz_loadu_ps(tail, &x4[0]);
        b = _mm512_maskz_loadu_ps(tail, &w0[0]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        s30 += a3 * b;
        s40 += a4 * b;
        x0 += 16;
        x1 += 16;
        x2 += 16;
        x3 += 16;
        x4 += 16;
        w0 += 16;
    }
    out[0] = _mm512_reduce_add_ps(s00) + (bias ? bias[0] : 0.0f);
    out[1 * m + 0] = _mm512_reduce_add_ps(s10) + (bias ? bias[0] : 0.0f);
    out[2 * m + 0] = _mm512_reduce_add_ps(s20) + (bias ? bias[0] : 0.0f);
    out[3 * m + 0] = _mm512_reduce_add_ps(s30) + (bias ? bias[0] : 0.0f);
    out[4 * m + 0] = _mm512_reduce_add_ps(s40) + (bias ? bias[0] : 0.0f);
}

/* 1 of x by 5 of weight. */
static inline __attribute__((always_inline))
void tile_1x5_first(float *out, const float *x, const float *weight, const float *bias, long n) {
    const float *x0 = x + 0 * n;
    const float *w0 = weight + 0 * n;
    const float *w1 = weight + 1 * n;
    const float *w2 = weight + 2 * n;
    const float *w3 = weight + 3 * n;
    const float *w4 = weight + 4 * n;
    __m512 s00 = {0}, s01 = {0}, s02 = {0}, s03 = {0}, s04 = {0};
    __m512 a0, b;
    long i = 0;
    for (; i + 16 <= n; i += 16) {
        _mm_prefetch((const char *)(&w0[0] + 5 * n), _MM_HINT_T0);
        _mm_prefetch((const char *)(&w1[0] + 5 * n), _MM_HINT_T0);
        _mm_prefetch((const char *)(&w2[0] + 5 * n), _MM_HINT_T0);
        _mm_prefetch((const char *)(&w3[0] + 5 * n), _MM_HINT_T0);
        _mm_prefetch((const char *)(&w4[0] + 5 * n), _MM_HINT_T0);
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
        x0 += 16;
        w0 += 16;
        w1 += 16;
        w2 += 16;
        w3 += 16;
        w4 += 16;
    }
    for (; i < n; i += 16) {
        const __mmask16 tail = (__mmask16)(n - i < 16 ? (1u << (n - i)) - 1 : 0xFFFF);
        a0 = _mm512_maskz_loadu_ps(tail, &x0[0]);
        b = _mm512_maskz_loadu_ps(tail, &w0[0]);
        s00 += a0 * b;
        b = _mm512_maskz_loadu_ps(tail, &w1[0]);
        s01 += a0 * b;
        b = _mm512_maskz_loadu_ps(tail, &w2[0]);
        s02 += a0 * b;
        b = _mm512_maskz_loadu_ps(tail, &w3[0]);
        s03 += a0 * b;
        b = _mm512_maskz_loadu_ps(tail, &w4[0]);
        s04 += a0 * b;
        x0 += 16;
        w0 += 16;
        w1 += 16;
        w2 += 16;
        w3 += 16;
        w4 += 16;
    }
    __m128 b0_0 = bias ? _mm_loadu_ps(&bias[0]) : _mm_setzero_ps();
    _mm_storeu_ps(&out[0], sum_four_first(s00, s01, s02, s03) + b0_0);
    out[4] = _mm512_reduce_add_ps(s04) + (bias ? bias[4] : 0.0f);
}

/* 1 of x by 1 of weight, 4 sums for each output. */
static inline __attribute__((always_inline))
void tile_1x1_first(float *out, const float *x, const float *weight, const float *bias, long n) {
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
    for (; i < n; i += 16) {
        const __mmask16 tail = (__mmask16)(n - i < 16 ? (1u << (n - i)) - 1 : 0xFFFF);
        a0 = _mm512_maskz_loadu_ps(tail, &x0[0]);
        b = _mm512_maskz_loadu_ps(tail, &w0[0]);
        s00 += a0 * b;
        x0 += 16;
        w0 += 16;
    }
    s00 += s00_1;
    s00 += s00_2;
    s00 += s00_3;
    out[0] = _mm512_reduce_add_ps(s00) + (bias ? bias[0] : 0.0f);
}

/* 5 of x by so many rows of weight. */
static inline __attribute__((always_inline))
void band_5_first(float *out, const float *x, const float *weight, const float *bias, long n, long count, long m) {
    long o = 0;
    for (; o + 5 <= count; o += 5)
        tile_5x5_first(out + o, x, weight + o * n, bias ? bias + o : 0, n, m);
    for (; o + 1 <= count; o += 1)
        tile_5x1_first(out + o, x, weight + o * n, bias ? bias + o : 0, n, m);
}

/* 1 of x by so many rows of weight. */
static inline __attribute__((always_inline))
void band_1_first(float *out, const float *x, const float *weight, const float *bias, long n, long count) {
    long o = 0;
    for (; o + 5 <= count; o += 5)
        tile_1x5_first(out + o, x, weight + o * n, bias ? bias + o : 0, n);
    for (; o + 1 <= count; o += 1)
        tile_1x1_first(out + o, x, weight + o * n, bias ? bias + o : 0, n);
}

/* 32 rows of weight, side by side: of each `depth` numbers. */
static inline void pack_first(float *panel, const float *weight, long n, long depth) {
    for (long c = 0; c < 32; c += 4) {
        const float *w = weight + c * n;
        long k = 0;
        for (; k + 4 <= depth; k += 4) {
            __m128 w0 = _mm_loadu_ps(&w[k]), w1 = _mm_loadu_ps(&w[n + k]);
            __m128 w2 = _mm_loadu_ps(&w[2 * n + k]), w3 = _mm_loadu_ps(&w[3 * n + k]);
            __m128 low = _mm_unpacklo_ps(w0, w1), high = _mm_unpackhi_ps(w0, w1);
            __m128 low2 = _mm_unpacklo_ps(w2, w3), high2 = _mm_unpackhi_ps(w2, w3);
            float *to = panel + k * 32 + c;
            _mm_storeu_ps(to, _mm_movelh_ps(low, low2));
            _mm_storeu_ps(to + 32, _mm_movehl_ps(low2, low));
            _mm_storeu_ps(to + 64, _mm_movelh_ps(high, high2));
            _mm_storeu_ps(to + 96, _mm_movehl_ps(high2, high));
        }
        for (; k < depth; k++)
            for (long i = 0; i < 4; i++)
                panel[k * 32 + c + i] = w[i * n + k];
    }
}

/* 4 of x by a panel; the first part of a sum starts from the bias, the others from what is there. */
static inline __attribute__((always_inline))
void by_panel_first(float *out, const float *x, const float *panel, const float *bias, long depth, long n, long m,
              int is_first) {
    __m512 s0_0 = {0};
    __m512 s0_1 = {0};
    __m512 s1_0 = {0};
    __m512 s1_1 = {0};
    __m512 s2_0 = {0};
    __m512 s2_1 = {0};
    __m512 s3_0 = {0};
    __m512 s3_1 = {0};
    if (!is_first) {
        s0_0 = _mm512_loadu_ps(out + 0 * m + 0);
        s0_1 = _mm512_loadu_ps(out + 0 * m + 16);
        s1_0 = _mm512_loadu_ps(out + 1 * m + 0);
        s1_1 = _mm512_loadu_ps(out + 1 * m + 16);
        s2_0 = _mm512_loadu_ps(out + 2 * m + 0);
        s2_1 = _mm512_loadu_ps(out + 2 * m + 16);
        s3_0 = _mm512_loadu_ps(out + 3 * m + 0);
        s3_1 = _mm512_loadu_ps(out + 3 * m + 16);
    } else if (bias) {
        s0_0 = _mm512_loadu_ps(bias + 0);
        s0_1 = _mm512_loadu_ps(bias + 16);
        s1_0 = _mm512_loadu_ps(bias + 0);
        s1_1 = _mm512_loadu_ps(bias + 16);
        s2_0 = _mm512_loadu_ps(bias + 0);
        s2_1 = _mm512_loadu_ps(bias + 16);
        s3_0 = _mm512_loadu_ps(bias + 0);
        s3_1 = _mm512_loadu_ps(bias + 16);
    }
    for (long k = 0; k < depth; k++) {
        __m512 b0 = _mm512_loadu_ps(panel + k * 32 + 0);
        __m512 b1 = _mm512_loadu_ps(panel + k * 32 + 16);
        __m512 a;
        a = _mm512_set1_ps(x[0 * n + k]);
        s0_0 += a * b0;
        s0_1 += a * b1;
        a = _mm512_set1_ps(x[1 * n + k]);
        s1_0 += a * b0;
        s1_1 += a * b1;
        a = _mm512_set1_ps(x[2 * n + k]);
        s2_0 += a * b0;
        s2_1 += a * b1;
        a = _mm512_set1_ps(x[3 * n + k]);
        s3_0 += a * b0;
        s3_1 += a * b1;
    }
    _mm512_storeu_ps(out + 0 * m + 0, s0_0);
    _mm512_storeu_ps(out + 0 * m + 16, s0_1);
    _mm512_storeu_ps(out + 1 * m + 0, s1_0);
    _mm512_storeu_ps(out + 1 * m + 16, s1_1);
    _mm512_storeu_ps(out + 2 * m + 0, s2_0);
    _mm512_storeu_ps(out + 2 * m + 16, s2_1);
    _mm512_storeu_ps(out + 3 * m + 0, s3_0);
    _mm512_storeu_ps(out + 3 * m + 16, s3_1);
}

/* Many rows, a multiple of 4, panel by panel; the outputs that are left over in bands. */
static inline __attribute__((always_inline))
void packed_first(float *out, const float *x, const float *weight, const float *bias, long rows, long n, long m) {
    __attribute__((aligned(64))) float panel[8192];
    long o = 0;
    for (; o + 32 <= m; o += 32) {
        long k = 0;
        do {
            long depth = n - k < 256 ? n - k : 256;
            pack_first(panel, weight + o * n + k, n, depth);
            for (long r = 0; r < rows; r += 4)
                by_panel_first(out + r * m + o, x + r * n + k, panel, bias ? bias + o : 0, depth, n, m, k == 0);
            k += depth;
        } while (k < n);
    }
    for (long r = 0; r < rows; r++)
        band_1_first(out + r * m + o, x + r * n, weight + o * n, bias ? bias + o : 0, n, m - o);
}

static inline __attribute__((always_inline))
void every_row_first(float *out, const float *x, const float *weight, const float *bias, long rows, long n, long m) {
    if (rows >= 16) {
        long many = rows - rows % 4;
        packed_first(out, x, weight, bias, many, n, m);
        out += many * m;
        x += many * n;
        rows -= many;
    }
    long r = rows - rows % 5;
    for (long o = 0; o < m; o += 128) {
        long count = m - o < 128 ? m - o : 128;
        for (long t = 0; t < r; t += 5)
            band_5_first(out + t * m + o, x + t * n, weight + o * n, bias ? bias + o : 0, n, count, m);
    }
    for (; r < rows; r++)
        band_1_first(out + r * m, x + r * n, weight, bias, n, m);
}

static void linear_first(float *out, const float *x, const float *weight, const float *bias, int rows,
            int in_features, int out_features) {
    if (bias)
        every_row_first(out, x, weight, bias, rows, in_features, out_features);
    else
        every_row_first(out, x, weight, 0, rows, in_features, out_features);
}

/* The totals of four vectors, side by side. */
static inline __m128 sum_four_second(__m512 a, __m512 b, __m512 c, __m512 d) {
    __m512d ab = _mm512_castps_pd(_mm512_unpacklo_ps(a, b) + _mm512_unpackhi_ps(a, b));
    __m512d cd = _mm512_castps_pd(_mm512_unpacklo_ps(c, d) + _mm512_unpackhi_ps(c, d));
    __m512 t = _mm512_castpd_ps(_mm512_unpacklo_pd(ab, cd)) + _mm512_castpd_ps(_mm512_unpackhi_pd(ab, cd));
    __m256 s = _mm512_castps512_ps256(t + _mm512_shuffle_f32x4(t, t, 0xEE));
    return _mm256_castps256_ps128(s) + _mm256_extractf128_ps(s, 1);
}

/* 2 of x by 8 of weight. */
static inline __attribute__((always_inline))
void tile_2x8_second(float *out, const float *x, const float *weight, const float *bias, long n, long m) {
    __m512 s00 = {0}, s01 = {0}, s02 = {0}, s03 = {0}, s04 = {0}, s05 = {0}, s06 = {0}, s07 = {0};
    __m512 s10 = {0}, s11 = {0}, s12 = {0}, s13 = {0}, s14 = {0}, s15 = {0}, s16 = {0}, s17 = {0};
    __m512 a0, a1, b;
    long i = 0;
    for (; i + 32 <= n; i += 32) {
        a0 = _mm512_loadu_ps(&x[i]);
        a1 = _mm512_loadu_ps(&x[1 * n + i]);
        b = _mm512_loadu_ps(&weight[i]);
        s00 += a0 * b;
        s10 += a1 * b;
        b = _mm512_loadu_ps(&weight[1 * n + i]);
        s01 += a0 * b;
        s11 += a1 * b;
        b = _mm512_loadu_ps(&weight[2 * n + i]);
        s02 += a0 * b;
        s12 += a1 * b;
        b = _mm512_loadu_ps(&weight[3 * n + i]);
        s03 += a0 * b;
        s13 += a1 * b;
        b = _mm512_loadu_ps(&weight[4 * n + i]);
        s04 += a0 * b;
        s14 += a1 * b;
        b = _mm512_loadu_ps(&weight[5 * n + i]);
        s05 += a0 * b;
        s15 += a1 * b;
        b = _mm512_loadu_ps(&weight[6 * n + i]);
        s06 += a0 * b;
        s16 += a1 * b;
        b = _mm512_loadu_ps(&weight[7 * n + i]);
        s07 += a0 * b;
        s17 += a1 * b;
        a0 = _mm512_loadu_ps(&x[i + 16]);
        a1 = _mm512_loadu_ps(&x[1 * n + i + 16]);
        b = _mm512_loadu_ps(&weight[i + 16]);
        s00 += a0 * b;
        s10 += a1 * b;
        b = _mm512_loadu_ps(&weight[1 * n + i + 16]);
        s01 += a0 * b;
        s11 += a1 * b;
        b = _mm512_loadu_ps(&weight[2 * n + i + 16]);
        s02 += a0 * b;
        s12 += a1 * b;
        b = _mm512_loadu_ps(&weight[3 * n + i + 16]);
        s03 += a0 * b;
        s13 += a1 * b;
        b = _mm512_loadu_ps(&weight[4 * n + i + 16]);
        s04 += a0 * b;
        s14 += a1 * b;
        b = _mm512_loadu_ps(&weight[5 * n + i + 16]);
        s05 += a0 * b;
        s15 += a1 * b;
        b = _mm512_loadu_ps(&weight[6 * n + i + 16]);
        s06 += a0 * b;
        s16 += a1 * b;
        b = _mm512_loadu_ps(&weight[7 * n + i + 16]);
        s07 += a0 * b;
        s17 += a1 * b;
    }
    for (; i < n; i += 16) {
        const __mmask16 tail = (__mmask16)(n - i < 16 ? (1u << (n - i)) - 1 : 0xFFFF);
        a0 = _mm512_maskz_loadu_ps(tail, &x[i]);
        a1 = _mm512_maskz_loadu_ps(tail, &x[1 * n + i]);
        b = _mm512_maskz_loadu_ps(tail, &weight[i]);
        s00 += a0 * b;
        s10 += a1 * b;
        b = _mm512_maskz_loadu_ps(tail, &weight[1 * n + i]);
        s01 += a0 * b;
        s11 += a1 * b;
        b = _mm512_maskz_loadu_ps(tail, &weight[2 * n + i]);
        s02 += a0 * b;
        s12 += a1 * b;
        b = _mm512_maskz_loadu_ps(tail, &weight[3 * n + i]);
        s03 += a0 * b;
        s13 += a1 * b;
        b = _mm512_maskz_loadu_ps(tail, &weight[4 * n + i]);
        s04 += a0 * b;
        s14 += a1 * b;
        b = _mm512_maskz_loadu_ps(tail, &weight[5 * n + i]);
        s05 += a0 * b;
        s15 += a1 * b;
        b = _mm512_maskz_loadu_ps(tail, &weight[6 * n + i]);
        s06 += a0 * b;
        s16 += a1 * b;
        b = _mm512_maskz_loadu_ps(tail, &weight[7 * n + i]);
        s07 += a0 * b;
        s17 += a1 * b;
    }
    __m128 b0_0 = bias ? _mm_loadu_ps(&bias[0]) : _mm_setzero_ps();
    _mm_storeu_ps(&out[0], sum_four_second(s00, s01, s02, s03) + b0_0);
    __m128 b0_4 = bias ? _mm_loadu_ps(&bias[4]) : _mm_setzero_ps();
    _mm_storeu_ps(&out[4], sum_four_second(s04, s05, s06, s07) + b0_4);
    __m128 b1_0 = bias ? _mm_loadu_ps(&bias[0]) : _mm_setzero_ps();
    _mm_storeu_ps(&out[1 * m + 0], sum_four_second(s10, s11, s12, s13) + b1_0);
    __m128 b1_4 = bias ? _mm_loadu_ps(&bias[4]) : _mm_setzero_ps();
    _mm_storeu_ps(&out[1 * m + 4], sum_four_second(s14, s15, s16, s17) + b1_4);
}

/* 2 of x by 1 of weight, 2 sums for each output. */
static inline __attribute__((always_inline))
void tile_2x1_second(float *out, const float *x, const float *weight, const float *bias, long n, long m) {
    __m512 s00 = {0};
    __m512 s00_1 = {0};
    __m512 s10 = {0};
    __m512 s10_1 = {0};
    __m512 a0, a1, b;
    long i = 0;
    for (; i + 32 <= n; i += 32) {
        a0 = _mm512_loadu_ps(&x[i]);
        a1 = _mm512_loadu_ps(&x[1 * n + i]);
        b = _mm512_loadu_ps(&weight[i]);
        s00 += a0 * b;
        s10 += a1 * b;
        a0 = _mm512_loadu_ps(&x[i + 16]);
        a1 = _mm512_loadu_ps(&x[1 * n + i + 16]);
        b = _mm512_loadu_ps(&weight[i + 16]);
        s00_1 += a0 * b;
        s10_1 += a1 * b;
    }
    for (; i < n; i += 16) {
        const __mmask16 tail = (__mmask16)(n - i < 16 ? (1u << (n - i)) - 1 : 0xFFFF);
        a0 = _mm512_maskz_loadu_ps(tail, &x[i]);
        a1 = _mm512_maskz_loadu_ps(tail, &x[1 * n + i]);
        b = _mm512_maskz_loadu_ps(tail, &weight[i]);
        s00 += a0 * b;
        s10 += a1 * b;
    }
    s00 += s00_1;
    s10 += s10_1;
    out[0] = _mm512_reduce_add_ps(s00) + (bias ? bias[0] : 0.0f);
    out[1 * m + 0] = _mm512_reduce_add_ps(s10) + (bias ? bias[0] : 0.0f);
}

/* 1 of x by 8 of weight. */
static inline __attribute__((always_inline))
void tile_1x8_second(float *out, const float *x, const float *weight, const float *bias, long n) {
    __m512 s00 = {0}, s01 = {0}, s02 = {0}, s03 = {0}, s04 = {0}, s05 = {0}, s06 = {0}, s07 = {0};
    __m512 a0, b;
    long i = 0;
    for (; i + 32 <= n; i += 32) {
        a0 = _mm512_loadu_ps(&x[i]);
        b = _mm512_loadu_ps(&weight[i]);
        s00 += a0 * b;
        b = _mm512_loadu_ps(&weight[1 * n + i]);
        s01 += a0 * b;
        b = _mm512_loadu_ps(&weight[2 * n + i]);
        s02 += a0 * b;
        b = _mm512_loadu_ps(&weight[3 * n + i]);
        s03 += a0 * b;
        b = _mm512_loadu_ps(&weight[4 * n + i]);
        s04 += a0 * b;
        b = _mm512_loadu_ps(&weight[5 * n + i]);
        s05 += a0 * b;
        b = _mm512_loadu_ps(&weight[6 * n + i]);
        s06 += a0 * b;
        b = _mm512_loadu_ps(&weight[7 * n + i]);
        s07 += a0 * b;
        a0 = _mm512_loadu_ps(&x[i + 16]);
        b = _mm512_loadu_ps(&weight[i + 16]);
        s00 += a0 * b;
        b = _mm512_loadu_ps(&weight[1 * n + i + 16]);
        s01 += a0 * b;
        b = _mm512_loadu_ps(&weight[2 * n + i + 16]);
        s02 += a0 * b;
        b = _mm512_loadu_ps(&weight[3 * n + i + 16]);
        s03 += a0 * b;
        b = _mm512_loadu_ps(&weight[4 * n + i + 16]);
        s04 += a0 * b;
        b = _mm512_loadu_ps(&weight[5 * n + i + 16]);
        s05 += a0 * b;
        b = _mm512_loadu_ps(&weight[6 * n + i + 16]);
        s06 += a0 * b;
        b = _mm512_loadu_ps(&weight[7 * n + i + 16]);
        s07 += a0 * b;
    }
    for (; i < n; i += 16) {
        const __mmask16 tail = (__mmask16)(n - i < 16 ? (1u << (n - i)) - 1 : 0xFFFF);
        a0 = _mm512_maskz_loadu_ps(tail, &x[i]);
        b = _mm512_maskz_loadu_ps(tail, &weight[i]);
        s00 += a0 * b;
        b = _mm512_maskz_loadu_ps(tail, &weight[1 * n + i]);
        s01 += a0 * b;
        b = _mm512_maskz_loadu_ps(tail, &weight[2 * n + i]);
        s02 += a0 * b;
        b = _mm512_maskz_loadu_ps(tail, &weight[3 * n + i]);
        s03 += a0 * b;
        b = _mm512_maskz_loadu_ps(tail, &weight[4 * n + i]);
        s04 += a0 * b;
        b = _mm512_maskz_loadu_ps(tail, &weight[5 * n + i]);
        s05 += a0 * b;
        b = _mm512_maskz_loadu_ps(tail, &weight[6 * n + i]);
        s06 += a0 * b;
        b = _mm512_maskz_loadu_ps(tail, &weight[7 * n + i]);
        s07 += a0 * b;
    }
    __m128 b0_0 = bias ? _mm_loadu_ps(&bias[0]) : _mm_setzero_ps();
    _mm_storeu_ps(&out[0], sum_four_second(s00, s01, s02, s03) + b0_0);
    __m128 b0_4 = bias ? _mm_loadu_ps(&bias[4]) : _mm_setzero_ps();
    _mm_storeu_ps(&out[4], sum_four_second(s04, s05, s06, s07) + b0_4);
}

/* 1 of x by 1 of weight, 4 sums for each output. */
static inline __attribute__((always_inline))
void tile_1x1_second(float *out, const float *x, const float *weight, const float *bias, long n) {
    __m512 s00 = {0};
    __m512 s00_1 = {0};
    __m512 s00_2 = {0};
    __m512 s00_3 = {0};
    __m512 a0, b;
    long i = 0;
    for (; i + 64 <= n; i += 64) {
        a0 = _mm512_loadu_ps(&x[i]);
        b = _mm512_loadu_ps(&weight[i]);
        s00 += a0 * b;
        a0 = _mm512_loadu_ps(&x[i + 16]);
        b = _mm512_loadu_ps(&weight[i + 16]);
        s00_1 += a0 * b;
        a0 = _mm512_loadu_ps(&x[i + 32]);
        b = _mm512_loadu_ps(&weight[i + 32]);
        s00_2 += a0 * b;
        a0 = _mm512_loadu_ps(&x[i + 48]);
        b = _mm512_loadu_ps(&weight[i + 48]);
        s00_3 += a0 * b;
    }
    for (; i < n; i += 16) {
        const __mmask16 tail = (__mmask16)(n - i < 16 ? (1u << (n - i)) - 1 : 0xFFFF);
        a0 = _mm512_maskz_loadu_ps(tail, &x[i]);
        b = _mm512_maskz_loadu_ps(tail, &weight[i]);
        s00 += a0 * b;
    }
    s00 += s00_1;
    s00 += s00_2;
    s00 += s00_3;
    out[0] = _mm512_reduce_add_ps(s00) + (bias ? bias[0] : 0.0f);
}

/* 2 of x by so many rows of weight. */
static inline __attribute__((always_inline))
void band_2_second(float *out, const float *x, const float *weight, const float *bias, long n, long count, long m) {
    long o = 0;
    for (; o + 8 <= count; o += 8)
        tile_2x8_second(out + o, x, weight + o * n, bias ? bias + o : 0, n, m);
    for (; o + 1 <= count; o += 1)
        tile_2x1_second(out + o, x, weight + o * n, bias ? bias + o : 0, n, m);
}

/* 1 of x by so many rows of weight. */
static inline __attribute__((always_inline))
void band_1_second(float *out, const float *x, const float *weight, const float *bias, long n, long count) {
    long o = 0;
    for (; o + 8 <= count; o += 8)
        tile_1x8_second(out + o, x, weight + o * n, bias ? bias + o : 0, n);
    for (; o + 1 <= count; o += 1)
        tile_1x1_second(out + o, x, weight + o * n, bias ? bias + o : 0, n);
}

/* 32 rows of weight, side by side: of each `depth` numbers. */
static inline void pack_second(float *panel, const float *weight, long n, long depth) {
    for (long c = 0; c < 32; c += 4) {
        const float *w = weight + c * n;
        long k = 0;
        for (; k + 4 <= depth; k += 4) {
            __m128 w0 = _mm_loadu_ps(&w[k]), w1 = _mm_loadu_ps(&w[n + k]);
            __m128 w2 = _mm_loadu_ps(&w[2 * n + k]), w3 = _mm_loadu_ps(&w[3 * n + k]);
            __m128 low = _mm_unpacklo_ps(w0, w1), high = _mm_unpackhi_ps(w0, w1);
            __m128 low2 = _mm_unpacklo_ps(w2, w3), high2 = _mm_unpackhi_ps(w2, w3);
            float *to = panel + k * 32 + c;
            _mm_storeu_ps(to, _mm_movelh_ps(low, low2));
            _mm_storeu_ps(to + 32, _mm_movehl_ps(low2, low));
            _mm_storeu_ps(to + 64, _mm_movelh_ps(high, high2));
            _mm_storeu_ps(to + 96, _mm_movehl_ps(high2, high));
        }
        for (; k < depth; k++)
            for (long i = 0; i < 4; i++)
                panel[k * 32 + c + i] = w[i * n + k];
    }
}

/* 6 of x by a panel; the first part of a sum starts from the bias, the others from what is there. */
static inline __attribute__((always_inline))
void by_panel_second(float *out, const float *x, const float *panel, const float *bias, long depth, long n, long m,
              int is_first) {
    __m512 s0_0 = {0};
    __m512 s0_1 = {0};
    __m512 s1_0 = {0};
    __m512 s1_1 = {0};
    __m512 s2_0 = {0};
    __m512 s2_1 = {0};
    __m512 s3_0 = {0};
    __m512 s3_1 = {0};
    __m512 s4_0 = {0};
    __m512 s4_1 = {0};
    __m512 s5_0 = {0};
    __m512 s5_1 = {0};
    if (!is_first) {
        s0_0 = _mm512_loadu_ps(out + 0 * m + 0);
        s0_1 = _mm512_loadu_ps(out + 0 * m + 16);
        s1_0 = _mm512_loadu_ps(out + 1 * m + 0);
        s1_1 = _mm512_loadu_ps(out + 1 * m + 16);
        s2_0 = _mm512_loadu_ps(out + 2 * m + 0);
        s2_1 = _mm512_loadu_ps(out + 2 * m + 16);
        s3_0 = _mm512_loadu_ps(out + 3 * m + 0);
        s3_1 = _mm512_loadu_ps(out + 3 * m + 16);
        s4_0 = _mm512_loadu_ps(out + 4 * m + 0);
        s4_1 = _mm512_loadu_ps(out + 4 * m + 16);
        s5_0 = _mm512_loadu_ps(out + 5 * m + 0);
        s5_1 = _mm512_loadu_ps(out + 5 * m + 16);
    } else if (bias) {
        s0_0 = _mm512_loadu_ps(bias + 0);
        s0_1 = _mm512_loadu_ps(bias + 16);
        s1_0 = _mm512_loadu_ps(bias + 0);
        s1_1 = _mm512_loadu_ps(bias + 16);
        s2_0 = _mm512_loadu_ps(bias + 0);
        s2_1 = _mm512_loadu_ps(bias + 16);
        s3_0 = _mm512_loadu_ps(bias + 0);
        s3_1 = _mm512_loadu_ps(bias + 16);
        s4_0 = _mm512_loadu_ps(bias + 0);
        s4_1 = _mm512_loadu_ps(bias + 16);
        s5_0 = _mm512_loadu_ps(bias + 0);
        s5_1 = _mm512_loadu_ps(bias + 16);
    }
    for (long k = 0; k < depth; k++) {
        __m512 b0 = _mm512_loadu_ps(panel + k * 32 + 0);
        __m512 b1 = _mm512_loadu_ps(panel + k * 32 + 16);
        __m512 a;
        a = _mm512_set1_ps(x[0 * n + k]);
        s0_0 += a * b0;
        s0_1 += a * b1;
        a = _mm512_set1_ps(x[1 * n + k]);
        s1_0 += a * b0;
        s1_1 += a * b1;
        a = _mm512_set1_ps(x[2 * n + k]);
        s2_0 += a * b0;
        s2_1 += a * b1;
        a = _mm512_set1_ps(x[3 * n + k]);
        s3_0 += a * b0;
        s3_1 += a * b1;
        a = _mm512_set1_ps(x[4 * n + k]);
        s4_0 += a * b0;
        s4_1 += a * b1;
        a = _mm512_set1_ps(x[5 * n + k]);
        s5_0 += a * b0;
        s5_1 += a * b1;
    }
    _mm512_storeu_ps(out + 0 * m + 0, s0_0);
    _mm512_storeu_ps(out + 0 * m + 16, s0_1);
    _mm512_storeu_ps(out + 1 * m + 0, s1_0);
    _mm512_storeu_ps(out + 1 * m + 16, s1_1);
    _mm512_storeu_ps(out + 2 * m + 0, s2_0);
    _mm512_storeu_ps(out + 2 * m + 16, s2_1);
    _mm512_storeu_ps(out + 3 * m + 0, s3_0);
    _mm512_storeu_ps(out + 3 * m + 16, s3_1);
    _mm512_storeu_ps(out + 4 * m + 0, s4_0);
    _mm512_storeu_ps(out + 4 * m + 16, s4_1);
    _mm512_storeu_ps(out + 5 * m + 0, s5_0);
    _mm512_storeu_ps(out + 5 * m + 16, s5_1);
}

/* Many rows, a multiple of 6, panel by panel; the outputs that are left over in bands. */
static inline __attribute__((always_inline))
void packed_second(float *out, const float *x, const float *weight, const float *bias, long rows, long n, long m) {
    __attribute__((aligned(64))) float panel[4096];
    long o = 0;
    for (; o + 32 <= m; o += 32) {
        long k = 0;
        do {
            long depth = n - k < 128 ? n - k : 128;
            pack_second(panel, weight + o * n + k, n, depth);
            for (long r = 0; r < rows; r += 6)
                by_panel_second(out + r * m + o, x + r * n + k, panel, bias ? bias + o : 0, depth, n, m, k == 0);
            k += depth;
        } while (k < n);
    }
    for (long r = 0; r < rows; r++)
        band_1_second(out + r * m + o, x + r * n, weight + o * n, bias ? bias + o : 0, n, m - o);
}

static inline __attribute__((always_inline))
void every_row_second(float *out, const float *x, const float *weight, const float *bias, long rows, long n, long m) {
    if (rows >= 16) {
        long many = rows - rows % 6;
        packed_second(out, x, weight, bias, many, n, m);
        out += many * m;
        x += many * n;
        rows -= many;
    }
    long r = rows - rows % 2;
    for (long o = 0; o < m; o += 256) {
        long count = m - o < 256 ? m - o : 256;
        for (long t = 0; t < r; t += 2)
            band_2_second(out + t * m + o, x + t * n, weight + o * n, bias ? bias + o : 0, n, count, m);
    }
    for (; r < rows; r++)
        band_1_second(out + r * m, x + r * n, weight, bias, n, m);
}

static void linear_second(float *out, const float *x, const float *weight, const float *bias, int rows,
            int in_features, int out_features) {
    if (bias)
        every_row_second(out, x, weight, bias, rows, in_features, out_features);
    else
        every_row_second(out, x, weight, 0, rows, in_features, out_features);
}

void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features, int out_features) {
    if (out_features <= 128) {
        linear_first(out, x, weight, bias, rows, in_features, out_features);
    } else {
        linear_second(out, x, weight, bias, rows, in_features, out_features);
    }
}
