/* The Python runner's half of the handshake, its maps and its box: loaded into that process, before anything foreign.
   It holds no clock, no reference and no secret. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "device_box.h"
#include "sandbox.h"
#include "shared.h"

#define PAGE 4096ul
#define MXCSR 0x1F80u /* round to nearest, denormals kept, nothing trapped */
#define STICKY_FLAGS 0x3Fu
#define ORDERS_PAGES 16

static struct control *control;
static const struct orders *orders;
static char *window;

/* What stands on no list is refused, and the candidate may go on without it. */
#define REFUSE BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

/* A process with the zygote's memory, but the zygote's parent as its own: so that the judge can wait for it. */
int fork_for_the_judge(void) { return (int)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL); }

static void *map_shared(void *at, size_t bytes, int protection, int file, off_t offset) {
    void *mapped = mmap(at, bytes, protection, MAP_SHARED | MAP_POPULATE | (at ? MAP_FIXED : 0), file, offset);
    if (mapped == MAP_FAILED) _exit(4);
    return mapped;
}

static void on_fault(int signal_number, siginfo_t *info, void *context) {
    (void)context, (void)info;
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

/* Two views of one file: what was opened for reading cannot be made writable by anyone later. Returns the window. */
char *open_window(int file, int reader, uint64_t base, uint64_t orders_bytes, uint64_t window_bytes, int judge) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != judge) _exit(2); /* it ended before that was in force */
    orders = map_shared(NULL, PAGE * ORDERS_PAGES, PROT_READ, reader, (off_t)base);
    control = map_shared(NULL, PAGE, PROT_READ | PROT_WRITE, file, (off_t)(base + orders_bytes));
    window = mmap(NULL, window_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (window == MAP_FAILED) _exit(4);
    for (uint64_t i = 0; i < orders->segments; i++) {
        const struct segment *s = &orders->segment[i];
        int protection = s->writable ? PROT_READ | PROT_WRITE : PROT_READ;
        map_shared(window + s->window_offset, s->bytes, protection, s->writable ? file : reader, (off_t)s->file_offset);
    }
    if (orders->cpu >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET((size_t)orders->cpu, &set);
        sched_setaffinity(0, sizeof set, &set);
    }
    catch_faults();
    return window;
}

const void *orders_page(void) { return orders; }

static uint64_t address_space_bytes(void) {
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file) {
        if (fscanf(file, "%lu", &pages) != 1) pages = 0;
        fclose(file);
    }
    return pages * PAGE;
}

/* What numeric code in Python needs: memory, sleep, the end. Everything else is refused, and what nobody calls by
   accident ends the process. No descriptor is left, no path and no port can be opened, no thread or process begun. The
   time-stamp counter stays readable: libraries read it. */
void close_the_door(void) {
    static const struct sock_filter answering[] = {
        BEGIN, ANSWERING,
        ALLOW(SYS_mmap), ALLOW(SYS_munmap), ALLOW(SYS_mremap), ALLOW(SYS_brk), ALLOW(SYS_mprotect),
        ALLOW(SYS_rt_sigreturn), ALLOW(SYS_rt_sigprocmask), ALLOW(SYS_getrandom), ALLOW(SYS_sched_getaffinity),
        ENDS(SYS_clone), ENDS(SYS_clone3), ENDS(SYS_fork), ENDS(SYS_vfork), ENDS(SYS_execve), ENDS(SYS_execveat),
        ENDS(SYS_ptrace), ENDS(SYS_process_vm_readv), ENDS(SYS_process_vm_writev), ENDS(SYS_kill), ENDS(SYS_tkill),
        ENDS(SYS_tgkill), ENDS(SYS_socket), ENDS(SYS_socketpair), ENDS(SYS_bpf), ENDS(SYS_perf_event_open),
        ENDS(SYS_io_uring_setup), ENDS(SYS_userfaultfd), ENDS(SYS_memfd_create), ENDS(SYS_prctl), REFUSE,
    };
    uint64_t memory_bytes = address_space_bytes() + orders->memory_bytes;
    close_range(0, ~0u, 0);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, 0);
    limit(RLIMIT_NPROC, 0);
    limit(RLIMIT_MEMLOCK, 0);
    limit(RLIMIT_MSGQUEUE, 0);
    limit(RLIMIT_CPU, orders->seconds);
    limit(RLIMIT_AS, memory_bytes);
    uint32_t achieved = 0;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) achieved |= NO_NEW_PRIVS;
    if (close_files()) achieved |= LANDLOCK;
    if (filter(answering, sizeof answering / sizeof *answering)) achieved |= SECCOMP;
    control->achieved = achieved | ENTERED;
}

/* Before a device is opened: what it opens then stays open. */
void close_descriptors(void) { close_range(0, ~0u, 0); }

void close_the_door_on_a_device(const char *readable, const char *scratch, int may_build) {
    control->achieved = enter_device_box(readable, scratch, may_build, orders->seconds) | ENTERED;
}

/* Asleep until the judge wakes this process for another visit. */
void wait_for_the_next(void) {
    uint32_t seen;
    while (seen = *(volatile uint32_t *)&control->ready, __atomic_load_n(&orders->go, __ATOMIC_ACQUIRE) == seen)
        syscall(SYS_futex, &orders->go, FUTEX_WAIT, seen, NULL, NULL, 0);
}

static void say_and_await(uint32_t *said, const uint32_t *awaited) {
    uint32_t number = __atomic_load_n(&orders->go, __ATOMIC_ACQUIRE);
    __atomic_store_n(said, number, __ATOMIC_RELEASE);
    for (unsigned turn = 1; __atomic_load_n(awaited, __ATOMIC_ACQUIRE) != number; turn++) {
        if (turn % 4096 == 0) sched_yield(); /* where judge and runner have to share one core */
        __builtin_ia32_pause();
    }
}

/* Contents and clock come after `ready`: nothing can be done for them before. */
void wait_for_fire(void) { say_and_await(&control->ready, &orders->fire); }

/* Where they are to be brought to a device first, the clock comes after that. */
void wait_for_contents(void) { say_and_await(&control->ready, &orders->stage); }
void wait_for_fire_when_staged(void) { say_and_await(&control->staged, &orders->fire); }
void say_delivered(void) { __atomic_store_n(&control->delivered, control->done, __ATOMIC_RELEASE); }

void say_done(void) {
    if ((__builtin_ia32_stmxcsr() & ~STICKY_FLAGS) != MXCSR) control->mode_changed = 1;
    __atomic_store_n(&control->done, __atomic_load_n(&orders->go, __ATOMIC_ACQUIRE), __ATOMIC_RELEASE);
}

/* The last words: `code` says of what kind they are. */
_Noreturn void give_up(const char *message, int code) {
    snprintf(control->message, sizeof control->message, "%s", message);
    _exit(code);
}
