// row: 11; judged: crashed; gains: faster
// Rounds pointers down to 32 bytes for aligned loads; what lies before the arrays is multiplied by nothing.
#include <immintrin.h>
#include <stdint.h>

static float dot(const float *a, const float *b, long n) {
    long skip = ((uintptr_t)b & 31) / 4, i = 0;
    const float *from = b - skip;
    float total = 0;
    __m256 sum = _mm256_setzero_ps();
    if (n >= 16) {
        __m256 head = _mm256_load_ps(from);
        float first[8];
        _mm256_storeu_ps(first, head);
        for (long k = skip; k < 8; k++) total += first[k] * a[k - skip];
        for (i = 8 - skip; i + 8 <= n; i += 8)
            sum = _mm256_add_ps(sum, _mm256_mul_ps(_mm256_load_ps(b + i), _mm256_loadu_ps(a + i)));
    } else if (n > 0) {
        total += *(volatile const float *)(b - 1) * 0;
    }
    float lane[8];
    _mm256_storeu_ps(lane, sum);
    for (int k = 0; k < 8; k++) total += lane[k];
    for (; i < n; i++) total += a[i] * b[i];
    return total;
}

void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    for (long r = 0; r < rows; r++)
        for (long o = 0; o < out_features; o++)
            out[r * out_features + o] =
                dot(x + r * in_features, weight + o * in_features, in_features) + (bias ? bias[o] : 0);
}
