/* A command on a line: nothing that it started outlives it, our own end, or the judge that started us. Not even what went
   into a session of its own: whoever's parent has ended becomes our child. Sets no limits, and knows no time.
   Usage: tether JUDGE PROGRAM ARGUMENT...       SIGTERM ends it all; the exit code is the program's, as a shell puts it. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define OF_A_SIGNAL 128

/* Its exit code, without reaping it: until then its number is nobody else's. -1 as long as it runs. */
static int code_of(pid_t command) {
    siginfo_t ended;
    for (;;) {
        ended.si_pid = 0;
        if (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) || ended.si_pid == 0) return -1;
        if (ended.si_pid == command) return ended.si_status + (ended.si_code == CLD_EXITED ? 0 : OF_A_SIGNAL);
        waitpid(ended.si_pid, NULL, 0);
    }
}

/* Generation by generation: the children of those that end become ours. */
static void end_all(pid_t command) {
    kill(-command, SIGKILL); /* its own group at once, or what forks faster than we read would get away */
    kill(command, SIGKILL);
    do {
        FILE *children = fopen("/proc/thread-self/children", "re");
        int child;
        while (children && fscanf(children, "%d", &child) == 1) kill(child, SIGKILL);
        if (!children) break; /* a kernel that does not keep this list */
        fclose(children);
    } while (waitpid(-1, NULL, 0) > 0);
}

int main(int count, char **words) {
    sigset_t awaited, before;
    sigemptyset(&awaited);
    sigaddset(&awaited, SIGTERM);
    sigaddset(&awaited, SIGCHLD);
    sigprocmask(SIG_BLOCK, &awaited, &before);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (count < 3 || getppid() != atoi(words[1])) return 126; /* it ended before that was in force */
    pid_t self = getpid(), command = fork();
    if (command < 0) return 126;
    if (command == 0) {
        setsid(); /* so that a `kill 0` of its own is none of ours */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != self) return 126;
        sigprocmask(SIG_SETMASK, &before, NULL);
        execv(words[2], words + 2);
        perror(words[2]);
        return 127;
    }
    int code = -1;
    while (code < 0 && sigwaitinfo(&awaited, NULL) != SIGTERM) code = code_of(command);
    end_all(command);
    return code < 0 ? OF_A_SIGNAL + SIGTERM : code;
}
