/* The reference: one query at a time, one key at a time. Readable first; every speed-up is stated against it. */

#include <float.h>
#include <math.h>

enum { LONGEST = 1024 };

/* One query against the keys before `end`: `k` and `v` are those of its head, `keep` is that of its sequence or NULL. */
static void attend(float *out, const float *q, const float *k, const float *v, const unsigned char *keep, int end,
                   int head_dim) {
    float weight[LONGEST], top = -FLT_MAX, total = 0.0f;
    for (int j = 0; j < end; j++) {
        float score = 0.0f;
        for (int i = 0; i < head_dim; i++) {
            score += q[i] * k[(long)j * head_dim + i];
        }
        weight[j] = score / sqrtf(head_dim);
        if ((!keep || keep[j]) && weight[j] > top) {
            top = weight[j];
        }
    }
    for (int i = 0; i < head_dim; i++) {
        out[i] = 0.0f;
    }
    for (int j = 0; j < end; j++) {
        if (keep && !keep[j]) {
            continue;
        }
        weight[j] = expf(weight[j] - top);
        total += weight[j];
        for (int i = 0; i < head_dim; i++) {
            out[i] += weight[j] * v[(long)j * head_dim + i];
        }
    }
    for (int i = 0; i < head_dim; i++) {
        out[i] = total == 0.0f ? 0.0f : out[i] / total;
    }
}

void attention(float *out, const float *q, const float *k, const float *v, const unsigned char *keep, int batch,
               int n_heads, int n_kv_heads, int tokens, int head_dim, int causal) {
    for (int b = 0; b < batch; b++) {
        for (int h = 0; h < n_heads; h++) {
            long head = (long)b * n_heads + h, kv_head = (long)b * n_kv_heads + h / (n_heads / n_kv_heads);
            for (int t = 0; t < tokens; t++) {
                long row = (head * tokens + t) * head_dim, first = kv_head * tokens * head_dim;
                attend(out + row, q + row, k + first, v + first, keep ? keep + (long)b * tokens : 0,
                       causal ? t + 1 : tokens, head_dim);
            }
        }
    }
}
