/* The judge's side of a visit: wake one runner, read the clock, wait until it says done, read the clock.
   Loaded into the judge through cffi; the runner never sees it. */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shared.h"

enum outcome { DONE = 0, ENDED = 1, TIMED_OUT = 2, INTERRUPTED = 3 };

struct visit {
    int64_t ns;        /* from fire to done, on this clock */
    int32_t outcome;   /* enum outcome */
    int32_t disturbed; /* judge or runner was taken off its core meanwhile */
};

struct piece { /* contents that an arm must not see before it is awake */
    char *to;
    const char *from;
    uint64_t bytes;
};

struct task { /* one visit's work, and where its outputs are to be copied */
    uint32_t number;
    uint64_t table_offset, calls;
    const char *output;
    char *copy;
    uint64_t output_bytes;
    const struct piece *piece;
    uint64_t pieces;
    uint32_t staged; /* the arm works on a device: contents go there before the clock starts, results come back after */
};

struct watch { /* what ends a visit besides an answer */
    int32_t pid;
    int64_t limit_ns;
    const int32_t *stop; /* set by the judge's person, from another thread */
    int32_t status;      /* the runner's /proc/PID/status, or -1 */
    int32_t is_shared;   /* whether the runner has no core of its own */
};

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC_RAW, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

/* How often runner and judge have been taken off a core so far; not how often the runner slept, which it could choose. */
static int64_t losses(const struct watch *watch) {
    static const char name[] = "nonvoluntary_ctxt_switches:";
    char text[8192] = {0};
    const char *line = NULL;
    if (watch->status >= 0 && pread(watch->status, text, sizeof text - 1, 0) > 0) line = strstr(text, name);
    struct rusage own;
    getrusage(RUSAGE_THREAD, &own);
    return own.ru_nivcsw + (line ? strtoll(line + sizeof name - 1, NULL, 10) : 0);
}

static int has_ended(pid_t pid) {
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == pid;
}

/* Spins, because a sleeping judge would add the scheduler's mood to every visit; looks at the process once a millisecond. */
static int await(const uint32_t *word, uint32_t visit, const struct watch *watch, int64_t started_ns) {
    int64_t next_look_ns = started_ns + 1000000;
    for (unsigned turn = 1; __atomic_load_n(word, __ATOMIC_ACQUIRE) != visit; turn++) {
        __builtin_ia32_pause();
        if (turn % 64) continue;
        int64_t now = now_ns();
        if (now < next_look_ns) continue;
        if (has_ended(watch->pid)) return __atomic_load_n(word, __ATOMIC_ACQUIRE) == visit ? DONE : ENDED;
        if (now - started_ns > watch->limit_ns) return TIMED_OUT;
        if (__atomic_load_n(watch->stop, __ATOMIC_RELAXED)) return INTERRUPTED;
        if (watch->is_shared) sched_yield(); /* elsewhere only a neighbour would gain by it */
        next_look_ns = now + 1000000;
    }
    return DONE;
}

struct visit visit(struct orders *orders, const struct control *control, const struct watch *watch, const struct task *task) {
    struct visit result = {0, DONE, 0};
    uint32_t number = task->number;
    __atomic_store_n(&orders->go, number, __ATOMIC_RELEASE);
    syscall(SYS_futex, &orders->go, FUTEX_WAKE, 1, NULL, NULL, 0);
    result.outcome = await(&control->ready, number, watch, now_ns());
    if (result.outcome != DONE) return result;
    orders->table_offset = task->table_offset;
    orders->calls = task->calls;
    for (uint64_t i = 0; i < task->pieces; i++) memcpy(task->piece[i].to, task->piece[i].from, task->piece[i].bytes);
    if (task->staged) {
        __atomic_store_n(&orders->stage, number, __ATOMIC_RELEASE);
        result.outcome = await(&control->staged, number, watch, now_ns());
        if (result.outcome != DONE) return result;
    }
    int64_t before = losses(watch);
    int64_t started_ns = now_ns();
    __atomic_store_n(&orders->fire, number, __ATOMIC_RELEASE);
    result.outcome = await(&control->done, number, watch, started_ns);
    result.ns = now_ns() - started_ns;
    if (task->staged) {
        result.disturbed = losses(watch) != before;
        if (result.outcome == DONE) result.outcome = await(&control->delivered, number, watch, now_ns());
    }
    /* What counts is what was there at "done": a candidate that said so early goes on writing for nothing. */
    if (result.outcome == DONE && task->output_bytes) memcpy(task->copy, task->output, task->output_bytes);
    if (!task->staged) result.disturbed = losses(watch) != before;
    return result;
}
