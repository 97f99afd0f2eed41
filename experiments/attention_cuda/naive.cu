// The seed: what every speed-up is stated against, written as one would say it. One thread for one query.

static __device__ float scored(const float *query, const float *key, int head_dim) {
    float sum = 0.0f;
    for (int c = 0; c < head_dim; c++) {
        sum += query[c] * key[c];
    }
    return sum / sqrtf((float)head_dim);
}

static __global__ void attend(float *out, const float *q, const float *k, const float *v, int rows, int tokens,
                              int head_dim) {
    const int row = blockIdx.x * blockDim.x + threadIdx.x;
    if (row >= rows) {
        return;
    }
    const int t = row % tokens;
    const float *query = q + row * head_dim;
    const float *keys = k + (row - t) * head_dim;
    const float *values = v + (row - t) * head_dim;
    float *mine = out + row * head_dim;

    float top = -INFINITY;
    for (int s = 0; s <= t; s++) {
        top = fmaxf(top, scored(query, keys + s * head_dim, head_dim));
    }
    float total = 0.0f;
    for (int c = 0; c < head_dim; c++) {
        mine[c] = 0.0f;
    }
    for (int s = 0; s <= t; s++) {
        const float weight = expf(scored(query, keys + s * head_dim, head_dim) - top);
        total += weight;
        for (int c = 0; c < head_dim; c++) {
            mine[c] += weight * values[s * head_dim + c];
        }
    }
    for (int c = 0; c < head_dim; c++) {
        mine[c] /= total;
    }
}

extern "C" void attention(float *out, const float *q, const float *k, const float *v, int batch, int n_heads,
                          int tokens, int head_dim) {
    const int rows = batch * n_heads * tokens;
    const int threads = 128;
    attend<<<(rows + threads - 1) / threads, threads>>>(out, q, k, v, rows, tokens, head_dim);
}
