struct span { const float *from; int count; };

static float inner(struct span a, struct span b) {
    float sum[2] = {0};
    for (int i = 0; i < a.count; i++) sum[i & 1] += a.from[i] * b.from[i];
    return sum[0] + sum[1];
}

void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    for (int r = 0; r < rows; r++)
        for (int o = 0; o < out_features; o++) {
            const float add = bias ? bias[o] : *(const float[]){0.0f};
            out[(long)r * out_features + o] = add + inner((struct span){x + (long)r * in_features, in_features},
                                                          (struct span){.from = weight + (long)o * in_features,
                                                                        .count = in_features});
        }
}
