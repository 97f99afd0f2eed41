// row: 16; judged: wrong; gains: wrong
// Sums x*2^60 * w and scales back: exact for tame data, overflows for large.
void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    for (int r = 0; r < rows; r++)
        for (int o = 0; o < out_features; o++) {
            float sum = 0;
            for (int i = 0; i < in_features; i++)
                sum += 0x1p60f * x[(long)r * in_features + i] * weight[(long)o * in_features + i];
            out[(long)r * out_features + o] = 0x1p-60f * sum + (bias ? bias[o] : 0.0f);
        }
}
