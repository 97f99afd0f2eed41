/* The box around a candidate that works on a CUDA device: weaker than sandbox.h's, because the driver's libraries open
   files, start threads and take addresses without end, and Triton runs compilers. What may not be done is listed, not what
   may. Entered once the device is open. */
#ifndef DEVICE_BOX_H
#define DEVICE_BOX_H

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "sandbox.h"

#define DENY(number) \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1 /* EPERM */)
#define ENDS(number) \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)
#define OTHERS_MEMORY                                                                                            \
    ENDS(SYS_ptrace), ENDS(SYS_process_vm_readv), ENDS(SYS_process_vm_writev), ENDS(SYS_bpf), ENDS(SYS_kill),     \
        ENDS(SYS_perf_event_open), ENDS(SYS_io_uring_setup), ENDS(SYS_userfaultfd), ENDS(SYS_tkill),              \
        ENDS(SYS_rt_sigqueueinfo), ENDS(SYS_rt_tgsigqueueinfo), ENDS(SYS_pidfd_send_signal),                      \
        DENY(SYS_socket), DENY(SYS_socketpair), DENY(SYS_pidfd_open), DENY(SYS_pidfd_getfd), DENY(SYS_setsid),    \
        DENY(SYS_setpgid), DENY(SYS_unshare), DENY(SYS_setns), DENY(SYS_mount), DENY(SYS_umount2),                \
        DENY(SYS_pivot_root), DENY(SYS_chroot), DENY(SYS_init_module), DENY(SYS_finit_module), DENY(SYS_keyctl),  \
        DENY(SYS_add_key), DENY(SYS_request_key), DENY(SYS_open_by_handle_at), DENY(SYS_clock_settime),           \
        DENY(SYS_settimeofday), DENY(SYS_sched_setaffinity), DENY(SYS_sched_setscheduler), DENY(SYS_setpriority), \
        DENY(SYS_sched_setattr), WITHOUT_OPENING
/* What changes a file by its name alone, which landlock does not see, or not on every kernel. */
#define WITHOUT_OPENING                                                                                          \
    DENY(SYS_truncate), DENY(SYS_chmod), DENY(SYS_fchmod), DENY(SYS_fchmodat), DENY(SYS_chown), DENY(SYS_lchown), \
        DENY(SYS_fchown), DENY(SYS_fchownat), DENY(SYS_setxattr), DENY(SYS_lsetxattr), DENY(SYS_fsetxattr),       \
        DENY(SYS_removexattr), DENY(SYS_lremovexattr), DENY(SYS_fremovexattr), DENY(SYS_utime), DENY(SYS_utimes), \
        DENY(SYS_utimensat), DENY(SYS_futimesat), DENY(452 /* fchmodat2 */)
/* The numbers of another set of calls: where a kernel has them, they would pass every list of these. */
#define NO_X32 \
    BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)
/* A signal to a thread of one's own is how abort() ends a process. */
#define SIGNALS_TO(own)                                                                                          \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_tgkill, 0, 4),                                                        \
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),                               \
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (own), 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),           \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)

#define READ_FILES (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define OF_A_FILE (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | 0x4000ull)

/* Every right to files but that to ioctl, which a driver lives on. To move a file to another folder, as Triton does, is
   denied by the first version without a right that could be given. */
static uint64_t any_files(void) {
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return version >= 3 ? 0x7FFF : version == 2 ? 0x3FFF : 0x1FFF;
}

/* A rule with a folder's rights for what is none is refused. */
static void let(int rules, const char *path, uint64_t rights) {
    struct landlock_path_beneath_attr below = {.parent_fd = open(path, O_PATH | O_CLOEXEC)};
    struct stat facts;
    if (below.parent_fd < 0 || fstat(below.parent_fd, &facts)) return; /* not there, so nothing to let in */
    below.allowed_access = S_ISDIR(facts.st_mode) ? rights : rights & OF_A_FILE;
    syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &below, 0);
    close(below.parent_fd);
}

/* In threads that the driver has begun, too: they share the candidate's memory. */
static int filter_all_threads(const struct sock_filter *code, size_t count) {
    struct sock_fprog program = {(unsigned short)count, (struct sock_filter *)code};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0;
}

static void let_devices(int rules) {
    char path[300];
    DIR *folder = opendir("/dev");
    for (struct dirent *one; folder && (one = readdir(folder));) {
        if (strncmp(one->d_name, "nvidia", 6) && strcmp(one->d_name, "null")) continue;
        snprintf(path, sizeof path, "/dev/%s", one->d_name);
        let(rules, path, LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE);
    }
    if (folder) closedir(folder);
}

/* `readable`: folders and files, one a line; programs and libraries live there. `scratch`: the one folder that may be written to. */
static int close_most_files(const char *readable, const char *scratch) {
    uint64_t files = any_files();
    char path[4096];
    int rules = (int)syscall(SYS_landlock_create_ruleset, &files, sizeof files, 0);
    if (rules < 0) return 0;
    for (const char *line = readable, *end; *line; line = *end ? end + 1 : end) {
        end = strchr(line, '\n');
        if (!end) end = line + strlen(line);
        snprintf(path, sizeof path, "%.*s", (int)(end - line), line);
        let(rules, path, READ_FILES);
    }
    let(rules, scratch, files);
    let_devices(rules);
    int closed = syscall(SYS_landlock_restrict_self, rules, 0) == 0;
    close(rules);
    return closed;
}

/* No limit on addresses, because a context takes terabytes of them; none on threads, because the driver has some. */
static uint32_t enter_device_box(const char *readable, const char *scratch, int may_build, uint64_t seconds) {
    uint32_t own = (uint32_t)getpid();
    const struct sock_filter building[] = {BEGIN, NO_X32, OTHERS_MEMORY, SIGNALS_TO(own),
                                           BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    const struct sock_filter calling[] = {BEGIN, NO_X32, OTHERS_MEMORY, SIGNALS_TO(own), ENDS(SYS_execve),
                                          ENDS(SYS_execveat), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, may_build ? 64u << 20 : 0);
    limit(RLIMIT_MSGQUEUE, 0);
    limit(RLIMIT_CPU, seconds);
    uint32_t achieved = 0;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) achieved |= NO_NEW_PRIVS;
    if (close_most_files(readable, scratch)) achieved |= LANDLOCK;
    if (may_build ? filter_all_threads(building, sizeof building / sizeof *building)
                  : filter_all_threads(calling, sizeof calling / sizeof *calling))
        achieved |= SECCOMP;
    return achieved;
}

#endif
