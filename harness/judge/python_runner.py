"""The candidate's process for Python. Imports nothing of ours; holds no clock, no reference and no secret.

Started once for a judge, it imports what an experiment allows (which takes seconds) and then splits off a process for
every arm, which takes milliseconds: that one maps what it is given, closes its box, loads one source, then waits,
calls, says done; nothing else. The first process never sees a candidate.

    python_runner.py DOOR.so SOCKET DEVICE PATHS MODULE...

On a device an arm brings its inputs there before the clock starts, and results back after it has stopped.
"""

import array
import ctypes
import gc
import importlib
import json
import linecache
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, TypeAlias

ORDERS_BYTES, DESCRIBED_AT = 16 * 4096, 15 * 4096  # the last page of the orders says what a visit's arguments look like
RAISED, ANSWERED_WRONG = 6, 7
CANDIDATE, ABSENT, CPU = "candidate", "absent", "cpu"
SCRAP_BYTES, AWAKE_S = 256 << 20, 0.02  # more than any device's cache; until its clock has risen
OWN_SHARE = 0.3  # of a device's memory: there are three arms
Calls: TypeAlias = list[tuple[list[Any], Any]]


def main() -> None:
    door_path, number, device, paths, *names = sys.argv[1:]
    sys.path += paths.split(os.pathsep)  # behind this interpreter's own: what the judge can import, we can
    door = ctypes.CDLL(door_path)
    door.open_window.restype = door.orders_page.restype = ctypes.c_void_p
    door.open_window.argtypes = [ctypes.c_int, ctypes.c_int, *[ctypes.c_uint64] * 3, ctypes.c_int]
    for name in names:
        importlib.import_module(name)
    tensors = Tensors(sys.modules["torch"], device)
    gc.collect()
    gc.freeze()
    gc.disable()  # an arm's pauses are its own
    asked = socket.socket(fileno=int(number))
    asked.send(b"ready" if device == CPU or sys.modules["torch"].backends.cuda.is_built() else b"no cuda")
    while True:
        message, control, _, _ = asked.recvmsg(1 << 16, socket.CMSG_SPACE(16))
        if not message:
            return
        files = array.array("i")
        files.frombytes(control[0][2])
        pid = split(door)
        if pid == 0:
            serve(door, tensors, json.loads(message), *files)
        for file in files:
            os.close(file)
        asked.send(str(pid).encode())


def split(door: ctypes.CDLL) -> int:
    """fork(), but for the parent: the new process is the judge's child, as we are."""
    python = ctypes.pythonapi
    python.PyOS_BeforeFork()
    pid = ctypes.PyDLL(door._name).fork_for_the_judge()
    (python.PyOS_AfterFork_Parent if pid else python.PyOS_AfterFork_Child)()
    return int(pid)


def serve(door: ctypes.CDLL, tensors: "Tensors", asked: dict[str, Any], *files: int) -> None:
    """One arm, to its end. A library runs nothing of its own accord: it is loaded while files can be opened."""
    os.setsid()
    file, reader, text, *libraries = files
    window = door.open_window(file, reader, asked["base"], ORDERS_BYTES, asked["window_bytes"], asked["judge"])
    page = door.orders_page()
    source = os.pread(text, os.fstat(text).st_size, 0).decode()
    with told(door):
        given = {"LIBRARY": ctypes.CDLL(f"/proc/self/fd/{libraries[0]}")} if libraries else {}
        if tensors.device == CPU:
            door.close_the_door()
        else:
            close_the_door_on_cuda(door, tensors, asked["readable"], asked["scratch"], asked["may_build"])
    target: Callable[..., Any] | None = None
    calls: Calls = []
    while True:
        door.wait_for_the_next()
        if target is None:  # the first visit is empty, before anything foreign is here: this is what waiting looks like
            door.wait_for_fire()
            door.say_done()
            with told(door):
                target = load(source, asked["target"], given)
            continue
        calls = tensors.calls(window, page)
        if given:  # what calls a library makes the output itself
            calls = [([*arguments, output.shape], output) for arguments, output in calls]
        with told(door):
            (answer_on_a_device if asked["is_staged"] else answer)(door, tensors, target, calls)
        calls = []


@contextmanager
def told(door: ctypes.CDLL) -> Iterator[None]:
    """Whatever is raised in it ends this process, with a last word to the judge."""
    try:
        yield
    except BaseException as fault:
        give_up(door, fault)
        raise


def answer(door: ctypes.CDLL, tensors: "Tensors", target: Callable[..., Any], calls: Calls) -> None:
    door.wait_for_fire()
    for arguments, output in calls:
        tensors.copy(output, tensors.checked(target(*arguments), output))
    door.say_done()


def answer_on_a_device(door: ctypes.CDLL, tensors: "Tensors", target: Callable[..., Any], calls: Calls) -> None:
    """The clock runs from fire to done: calls and what they started on the device, and no way to it or back."""
    door.wait_for_contents()
    placed = [[tensors.placed(one) for one in arguments] for arguments, _ in calls]
    tensors.awake()
    door.wait_for_fire_when_staged()
    results = [tensors.checked(target(*one), output) for one, (_, output) in zip(placed, calls, strict=True)]
    tensors.synchronize()
    door.say_done()
    for result, one, (_, output) in zip(results, placed, calls, strict=True):
        tensors.copy(output, tensors.new(result, one))
    door.say_delivered()


def close_the_door_on_cuda(door: ctypes.CDLL, tensors: "Tensors", readable: str, scratch: str, may_build: bool) -> None:
    """The device is opened and its libraries are loaded while files can still be; descriptors of others are gone."""
    door.close_descriptors()
    for _ in range(3):
        os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # compilers want them, too
    torch = tensors.torch
    os.environ.update(dict.fromkeys(("HOME", "TMPDIR", "TRITON_CACHE_DIR"), scratch))
    os.chdir(scratch)
    torch.cuda.init()
    torch.cuda.set_per_process_memory_fraction(OWN_SHARE)
    square = torch.ones((64, 64), device="cuda")
    (square @ square).sum().cpu()  # context, allocator and cuBLAS
    tensors.scrap = tensors.empty(SCRAP_BYTES // 4, device=tensors.device)
    tensors.awake()
    door.close_the_door_on_a_device(readable.encode(), scratch.encode(), int(may_build))


def load(source: str, name: str, given: dict[str, Any]) -> Callable[..., Any]:
    """The candidate's function; what its module does as it is loaded is over before there is any input."""
    module = ModuleType(CANDIDATE)
    vars(module).update(given)
    sys.modules[CANDIDATE] = module
    # No file of it exists; who asks for its text, as Triton does, is given it.
    linecache.cache[f"{CANDIDATE}.py"] = (len(source), None, source.splitlines(keepends=True), f"{CANDIDATE}.py")
    exec(compile(source, f"{CANDIDATE}.py", "exec", dont_inherit=True), module.__dict__)
    return vars(module)[name]  # type: ignore[no-any-return]


def give_up(door: ctypes.CDLL, fault: BaseException) -> None:
    trace, line = fault.__traceback__, 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == f"{CANDIDATE}.py":
            line = trace.tb_lineno
        trace = trace.tb_next
    is_refused = type(fault) is Refused
    kind = "" if is_refused else f"{type(fault).__name__}: "
    where = f" (line {line})" if line else ""
    said = f"{kind}{str(fault)[:150]}{where}".encode("ascii", "replace")
    door.give_up(said, ANSWERED_WRONG if is_refused else RAISED)


class Refused(Exception):
    """What came back is not what was asked for."""


class Tensors:
    """Arguments as tensors over shared memory, without a copy; results as bytes, back to it."""

    def __init__(self, torch: ModuleType, device: str) -> None:
        self.torch, self.device = torch, device
        # What torch.cuda.synchronize looks up whenever it is called, and whoever patches it would be timed without.
        wait = getattr(torch._C, "_cuda_synchronize", torch.cuda.synchronize)
        self.synchronize: Callable[[], None] = wait if device != CPU else lambda: None
        torch.set_num_threads(1)
        self.frombuffer, self.Tensor, self.float32 = torch.frombuffer, torch.Tensor, torch.float32
        self.empty, self.strided, self.to = torch.empty, torch.strided, torch.Tensor.to
        self.copy, self.zero, self.now = torch.Tensor.copy_, torch.Tensor.zero_, time.perf_counter
        self.scrap: Any = None
        # What the first call of each kind costs is paid here, for all arms alike.
        self.copy(self.empty(2), self.empty(2))

    def calls(self, window: int, page: int) -> Calls:
        """The calls of the visit at hand: arguments, and where the result goes."""
        asked = json.loads(ctypes.string_at(page + DESCRIBED_AT))
        shapes, count = asked["shapes"], asked["calls"]
        row = ctypes.cast(window + asked["table"], ctypes.POINTER(ctypes.c_uint64))
        found = []
        for call in range(count):
            words = row[call * len(shapes) : (call + 1) * len(shapes)]
            *given, output = [self.one(window, word, shape) for word, shape in zip(words, shapes, strict=True)]
            found.append((given, output))
        return found

    def one(self, window: int, word: int, shape: Any) -> Any:
        """An argument: a number of the case, nothing, or a tensor."""
        if shape is None:
            return ctypes.c_int64(word).value
        if shape == ABSENT:
            return None
        size = 1
        for extent in shape:
            size *= extent
        if size == 0:
            return self.empty(shape)
        return self.frombuffer((ctypes.c_char * (4 * size)).from_address(window + word), dtype=self.float32).view(shape)

    def placed(self, one: Any) -> Any:
        """A tensor as a new one on the device; everything else as it is."""
        return self.to(one, self.device, copy=True) if type(one) is self.Tensor else one

    def awake(self) -> None:
        """A device that has idled is slow, and what it was given last lies in its cache: it works for a moment on
        something else. Then, and where there is none, nothing is left to be done."""
        ends = self.now() + AWAKE_S
        while self.scrap is not None and self.now() < ends:
            self.zero(self.scrap)
            self.synchronize()
        self.synchronize()

    def new(self, result: Any, arguments: list[Any]) -> Any:
        """The result, where it lies in none of the arguments: on a device they can be written to."""
        place = result.untyped_storage().data_ptr()
        if place and any(type(one) is self.Tensor and one.untyped_storage().data_ptr() == place for one in arguments):
            raise Refused("returned one of its arguments, must be a new tensor")
        return result

    def checked(self, result: Any, output: Any) -> Any:
        """The result, where it is a plain tensor of the right kind, in the right place."""
        if type(result) is not self.Tensor:
            raise Refused(f"returned a {type(result).__name__}, must be a plain torch.Tensor")
        is_here = result.device.type == self.device
        if result.layout is not self.strided or not is_here or result.dtype is not self.float32:
            raise Refused(f"returned {result.dtype} on {result.device}, must be torch.float32 on {self.device}")
        if result.shape != output.shape:
            raise Refused(f"returned shape {tuple(result.shape)}, must be {tuple(output.shape)}")
        if not result.is_contiguous():
            raise Refused(f"returned strides {result.stride()}, must be contiguous")
        return result


if __name__ == "__main__":
    main()
