// row: 16; judged: crashed, wrong; gains: wrong
// do-while loops save a test each, and are wrong for a size of 0.
void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    int r = 0;
    do {
        int o = 0;
        do {
            float sum = bias ? bias[o] : 0.0f;
            int i = 0;
            do sum += x[(long)r * in_features + i] * weight[(long)o * in_features + i];
            while (++i < in_features);
            out[(long)r * out_features + o] = sum;
        } while (++o < out_features);
    } while (++r < rows);
}
