// needs: avx2 fma
#include <immintrin.h>

static float dot(const float *a, const float *b, int n) {
    __m256 s = _mm256_setzero_ps(), t = _mm256_setzero_ps();
    int i = 0;
    for (; i + 16 <= n; i += 16) {
        s = _mm256_fmadd_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i), s);
        t = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 8), _mm256_loadu_ps(b + i + 8), t);
    }
    s = _mm256_add_ps(s, t);
    __m128 h = _mm_add_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1));
    h = _mm_add_ps(h, _mm_movehl_ps(h, h));
    float total = _mm_cvtss_f32(_mm_add_ss(h, _mm_movehdup_ps(h)));
    for (; i < n; i++) total += a[i] * b[i];
    return total;
}

void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    for (int r = 0; r < rows; r++)
        for (int o = 0; o < out_features; o++)
            out[(long)r * out_features + o] =
                dot(x + (long)r * in_features, weight + (long)o * in_features, in_features) + (bias ? bias[o] : 0.0f);
}
