void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    float row[out_features + 1];
    for (long r = 0; r < rows; r++) {
        for (long o = 0; o < out_features; o++) {
            row[o] = bias ? bias[o] : 0.0f;
            for (long i = 0; i < in_features; i++) row[o] += x[r * in_features + i] * weight[o * in_features + i];
        }
        for (long o = 0; o < out_features; o++) out[r * out_features + o] = row[o];
    }
}
