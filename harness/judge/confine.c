/* The compiler's box: it may read where compilers and their headers live, write in its own folder, and touch no other
   file. It sets no other limit. A kernel without Landlock runs the command unboxed: the gate still refuses what it opens.
   Usage: confine FOLDER ROOT... -- COMMAND... */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define OF_A_FILE (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE)
#define READING (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)

/* A path that this machine lacks needs no permission. */
static void permit(int rules, const char *path, uint64_t rights) {
    int at = open(path, O_PATH | O_CLOEXEC);
    struct stat facts;
    if (at < 0 || fstat(at, &facts)) return;
    struct landlock_path_beneath_attr rule = {
        .allowed_access = S_ISDIR(facts.st_mode) ? rights : rights & OF_A_FILE, .parent_fd = at};
    syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    close(at);
}

int main(int count, char **words) {
    int command = 2;
    while (command < count && strcmp(words[command], "--")) command++;
    if (command + 1 >= count) {
        fputs("usage: confine FOLDER ROOT... -- COMMAND...\n", stderr);
        return 126;
    }
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    uint64_t every_right = version >= 3 ? 0x7FFF : version == 2 ? 0x3FFF : 0x1FFF;
    struct landlock_ruleset_attr attributes = {.handled_access_fs = every_right};
    int rules = version < 1 ? -1 : (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof(uint64_t), 0);
    if (rules >= 0) {
        permit(rules, words[1], every_right);
        permit(rules, "/dev/null", LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE);
        for (int i = 2; i < command; i++) permit(rules, words[i], READING);
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) syscall(SYS_landlock_restrict_self, rules, 0);
        close(rules);
    }
    execv(words[command + 1], words + command + 1);
    perror(words[command + 1]);
    return 127;
}
