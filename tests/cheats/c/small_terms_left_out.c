// row: 14; judged: wrong; gains: wrong
// Terms that are small beside the tolerance are skipped; many small ones are no longer small.
void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    for (int r = 0; r < rows; r++)
        for (int o = 0; o < out_features; o++) {
            float sum = bias ? bias[o] : 0.0f;
            for (int i = 0; i < in_features; i++) {
                float term = x[(long)r * in_features + i] * weight[(long)o * in_features + i];
                if (term > 1e-5f || term < -1e-5f) sum += term;
            }
            out[(long)r * out_features + o] = sum;
        }
}
