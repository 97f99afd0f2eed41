#include <stdint.h>
#include <stdbool.h>
#include <limits.h>

union word { float value; uint32_t bits; };

static bool is_zero(float value) { return ((union word){.value = value}.bits & INT_MAX) == 0; }

void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    for (long r = 0; r < rows; r++)
        for (long o = 0; o < out_features; o++) {
            float sum = 0;
            for (long i = 0; i < in_features; i++) sum += x[r * in_features + i] * weight[o * in_features + i];
            float add = bias && !is_zero(bias[o]) ? bias[o] : 0.0f;
            out[r * out_features + o] = sum + add;
        }
}
