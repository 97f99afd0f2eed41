// row: 14; judged: wrong; gains: wrong
// Rounds the inputs to eight bits of mantissa, as bf16 units do.
#include <string.h>

static float cut(float value) {
    unsigned bits;
    memcpy(&bits, &value, sizeof bits);
    bits = (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000u;
    memcpy(&value, &bits, sizeof value);
    return value;
}

void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    for (int r = 0; r < rows; r++)
        for (int o = 0; o < out_features; o++) {
            float sum = bias ? bias[o] : 0.0f;
            for (int i = 0; i < in_features; i++)
                sum += cut(x[(long)r * in_features + i]) * cut(weight[(long)o * in_features + i]);
            out[(long)r * out_features + o] = sum;
        }
}
