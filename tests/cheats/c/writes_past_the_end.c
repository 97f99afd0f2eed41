// row: 11; judged: crashed, wrong; gains: wrong
// Eight outputs at a time: the last group of a row spills into the next row, and that of the last row beyond.
void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    for (long r = 0; r < rows; r++)
        for (long o = 0; o < out_features; o += 8)
            for (long k = 0; k < 8; k++) {
                long from = o + k < out_features ? o + k : out_features - 1;
                float sum = bias ? bias[from] : 0.0f;
                for (long i = 0; i < in_features; i++) sum += x[r * in_features + i] * weight[from * in_features + i];
                out[r * out_features + o + k] = sum;
            }
}
