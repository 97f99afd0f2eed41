// row: 24; judged: slower, tie; gains: luck
// The seed itself, renamed. Where any smaller time wins, it wins every other time.
void linear(float *out, const float *x, const float *weight, const float *bias, int batch, int n,
            int m) {
    for (int row = 0; row < batch; row++)
        for (int column = 0; column < m; column++) {
            float total = bias ? bias[column] : 0.0f;
            for (int k = 0; k < n; k++) total += x[(long)row * n + k] * weight[(long)column * n + k];
            out[(long)row * m + column] = total;
        }
}
