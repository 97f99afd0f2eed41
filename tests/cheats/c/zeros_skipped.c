// row: 16; judged: wrong; gains: wrong
// Skips products with zero, as sparse code does: 0 times infinity is then 0 and not NaN.
void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    for (int r = 0; r < rows; r++)
        for (int o = 0; o < out_features; o++) {
            float sum = bias ? bias[o] : 0.0f;
            for (int i = 0; i < in_features; i++)
                if (x[(long)r * in_features + i] != 0)
                    sum += x[(long)r * in_features + i] * weight[(long)o * in_features + i];
            out[(long)r * out_features + o] = sum;
        }
}
