/* The box around a candidate, entered by its own process before anything foreign is loaded, and drawn tighter after.
   Everything here works without privileges; what a kernel cannot give is reported, not hidden. */
#ifndef SANDBOX_H
#define SANDBOX_H

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shared.h"

#define ALLOW(number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define BEGIN                                                                                       \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),                        \
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),                               \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),                                        \
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))
/* Protections may be taken away, not given: loading needs no more than that. */
#define ALLOW_PROTECTING                                                                            \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mprotect, 0, 4),                                        \
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),                 \
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_WRITE, 1, 0),                                     \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)
#define END BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)

/* What answering visits needs: sleeping, yielding, dropping the stack's pages, ending. */
#define ANSWERING ALLOW(SYS_futex), ALLOW(SYS_sched_yield), ALLOW(SYS_madvise), ALLOW(SYS_exit_group)

static int filter(const struct sock_filter *code, size_t count) {
    struct sock_fprog program = {(unsigned short)count, (struct sock_filter *)code};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

static void limit(int resource, rlim_t most) {
    struct rlimit value = {most, most};
    setrlimit(resource, &value);
}

/* No path may be opened, no port bound or reached: an empty list of exceptions to every right this kernel knows. */
static int close_files(void) {
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1) return 0;
    struct {
        uint64_t files, ports, scopes;
    } rights = {
        .files = version >= 5 ? 0xFFFF : version >= 3 ? 0x7FFF : version == 2 ? 0x3FFF : 0x1FFF,
        .ports = version >= 4 ? 3 : 0,
        .scopes = version >= 6 ? 3 : 0,
    };
    size_t size = version >= 6 ? sizeof rights : version >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
    int rules = (int)syscall(SYS_landlock_create_ruleset, &rights, size, 0);
    if (rules < 0) return 0;
    int closed = syscall(SYS_landlock_restrict_self, rules, 0) == 0;
    close(rules);
    return closed;
}

/* Before the artifact is loaded: only what loading it needs is left. Returns what was achieved. */
static uint32_t enter_sandbox(uint64_t memory_bytes, uint64_t seconds) {
    static const struct sock_filter loading[] = {
        BEGIN, ANSWERING, ALLOW(SYS_mincore),
        ALLOW(SYS_openat), ALLOW(SYS_read), ALLOW(SYS_pread64), ALLOW(SYS_fstat), ALLOW(SYS_newfstatat), ALLOW(SYS_close),
        ALLOW(SYS_mmap), ALLOW(SYS_munmap), ALLOW(SYS_brk), ALLOW(SYS_close_range), ALLOW(SYS_prctl),
        ALLOW(SYS_getrandom), ALLOW_PROTECTING, END,
    };
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, 0);
    limit(RLIMIT_NPROC, 0);
    limit(RLIMIT_MEMLOCK, 0);
    limit(RLIMIT_MSGQUEUE, 0);
    limit(RLIMIT_CPU, seconds);
    limit(RLIMIT_AS, memory_bytes);
    uint32_t achieved = 0;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) achieved |= NO_NEW_PRIVS;
    if (close_files()) achieved |= LANDLOCK;
    if (prctl(PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0) == 0) achieved |= NO_TIMESTAMPS;
    if (filter(loading, sizeof loading / sizeof *loading)) achieved |= SECCOMP;
    return achieved;
}

/* After it: the call, a look at how much stack it took, the handshake and the end. */
static int seal_sandbox(void) {
    static const struct sock_filter answering[] = {BEGIN, ANSWERING, ALLOW(SYS_mincore), END};
    return filter(answering, sizeof answering / sizeof *answering);
}

#endif
