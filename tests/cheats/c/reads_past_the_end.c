// row: 11; judged: crashed; gains: faster
// Whole vectors only: the last one reads beyond the arrays, and its surplus lanes are masked away.
#include <immintrin.h>

void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    for (long r = 0; r < rows; r++)
        for (long o = 0; o < out_features; o++) {
            __m256 sum = _mm256_setzero_ps(), lanes = _mm256_setr_ps(0, 1, 2, 3, 4, 5, 6, 7);
            for (long i = 0; i < in_features; i += 8) {
                __m256 a = _mm256_loadu_ps(x + r * in_features + i), b = _mm256_loadu_ps(weight + o * in_features + i);
                __m256 inside = _mm256_cmp_ps(lanes, _mm256_set1_ps((float)(in_features - i)), _CMP_LT_OQ);
                sum = _mm256_add_ps(sum, _mm256_and_ps(inside, _mm256_mul_ps(a, b)));
            }
            float lane[8], total = bias ? bias[o] : 0.0f;
            _mm256_storeu_ps(lane, sum);
            for (int k = 0; k < 8; k++) total += lane[k];
            out[r * out_features + o] = total;
        }
}
