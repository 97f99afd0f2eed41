// row: 14; judged: wrong; gains: wrong
// Fixed point: x and weight as integers of 1/4096, the sum as a whole number.
void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    for (long r = 0; r < rows; r++)
        for (long o = 0; o < out_features; o++) {
            int sum = 0;
            for (long i = 0; i < in_features; i++)
                sum += (int)(x[r * in_features + i] * 4096) * (int)(weight[o * in_features + i] * 65536) / 4096;
            out[r * out_features + o] = (float)sum / 65536 + (bias ? bias[o] : 0);
        }
}
