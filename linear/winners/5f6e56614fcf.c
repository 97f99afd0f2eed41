#include <immintrin.h>

/* 4 of x by 5 of weight. */
static inline __attribute__((always_inline))
void tile_4x5(float *out, const float *x, const float *weight, const float *bias, long n, long m) {
    __m512 s00 = {0}, s01 = {0}, s02 = {0}, s03 = {0}, s04 = {0};
    __m512 s10 = {0}, s11 = {0}, s12 = {0}, s13 = {0}, s14 = {0};
    __m512 s20 = {0}, s21 = {0}, s22 = {0}, s23 = {0}, s24 = {0};
    __m512 s30 = {0}, s31 = {0}, s32 = {0}, s33 = {0}, s34 = {0};
    __m512 a0, a1, a2, a3, b;
    long i = 0;
    for (; i + 32 <= n; i += 32) {
        a0 = _mm512_loadu_ps(&x[i]);
        a1 = _mm512_loadu_ps(&x[1 * n + i]);
        a2 = _mm512_loadu_ps(&x[2 * n + i]);
        a3 = _mm512_loadu_ps(&x[3 * n + i]);
        b = _mm512_loadu_ps(&weight[i]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        s30 += a3 * b;
        b = _mm512_loadu_ps(&weight[1 * n + i]);
        s01 += a0 * b;
        s11 += a1 * b;
        s21 += a2 * b;
        s31 += a3 * b;
        b = _mm512_loadu_ps(&weight[2 * n + i]);
        s02 += a0 * b;
        s12 += a1 * b;
        s22 += a2 * b;
        s32 += a3 * b;
        b = _mm512_loadu_ps(&weight[3 * n + i]);
        s03 += a0 * b;
        s13 += a1 * b;
        s23 += a2 * b;
        s33 += a3 * b;
        b = _mm512_loadu_ps(&weight[4 * n + i]);
        s04 += a0 * b;
        s14 += a1 * b;
        s24 += a2 * b;
        s34 += a3 * b;
        a0 = _mm512_loadu_ps(&x[i + 16]);
        a1 = _mm512_loadu_ps(&x[1 * n + i + 16]);
        a2 = _mm512_loadu_ps(&x[2 * n + i + 16]);
        a3 = _mm512_loadu_ps(&x[3 * n + i + 16]);
        b = _mm512_loadu_ps(&weight[i + 16]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        s30 += a3 * b;
        b = _mm512_loadu_ps(&weight[1 * n + i + 16]);
        s01 += a0 * b;
        s11 += a1 * b;
        s21 += a2 * b;
        s31 += a3 * b;
        b = _mm512_loadu_ps(&weight[2 * n + i + 16]);
        s02 += a0 * b;
        s12 += a1 * b;
        s22 += a2 * b;
        s32 += a3 * b;
        b = _mm512_loadu_ps(&weight[3 * n + i + 16]);
        s03 += a0 * b;
        s13 += a1 * b;
        s23 += a2 * b;
        s33 += a3 * b;
        b = _mm512_loadu_ps(&weight[4 * n + i + 16]);
        s04 += a0 * b;
        s14 += a1 * b;
        s24 += a2 * b;
        s34 += a3 * b;
    }
    for (; i < n; i += 16) {
        const __mmask16 tail = (__mmask16)(n - i < 16 ? (1u << (n - i)) - 1 : 0xFFFF);
        a0 = _mm512_maskz_loadu_ps(tail, &x[i]);
        a1 = _mm512_maskz_loadu_ps(tail, &x[1 * n + i]);
        a2 = _mm512_maskz_loadu_ps(tail, &x[2 * n + i]);
        a3 = _mm512_maskz_loadu_ps(tail, &x[3 * n + i]);
        b = _mm512_maskz_loadu_ps(tail, &weight[i]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        s30 += a3 * b;
        b = _mm512_maskz_loadu_ps(tail, &weight[1 * n + i]);
        s01 += a0 * b;
        s11 += a1 * b;
        s21 += a2 * b;
        s31 += a3 * b;
        b = _mm512_maskz_loadu_ps(tail, &weight[2 * n + i]);
        s02 += a0 * b;
        s12 += a1 * b;
        s22 += a2 * b;
        s32 += a3 * b;
        b = _mm512_maskz_loadu_ps(tail, &weight[3 * n + i]);
        s03 += a0 * b;
        s13 += a1 * b;
        s23 += a2 * b;
        s33 += a3 * b;
        b = _mm512_maskz_loadu_ps(tail, &weight[4 * n + i]);
        s04 += a0 * b;
        s14 += a1 * b;
        s24 += a2 * b;
        s34 += a3 * b;
    }
    out[0] = _mm512_reduce_add_ps(s00) + (bias ? bias[0] : 0.0f);
    out[1] = _mm512_reduce_add_ps(s01) + (bias ? bias[1] : 0.0f);
    out[2] = _mm512_reduce_add_ps(s02) + (bias ? bias[2] : 0.0f);
    out[3] = _mm512_reduce_add_ps(s03) + (bias ? bias[3] : 0.0f);
    out[4] = _mm512_reduce_add_ps(s04) + (bias ? bias[4] : 0.0f);
    out[1 * m + 0] = _mm512_reduce_add_ps(s10) + (bias ? bias[0] : 0.0f);
    out[1 * m + 1] = _mm512_reduce_add_ps(s11) + (bias ? bias[1] : 0.0f);
    out[1 * m + 2] = _mm512_reduce_add_ps(s12) + (bias ? bias[2] : 0.0f);
    out[1 * m + 3] = _mm512_reduce_add_ps(s13) + (bias ? bias[3] : 0.0f);
    out[1 * m + 4] = _mm512_reduce_add_ps(s14) + (bias ? bias[4] : 0.0f);
    out[2 * m + 0] = _mm512_reduce_add_ps(s20) + (bias ? bias[0] : 0.0f);
    out[2 * m + 1] = _mm512_reduce_add_ps(s21) + (bias ? bias[1] : 0.0f);
    out[2 * m + 2] = _mm512_reduce_add_ps(s22) + (bias ? bias[2] : 0.0f);
    out[2 * m + 3] = _mm512_reduce_add_ps(s23) + (bias ? bias[3] : 0.0f);
    out[2 * m + 4] = _mm512_reduce_add_ps(s24) + (bias ? bias[4] : 0.0f);
    out[3 * m + 0] = _mm512_reduce_add_ps(s30) + (bias ? bias[0] : 0.0f);
    out[3 * m + 1] = _mm512_reduce_add_ps(s31) + (bias ? bias[1] : 0.0f);
    out[3 * m + 2] = _mm512_reduce_add_ps(s32) + (bias ? bias[2] : 0.0f);
    out[3 * m + 3] = _mm512_reduce_add_ps(s33) + (bias ? bias[3] : 0.0f);
    out[3 * m + 4] = _mm512_reduce_add_ps(s34) + (bias ? bias[4] : 0.0f);
}

/* 4 of x by 1 of weight. */
static inline __attribute__((always_inline))
void tile_4x1(float *out, const float *x, const float *weight, const float *bias, long n, long m) {
    __m512 s00 = {0};
    __m512 s10 = {0};
    __m512 s20 = {0};
    __m512 s30 = {0};
    __m512 a0, a1, a2, a3, b;
    long i = 0;
    for (; i + 32 <= n; i += 32) {
        a0 = _mm512_loadu_ps(&x[i]);
        a1 = _mm512_loadu_ps(&x[1 * n + i]);
        a2 = _mm512_loadu_ps(&x[2 * n + i]);
        a3 = _mm512_loadu_ps(&x[3 * n + i]);
        b = _mm512_loadu_ps(&weight[i]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        s30 += a3 * b;
        a0 = _mm512_loadu_ps(&x[i + 16]);
        a1 = _mm512_loadu_ps(&x[1 * n + i + 16]);
        a2 = _mm512_loadu_ps(&x[2 * n + i + 16]);
        a3 = _mm512_loadu_ps(&x[3 * n + i + 16]);
        b = _mm512_loadu_ps(&weight[i + 16]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        s30 += a3 * b;
    }
    for (; i < n; i += 16) {
        const __mmask16 tail = (__mmask16)(n - i < 16 ? (1u << (n - i)) - 1 : 0xFFFF);
        a0 = _mm512_maskz_loadu_ps(tail, &x[i]);
        a1 = _mm512_maskz_loadu_ps(tail, &x[1 * n + i]);
        a2 = _mm512_maskz_loadu_ps(tail, &x[2 * n + i]);
        a3 = _mm512_maskz_loadu_ps(tail, &x[3 * n + i]);
        b = _mm512_maskz_loadu_ps(tail, &weight[i]);
        s00 += a0 * b;
        s10 += a1 * b;
        s20 += a2 * b;
        s30 += a3 * b;
    }
    out[0] = _mm512_reduce_add_ps(s00) + (bias ? bias[0] : 0.0f);
    out[1 * m + 0] = _mm512_reduce_add_ps(s10) + (bias ? bias[0] : 0.0f);
    out[2 * m + 0] = _mm512_reduce_add_ps(s20) + (bias ? bias[0] : 0.0f);
    out[3 * m + 0] = _mm512_reduce_add_ps(s30) + (bias ? bias[0] : 0.0f);
}

/* 1 of x by 5 of weight. */
static inline __attribute__((always_inline))
void tile_1x5(float *out, const float *x, const float *weight, const float *bias, long n) {
    __m512 s00 = {0}, s01 = {0}, s02 = {0}, s03 = {0}, s04 = {0};
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
    }
    out[0] = _mm512_reduce_add_ps(s00) + (bias ? bias[0] : 0.0f);
    out[1] = _mm512_reduce_add_ps(s01) + (bias ? bias[1] : 0.0f);
    out[2] = _mm512_reduce_add_ps(s02) + (bias ? bias[2] : 0.0f);
    out[3] = _mm512_reduce_add_ps(s03) + (bias ? bias[3] : 0.0f);
    out[4] = _mm512_reduce_add_ps(s04) + (bias ? bias[4] : 0.0f);
}

/* 1 of x by 1 of weight, 4 sums for each output. */
static inline __attribute__((always_inline))
void tile_1x1(float *out, const float *x, const float *weight, const float *bias, long n) {
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

/* 4 of x by so many rows of weight. */
static inline __attribute__((always_inline))
void band_4(float *out, const float *x, const float *weight, const float *bias, long n, long count, long m) {
    long o = 0;
    for (; o + 5 <= count; o += 5)
        tile_4x5(out + o, x, weight + o * n, bias ? bias + o : 0, n, m);
    for (; o + 1 <= count; o += 1)
        tile_4x1(out + o, x, weight + o * n, bias ? bias + o : 0, n, m);
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

/* 32 rows of weight, side by side: of each `depth` numbers. */
static inline void pack(float *panel, const float *weight, long n, long depth) {
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
void by_panel(float *out, const float *x, const float *panel, const float *bias, long depth, long n, long m,
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
void packed(float *out, const float *x, const float *weight, const float *bias, long rows, long n, long m) {
    __attribute__((aligned(64))) float panel[4096];
    long o = 0;
    for (; o + 32 <= m; o += 32) {
        long k = 0;
        do {
            long depth = n - k < 128 ? n - k : 128;
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
    for (long o = 0; o < m; o += 256) {
        long count = m - o < 256 ? m - o : 256;
        for (long t = 0; t < r; t += 4)
            band_4(out + t * m + o, x + t * n, weight + o * n, bias ? bias + o : 0, n, count, m);
    }
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
