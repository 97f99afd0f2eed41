/* What one core can do at most: multiply-adds of float, and reading memory from each of its levels.
   A program of its own. Arguments: the core (-1 for any), and how many bytes to read for each level, at most LEVELS.
   It prints flop/s, and bytes/s for each level: the best of ROUNDS turns, each too short for a noisy neighbour to be
   in all of them. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#if defined __AVX512F__
#define VECTOR_BYTES 64
#elif defined __AVX__
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16 /* SSE, NEON */
#endif
#define READ_BYTES (32ul << 20)
#define PART_BYTES (4ul << 20)

/* Twelve sums hide the latency of two units that take four to five cycles, and leave registers in a file of sixteen. */
enum { LANES = VECTOR_BYTES / 4, SUMS = 12, TURNS = 32768, ROUNDS = 16, LEVELS = 8 };

typedef float floats __attribute__((vector_size(VECTOR_BYTES)));
typedef int32_t words __attribute__((vector_size(VECTOR_BYTES), may_alias));

static volatile float half = 0.5f, float_sink;
static volatile int32_t word_sink;

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC_RAW, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static double multiply_adds(void) {
    floats sums[SUMS], scale = (floats){0} + half;
    /* `half` is volatile: to the compiler every sum begins with a value of its own, or one sum would do for all. */
    for (int k = 0; k < SUMS; k++) sums[k] = (floats){0} + half;
    int64_t started_ns = now_ns();
    for (int turn = 0; turn < TURNS; turn++) {
#pragma GCC unroll 12
        for (int k = 0; k < SUMS; k++) sums[k] = sums[k] * scale + scale;
    }
    int64_t ns = now_ns() - started_ns;
    for (int k = 0; k < SUMS; k++) float_sink = sums[k][0];
    return 2e9 * LANES * SUMS * TURNS / (double)ns;
}

/* Round and round through the first `bytes`, without a branch that a short round would mispredict. */
static void read_steps(const char *room, size_t bytes, size_t steps) {
    words seen[SUMS] = {0};
    size_t last = bytes / sizeof seen * sizeof seen - sizeof seen, offset = 0;
    for (size_t step = 0; step < steps; step++) {
        const words *from = (const words *)(room + offset);
#pragma GCC unroll 12
        for (int k = 0; k < SUMS; k++) seen[k] |= from[k];
        offset = offset == last ? 0 : offset + sizeof seen;
    }
    for (int k = 0; k < SUMS; k++) word_sink = seen[k][0];
}

static double timed(const char *room, size_t bytes, size_t steps) {
    int64_t started_ns = now_ns();
    read_steps(room, bytes, steps);
    return 1e9 * (double)(steps * SUMS * sizeof(words)) / (double)(now_ns() - started_ns);
}

static double reading(const char *room, size_t bytes) {
    double best = 0;
    if (bytes < READ_BYTES) {
        size_t round = bytes / (SUMS * sizeof(words));
        read_steps(room, bytes, round); /* so that its level holds it */
        return timed(room, bytes, round * (READ_BYTES / bytes));
    }
    /* Memory is shared with all the other cores: what this one could have shows in parts only. Where the room begins,
       the smaller sizes have just been read. */
    for (size_t start = READ_BYTES; start + PART_BYTES <= bytes; start += PART_BYTES) {
        double rate = timed(room + start, PART_BYTES, PART_BYTES / (SUMS * sizeof(words)));
        if (rate > best) best = rate;
    }
    return best;
}

static int stay_on(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return sched_setaffinity(0, sizeof set, &set);
}

int main(int count, char **arguments) {
    size_t sizes[LEVELS], most = 1;
    double flops_per_s = 0, bytes_per_s[LEVELS] = {0};
    int levels = count - 2;
    if (levels < 0 || levels > LEVELS) return 2;
    for (int i = 0; i < levels; i++) {
        sizes[i] = strtoul(arguments[i + 2], NULL, 10);
        if (sizes[i] < SUMS * sizeof(words)) return 2;
        if (sizes[i] > most) most = sizes[i];
    }
    int cpu = atoi(arguments[1]);
    if (cpu >= 0 && stay_on(cpu)) return perror("sched_setaffinity"), 1;
    /* Shared and of plain pages, as the buffers of an arm are. */
    char *room = mmap(NULL, most, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (room == MAP_FAILED) return perror("mmap"), 1;
    for (int round = 0; round < ROUNDS; round++) {
        double rate = multiply_adds();
        if (rate > flops_per_s) flops_per_s = rate;
        for (int i = 0; i < levels; i++) {
            rate = reading(room, sizes[i]);
            if (rate > bytes_per_s[i]) bytes_per_s[i] = rate;
        }
    }
    printf("%.6g", flops_per_s);
    for (int i = 0; i < levels; i++) printf(" %.6g", bytes_per_s[i]);
    puts("");
    return 0;
}
