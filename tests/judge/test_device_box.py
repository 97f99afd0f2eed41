"""The box for arms on a CUDA device, entered by a program of a few lines: what it holds needs no device to be shown."""

import signal
import subprocess
from pathlib import Path

import pytest

from harness.judge.toolchain import HERE

PROGRAM = r"""
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include "device_box.h"

static int is_open;
static void *begun_before(void *unused) {
    while (!__atomic_load_n(&is_open, __ATOMIC_ACQUIRE)) {}
    socket(AF_INET, SOCK_STREAM, 0);
    return (void *)(long)errno;
}

int main(int count, char **argument) {
    (void)count;
    char own[4096], folder[4096], moved[8192];
    pthread_t thread;
    void *answer;
    snprintf(own, sizeof own, "%s/mine", argument[1]);
    snprintf(folder, sizeof folder, "%s/folder", argument[1]);
    snprintf(moved, sizeof moved, "%s/moved", folder);
    pthread_create(&thread, NULL, begun_before, NULL);
    const char *readable = "/usr\n/lib\n/lib64\n/etc/ld.so.cache";
    if (enter_device_box(readable, argument[1], argument[2][0] == 'b', 60) != 7) return 99;
    errno = 0;
    switch (argument[3][0]) {
    case 'u': open("/usr/bin/env", O_RDONLY); break;
    case 'e': open("/etc/passwd", O_RDONLY); break;
    case 'p': open("/proc/1/environ", O_RDONLY); break;
    case 'o': open("/tmp/other", O_WRONLY | O_CREAT, 0600); break;
    case 'c': open("/etc/ld.so.cache", O_RDONLY); break;
    case 'm': open(own, O_WRONLY | O_CREAT, 0600); break;
    case 'd': open(own, O_WRONLY | O_CREAT, 0600), mkdir(folder, 0700), rename(own, moved); break;
    case 'l': truncate("/etc/ld.so.cache", 0); break;
    case 'h': chmod("/etc/ld.so.cache", 0644); break;
    case 'b':
        __atomic_store_n(&is_open, 1, __ATOMIC_RELEASE);
        pthread_join(thread, &answer);
        return (int)(long)answer;
    case 's': socket(AF_INET, SOCK_STREAM, 0); break;
    case 'g': setsid(); break;
    case 'k': kill(getppid(), SIGTERM); break;
    case 't': syscall(SYS_tgkill, getppid(), getppid(), 0); break;
    case 'q': syscall(SYS_rt_sigqueueinfo, getppid(), 0, &(siginfo_t){.si_code = SI_QUEUE}); break;
    case 'r': syscall(SYS_rt_tgsigqueueinfo, getppid(), getppid(), 0, &(siginfo_t){.si_code = SI_QUEUE}); break;
    case 'f': syscall(SYS_pidfd_send_signal, 0, 0, NULL, 0); break;
    case 'n': syscall(SYS_sched_setattr, 0, NULL, 0); break;
    case '3': syscall(0x40000000 + SYS_getpid); break;
    case 'a': abort();
    case 'z':
        chdir(argument[1]), setenv("TMPDIR", argument[1], 1);
        execlp("gcc", "gcc", "-O1", "-shared", "-fPIC", "stub.c", "-o", "stub.so", NULL);
        break;
    case 'x': execl("/usr/bin/env", "env", "true", NULL); break;
    }
    return errno;
}
"""
EACCES, EPERM, SIGSYS = 13, 1, -signal.SIGSYS


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("box")
    (folder / "box.c").write_text(PROGRAM)
    subprocess.run(["gcc", "-O1", "-w", f"-I{HERE}", "-o", folder / "box", folder / "box.c"], check=True)
    return folder / "box"


@pytest.mark.parametrize(
    ("action", "code"),
    [
        ("usr", 0),
        ("etc", EACCES),
        ("parent's environment", EACCES),
        ("other's file", EACCES),
        ("cache of the linker's, one file that is listed", 0),
        ("mine", 0),
        ("directory to directory: a file of mine", 0),
        ("length of another's file", EPERM),
        ("how another's file may be used", EPERM),
        ("begun before: a thread, with a socket", EPERM),
        ("socket", EPERM),
        ("group", EPERM),
        ("kill", SIGSYS),
        ("thread of another's", SIGSYS),
        ("queued signal", SIGSYS),
        ("rt: one to a thread", SIGSYS),
        ("file of a process", SIGSYS),
        ("nice by another way", EPERM),
        ("32 bits in registers of 64", SIGSYS),
        ("abort", -signal.SIGABRT),
        ("x: a program", SIGSYS),
    ],
)
def test_what_may_not_be_done_on_a_device(program: Path, tmp_path: Path, action: str, code: int) -> None:
    assert subprocess.run([program, tmp_path, "calls", action]).returncode == code


def test_a_program_may_run_where_kernels_are_compiled_when_they_are_called(program: Path, tmp_path: Path) -> None:
    assert subprocess.run([program, tmp_path, "builds", "x: a program"]).returncode == 0


def test_gcc_builds_in_the_box_as_triton_has_it_do(program: Path, tmp_path: Path) -> None:
    (tmp_path / "stub.c").write_text("int stub(void) { return 1; }\n")
    subprocess.run([program, tmp_path, "builds", "z: gcc"], check=True)
    assert (tmp_path / "stub.so").is_file()
