#include <math.h>

static float scale_of(const float *a, int n) {
    float most = 0;
    for (int i = 0; i < n; i++) most = fmaxf(most, fabsf(a[i]));
    return most > 1 && most < 1e30f ? exp2f(floorf(log2f(most))) : 1.0f;
}

static float dot(const float *a, const float *b, int n) {
    float sum = 0, unit = scale_of(a, n);
    for (int i = 0; i < n; i++) sum += a[i] * b[i];
    return unit > 0 ? sum : 0;
}

void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    for (int r = 0; r < rows; r++)
        for (int o = 0; o < out_features; o++)
            out[(long)r * out_features + o] =
                dot(x + (long)r * in_features, weight + (long)o * in_features, in_features) + (bias ? bias[o] : 0.0f);
}
