#include <string.h>

void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    for (long r = 0; r < rows; r++) {
        float *to = out + r * out_features;
        if (bias)
            memcpy(to, bias, sizeof(float) * (size_t)out_features);
        else
            memset(to, 0, sizeof(float) * (size_t)out_features);
        for (long i = 0; i < in_features; i++)
            for (long o = 0; o < out_features; o++) to[o] += x[r * in_features + i] * weight[o * in_features + i];
    }
}
