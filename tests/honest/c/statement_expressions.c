#define DOT(a, b, n)                                        \
    ({                                                      \
        float sum_ = 0;                                     \
        for (int i_ = 0; i_ < (n); i_++) sum_ += (a)[i_] * (b)[i_]; \
        sum_;                                               \
    })

void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    for (int r = 0; r < rows; r++)
        for (int o = 0; o < out_features; o++)
            out[(long)r * out_features + o] =
                DOT(x + (long)r * in_features, weight + (long)o * in_features, in_features) + (bias ? bias[o] : 0.0f);
}
