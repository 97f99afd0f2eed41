static void row(float *restrict to, const float *restrict a, const float *restrict w, const float *restrict bias,
                long n, long m) {
    for (long o = 0; o < m; o++) {
        float s = 0, t = 0;
        long i = 0;
        for (; i + 2 <= n; i += 2) s += a[i] * w[o * n + i], t += a[i + 1] * w[o * n + i + 1];
        if (i < n) s += a[i] * w[o * n + i];
        to[o] = s + t + (bias ? bias[o] : 0.0f);
    }
}

void linear(float *restrict out, const float *restrict x, const float *restrict weight, const float *restrict bias,
            int rows, int in_features, int out_features) {
    for (long r = 0; r < rows; r++)
        row(out + r * out_features, x + r * in_features, weight, bias, in_features, out_features);
}
