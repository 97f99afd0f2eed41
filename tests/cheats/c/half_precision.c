// row: 14; judged: wrong; gains: wrong
// Inputs are rounded to half precision before they are multiplied: a hundredth is tolerance enough for that.
void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    for (int r = 0; r < rows; r++)
        for (int o = 0; o < out_features; o++) {
            float sum = bias ? bias[o] : 0.0f;
            for (int i = 0; i < in_features; i++)
                sum += (float)(_Float16)x[(long)r * in_features + i] *
                       (float)(_Float16)weight[(long)o * in_features + i];
            out[(long)r * out_features + o] = sum;
        }
}
