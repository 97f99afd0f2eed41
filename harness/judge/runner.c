/* The candidate's process: maps what it is given, loads one artifact, then waits, calls, says done; nothing else.
   It holds no clock, no reference and no secret. The call itself comes from invoke.h, generated from the signature. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "invoke.h" /* TARGET, and static inline void invoke(void *, char *, const uint64_t *) */
#include "sandbox.h"
#include "shared.h"

#define PAGE 4096ul
#define MXCSR 0x1F80u /* round to nearest, denormals kept, nothing trapped */
#define STICKY_FLAGS 0x3Fu
#define FLAGS 0x202ul /* interrupts on, all else off */
#define HAS_FSGSBASE 2 /* in AT_HWCAP2 */
#define DEAD_STACK_BYTES 16384
#define MOST_STACK_PAGES 256
#define SPOILT_NS 50000000 /* longer than any batch of several calls is meant to last */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

static struct control *control;
static const struct orders *orders;
static char *window, *stack;
static size_t window_bytes, stack_bytes;
static int may_set_bases;
static uint64_t own_fs;

static _Noreturn void refuse(const char *what) {
    snprintf(control->message, sizeof control->message, "%s: %s", what, strerror(errno));
    _exit(3);
}

static void *map_shared(void *at, size_t bytes, int protection, int file, off_t offset) {
    int flags = MAP_SHARED | MAP_POPULATE | (at ? MAP_FIXED : 0);
    void *mapped = mmap(at, bytes, protection, flags, file, offset);
    if (mapped == MAP_FAILED) _exit(4);
    return mapped;
}

static void on_fault(int signal_number, siginfo_t *info, void *context) {
    (void)context;
    char *at = info->si_addr;
    control->fault_offset = at >= window && at < window + window_bytes ? at - window : -1;
    control->signal_code = info->si_code;
    control->signal = signal_number;
    _exit(5);
}

static void catch_faults(void) {
    static char room[16 * 4096];
    stack_t alternative = {.ss_sp = room, .ss_size = sizeof room};
    sigaltstack(&alternative, NULL);
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND};
    int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, NULL);
}

/* Every register that a call could leave something in, x87, vector, mask and protection keys alike, set to its first
   state: an empty XSAVE area says so for all of them at once. */
static __attribute__((target("xsave"))) void scrub_registers(void) {
    static const struct {
        uint8_t legacy[24];
        uint32_t mxcsr;
        uint8_t rest[4096 - 28];
    } first_state __attribute__((aligned(64))) = {.mxcsr = MXCSR};
    __builtin_ia32_xrstor64((void *)&first_state, -1);
}

/* What XRSTOR leaves alone: segments and their bases, and flags such as AC and ID. */
static void scrub_segments(void) {
    uint32_t ds, es, fs, gs;
    __asm__ volatile("mov %%ds, %0\n mov %%es, %1\n mov %%fs, %2\n mov %%gs, %3" : "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs));
    if (ds | es | fs | gs) __asm__ volatile("mov %0, %%ds\n mov %0, %%es\n mov %0, %%fs\n mov %0, %%gs" ::"r"(0));
    if (may_set_bases) __asm__ volatile("wrfsbase %0\n wrgsbase %1" ::"r"(own_fs), "r"(0ul));
    __builtin_ia32_writeeflags_u64(FLAGS);
}

/* What is to be done, read anew for every call: in no register that a call saves, nowhere on the candidate's stack. Not
   in a struct, whose address the compiler would keep in one. */
static void *volatile called;
static const uint64_t *volatile row, *volatile rows_end;
/* The candidate's stack: pages that are there after a visit's first call, those of them that it wrote to, and the former
   as runs, to be wiped after every call. */
static unsigned char there[MOST_STACK_PAGES], written[MOST_STACK_PAGES];
static struct run {
    char *from, *to;
} run[MOST_STACK_PAGES];
static const struct run *volatile first_run, *volatile runs_end; /* anew for every call, too */

/* The judge compares this process's memory with what it was before the first call: our own leftovers must not differ. */
static __attribute__((noinline)) void wipe_dead_stack(void) {
    char room[DEAD_STACK_BYTES];
    memset(room, 0, sizeof room);
    __asm__ volatile("" ::"r"(room) : "memory");
    errno = 0; /* the mathematics library may set it */
}

/* By the kernel's word and not by what is there: a candidate can wipe a page, but not send it away. */
static void look_for_pages(unsigned char *found) {
    if (syscall(SYS_mincore, stack, stack_bytes, found)) memset(found, 1, stack_bytes / PAGE);
}

static __attribute__((noinline)) void find_pages(void) {
    static const char nothing[PAGE];
    struct run *end = run;
    look_for_pages(there);
    for (size_t page = 0; page < stack_bytes / PAGE; page++) {
        char *at = stack + page * PAGE;
        if (!there[page]) continue;
        written[page] = memcmp(at, nothing, PAGE) != 0;
        if (end == run || end[-1].to != at) (end++)->from = at;
        end[-1].to = at + PAGE;
    }
    first_run = run;
    runs_end = end;
}

/* All of the candidate's stack is new, and as much of it as the visit wrote to is there at once: the kernel finds pages
   for the next visit off the clock. A kernel before 5.14 finds them on it. */
static __attribute__((noinline)) void renew_stack(void) {
    if (!first_run) find_pages();
    madvise(stack, stack_bytes, MADV_DONTNEED);
    for (size_t page = 0; page < stack_bytes / PAGE; page++)
        if (written[page]) madvise(stack + page * PAGE, PAGE, MADV_POPULATE_WRITE);
    memset(there, 0, sizeof there);
    memset(written, 0, sizeof written);
    memset(run, 0, sizeof run);
    first_run = runs_end = NULL;
    scrub_registers(); /* looking leaves in them what it found */
}

/* Whether there are more pages by now; then the next visit has them from its beginning. */
static __attribute__((noinline)) int has_more_pages(void) {
    unsigned char found[MOST_STACK_PAGES] = {0};
    look_for_pages(found);
    if (!memcmp(found, there, sizeof there)) return 0;
    memcpy(written, found, sizeof written);
    return 1;
}

static __attribute__((noinline)) void spoil_the_time(void) {
    const struct timespec pause = {.tv_nsec = SPOILT_NS};
    syscall(SYS_futex, &orders->fire, FUTEX_WAIT, orders->fire, &pause, NULL, 0);
}

/* In line, so that nothing of ours lies in what it wipes: all of the runs that is below us. */
static inline __attribute__((always_inline)) void wipe_dead_pages(void) {
    for (const struct run *one = first_run; one != runs_end; one++) {
        char *from = one->from;
        size_t bytes = (size_t)(one->to - from);
        __asm__ volatile("mov %%rsp, %%rax\n sub %0, %%rax\n cmp %%rax, %1\n cmova %%rax, %1\n" /* no higher than that */
                         " xor %%eax, %%eax\n rep stosb"
                         : "+D"(from), "+c"(bytes)::"rax", "cc", "memory");
    }
}

/* The calls of one visit. What a call leaves in registers, flags and on the stack is gone before the next. What a later
   call than the first left further down was not wiped: such a visit takes too long to count. */
static void answer(void) {
    for (; row != rows_end; row += orders->arguments) {
        invoke(called, window, row);
        if ((__builtin_ia32_stmxcsr() & ~STICKY_FLAGS) != MXCSR) control->mode_changed = 1;
        scrub_segments();
        if (!first_run && orders->calls > 1) find_pages();
        wipe_dead_pages();
        scrub_registers();
    }
    if (orders->calls > 1 && has_more_pages()) spoil_the_time();
}

/* void call_on(char *stack_top, void (*function)(void)): nothing of the caller's in registers or on the new stack. */
void call_on(char *, void (*)(void));
__asm__(".local own_stack\n.comm own_stack, 8, 8\n.text\n.type call_on, @function\ncall_on:\n"
        " push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n"
        " mov %rsp, own_stack(%rip)\n mov %rdi, %rsp\n"
        " xor %ebx, %ebx\n xor %ebp, %ebp\n xor %r12d, %r12d\n xor %r13d, %r13d\n xor %r14d, %r14d\n xor %r15d, %r15d\n"
        " call *%rsi\n mov own_stack(%rip), %rsp\n movq $0, own_stack(%rip)\n"
        " pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n cld\n ret\n");

/* Never inlined: the judge knows a waiting runner by its stack and program counter, the same at every wait. The visit
   that was answered last is kept in the shared page alone, so that nothing on this stack differs from wait to wait. */
static __attribute__((noinline)) void wait_for_the_next(void) {
    uint32_t seen;
    while (seen = *(volatile uint32_t *)&control->ready, __atomic_load_n(&orders->go, __ATOMIC_ACQUIRE) == seen)
        syscall(SYS_futex, &orders->go, FUTEX_WAIT, seen, NULL, NULL, 0);
}

static void spin_for(uint32_t visit) {
    for (unsigned turn = 1; __atomic_load_n(&orders->fire, __ATOMIC_ACQUIRE) != visit; turn++) {
        if (turn % 4096 == 0) sched_yield(); /* where judge and runner have to share one core */
        __builtin_ia32_pause();
    }
}

static __attribute__((noinline)) void answer_one(void *target) {
    uint32_t number = __atomic_load_n(&orders->go, __ATOMIC_ACQUIRE);
    __atomic_store_n(&control->ready, number, __ATOMIC_RELEASE);
    spin_for(number);
    /* What to do is told only now, so that nothing can be done before the clock runs. */
    called = target;
    row = (const uint64_t *)(window + orders->table_offset);
    rows_end = row + orders->calls * orders->arguments;
    if (target) call_on(stack + stack_bytes, answer);
    called = NULL, row = rows_end = NULL; /* or the judge would take it for a candidate's state */
    __atomic_store_n(&control->done, number, __ATOMIC_RELEASE);
}

static __attribute__((noinline, noclone)) void serve(void *target) {
    wipe_dead_stack();
    for (;;) {
        wait_for_the_next();
        answer_one(target);
        renew_stack(); /* off the clock */
        wipe_dead_stack();
        if (!target) return;
    }
}

static _Noreturn void load(int artifact) {
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", artifact);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        const char *text = dlerror();
        snprintf(control->message, sizeof control->message, "%s", text ? text : "dlopen failed");
        _exit(3);
    }
    void *target = dlsym(library, TARGET);
    if (!target) refuse("the artifact has no " TARGET);
    if (close_range(3, ~0u, 0)) refuse("descriptors cannot be closed");
    if (!seal_sandbox() && control->achieved & SECCOMP) refuse("the sandbox cannot be sealed");
    serve(target);
    _exit(0);
}

int main(int count, char **argument) {
    if (count != 8) return 2;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != atoi(argument[7])) return 2; /* the judge ended before that was in force */
    /* Two views of one file: what was opened for reading cannot be made writable by anyone later. */
    int file = atoi(argument[1]), reader = atoi(argument[2]), artifact = atoi(argument[3]);
    window_bytes = strtoul(argument[6], NULL, 10);
    orders = map_shared(NULL, PAGE * 16, PROT_READ, reader, strtol(argument[4], NULL, 10));
    control = map_shared(NULL, PAGE, PROT_READ | PROT_WRITE, file, strtol(argument[5], NULL, 10));
    window = mmap(NULL, window_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (window == MAP_FAILED) refuse("the window cannot be reserved");
    for (uint64_t i = 0; i < orders->segments; i++) {
        const struct segment *s = &orders->segment[i];
        int protection = s->writable ? PROT_READ | PROT_WRITE : PROT_READ;
        map_shared(window + s->window_offset, s->bytes, protection, s->writable ? file : reader, (off_t)s->file_offset);
    }
    close(file);
    close(reader);
    stack_bytes = orders->stack_bytes;
    if (stack_bytes > MOST_STACK_PAGES * PAGE) return 2;
    stack = mmap(NULL, PAGE + stack_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stack == MAP_FAILED || mprotect(stack += PAGE, stack_bytes, PROT_READ | PROT_WRITE)) refuse("no stack");
    if (orders->cpu >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET((size_t)orders->cpu, &set);
        sched_setaffinity(0, sizeof set, &set);
    }
    may_set_bases = (getauxval(AT_HWCAP2) & HAS_FSGSBASE) != 0;
    if (may_set_bases) __asm__ volatile("rdfsbase %0" : "=r"(own_fs));
    catch_faults();
    control->achieved = enter_sandbox(window_bytes + stack_bytes + orders->memory_bytes, orders->seconds) | ENTERED;
    serve(NULL); /* one empty visit before anything foreign is in this process: the judge learns what waiting looks like */
    load(artifact);
}
