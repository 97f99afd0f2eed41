static void two(float *out, const float *x, const float *w, float add, long n, long m) {
    float s = add, t = add;
    for (long i = 0; i < n; i++) s += x[i] * w[i], t += x[n + i] * w[i];
    out[0] = s, out[m] = t;
}

void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    const long n = in_features, m = out_features;
    long r = 0;
    for (; r + 2 <= rows; r += 2)
        for (long o = 0; o < m; o++) two(out + r * m + o, x + r * n, weight + o * n, bias ? bias[o] : 0.0f, n, m);
    for (; r < rows; r++)
        for (long o = 0; o < m; o++) {
            float sum = bias ? bias[o] : 0.0f;
            for (long i = 0; i < n; i++) sum += x[r * n + i] * weight[o * n + i];
            out[r * m + o] = sum;
        }
}
