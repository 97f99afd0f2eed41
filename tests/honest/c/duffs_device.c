static float dot(const float *a, const float *b, int n) {
    float sum = 0;
    int turns = (n + 3) / 4;
    if (n <= 0) return 0;
    switch (n % 4) {
    case 0: do { sum += *a++ * *b++;
    case 3: sum += *a++ * *b++;
    case 2: sum += *a++ * *b++;
    case 1: sum += *a++ * *b++;
            } while (--turns > 0);
    }
    return sum;
}

void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    for (int r = 0; r < rows; r++)
        for (int o = 0; o < out_features; o++)
            out[(long)r * out_features + o] =
                dot(x + (long)r * in_features, weight + (long)o * in_features, in_features) + (bias ? bias[o] : 0.0f);
}
