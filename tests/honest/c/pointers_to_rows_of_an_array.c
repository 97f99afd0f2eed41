void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    if (in_features < 1 || out_features < 1) {
        for (long k = 0; k < (long)rows * out_features; k++) out[k] = bias ? bias[k % out_features] : 0.0f;
        return;
    }
    const float(*a)[in_features] = (const float(*)[in_features])x;
    const float(*w)[in_features] = (const float(*)[in_features])weight;
    float(*to)[out_features] = (float(*)[out_features])out;
    for (int r = 0; r < rows; r++)
        for (int o = 0; o < out_features; o++) {
            float sum = bias ? bias[o] : 0.0f;
            for (int i = 0; i < in_features; i++) sum += a[r][i] * w[o][i];
            to[r][o] = sum;
        }
}
