#include <string.h>

enum { BLOCK = 128 };

void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    float panel[BLOCK][BLOCK]; /* 64 KB */
    const long n = in_features, m = out_features;
    for (long r = 0; r < rows; r++)
        for (long o = 0; o < m; o++) out[r * m + o] = bias ? bias[o] : 0.0f;
    for (long from = 0; from < n; from += BLOCK)
        for (long o = 0; o < m; o += BLOCK) {
            long deep = n - from < BLOCK ? n - from : BLOCK, wide = m - o < BLOCK ? m - o : BLOCK;
            for (long k = 0; k < wide; k++)
                for (long i = 0; i < deep; i++) panel[i][k] = weight[(o + k) * n + from + i];
            for (long r = 0; r < rows; r++)
                for (long i = 0; i < deep; i++)
                    for (long k = 0; k < wide; k++) out[r * m + o + k] += x[r * n + from + i] * panel[i][k];
        }
}
