static inline __attribute__((always_inline)) float term(float a, float b) { return a * b; }

static __attribute__((pure, hot)) float first_half(const float *a, const float *b, int n) {
    float sum = 0;
    for (int i = 0; i < n / 2; i++) sum += term(a[i], b[i]);
    return sum;
}

static __attribute__((noinline)) float second_half(const float *a, const float *b, int n) {
    float sum = 0;
    for (int i = n / 2; i < n; i++) sum += term(a[i], b[i]);
    return sum;
}

static __attribute__((const)) long place(long row, long column, long width) { return row * width + column; }

static __attribute__((cold, unused)) void never(void) {}

void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    for (int r = 0; r < rows; r++)
        for (int o = 0; o < out_features; o++) {
            const float *a = x + place(r, 0, in_features), *b = weight + place(o, 0, in_features);
            float sum = first_half(a, b, in_features) + second_half(a, b, in_features);
            out[place(r, o, out_features)] = sum + (bias ? bias[o] : 0.0f);
        }
}
