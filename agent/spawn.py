"""The runner's start: its pipes, its environment, its process. Imported before all else, so it imports only `os`."""

import os
import sys

from refusal import Refusal

PREPARED, MEMORY_ERROR = b"p", b"m"  # what the runner reports once it has its request
ENDED_EARLY = "the runner ended before it had a request"
RUNNER_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "runner")
PROGRAM = "/workspace/main.py"
CATCHABLE = [number for number in range(1, 65) if number not in (9, 19, 32, 33)]  # SIGKILL, SIGSTOP, and libc's two


class Runner:
    """The interpreter that becomes the user's program, seen from the agent."""

    def __init__(self, pid: int, request: int, report: int, stdout: int, stderr: int) -> None:
        self.pid = pid
        self.request = request
        self.report = report
        self.stdout = stdout
        self.stderr = stderr

    def tell(self, message: bytes) -> None:
        unsent = memoryview(message)
        try:
            while unsent:
                unsent = unsent[os.write(self.request, unsent) :]
        except BrokenPipeError:
            raise Refusal(ENDED_EARLY) from None

    def hand_over(self, request: bytes) -> None:
        """Gives the runner its first request; returns when nothing but the user's code is left to run."""
        self.tell(request)
        if os.read(self.report, 1) != PREPARED:
            reason = os.read(self.report, 4096).decode(errors="replace")
            raise Refusal(f"the runner could not prepare the program: {reason}".removesuffix(": "))

    def close(self) -> None:
        for fd in (self.request, self.report, self.stdout, self.stderr):
            os.close(fd)

    def reports_memory_error(self) -> bool:
        """Whether an uncaught MemoryError was reported. The program may write here too: trust it for nothing else."""
        os.set_blocking(self.report, False)
        try:
            return MEMORY_ERROR in os.read(self.report, 65_536)
        except BlockingIOError:
            return False


def start_runner(*options: str) -> Runner:
    request, agent_request = os.pipe()
    agent_report, report = os.pipe()
    agent_stdout, stdout = os.pipe()
    agent_stderr, stderr = os.pipe()
    stdin = anonymous_file()
    for fd in (request, report, stdout, stderr):
        os.set_inheritable(fd, True)
    environment = runner_environment(dict(os.environ), (request, report, stdout, stderr))
    pid = os.posix_spawn(
        sys.executable,
        [sys.executable, *options, PROGRAM],
        environment,
        # Until the program's own pipes take their place, what a preload prints goes to the container's stderr.
        file_actions=[(os.POSIX_SPAWN_DUP2, stdin, 0), (os.POSIX_SPAWN_DUP2, 2, 1)],
        setpgroup=0,
        setsigmask=[],
        setsigdef=CATCHABLE,
    )
    for fd in (request, report, stdout, stderr, stdin):
        os.close(fd)
    return Runner(pid, agent_request, agent_report, agent_stdout, agent_stderr)


def anonymous_file() -> int:
    """A file without a name, which becomes the program's stdin: seekable, of any size, and no pipe to feed."""
    try:
        return os.memfd_create("stdin")
    except OSError:
        return os.open("/tmp", os.O_TMPFILE | os.O_RDWR, 0o600)


def runner_environment(inherited: dict[str, str], fds: tuple[int, ...]) -> dict[str, str]:
    environment = {"HOME": "/workspace", "TMPDIR": "/tmp"}
    environment |= {name: value for name, value in inherited.items() if not name.startswith("KUBERNETES_")}
    # By the environment and not by -u, so that Python children of the program lose no output either.
    environment["PYTHONUNBUFFERED"] = "1"
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (RUNNER_FOLDER, inherited.get("PYTHONPATH"))))
    environment["VIVARIUM_FDS"] = " ".join(map(str, fds))
    return environment
