static float dot(const float *a, const float *b, int n) {
    float s[8] = {0};
    const float *end = a + n / 8 * 8;
    for (; a < end; a += 8, b += 8) {
        s[0] += a[0] * b[0]; s[1] += a[1] * b[1]; s[2] += a[2] * b[2]; s[3] += a[3] * b[3];
        s[4] += a[4] * b[4]; s[5] += a[5] * b[5]; s[6] += a[6] * b[6]; s[7] += a[7] * b[7];
    }
    for (int left = n % 8; left > 0; left--) s[left] += *a++ * *b++;
    return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
}

void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    for (int r = 0; r < rows; r++)
        for (int o = 0; o < out_features; o++)
            out[(long)r * out_features + o] =
                dot(x + (long)r * in_features, weight + (long)o * in_features, in_features) + (bias ? bias[o] : 0.0f);
}
