#include <math.h>
#include <immintrin.h>

enum { LONGEST = 1024, WIDEST = 128, LANES = 16, BLOCK = 1024 };

/* Below every score that is not infinite, and times a factor still no infinity. */
#define FLOOR (-1e38f)

/* 2 to the x, right to 3.5e-07 of itself: degree 5, off by 1.1e-07, and the roundings.
 * Below -126.0 it is 0; not-a-number stays what it is. */
static inline __m512 power(__m512 x) {
    __m512 n = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    __m512 r = x - n;
    __m512 p = r * 0.00132647273f + 0.00967151299f;
    p = p * r + 0.0555073358f;
    p = p * r + 0.240222424f;
    p = p * r + 0.693147004f;
    p = p * r + 1.0f;
    return _mm512_maskz_scalef_ps(_mm512_cmp_ps_mask(x, _mm512_set1_ps(-126.0f), _CMP_NLT_UQ), p, n);
}

/* The greatest of n scores; those that are not numbers come through the weights. */
static inline float greatest(const float *s, long n) {
    __m512 top = _mm512_set1_ps(FLOOR);
    long j = 0;
    for (; j + LANES <= n; j += LANES)
        top = _mm512_max_ps(_mm512_loadu_ps(&s[j]), top);
    if (j < n) {
        const __mmask16 tail = (__mmask16)((1u << (n - j)) - 1);
        top = _mm512_max_ps(_mm512_mask_blend_ps(tail, _mm512_set1_ps(FLOOR), _mm512_loadu_ps(&s[j])), top);
    }
    return _mm512_reduce_max_ps(top);
}

/* Scores to weights, in place, and their sum. */
static inline float weigh(float *s, long n, float factor, float shift) {
    __m512 sum = {0};
    long j = 0;
    for (; j + LANES <= n; j += LANES) {
        __m512 p = power(_mm512_loadu_ps(&s[j]) * factor - shift);
        _mm512_storeu_ps(&s[j], p);
        sum += p;
    }
    if (j < n) {
        const __mmask16 tail = (__mmask16)((1u << (n - j)) - 1);
        __m512 p = power(_mm512_loadu_ps(&s[j]) * factor - shift);
        _mm512_storeu_ps(&s[j], p);
        sum += _mm512_maskz_mov_ps(tail, p);
    }
    return _mm512_reduce_add_ps(sum);
}

/* Eight floats of eight keys, rows to columns: `to` has rows of LANES. */
static inline void turn(float *to, const float *const *k, long i) {
    __m256 a0 = _mm256_loadu_ps(k[0] + i);
    __m256 a1 = _mm256_loadu_ps(k[1] + i);
    __m256 a2 = _mm256_loadu_ps(k[2] + i);
    __m256 a3 = _mm256_loadu_ps(k[3] + i);
    __m256 a4 = _mm256_loadu_ps(k[4] + i);
    __m256 a5 = _mm256_loadu_ps(k[5] + i);
    __m256 a6 = _mm256_loadu_ps(k[6] + i);
    __m256 a7 = _mm256_loadu_ps(k[7] + i);
    __m256 b0 = _mm256_unpacklo_ps(a0, a1), b1 = _mm256_unpackhi_ps(a0, a1);
    __m256 b2 = _mm256_unpacklo_ps(a2, a3), b3 = _mm256_unpackhi_ps(a2, a3);
    __m256 b4 = _mm256_unpacklo_ps(a4, a5), b5 = _mm256_unpackhi_ps(a4, a5);
    __m256 b6 = _mm256_unpacklo_ps(a6, a7), b7 = _mm256_unpackhi_ps(a6, a7);
    __m256 c0 = _mm256_shuffle_ps(b0, b2, 0x44), c2 = _mm256_shuffle_ps(b0, b2, 0xEE);
    __m256 c1 = _mm256_shuffle_ps(b1, b3, 0x44), c3 = _mm256_shuffle_ps(b1, b3, 0xEE);
    __m256 c4 = _mm256_shuffle_ps(b4, b6, 0x44), c6 = _mm256_shuffle_ps(b4, b6, 0xEE);
    __m256 c5 = _mm256_shuffle_ps(b5, b7, 0x44), c7 = _mm256_shuffle_ps(b5, b7, 0xEE);
    _mm256_storeu_ps(to + 0 * LANES, _mm256_permute2f128_ps(c0, c4, 0x20));
    _mm256_storeu_ps(to + 4 * LANES, _mm256_permute2f128_ps(c0, c4, 0x31));
    _mm256_storeu_ps(to + 1 * LANES, _mm256_permute2f128_ps(c2, c6, 0x20));
    _mm256_storeu_ps(to + 5 * LANES, _mm256_permute2f128_ps(c2, c6, 0x31));
    _mm256_storeu_ps(to + 2 * LANES, _mm256_permute2f128_ps(c1, c5, 0x20));
    _mm256_storeu_ps(to + 6 * LANES, _mm256_permute2f128_ps(c1, c5, 0x31));
    _mm256_storeu_ps(to + 3 * LANES, _mm256_permute2f128_ps(c3, c7, 0x20));
    _mm256_storeu_ps(to + 7 * LANES, _mm256_permute2f128_ps(c3, c7, 0x31));
}

/* The keys that may be seen, in panels of LANES: each has dim rows, and in a row one float of each of its keys. */
static inline __attribute__((always_inline)) void pack(float *to, const float *k, const int *at, long n, long dim) {
    for (long j = 0; j < n; j += LANES, to += LANES * dim) {
        long i = 0, some = n - j < LANES ? n - j : LANES;
        if (some == LANES) {
            const float *key[LANES];
            for (long l = 0; l < LANES; l++)
                key[l] = k + (at ? at[j + l] : (j + l) * dim);
            for (; i + 8 <= dim; i += 8)
                for (long l = 0; l < LANES; l += 8)
                    turn(to + i * LANES + l, key + l, i);
        }
        for (long l = 0; l < some; l++) {
            const float *key = k + (at ? at[j + l] : (j + l) * dim);
            for (long d = i; d < dim; d++)
                to[d * LANES + l] = key[d];
        }
        for (; i < dim; i++)
            for (long l = some; l < LANES; l++)
                to[i * LANES + l] = 0.0f;
    }
}

/* 4 queries by 3 vectors of keys. */
static inline void scores_4x3(float *s, long width, const float *q, const float *k, long dim) {
    __m512 s0_0 = {0}, s0_1 = {0}, s0_2 = {0};
    __m512 s1_0 = {0}, s1_1 = {0}, s1_2 = {0};
    __m512 s2_0 = {0}, s2_1 = {0}, s2_2 = {0};
    __m512 s3_0 = {0}, s3_1 = {0}, s3_2 = {0};
    long i = 0;
    for (; i + 1 <= dim; i += 1, k += 1 * LANES) {
        __m512 b;
        b = _mm512_loadu_ps(&k[0]);
        s0_0 += b * q[i];
        s1_0 += b * q[1 * dim + i];
        s2_0 += b * q[2 * dim + i];
        s3_0 += b * q[3 * dim + i];
        b = _mm512_loadu_ps(&k[1 * LANES * dim]);
        s0_1 += b * q[i];
        s1_1 += b * q[1 * dim + i];
        s2_1 += b * q[2 * dim + i];
        s3_1 += b * q[3 * dim + i];
        b = _mm512_loadu_ps(&k[2 * LANES * dim]);
        s0_2 += b * q[i];
        s1_2 += b * q[1 * dim + i];
        s2_2 += b * q[2 * dim + i];
        s3_2 += b * q[3 * dim + i];
    }
    _mm512_storeu_ps(&s[0 * width + 0 * LANES], s0_0);
    _mm512_storeu_ps(&s[0 * width + 1 * LANES], s0_1);
    _mm512_storeu_ps(&s[0 * width + 2 * LANES], s0_2);
    _mm512_storeu_ps(&s[1 * width + 0 * LANES], s1_0);
    _mm512_storeu_ps(&s[1 * width + 1 * LANES], s1_1);
    _mm512_storeu_ps(&s[1 * width + 2 * LANES], s1_2);
    _mm512_storeu_ps(&s[2 * width + 0 * LANES], s2_0);
    _mm512_storeu_ps(&s[2 * width + 1 * LANES], s2_1);
    _mm512_storeu_ps(&s[2 * width + 2 * LANES], s2_2);
    _mm512_storeu_ps(&s[3 * width + 0 * LANES], s3_0);
    _mm512_storeu_ps(&s[3 * width + 1 * LANES], s3_1);
    _mm512_storeu_ps(&s[3 * width + 2 * LANES], s3_2);
}

/* 4 queries by 1 vectors of keys. */
static inline void scores_4x1(float *s, long width, const float *q, const float *k, long dim) {
    __m512 s0_0 = {0};
    __m512 s1_0 = {0};
    __m512 s2_0 = {0};
    __m512 s3_0 = {0};
    long i = 0;
    for (; i + 1 <= dim; i += 1, k += 1 * LANES) {
        __m512 b;
        b = _mm512_loadu_ps(&k[0]);
        s0_0 += b * q[i];
        s1_0 += b * q[1 * dim + i];
        s2_0 += b * q[2 * dim + i];
        s3_0 += b * q[3 * dim + i];
    }
    _mm512_storeu_ps(&s[0 * width + 0 * LANES], s0_0);
    _mm512_storeu_ps(&s[1 * width + 0 * LANES], s1_0);
    _mm512_storeu_ps(&s[2 * width + 0 * LANES], s2_0);
    _mm512_storeu_ps(&s[3 * width + 0 * LANES], s3_0);
}

/* 1 queries by 3 vectors of keys. */
static inline void scores_1x3(float *s, long width, const float *q, const float *k, long dim) {
    __m512 s0_0 = {0}, s0_1 = {0}, s0_2 = {0};
    long i = 0;
    for (; i + 1 <= dim; i += 1, k += 1 * LANES) {
        __m512 b;
        b = _mm512_loadu_ps(&k[0]);
        s0_0 += b * q[i];
        b = _mm512_loadu_ps(&k[1 * LANES * dim]);
        s0_1 += b * q[i];
        b = _mm512_loadu_ps(&k[2 * LANES * dim]);
        s0_2 += b * q[i];
    }
    _mm512_storeu_ps(&s[0 * width + 0 * LANES], s0_0);
    _mm512_storeu_ps(&s[0 * width + 1 * LANES], s0_1);
    _mm512_storeu_ps(&s[0 * width + 2 * LANES], s0_2);
}

/* 1 queries by 1 vectors of keys. */
static inline void scores_1x1(float *s, long width, const float *q, const float *k, long dim) {
    __m512 s0_0 = {0};
    long i = 0;
    for (; i + 1 <= dim; i += 1, k += 1 * LANES) {
        __m512 b;
        b = _mm512_loadu_ps(&k[0]);
        s0_0 += b * q[i];
    }
    _mm512_storeu_ps(&s[0 * width + 0 * LANES], s0_0);
}

/* 4 queries by 1 vectors of values. */
static inline __attribute__((always_inline)) void values_4x1(float *out, const float *p, long width, const float *v, const int *at, long from, const long *end, const float *scale, long dim) {
    __m512 s0_0 = {0};
    __m512 s1_0 = {0};
    __m512 s2_0 = {0};
    __m512 s3_0 = {0};
    long j = from;
    for (; j + 2 <= end[0]; j += 2) {
        const float *v0 = v + (at ? at[j] : (j) * dim);
        __m512 b00 = _mm512_loadu_ps(&v0[0 * LANES]);
        s0_0 += b00 * p[j - from];
        s1_0 += b00 * p[1 * width + j - from];
        s2_0 += b00 * p[2 * width + j - from];
        s3_0 += b00 * p[3 * width + j - from];
        const float *v1 = v + (at ? at[j + 1] : (j + 1) * dim);
        __m512 b10 = _mm512_loadu_ps(&v1[0 * LANES]);
        s0_0 += b10 * p[j + 1 - from];
        s1_0 += b10 * p[1 * width + j + 1 - from];
        s2_0 += b10 * p[2 * width + j + 1 - from];
        s3_0 += b10 * p[3 * width + j + 1 - from];
    }
    for (; j + 1 <= end[0]; j += 1) {
        const float *v0 = v + (at ? at[j] : (j) * dim);
        __m512 b00 = _mm512_loadu_ps(&v0[0 * LANES]);
        s0_0 += b00 * p[j - from];
        s1_0 += b00 * p[1 * width + j - from];
        s2_0 += b00 * p[2 * width + j - from];
        s3_0 += b00 * p[3 * width + j - from];
    }
    for (long d = j; d < end[1]; d++) {
        const float *key = v + (at ? at[d] : (d) * dim);
        float weight = p[1 * width + d - from];
        s1_0 += _mm512_loadu_ps(&key[0 * LANES]) * weight;
    }
    for (long d = j; d < end[2]; d++) {
        const float *key = v + (at ? at[d] : (d) * dim);
        float weight = p[2 * width + d - from];
        s2_0 += _mm512_loadu_ps(&key[0 * LANES]) * weight;
    }
    for (long d = j; d < end[3]; d++) {
        const float *key = v + (at ? at[d] : (d) * dim);
        float weight = p[3 * width + d - from];
        s3_0 += _mm512_loadu_ps(&key[0 * LANES]) * weight;
    }
    _mm512_storeu_ps(&out[0 * LANES], s0_0 * scale[0]);
    _mm512_storeu_ps(&out[1 * dim + 0 * LANES], s1_0 * scale[1]);
    _mm512_storeu_ps(&out[2 * dim + 0 * LANES], s2_0 * scale[2]);
    _mm512_storeu_ps(&out[3 * dim + 0 * LANES], s3_0 * scale[3]);
}

/* 1 queries by 1 vectors of values. */
static inline __attribute__((always_inline)) void values_1x1(float *out, const float *p, long width, const float *v, const int *at, long from, const long *end, const float *scale, long dim) {
    __m512 s0_0 = {0};
    long j = from;
    for (; j + 2 <= end[0]; j += 2) {
        const float *v0 = v + (at ? at[j] : (j) * dim);
        __m512 b00 = _mm512_loadu_ps(&v0[0 * LANES]);
        s0_0 += b00 * p[j - from];
        const float *v1 = v + (at ? at[j + 1] : (j + 1) * dim);
        __m512 b10 = _mm512_loadu_ps(&v1[0 * LANES]);
        s0_0 += b10 * p[j + 1 - from];
    }
    for (; j + 1 <= end[0]; j += 1) {
        const float *v0 = v + (at ? at[j] : (j) * dim);
        __m512 b00 = _mm512_loadu_ps(&v0[0 * LANES]);
        s0_0 += b00 * p[j - from];
    }
    _mm512_storeu_ps(&out[0 * LANES], s0_0 * scale[0]);
}

/* 4 queries by 1 vectors of values, the last few columns. */
static inline __attribute__((always_inline)) void values_4x1_tail(float *out, const float *p, long width, const float *v, const int *at, long from, const long *end, const float *scale, long dim, long some) {
    const __mmask16 tail = (__mmask16)((1u << (some)) - 1);
    __m512 s0_0 = {0};
    __m512 s1_0 = {0};
    __m512 s2_0 = {0};
    __m512 s3_0 = {0};
    long j = from;
    for (; j + 1 <= end[0]; j += 1) {
        const float *v0 = v + (at ? at[j] : (j) * dim);
        __m512 b00 = _mm512_maskz_loadu_ps(tail, &v0[0 * LANES]);
        s0_0 += b00 * p[j - from];
        s1_0 += b00 * p[1 * width + j - from];
        s2_0 += b00 * p[2 * width + j - from];
        s3_0 += b00 * p[3 * width + j - from];
    }
    for (long d = j; d < end[1]; d++) {
        const float *key = v + (at ? at[d] : (d) * dim);
        float weight = p[1 * width + d - from];
        s1_0 += _mm512_maskz_loadu_ps(tail, &key[0 * LANES]) * weight;
    }
    for (long d = j; d < end[2]; d++) {
        const float *key = v + (at ? at[d] : (d) * dim);
        float weight = p[2 * width + d - from];
        s2_0 += _mm512_maskz_loadu_ps(tail, &key[0 * LANES]) * weight;
    }
    for (long d = j; d < end[3]; d++) {
        const float *key = v + (at ? at[d] : (d) * dim);
        float weight = p[3 * width + d - from];
        s3_0 += _mm512_maskz_loadu_ps(tail, &key[0 * LANES]) * weight;
    }
    _mm512_mask_storeu_ps(&out[0 * LANES], tail, s0_0 * scale[0]);
    _mm512_mask_storeu_ps(&out[1 * dim + 0 * LANES], tail, s1_0 * scale[1]);
    _mm512_mask_storeu_ps(&out[2 * dim + 0 * LANES], tail, s2_0 * scale[2]);
    _mm512_mask_storeu_ps(&out[3 * dim + 0 * LANES], tail, s3_0 * scale[3]);
}

/* 1 queries by 1 vectors of values, the last few columns. */
static inline __attribute__((always_inline)) void values_1x1_tail(float *out, const float *p, long width, const float *v, const int *at, long from, const long *end, const float *scale, long dim, long some) {
    const __mmask16 tail = (__mmask16)((1u << (some)) - 1);
    __m512 s0_0 = {0};
    long j = from;
    for (; j + 1 <= end[0]; j += 1) {
        const float *v0 = v + (at ? at[j] : (j) * dim);
        __m512 b00 = _mm512_maskz_loadu_ps(tail, &v0[0 * LANES]);
        s0_0 += b00 * p[j - from];
    }
    _mm512_mask_storeu_ps(&out[0 * LANES], tail, s0_0 * scale[0]);
}

/* What the queries of one head share: `ends` says how many keys each query sees. */
struct head {
    const float *k, *v;
    const int *ends;
    long dim;
    float factor;
};

/* 4 queries from the t-th on against all keys. */
static inline __attribute__((always_inline)) void step_4(float *out, const float *q, const struct head *head, const int *at, long t) {
    const long dim = head->dim;
    const int *ends = head->ends + t;
    float s[4 * (BLOCK + LANES)], scale[4], factor = head->factor;
    long end[4], j, from = 0;
    for (long r = 0; r < 4; r++)
        end[r] = ends[r];
    const long last = end[3];
    const long width = ((last - from + LANES - 1) & -LANES) + LANES;
    j = from;
    for (; j + 3 * LANES <= last; j += 3 * LANES)
        scores_4x3(s + j - from, width, q, head->k + j * dim, dim);
    for (; j < last; j += 1 * LANES)
        scores_4x1(s + j - from, width, q, head->k + j * dim, dim);
    for (long r = 0; r < 4; r++) {
        float *row = s + r * width;
        float sum = weigh(row, end[r], factor, greatest(row, end[r]) * factor);
        scale[r] = sum == 0.0f ? 0.0f : 1.0f / sum;
    }
    long c = 0;
    for (; c + 1 * LANES <= dim; c += 1 * LANES)
        values_4x1(out + c, s, width, head->v + c, at, from, end, scale, dim);
    if (c < dim)
        values_4x1_tail(out + c, s, width, head->v + c, at, from, end, scale, dim, dim - c);
}

/* 1 queries from the t-th on against all keys. */
static inline __attribute__((always_inline)) void step_1(float *out, const float *q, const struct head *head, const int *at, long t) {
    const long dim = head->dim;
    const int *ends = head->ends + t;
    float s[1 * (BLOCK + LANES)], scale[1], factor = head->factor;
    long end[1], j, from = 0;
    for (long r = 0; r < 1; r++)
        end[r] = ends[r];
    const long last = end[0];
    const long width = ((last - from + LANES - 1) & -LANES) + LANES;
    j = from;
    for (; j + 3 * LANES <= last; j += 3 * LANES)
        scores_1x3(s + j - from, width, q, head->k + j * dim, dim);
    for (; j < last; j += 1 * LANES)
        scores_1x1(s + j - from, width, q, head->k + j * dim, dim);
    for (long r = 0; r < 1; r++) {
        float *row = s + r * width;
        float sum = weigh(row, end[r], factor, greatest(row, end[r]) * factor);
        scale[r] = sum == 0.0f ? 0.0f : 1.0f / sum;
    }
    long c = 0;
    for (; c + 1 * LANES <= dim; c += 1 * LANES)
        values_1x1(out + c, s, width, head->v + c, at, from, end, scale, dim);
    if (c < dim)
        values_1x1_tail(out + c, s, width, head->v + c, at, from, end, scale, dim, dim - c);
}

static inline __attribute__((always_inline)) void every_query(float *out, const float *q, const struct head *head, const int *at, long tokens) {
    const long dim = head->dim;
    long t = 0;
    for (; t + 4 <= tokens; t += 4)
        step_4(out + t * dim, q + t * dim, head, at, t);
    for (; t + 1 <= tokens; t += 1)
        step_1(out + t * dim, q + t * dim, head, at, t);
}

static inline __attribute__((always_inline)) void every_head(float *out, const float *q, const float *k, const float *v, const int *at, const int *ends, long n, long n_heads, long n_kv_heads, long tokens, long dim) {
    const long group = n_heads / n_kv_heads, size = tokens * dim;
    float packed[(LONGEST + LANES) * WIDEST];
    struct head head = {0, v, ends, dim, 1.44269504f / sqrtf(dim)};
    for (long h = 0; h < n_heads; h++, out += size, q += size) {
        if (h % group == 0) {
            head.v = v + h / group * size;
            pack(packed, k + h / group * size, at, n, dim);
            head.k = packed;
        }
        every_query(out, q, &head, at, tokens);
    }
}

void attention(float *out, const float *q, const float *k, const float *v, const unsigned char *keep, int batch,
               int n_heads, int n_kv_heads, int tokens, int head_dim, int causal) {
    int at[LONGEST], ends[LONGEST];
    if (tokens == 0 || head_dim == 0)
        return;
    for (long b = 0; b < batch; b++) {
        int n = 0;
        for (int t = 0; t < tokens; t++) {
            at[n] = t * head_dim;
            n += !keep || keep[b * tokens + t];
            ends[t] = n;
        }
        for (int t = 0; t < tokens && !causal; t++)
            ends[t] = n;
        const long rows = b * n_heads * tokens * head_dim, keys = b * n_kv_heads * tokens * head_dim;
        if (keep)
            every_head(out + rows, q + rows, k + keys, v + keys, at, ends, n, n_heads, n_kv_heads, tokens, head_dim);
        else
            every_head(out + rows, q + rows, k + keys, v + keys, 0, ends, n, n_heads, n_kv_heads, tokens, head_dim);
    }
}
