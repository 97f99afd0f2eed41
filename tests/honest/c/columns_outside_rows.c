void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    for (int o = 0; o < out_features; o++)
        for (int r = rows - 1; r >= 0; r--) {
            float sum = 0;
            for (int i = in_features - 1; i >= 0; i--)
                sum += x[(long)r * in_features + i] * weight[(long)o * in_features + i];
            out[(long)r * out_features + o] = bias ? sum + bias[o] : sum;
        }
}
