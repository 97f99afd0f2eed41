void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    for (long r = 0; r < rows; r++) {
        float *to = out + r * out_features;
        for (long o = 0; o < out_features; o++) to[o] = bias ? bias[o] : 0.0f;
        for (long i = 0; i < in_features; i++) {
            const float factor = x[r * in_features + i];
#pragma GCC ivdep
            for (long o = 0; o < out_features; o++) to[o] += factor * weight[o * in_features + i];
        }
    }
}
