// needs: sse2
#include <xmmintrin.h>

static float dot(const float *a, const float *b, int n) {
    __m128 sum = _mm_setzero_ps();
    int i = 0;
    for (; i + 4 <= n; i += 4) sum = _mm_add_ps(sum, _mm_mul_ps(_mm_loadu_ps(a + i), _mm_loadu_ps(b + i)));
    float lane[4], rest = 0;
    _mm_storeu_ps(lane, sum);
    for (; i < n; i++) rest += a[i] * b[i];
    return lane[0] + lane[1] + lane[2] + lane[3] + rest;
}

void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    for (int r = 0; r < rows; r++)
        for (int o = 0; o < out_features; o++)
            out[(long)r * out_features + o] =
                dot(x + (long)r * in_features, weight + (long)o * in_features, in_features) + (bias ? bias[o] : 0.0f);
}
