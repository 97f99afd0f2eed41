#define EACH(i, n) for (long i = 0; i < (n); i++)
#define AT(array, row, column, width) (array)[(row) * (width) + (column)]
#define STEP(k) sum##k += AT(x, r, i + k, n) * AT(weight, o, i + k, n);
#define SUMS(does) does(0) does(1) does(2) does(3)
#define BEGIN(k) float sum##k = 0;

void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    const long n = in_features, m = out_features;
    EACH(r, rows) EACH(o, m) {
        SUMS(BEGIN)
        long i = 0;
        for (; i + 4 <= n; i += 4) { SUMS(STEP) }
        for (; i < n; i++) sum0 += AT(x, r, i, n) * AT(weight, o, i, n);
        AT(out, r, o, m) = (sum0 + sum1) + (sum2 + sum3) + (bias ? bias[o] : 0.0f);
    }
}
