#include <string.h>

static void copy_row(char *to, const char *from, long bytes) { memmove(to, from, (size_t)bytes); }

void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    _Alignas(64) float row[1024];
    for (long r = 0; r < rows; r++)
        for (long o = 0; o < out_features; o++) {
            float sum = bias ? bias[o] : 0.0f;
            for (long from = 0; from < in_features; from += 1024) {
                long count = in_features - from < 1024 ? in_features - from : 1024;
                copy_row((char *)row, (const char *)(x + r * in_features + from), count * 4);
                for (long i = 0; i < count; i++) sum += row[i] * weight[o * in_features + from + i];
            }
            out[r * out_features + o] = sum;
        }
}
