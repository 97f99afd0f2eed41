void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    for (long r = 0; r < rows; r++)
        for (long o = 0; o < out_features; o++) {
            const float *a = x + r * in_features, *b = weight + o * in_features;
            float sum = bias ? bias[o] : 0.0f;
            for (long i = 0; i < in_features; i++) {
                if (i % 16 == 0) __builtin_prefetch(b + i + 64);
                sum = __builtin_expect(i < in_features, 1) ? sum + a[i] * b[i] : sum;
            }
            out[r * out_features + o] = sum;
        }
}
