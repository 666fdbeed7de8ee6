"""What the agent asks of the kernel."""

import ctypes
import fcntl
import os
import signal
import sys
import time

PR_SET_DUMPABLE = 4
FIONREAD = 0x541B
CLOCK_REALTIME_COARSE = 5
PIPE_BYTES = 256 * 1024  # of the 64 MiB that a user's pipes may take on a node before the kernel shrinks new ones
OOM_COUNTERS = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")  # cgroup v2, v1

_libc = ctypes.CDLL(None, use_errno=True)


def forbid_inspection() -> None:
    """Closes /proc/1 and ptrace to the program, which has our user id."""
    if _libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "PR_SET_DUMPABLE")


def ignore_signals() -> None:
    """Linux keeps from PID 1 what it has no handler for; ignoring does not rely on that. Python handles SIGINT."""
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN if number != signal.SIGCHLD else signal.SIG_DFL)


def children_wakeup() -> int:
    """A descriptor that becomes readable when a child may have ended. Anyone may send SIGCHLD: it is a hint only."""
    wakeup, signalled = os.pipe()
    os.set_blocking(wakeup, False)
    os.set_blocking(signalled, False)
    signal.set_wakeup_fd(signalled, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return wakeup


def calm(wakeup: int) -> None:
    """Takes from the descriptor what has come."""
    try:
        os.read(wakeup, 4096)
    except BlockingIOError:
        pass


def waiting_bytes(pipe: int) -> int:
    """What there is to read now; someone may go on writing."""
    count = fcntl.ioctl(pipe, FIONREAD, bytes(4))
    return int.from_bytes(count, sys.byteorder)


def coarse_clock() -> int:
    """Nanoseconds of the clock that file systems take their times from."""
    return time.clock_gettime_ns(CLOCK_REALTIME_COARSE)


def wait_for_tick(after: int) -> None:
    """Until that clock is past a time of the present; it ticks every 10 ms at least."""
    for _ in range(20):
        if coarse_clock() > after:
            return
        time.sleep(0.001)


def enlarge_pipe(fd: int) -> None:
    try:
        fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    except OSError:
        pass  # over the user's share of the node: slower, not wrong


def reap(pid: int) -> int | None:
    """Reaps every child that has ended; the wait status of `pid` if it is among them."""
    status = None
    try:
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if ended[0] == pid:
                status = ended[1]
    except ChildProcessError:
        pass
    return status


def end_everyone() -> None:
    """Kills every other process of the namespace, and returns when there is none."""
    try:
        while True:
            os.kill(-1, signal.SIGKILL)
            os.waitpid(-1, 0)
    except (ProcessLookupError, ChildProcessError):
        pass  # nobody is left, or only the zombies of someone outside


def signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIGRTMIN+{number - signal.SIGRTMIN}"


def count_oom_kills(paths: tuple[str, ...] = OOM_COUNTERS) -> int:
    """How often the kernel has killed in our cgroup for want of memory; 0 where no counter is to be seen."""
    for path in paths:
        try:
            with open(path) as file:
                return parse_oom_kills(file.read())
        except OSError:
            continue
    return 0


def parse_oom_kills(text: str) -> int:
    for line in text.splitlines():
        name, _, count = line.partition(" ")
        if name == "oom_kill":
            return int(count)
    return 0
