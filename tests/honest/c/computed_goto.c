void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    static const void *const nowhere = 0;
    void *const step[2] = {&&single, &&pair};
    for (long r = 0; r < rows; r++)
        for (long o = 0; o < out_features; o++) {
            const float *a = x + r * in_features, *b = weight + o * in_features;
            float sum = bias ? bias[o] : 0.0f, other = 0;
            long i = 0;
            if (nowhere || in_features == 0) goto done;
            goto *step[in_features % 2 == 0];
        single:
            sum += a[0] * b[0];
            i = 1;
        pair:
            for (; i + 1 < in_features; i += 2) sum += a[i] * b[i], other += a[i + 1] * b[i + 1];
        done:
            out[r * out_features + o] = sum + other;
        }
}
