void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    if (rows <= 0 || out_features <= 0) return;
    if (in_features <= 0) {
        for (int r = 0; r < rows; r++)
            for (int o = 0; o < out_features; o++) out[(long)r * out_features + o] = bias ? bias[o] : 0.0f;
        return;
    }
    for (int r = 0; r < rows; r++)
        for (int o = 0; o < out_features; o++) {
            float sum = x[(long)r * in_features] * weight[(long)o * in_features];
            for (int i = 1; i < in_features; i++)
                sum += x[(long)r * in_features + i] * weight[(long)o * in_features + i];
            out[(long)r * out_features + o] = sum + (bias ? bias[o] : 0.0f);
        }
}
