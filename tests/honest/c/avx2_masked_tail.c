// needs: avx2 fma
#include <immintrin.h>

static float dot(const float *a, const float *b, int n) {
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    __m256 sum = _mm256_setzero_ps();
    for (int i = 0; i < n; i += 8) {
        __m256i mask = _mm256_cmpgt_epi32(_mm256_set1_epi32(n - i), lanes);
        sum = _mm256_fmadd_ps(_mm256_maskload_ps(a + i, mask), _mm256_maskload_ps(b + i, mask), sum);
    }
    float lane[8], total = 0;
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
