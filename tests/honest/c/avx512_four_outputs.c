// needs: avx512f
#include <immintrin.h>

#define LOAD(p) _mm512_maskz_loadu_ps(mask, (p))

static void four(float *out, const float *a, const float *w, const float *bias, long n) {
    __m512 s[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps()};
    for (long i = 0; i < n; i += 16) {
        __mmask16 mask = n - i >= 16 ? 0xFFFF : (__mmask16)((1u << (n - i)) - 1);
        __m512 v = LOAD(a + i);
        for (int k = 0; k < 4; k++) s[k] = _mm512_fmadd_ps(v, LOAD(w + k * n + i), s[k]);
    }
    for (int k = 0; k < 4; k++) out[k] = _mm512_reduce_add_ps(s[k]) + (bias ? bias[k] : 0.0f);
}

void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    const long n = in_features;
    for (long r = 0; r < rows; r++) {
        long o = 0;
        for (; o + 4 <= out_features; o += 4)
            four(out + r * out_features + o, x + r * n, weight + o * n, bias ? bias + o : 0, n);
        for (; o < out_features; o++) {
            float sum = bias ? bias[o] : 0.0f;
            for (long i = 0; i < n; i++) sum += x[r * n + i] * weight[o * n + i];
            out[r * out_features + o] = sum;
        }
    }
}
