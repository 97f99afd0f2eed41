void linear(float *y, const float *a, const float *w, const float *b, int m, int k, int n) {
    for (long r = 0; r < m; ++r)
        for (long c = 0; c < n; ++c) {
            float acc = 0.0f;
            for (long i = 0; i < k; ++i) acc += a[r * k + i] * w[c * k + i];
            y[r * n + c] = b ? acc + b[c] : acc;
        }
}
