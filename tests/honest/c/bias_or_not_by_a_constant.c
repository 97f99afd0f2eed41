static inline __attribute__((always_inline)) void every(float *out, const float *x, const float *weight,
                                                        const float *bias, long rows, long n, long m, int biased) {
    for (long r = 0; r < rows; r++)
        for (long o = 0; o < m; o++) {
            float sum = biased ? bias[o] : 0.0f;
            for (long i = 0; i < n; i++) sum += x[r * n + i] * weight[o * n + i];
            out[r * m + o] = sum;
        }
}

void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    if (bias)
        every(out, x, weight, bias, rows, in_features, out_features, 1);
    else
        every(out, x, weight, bias, rows, in_features, out_features, 0);
}
