#define ZERO(value) _Generic((value), float: 0.0f, double: 0.0, default: 0)
_Static_assert(sizeof(float) == 4, "float is four bytes");

void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    const __typeof__(*out) none = ZERO(*out);
    for (register long r = 0; r < rows; r++)
        for (register long o = 0; o < out_features; o++) {
            __auto_type sum = bias ? bias[o] : none;
            for (register long i = 0; i < in_features; i++) sum += x[r * in_features + i] * weight[o * in_features + i];
            out[r * out_features + o] = sum;
        }
}
