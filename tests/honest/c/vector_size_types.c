typedef float vec __attribute__((vector_size(32)));
typedef float loose __attribute__((vector_size(32), aligned(4), may_alias));

static float dot(const float *a, const float *b, int n) {
    vec s = {0}, t = {0};
    int i = 0;
    for (; i + 16 <= n; i += 16) {
        s += *(const loose *)(a + i) * *(const loose *)(b + i);
        t += *(const loose *)(a + i + 8) * *(const loose *)(b + i + 8);
    }
    s += t;
    float sum = 0;
    for (int k = 0; k < 8; k++) sum += s[k];
    for (; i < n; i++) sum += a[i] * b[i];
    return sum;
}

void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    for (int r = 0; r < rows; r++)
        for (int o = 0; o < out_features; o++)
            out[(long)r * out_features + o] =
                dot(x + (long)r * in_features, weight + (long)o * in_features, in_features) + (bias ? bias[o] : 0.0f);
}
