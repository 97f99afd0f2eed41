[[gnu::noinline, gnu::hot]] static float dot(const float *a, const float *b, int n) {
    [[gnu::unused]] const int length = n;
    float sum = 0;
    for (int i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    for (int r = 0; r < rows; r++)
        for (int o = 0; o < out_features; o++)
            out[(long)r * out_features + o] =
                dot(x + (long)r * in_features, weight + (long)o * in_features, in_features) + (bias ? bias[o] : 0.0f);
}
