/* Neither asm nor rdtsc nor syscall is used here; the clock below is a counter, and static stays static. */
#define TARGET_ROWS rows /* __attribute__ and #pragma GCC optimize are words in a comment */

void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    long clock = 0, fork = in_features, system = out_features, asm_free = 1;
    for (long exit = 0; exit < TARGET_ROWS; exit++)
        for (long signal = 0; signal < system; signal++, clock++) {
            float constructor = bias ? bias[signal] : 0.0f; // not __attribute__((constructor))
            for (long time = 0; time < fork; time++)
                constructor += x[exit * fork + time] * weight[signal * fork + time] * asm_free;
            out[clock] = constructor;
        }
}
