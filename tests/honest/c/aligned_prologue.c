// needs: avx
#include <immintrin.h>
#include <stdint.h>

static float dot(const float *a, const float *b, int n) {
    float total = 0;
    int i = 0;
    for (; i < n && ((uintptr_t)(b + i) & 31); i++) total += a[i] * b[i];
    __m256 sum = _mm256_setzero_ps();
    for (; i + 8 <= n; i += 8) sum = _mm256_add_ps(sum, _mm256_mul_ps(_mm256_loadu_ps(a + i), _mm256_load_ps(b + i)));
    for (; i < n; i++) total += a[i] * b[i];
    float lane[8];
    _mm256_storeu_ps(lane, sum);
    for (int k = 0; k < 8; k++) total += lane[k];
    return total;
}

void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    for (int r = 0; r < rows; r++)
        for (int o = 0; o < out_features; o++)
            out[(long)r * out_features + o] =
                dot(x + (long)r * in_features, weight + (long)o * in_features, in_features) + (bias ? bias[o] : 0.0f);
}
