void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    long r = 0, o, i;
    float sum;
next_row:
    if (r >= rows) return;
    o = 0;
next_output:
    if (o >= out_features) {
        r++;
        goto next_row;
    }
    sum = bias ? bias[o] : 0.0f;
    i = 0;
next_term:
    if (i < in_features) {
        sum += x[r * in_features + i] * weight[o * in_features + i];
        i++;
        goto next_term;
    }
    out[r * out_features + o++] = sum;
    goto next_output;
}
