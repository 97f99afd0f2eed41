#include <math.h>
#include <immintrin.h>

enum { LONGEST_first = 1024, WIDEST_first = 128, LANES_first = 16, BLOCK_first = 1024 };

/* Below every score that is not infinite, and times a factor still no infinity. */
#define FLOOR_first (-1e38f)

/* 2 to the x, right to 3.5e-07 of itself: degree 5, off by 1.1e-07, and the roundings.
 * Below -126.0 it is 0; not-a-number stays what it is. */
static inline __m512 power_first(__m512 x) {
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
static inline float greatest_first(const float *s, long n) {
    __m512 top = _mm512_set1_ps(FLOOR_first);
    long j = 0;
    for (; j + LANES_first <= n; j += LANES_first)
        top = _mm512_max_ps(_mm512_loadu_ps(&s[j]), top);
    if (j < n) {
        const __mmask16 tail = (__mmask16)((1u << (n - j)) - 1);
        top = _mm512_max_ps(_mm512_mask_blend_ps(tail, _mm512_set1_ps(FLOOR_first), _mm512_loadu_ps(&s[j])), top);
    }
    return _mm512_reduce_max_ps(top);
}

/* Scores to weights, in place, and their sum. */
static inline float weigh_first(float *s, long n, float factor, float shift) {
    __m512 sum = {0};
    long j = 0;
    for (; j + LANES_first <= n; j += LANES_first) {
        __m512 p = power_first(_mm512_loadu_ps(&s[j]) * factor - shift);
        _mm512_storeu_ps(&s[j], p);
        sum += p;
    }
    if (j < n) {
        const __mmask16 tail = (__mmask16)((1u << (n - j)) - 1);
        __m512 p = power_first(_mm512_loadu_ps(&s[j]) * factor - shift);
        _mm512_storeu_ps(&s[j], p);
        sum += _mm512_maskz_mov_ps(tail, p);
    }
    return _mm512_reduce_add_ps(sum);
}

/* Eight floats of eight keys, rows to columns: `to` has rows of LANES. */
static inline void turn_first(float *to, const float *const *k, long i) {
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
    _mm256_storeu_ps(to + 0 * LANES_first, _mm256_permute2f128_ps(c0, c4, 0x20));
    _mm256_storeu_ps(to + 4 * LANES_first, _mm256_permute2f128_ps(c0, c4, 0x31));
    _mm256_storeu_ps(to + 1 * LANES_first, _mm256_permute2f128_ps(c2, c6, 0x20));
    _mm256_storeu_ps(to + 5 * LANES_first, _mm256_permute2f128_ps(c2, c6, 0x31));
    _mm256_storeu_ps(to + 2 * LANES_first, _mm256_permute2f128_ps(c1, c5, 0x20));
    _mm256_storeu_ps(to + 6 * LANES_first, _mm256_permute2f128_ps(c1, c5, 0x31));
    _mm256_storeu_ps(to + 3 * LANES_first, _mm256_permute2f128_ps(c3, c7, 0x20));
    _mm256_storeu_ps(to + 7 * LANES_first, _mm256_permute2f128_ps(c3, c7, 0x31));
}

/* The keys that may be seen, in panels of LANES: each has dim rows, and in a row one float of each of its keys. */
static inline __attribute__((always_inline)) void pack_first(float *to, const float *k, const int *at, long n, long dim) {
    for (long j = 0; j < n; j += LANES_first, to += LANES_first * dim) {
        long i = 0, some = n - j < LANES_first ? n - j : LANES_first;
        if (some == LANES_first) {
            const float *key[LANES_first];
            for (long l = 0; l < LANES_first; l++)
                key[l] = k + (at ? at[j + l] : (j + l) * dim);
            for (; i + 8 <= dim; i += 8)
                for (long l = 0; l < LANES_first; l += 8)
                    turn_first(to + i * LANES_first + l, key + l, i);
        }
        for (long l = 0; l < some; l++) {
            const float *key = k + (at ? at[j + l] : (j + l) * dim);
            for (long d = i; d < dim; d++)
                to[d * LANES_first + l] = key[d];
        }
        for (; i < dim; i++)
            for (long l = some; l < LANES_first; l++)
                to[i * LANES_first + l] = 0.0f;
    }
}

/* 4 queries by 3 vectors of keys. */
static inline void scores_4x3_first(float *s, long width, const float *q, const float *k, long dim) {
    __m512 s0_0 = {0}, s0_1 = {0}, s0_2 = {0};
    __m512 s1_0 = {0}, s1_1 = {0}, s1_2 = {0};
    __m512 s2_0 = {0}, s2_1 = {0}, s2_2 = {0};
    __m512 s3_0 = {0}, s3_1 = {0}, s3_2 = {0};
    long i = 0;
    for (; i + 1 <= dim; i += 1, k += 1 * LANES_first) {
        __m512 b;
        b = _mm512_loadu_ps(&k[0]);
        s0_0 += b * q[i];
        s1_0 += b * q[1 * dim + i];
        s2_0 += b * q[2 * dim + i];
        s3_0 += b * q[3 * dim + i];
        b = _mm512_loadu_ps(&k[1 * LANES_first * dim]);
        s0_1 += b * q[i];
        s1_1 += b * q[1 * dim + i];
        s2_1 += b * q[2 * dim + i];
        s3_1 += b * q[3 * dim + i];
        b = _mm512_loadu_ps(&k[2 * LANES_first * dim]);
        s0_2 += b * q[i];
        s1_2 += b * q[1 * dim + i];
        s2_2 += b * q[2 * dim + i];
        s3_2 += b * q[3 * dim + i];
    }
    _mm512_storeu_ps(&s[0 * width + 0 * LANES_first], s0_0);
    _mm512_storeu_ps(&s[0 * width + 1 * LANES_first], s0_1);
    _mm512_storeu_ps(&s[0 * width + 2 * LANES_first], s0_2);
    _mm512_storeu_ps(&s[1 * width + 0 * LANES_first], s1_0);
    _mm512_storeu_ps(&s[1 * width + 1 * LANES_first], s1_1);
    _mm512_storeu_ps(&s[1 * width + 2 * LANES_first], s1_2);
    _mm512_storeu_ps(&s[2 * width + 0 * LANES_first], s2_0);
    _mm512_storeu_ps(&s[2 * width + 1 * LANES_first], s2_1);
    _mm512_storeu_ps(&s[2 * width + 2 * LANES_first], s2_2);
    _mm512_storeu_ps(&s[3 * width + 0 * LANES_first], s3_0);
    _mm512_storeu_ps(&s[3 * width + 1 * LANES_first], s3_1);
    _mm512_storeu_ps(&s[3 * width + 2 * LANES_first], s3_2);
}

/* 4 queries by 1 vectors of keys. */
static inline void scores_4x1_first(float *s, long width, const float *q, const float *k, long dim) {
    __m512 s0_0 = {0};
    __m512 s1_0 = {0};
    __m512 s2_0 = {0};
    __m512 s3_0 = {0};
    long i = 0;
    for (; i + 1 <= dim; i += 1, k += 1 * LANES_first) {
        __m512 b;
        b = _mm512_loadu_ps(&k[0]);
        s0_0 += b * q[i];
        s1_0 += b * q[1 * dim + i];
        s2_0 += b * q[2 * dim + i];
        s3_0 += b * q[3 * dim + i];
    }
    _mm512_storeu_ps(&s[0 * width + 0 * LANES_first], s0_0);
    _mm512_storeu_ps(&s[1 * width + 0 * LANES_first], s1_0);
    _mm512_storeu_ps(&s[2 * width + 0 * LANES_first], s2_0);
    _mm512_storeu_ps(&s[3 * width + 0 * LANES_first], s3_0);
}

/* 1 queries by 3 vectors of keys. */
static inline void scores_1x3_first(float *s, long width, const float *q, const float *k, long dim) {
    __m512 s0_0 = {0}, s0_1 = {0}, s0_2 = {0};
    long i = 0;
    for (; i + 1 <= dim; i += 1, k += 1 * LANES_first) {
        __m512 b;
        b = _mm512_loadu_ps(&k[0]);
        s0_0 += b * q[i];
        b = _mm512_loadu_ps(&k[1 * LANES_first * dim]);
        s0_1 += b * q[i];
        b = _mm512_loadu_ps(&k[2 * LANES_first * dim]);
        s0_2 += b * q[i];
    }
    _mm512_storeu_ps(&s[0 * width + 0 * LANES_first], s0_0);
    _mm512_storeu_ps(&s[0 * width + 1 * LANES_first], s0_1);
    _mm512_storeu_ps(&s[0 * width + 2 * LANES_first], s0_2);
}

/* 1 queries by 1 vectors of keys. */
static inline void scores_1x1_first(float *s, long width, const float *q, const float *k, long dim) {
    __m512 s0_0 = {0};
    long i = 0;
    for (; i + 1 <= dim; i += 1, k += 1 * LANES_first) {
        __m512 b;
        b = _mm512_loadu_ps(&k[0]);
        s0_0 += b * q[i];
    }
    _mm512_storeu_ps(&s[0 * width + 0 * LANES_first], s0_0);
}

/* 4 queries by 1 vectors of values. */
static inline __attribute__((always_inline)) void values_4x1_first(float *out, const float *p, long width, const float *v, const int *at, long from, const long *end, const float *scale, long dim) {
    __m512 s0_0 = {0};
    __m512 s1_0 = {0};
    __m512 s2_0 = {0};
    __m512 s3_0 = {0};
    long j = from;
    for (; j + 2 <= end[0]; j += 2) {
        const float *v0 = v + (at ? at[j] : (j) * dim);
        __m512 b00 = _mm512_loadu_ps(&v0[0 * LANES_first]);
        s0_0 += b00 * p[j - from];
        s1_0 += b00 * p[1 * width + j - from];
        s2_0 += b00 * p[2 * width + j - from];
        s3_0 += b00 * p[3 * width + j - from];
        const float *v1 = v + (at ? at[j + 1] : (j + 1) * dim);
        __m512 b10 = _mm512_loadu_ps(&v1[0 * LANES_first]);
        s0_0 += b10 * p[j + 1 - from];
        s1_0 += b10 * p[1 * width + j + 1 - from];
        s2_0 += b10 * p[2 * width + j + 1 - from];
        s3_0 += b10 * p[3 * width + j + 1 - from];
    }
    for (; j + 1 <= end[0]; j += 1) {
        const float *v0 = v + (at ? at[j] : (j) * dim);
        __m512 b00 = _mm512_loadu_ps(&v0[0 * LANES_first]);
        s0_0 += b00 * p[j - from];
        s1_0 += b00 * p[1 * width + j - from];
        s2_0 += b00 * p[2 * width + j - from];
        s3_0 += b00 * p[3 * width + j - from];
    }
    for (long d = j; d < end[1]; d++) {
        const float *key = v + (at ? at[d] : (d) * dim);
        float weight = p[1 * width + d - from];
        s1_0 += _mm512_loadu_ps(&key[0 * LANES_first]) * weight;
    }
    for (long d = j; d < end[2]; d++) {
        const float *key = v + (at ? at[d] : (d) * dim);
        float weight = p[2 * width + d - from];
        s2_0 += _mm512_loadu_ps(&key[0 * LANES_first]) * weight;
    }
    for (long d = j; d < end[3]; d++) {
        const float *key = v + (at ? at[d] : (d) * dim);
        float weight = p[3 * width + d - from];
        s3_0 += _mm512_loadu_ps(&key[0 * LANES_first]) * weight;
    }
    _mm512_storeu_ps(&out[0 * LANES_first], s0_0 * scale[0]);
    _mm512_storeu_ps(&out[1 * dim + 0 * LANES_first], s1_0 * scale[1]);
    _mm512_storeu_ps(&out[2 * dim + 0 * LANES_first], s2_0 * scale[2]);
    _mm512_storeu_ps(&out[3 * dim + 0 * LANES_first], s3_0 * scale[3]);
}

/* 1 queries by 1 vectors of values. */
static inline __attribute__((always_inline)) void values_1x1_first(float *out, const float *p, long width, const float *v, const int *at, long from, const long *end, const float *scale, long dim) {
    __m512 s0_0 = {0};
    long j = from;
    for (; j + 2 <= end[0]; j += 2) {
        const float *v0 = v + (at ? at[j] : (j) * dim);
        __m512 b00 = _mm512_loadu_ps(&v0[0 * LANES_first]);
        s0_0 += b00 * p[j - from];
        const float *v1 = v + (at ? at[j + 1] : (j + 1) * dim);
        __m512 b10 = _mm512_loadu_ps(&v1[0 * LANES_first]);
        s0_0 += b10 * p[j + 1 - from];
    }
    for (; j + 1 <= end[0]; j += 1) {
        const float *v0 = v + (at ? at[j] : (j) * dim);
        __m512 b00 = _mm512_loadu_ps(&v0[0 * LANES_first]);
        s0_0 += b00 * p[j - from];
    }
    _mm512_storeu_ps(&out[0 * LANES_first], s0_0 * scale[0]);
}

/* 4 queries by 1 vectors of values, the last few columns. */
static inline __attribute__((always_inline)) void values_4x1_tail_first(float *out, const float *p, long width, const float *v, const int *at, long from, const long *end, const float *scale, long dim, long some) {
    const __mmask16 tail = (__mmask16)((1u << (some)) - 1);
    __m512 s0_0 = {0};
    __m512 s1_0 = {0};
    __m512 s2_0 = {0};
    __m512 s3_0 = {0};
    long j = from;
    for (; j + 1 <= end[0]; j += 1) {
        const float *v0 = v + (at ? at[j] : (j) * dim);
        __m512 b00 = _mm512_maskz_loadu_ps(tail, &v0[0 * LANES_first]);
        s0_0 += b00 * p[j - from];
        s1_0 += b00 * p[1 * width + j - from];
        s2_0 += b00 * p[2 * width + j - from];
        s3_0 += b00 * p[3 * width + j - from];
    }
    for (long d = j; d < end[1]; d++) {
        const float *key = v + (at ? at[d] : (d) * dim);
        float weight = p[1 * width + d - from];
        s1_0 += _mm512_maskz_loadu_ps(tail, &key[0 * LANES_first]) * weight;
    }
    for (long d = j; d < end[2]; d++) {
        const float *key = v + (at ? at[d] : (d) * dim);
        float weight = p[2 * width + d - from];
        s2_0 += _mm512_maskz_loadu_ps(tail, &key[0 * LANES_first]) * weight;
    }
    for (long d = j; d < end[3]; d++) {
        const float *key = v + (at ? at[d] : (d) * dim);
        float weight = p[3 * width + d - from];
        s3_0 += _mm512_maskz_loadu_ps(tail, &key[0 * LANES_first]) * weight;
    }
    _mm512_mask_storeu_ps(&out[0 * LANES_first], tail, s0_0 * scale[0]);
    _mm512_mask_storeu_ps(&out[1 * dim + 0 * LANES_first], tail, s1_0 * scale[1]);
    _mm512_mask_storeu_ps(&out[2 * dim + 0 * LANES_first], tail, s2_0 * scale[2]);
    _mm512_mask_storeu_ps(&out[3 * dim + 0 * LANES_first], tail, s3_0 * scale[3]);
}

/* 1 queries by 1 vectors of values, the last few columns. */
static inline __attribute__((always_inline)) void values_1x1_tail_first(float *out, const float *p, long width, const float *v, const int *at, long from, const long *end, const float *scale, long dim, long some) {
    const __mmask16 tail = (__mmask16)((1u << (some)) - 1);
    __m512 s0_0 = {0};
    long j = from;
    for (; j + 1 <= end[0]; j += 1) {
        const float *v0 = v + (at ? at[j] : (j) * dim);
        __m512 b00 = _mm512_maskz_loadu_ps(tail, &v0[0 * LANES_first]);
        s0_0 += b00 * p[j - from];
    }
    _mm512_mask_storeu_ps(&out[0 * LANES_first], tail, s0_0 * scale[0]);
}

/* What the queries of one head share: `ends` says how many keys each query sees. */
struct head_first {
    const float *k, *v;
    const int *ends;
    long dim;
    float factor;
};

/* 4 queries from the t-th on against all keys. */
static inline __attribute__((always_inline)) void step_4_first(float *out, const float *q, const struct head_first *head_first, const int *at, long t) {
    const long dim = head_first->dim;
    const int *ends = head_first->ends + t;
    float s[4 * (BLOCK_first + LANES_first)], scale[4], factor = head_first->factor;
    long end[4], j, from = 0;
    for (long r = 0; r < 4; r++)
        end[r] = ends[r];
    const long last = end[3];
    const long width = ((last - from + LANES_first - 1) & -LANES_first) + LANES_first;
    j = from;
    for (; j + 3 * LANES_first <= last; j += 3 * LANES_first)
        scores_4x3_first(s + j - from, width, q, head_first->k + j * dim, dim);
    for (; j < last; j += 1 * LANES_first)
        scores_4x1_first(s + j - from, width, q, head_first->k + j * dim, dim);
    for (long r = 0; r < 4; r++) {
        float *row = s + r * width;
        float sum = weigh_first(row, end[r], factor, greatest_first(row, end[r]) * factor);
        scale[r] = sum == 0.0f ? 0.0f : 1.0f / sum;
    }
    long c = 0;
    for (; c + 1 * LANES_first <= dim; c += 1 * LANES_first)
        values_4x1_first(out + c, s, width, head_first->v + c, at, from, end, scale, dim);
    if (c < dim)
        values_4x1_tail_first(out + c, s, width, head_first->v + c, at, from, end, scale, dim, dim - c);
}

/* 1 queries from the t-th on against all keys. */
static inline __attribute__((always_inline)) void step_1_first(float *out, const float *q, const struct head_first *head_first, const int *at, long t) {
    const long dim = head_first->dim;
    const int *ends = head_first->ends + t;
    float s[1 * (BLOCK_first + LANES_first)], scale[1], factor = head_first->factor;
    long end[1], j, from = 0;
    for (long r = 0; r < 1; r++)
        end[r] = ends[r];
    const long last = end[0];
    const long width = ((last - from + LANES_first - 1) & -LANES_first) + LANES_first;
    j = from;
    for (; j + 3 * LANES_first <= last; j += 3 * LANES_first)
        scores_1x3_first(s + j - from, width, q, head_first->k + j * dim, dim);
    for (; j < last; j += 1 * LANES_first)
        scores_1x1_first(s + j - from, width, q, head_first->k + j * dim, dim);
    for (long r = 0; r < 1; r++) {
        float *row = s + r * width;
        float sum = weigh_first(row, end[r], factor, greatest_first(row, end[r]) * factor);
        scale[r] = sum == 0.0f ? 0.0f : 1.0f / sum;
    }
    long c = 0;
    for (; c + 1 * LANES_first <= dim; c += 1 * LANES_first)
        values_1x1_first(out + c, s, width, head_first->v + c, at, from, end, scale, dim);
    if (c < dim)
        values_1x1_tail_first(out + c, s, width, head_first->v + c, at, from, end, scale, dim, dim - c);
}

static inline __attribute__((always_inline)) void every_query_first(float *out, const float *q, const struct head_first *head_first, const int *at, long tokens) {
    const long dim = head_first->dim;
    long t = 0;
    for (; t + 4 <= tokens; t += 4)
        step_4_first(out + t * dim, q + t * dim, head_first, at, t);
    for (; t + 1 <= tokens; t += 1)
        step_1_first(out + t * dim, q + t * dim, head_first, at, t);
}

static inline __attribute__((always_inline)) void every_head_first(float *out, const float *q, const float *k, const float *v, const int *at, const int *ends, long n, long n_heads, long n_kv_heads, long tokens, long dim) {
    const long group = n_heads / n_kv_heads, size = tokens * dim;
    float packed[(LONGEST_first + LANES_first) * WIDEST_first];
    struct head_first head_first = {0, v, ends, dim, 1.44269504f / sqrtf(dim)};
    for (long h = 0; h < n_heads; h++, out += size, q += size) {
        if (h % group == 0) {
            head_first.v = v + h / group * size;
            pack_first(packed, k + h / group * size, at, n, dim);
            head_first.k = packed;
        }
        every_query_first(out, q, &head_first, at, tokens);
    }
}

static void attention_first(float *out, const float *q, const float *k, const float *v, const unsigned char *keep, int batch,
               int n_heads, int n_kv_heads, int tokens, int head_dim, int causal) {
    int at[LONGEST_first], ends[LONGEST_first];
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
            every_head_first(out + rows, q + rows, k + keys, v + keys, at, ends, n, n_heads, n_kv_heads, tokens, head_dim);
        else
            every_head_first(out + rows, q + rows, k + keys, v + keys, 0, ends, n, n_heads, n_kv_heads, tokens, head_dim);
    }
}

enum { LONGEST_second = 1024, WIDEST_second = 128, LANES_second = 16, BLOCK_second = 1024 };

/* Below every score that is not infinite, and times a factor still no infinity. */
#define FLOOR_second (-1e38f)

/* 2 to the x, right to 3.5e-07 of itself: degree 5, off by 1.1e-07, and the roundings.
 * Below -126.0 it is 0; not-a-number stays what it is. */
static inline __m512 power_second(__m512 x) {
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
static inline float greatest_second(const float *s, long n) {
    __m512 top = _mm512_set1_ps(FLOOR_second);
    long j = 0;
    for (; j + LANES_second <= n; j += LANES_second)
        top = _mm512_max_ps(_mm512_loadu_ps(&s[j]), top);
    if (j < n) {
        const __mmask16 tail = (__mmask16)((1u << (n - j)) - 1);
        top = _mm512_max_ps(_mm512_mask_blend_ps(tail, _mm512_set1_ps(FLOOR_second), _mm512_loadu_ps(&s[j])), top);
    }
    return _mm512_reduce_max_ps(top);
}

/* Scores to weights, in place, and their sum. */
static inline float weigh_second(float *s, long n, float factor, float shift) {
    __m512 sum = {0};
    long j = 0;
    for (; j + LANES_second <= n; j += LANES_second) {
        __m512 p = power_second(_mm512_loadu_ps(&s[j]) * factor - shift);
        _mm512_storeu_ps(&s[j], p);
        sum += p;
    }
    if (j < n) {
        const __mmask16 tail = (__mmask16)((1u << (n - j)) - 1);
        __m512 p = power_second(_mm512_loadu_ps(&s[j]) * factor - shift);
        _mm512_storeu_ps(&s[j], p);
        sum += _mm512_maskz_mov_ps(tail, p);
    }
    return _mm512_reduce_add_ps(sum);
}

/* Eight floats of eight keys, rows to columns: `to` has rows of LANES. */
static inline void turn_second(float *to, const float *const *k, long i) {
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
    _mm256_storeu_ps(to + 0 * LANES_second, _mm256_permute2f128_ps(c0, c4, 0x20));
    _mm256_storeu_ps(to + 4 * LANES_second, _mm256_permute2f128_ps(c0, c4, 0x31));
    _mm256_storeu_ps(to + 1 * LANES_second, _mm256_permute2f128_ps(c2, c6, 0x20));
    _mm256_storeu_ps(to + 5 * LANES_second, _mm256_permute2f128_ps(c2, c6, 0x31));
    _mm256_storeu_ps(to + 2 * LANES_second, _mm256_permute2f128_ps(c1, c5, 0x20));
    _mm256_storeu_ps(to + 6 * LANES_second, _mm256_permute2f128_ps(c1, c5, 0x31));
    _mm256_storeu_ps(to + 3 * LANES_second, _mm256_permute2f128_ps(c3, c7, 0x20));
    _mm256_storeu_ps(to + 7 * LANES_second, _mm256_permute2f128_ps(c3, c7, 0x31));
}

/* The keys that may be seen, in panels of LANES: each has dim rows, and in a row one float of each of its keys. */
static inline __attribute__((always_inline)) void pack_second(float *to, const float *k, const int *at, long n, long dim) {
    for (long j = 0; j < n; j += LANES_second, to += LANES_second * dim) {
        long i = 0, some = n - j < LANES_second ? n - j : LANES_second;
        if (some == LANES_second) {
            const float *key[LANES_second];
            for (long l = 0; l < LANES_second; l++)
                key[l] = k + (at ? at[j + l] : (j + l) * dim);
            for (; i + 8 <= dim; i += 8)
                for (long l = 0; l < LANES_second; l += 8)
                    turn_second(to + i * LANES_second + l, key + l, i);
        }
        for (long l = 0; l < some; l++) {
            const float *key = k + (at ? at[j + l] : (j + l) * dim);
            for (long d = i; d < dim; d++)
                to[d * LANES_second + l] = key[d];
        }
        for (; i < dim; i++)
            for (long l = some; l < LANES_second; l++)
                to[i * LANES_second + l] = 0.0f;
    }
}

/* 4 queries by 1 vectors of keys. */
static inline void scores_4x1_second(float *s, long width, const float *q, const float *k, long dim) {
    __m512 s0_0 = {0};
    __m512 s1_0 = {0};
    __m512 s2_0 = {0};
    __m512 s3_0 = {0};
    long i = 0;
    for (; i + 1 <= dim; i += 1, k += 1 * LANES_second) {
        __m512 b;
        b = _mm512_loadu_ps(&k[0]);
        s0_0 += b * q[i];
        s1_0 += b * q[1 * dim + i];
        s2_0 += b * q[2 * dim + i];
        s3_0 += b * q[3 * dim + i];
    }
    _mm512_storeu_ps(&s[0 * width + 0 * LANES_second], s0_0);
    _mm512_storeu_ps(&s[1 * width + 0 * LANES_second], s1_0);
    _mm512_storeu_ps(&s[2 * width + 0 * LANES_second], s2_0);
    _mm512_storeu_ps(&s[3 * width + 0 * LANES_second], s3_0);
}

/* 1 queries by 1 vectors of keys. */
static inline void scores_1x1_second(float *s, long width, const float *q, const float *k, long dim) {
    __m512 s0_0 = {0};
    long i = 0;
    for (; i + 1 <= dim; i += 1, k += 1 * LANES_second) {
        __m512 b;
        b = _mm512_loadu_ps(&k[0]);
        s0_0 += b * q[i];
    }
    _mm512_storeu_ps(&s[0 * width + 0 * LANES_second], s0_0);
}

/* 4 queries by 1 vectors of values. */
static inline __attribute__((always_inline)) void values_4x1_second(float *out, const float *p, long width, const float *v, const int *at, long from, const long *end, const float *scale, long dim) {
    __m512 s0_0 = {0};
    __m512 s1_0 = {0};
    __m512 s2_0 = {0};
    __m512 s3_0 = {0};
    long j = from;
    for (; j + 1 <= end[0]; j += 1) {
        const float *v0 = v + (at ? at[j] : (j) * dim);
        __m512 b00 = _mm512_loadu_ps(&v0[0 * LANES_second]);
        s0_0 += b00 * p[j - from];
        s1_0 += b00 * p[1 * width + j - from];
        s2_0 += b00 * p[2 * width + j - from];
        s3_0 += b00 * p[3 * width + j - from];
    }
    for (long d = j; d < end[1]; d++) {
        const float *key = v + (at ? at[d] : (d) * dim);
        float weight = p[1 * width + d - from];
        s1_0 += _mm512_loadu_ps(&key[0 * LANES_second]) * weight;
    }
    for (long d = j; d < end[2]; d++) {
        const float *key = v + (at ? at[d] : (d) * dim);
        float weight = p[2 * width + d - from];
        s2_0 += _mm512_loadu_ps(&key[0 * LANES_second]) * weight;
    }
    for (long d = j; d < end[3]; d++) {
        const float *key = v + (at ? at[d] : (d) * dim);
        float weight = p[3 * width + d - from];
        s3_0 += _mm512_loadu_ps(&key[0 * LANES_second]) * weight;
    }
    _mm512_storeu_ps(&out[0 * LANES_second], s0_0 * scale[0]);
    _mm512_storeu_ps(&out[1 * dim + 0 * LANES_second], s1_0 * scale[1]);
    _mm512_storeu_ps(&out[2 * dim + 0 * LANES_second], s2_0 * scale[2]);
    _mm512_storeu_ps(&out[3 * dim + 0 * LANES_second], s3_0 * scale[3]);
}

/* 1 queries by 1 vectors of values. */
static inline __attribute__((always_inline)) void values_1x1_second(float *out, const float *p, long width, const float *v, const int *at, long from, const long *end, const float *scale, long dim) {
    __m512 s0_0 = {0};
    long j = from;
    for (; j + 1 <= end[0]; j += 1) {
        const float *v0 = v + (at ? at[j] : (j) * dim);
        __m512 b00 = _mm512_loadu_ps(&v0[0 * LANES_second]);
        s0_0 += b00 * p[j - from];
    }
    _mm512_storeu_ps(&out[0 * LANES_second], s0_0 * scale[0]);
}

/* 4 queries by 1 vectors of values, the last few columns. */
static inline __attribute__((always_inline)) void values_4x1_tail_second(float *out, const float *p, long width, const float *v, const int *at, long from, const long *end, const float *scale, long dim, long some) {
    const __mmask16 tail = (__mmask16)((1u << (some)) - 1);
    __m512 s0_0 = {0};
    __m512 s1_0 = {0};
    __m512 s2_0 = {0};
    __m512 s3_0 = {0};
    long j = from;
    for (; j + 1 <= end[0]; j += 1) {
        const float *v0 = v + (at ? at[j] : (j) * dim);
        __m512 b00 = _mm512_maskz_loadu_ps(tail, &v0[0 * LANES_second]);
        s0_0 += b00 * p[j - from];
        s1_0 += b00 * p[1 * width + j - from];
        s2_0 += b00 * p[2 * width + j - from];
        s3_0 += b00 * p[3 * width + j - from];
    }
    for (long d = j; d < end[1]; d++) {
        const float *key = v + (at ? at[d] : (d) * dim);
        float weight = p[1 * width + d - from];
        s1_0 += _mm512_maskz_loadu_ps(tail, &key[0 * LANES_second]) * weight;
    }
    for (long d = j; d < end[2]; d++) {
        const float *key = v + (at ? at[d] : (d) * dim);
        float weight = p[2 * width + d - from];
        s2_0 += _mm512_maskz_loadu_ps(tail, &key[0 * LANES_second]) * weight;
    }
    for (long d = j; d < end[3]; d++) {
        const float *key = v + (at ? at[d] : (d) * dim);
        float weight = p[3 * width + d - from];
        s3_0 += _mm512_maskz_loadu_ps(tail, &key[0 * LANES_second]) * weight;
    }
    _mm512_mask_storeu_ps(&out[0 * LANES_second], tail, s0_0 * scale[0]);
    _mm512_mask_storeu_ps(&out[1 * dim + 0 * LANES_second], tail, s1_0 * scale[1]);
    _mm512_mask_storeu_ps(&out[2 * dim + 0 * LANES_second], tail, s2_0 * scale[2]);
    _mm512_mask_storeu_ps(&out[3 * dim + 0 * LANES_second], tail, s3_0 * scale[3]);
}

/* 1 queries by 1 vectors of values, the last few columns. */
static inline __attribute__((always_inline)) void values_1x1_tail_second(float *out, const float *p, long width, const float *v, const int *at, long from, const long *end, const float *scale, long dim, long some) {
    const __mmask16 tail = (__mmask16)((1u << (some)) - 1);
    __m512 s0_0 = {0};
    long j = from;
    for (; j + 1 <= end[0]; j += 1) {
        const float *v0 = v + (at ? at[j] : (j) * dim);
        __m512 b00 = _mm512_maskz_loadu_ps(tail, &v0[0 * LANES_second]);
        s0_0 += b00 * p[j - from];
    }
    _mm512_mask_storeu_ps(&out[0 * LANES_second], tail, s0_0 * scale[0]);
}

/* What the queries of one head share: `ends` says how many keys each query sees. */
struct head_second {
    const float *k, *v;
    const int *ends;
    long dim;
    float factor;
};

/* 4 queries from the t-th on against all keys. */
static inline __attribute__((always_inline)) void step_4_second(float *out, const float *q, const struct head_second *head_second, const int *at, long t) {
    const long dim = head_second->dim;
    const int *ends = head_second->ends + t;
    float s[4 * (BLOCK_second + LANES_second)], scale[4], factor = head_second->factor;
    long end[4], j, from = 0;
    for (long r = 0; r < 4; r++)
        end[r] = ends[r];
    const long last = end[3];
    const long width = ((last - from + LANES_second - 1) & -LANES_second) + LANES_second;
    j = from;
    for (; j < last; j += 1 * LANES_second)
        scores_4x1_second(s + j - from, width, q, head_second->k + j * dim, dim);
    for (long r = 0; r < 4; r++) {
        float *row = s + r * width;
        float sum = weigh_second(row, end[r], factor, greatest_second(row, end[r]) * factor);
        scale[r] = sum == 0.0f ? 0.0f : 1.0f / sum;
    }
    long c = 0;
    for (; c + 1 * LANES_second <= dim; c += 1 * LANES_second)
        values_4x1_second(out + c, s, width, head_second->v + c, at, from, end, scale, dim);
    if (c < dim)
        values_4x1_tail_second(out + c, s, width, head_second->v + c, at, from, end, scale, dim, dim - c);
}

/* 1 queries from the t-th on against all keys. */
static inline __attribute__((always_inline)) void step_1_second(float *out, const float *q, const struct head_second *head_second, const int *at, long t) {
    const long dim = head_second->dim;
    const int *ends = head_second->ends + t;
    float s[1 * (BLOCK_second + LANES_second)], scale[1], factor = head_second->factor;
    long end[1], j, from = 0;
    for (long r = 0; r < 1; r++)
        end[r] = ends[r];
    const long last = end[0];
    const long width = ((last - from + LANES_second - 1) & -LANES_second) + LANES_second;
    j = from;
    for (; j < last; j += 1 * LANES_second)
        scores_1x1_second(s + j - from, width, q, head_second->k + j * dim, dim);
    for (long r = 0; r < 1; r++) {
        float *row = s + r * width;
        float sum = weigh_second(row, end[r], factor, greatest_second(row, end[r]) * factor);
        scale[r] = sum == 0.0f ? 0.0f : 1.0f / sum;
    }
    long c = 0;
    for (; c + 1 * LANES_second <= dim; c += 1 * LANES_second)
        values_1x1_second(out + c, s, width, head_second->v + c, at, from, end, scale, dim);
    if (c < dim)
        values_1x1_tail_second(out + c, s, width, head_second->v + c, at, from, end, scale, dim, dim - c);
}

static inline __attribute__((always_inline)) void every_query_second(float *out, const float *q, const struct head_second *head_second, const int *at, long tokens) {
    const long dim = head_second->dim;
    long t = 0;
    for (; t + 4 <= tokens; t += 4)
        step_4_second(out + t * dim, q + t * dim, head_second, at, t);
    if (t < tokens && t > 0) {
        t = tokens - 4;
        step_4_second(out + t * dim, q + t * dim, head_second, at, t);
        t = tokens;
    }
    for (; t + 1 <= tokens; t += 1)
        step_1_second(out + t * dim, q + t * dim, head_second, at, t);
}

static inline __attribute__((always_inline)) void every_head_second(float *out, const float *q, const float *k, const float *v, const int *at, const int *ends, long n, long n_heads, long n_kv_heads, long tokens, long dim) {
    const long group = n_heads / n_kv_heads, size = tokens * dim;
    float packed[(LONGEST_second + LANES_second) * WIDEST_second];
    struct head_second head_second = {0, v, ends, dim, 1.44269504f / sqrtf(dim)};
    for (long h = 0; h < n_heads; h++, out += size, q += size) {
        if (h % group == 0) {
            head_second.v = v + h / group * size;
            pack_second(packed, k + h / group * size, at, n, dim);
            head_second.k = packed;
        }
        every_query_second(out, q, &head_second, at, tokens);
    }
}

static void attention_second(float *out, const float *q, const float *k, const float *v, const unsigned char *keep, int batch,
               int n_heads, int n_kv_heads, int tokens, int head_dim, int causal) {
    int at[LONGEST_second], ends[LONGEST_second];
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
            every_head_second(out + rows, q + rows, k + keys, v + keys, at, ends, n, n_heads, n_kv_heads, tokens, head_dim);
        else
            every_head_second(out + rows, q + rows, k + keys, v + keys, 0, ends, n, n_heads, n_kv_heads, tokens, head_dim);
    }
}

void attention(float *out, const float *q, const float *k, const float *v, const unsigned char *keep, int batch, int n_heads, int n_kv_heads, int tokens, int head_dim, int causal) {
    if (tokens <= 44) {
        attention_first(out, q, k, v, keep, batch, n_heads, n_kv_heads, tokens, head_dim, causal);
    } else {
        attention_second(out, q, k, v, keep, batch, n_heads, n_kv_heads, tokens, head_dim, causal);
    }
}
