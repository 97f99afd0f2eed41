typedef float product(const float *, const float *, int);

static float with_steps(const float *a, const float *b, int n) {
    float even = 0, odd = 0;
    for (int i = 0; i + 1 < n; i += 2) even += a[i] * b[i], odd += a[i + 1] * b[i + 1];
    return even + odd + (n % 2 ? a[n - 1] * b[n - 1] : 0.0f);
}

static float one_by_one(const float *a, const float *b, int n) {
    float sum = 0;
    for (int i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    product *const dot = in_features > 8 ? with_steps : one_by_one;
    for (int r = 0; r < rows; r++)
        for (int o = 0; o < out_features; o++)
            out[(long)r * out_features + o] =
                dot(x + (long)r * in_features, weight + (long)o * in_features, in_features) + (bias ? bias[o] : 0.0f);
}
