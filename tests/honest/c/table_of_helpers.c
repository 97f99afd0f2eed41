static float even(const float *a, const float *b, int n) {
    float s = 0, t = 0;
    for (int i = 0; i < n; i += 2) s += a[i] * b[i], t += a[i + 1] * b[i + 1];
    return s + t;
}

static float odd(const float *a, const float *b, int n) { return even(a, b, n - 1) + a[n - 1] * b[n - 1]; }

void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    float (*const choice[2])(const float *, const float *, int) = {even, odd};
    for (int r = 0; r < rows; r++)
        for (int o = 0; o < out_features; o++) {
            const float *a = x + (long)r * in_features, *b = weight + (long)o * in_features;
            out[(long)r * out_features + o] = choice[in_features & 1](a, b, in_features) + (bias ? bias[o] : 0);
        }
}
