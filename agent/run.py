"""The run: from `started` to `exit`."""

import os
from select import POLLIN, POLLOUT, poll
from time import monotonic

import kernel
from collect import Collection
from frames import CHUNK
from outcome import judge
from outlet import Outlet
from pacing import Pacer, TokenBucket
from request import RunRequest
from spawn import Runner
from streams import Stream

READ_BYTES = 256 * 1024
MAX_BACKLOG = 4 * 1024 * 1024  # bytes that the reader has not taken yet; then the program has to wait for it too
SMALL_FRAMES_AT_ONCE = 256
SMALL_FRAMES_PER_SECOND = 100
LONGEST_WAIT = 3600.0  # seconds; a poll's time-out must fit a C int


class Supervision:
    """Carries the program's output out until the program ends or its time does."""

    def __init__(self, request: RunRequest, runner: Runner, outlet: Outlet, children: int) -> None:
        self._runner = runner
        self._outlet = outlet
        self._children = children
        self.stdout = Stream("stdout", request.output_bytes)
        self.stderr = Stream("stderr", request.output_bytes)
        self._open = {runner.stdout: self.stdout, runner.stderr: self.stderr}
        for fd in self._open:
            os.set_blocking(fd, False)  # the program can read its own pipe, and may be faster
            kernel.enlarge_pipe(fd)
        self._begin = monotonic()
        self._deadline = self._begin + request.seconds
        self._pacer = Pacer(TokenBucket(SMALL_FRAMES_AT_ONCE, SMALL_FRAMES_PER_SECOND, self._begin), CHUNK)

    def watch(self) -> tuple[int | None, float]:
        """The program's wait status, None if its time ended first, and how long it ran."""
        while True:
            status = kernel.reap(self._runner.pid)
            now = monotonic()
            if status is not None or now >= self._deadline or self.is_over():
                return status, now - self._begin
            for stream, chunk in self._pacer.due(now):
                self._outlet.send_output(stream, chunk)
            self._outlet.push()
            self._wait(now)

    def is_over(self) -> bool:
        """Whether the run has ended and its interpreter has not."""
        return False

    def finish(self) -> None:
        """What was still in the pipes. Nobody is left to write, so they end."""
        for fd in list(self._open):
            while fd in self._open and self._read(fd):
                pass
        self._send_rest()

    def _send_rest(self) -> None:
        for stream in (self.stdout, self.stderr):
            self._pacer.add(stream.name, stream.finish())
        for name, chunk in self._pacer.rest():
            self._outlet.send_output(name, chunk)

    def _wait(self, now: float) -> None:
        poller = poll()
        poller.register(self._children, POLLIN)
        if self._outlet.backlog:
            poller.register(self._outlet.fd, POLLOUT)
        if self._outlet.backlog < MAX_BACKLOG:
            for fd in self._open:
                poller.register(fd, POLLIN)
        self._register(poller)
        for fd, _ in poller.poll(self._timeout(now) * 1000):
            if fd == self._children:
                kernel.calm(fd)
            elif fd in self._open:
                self._read(fd)
            else:
                self._take(fd)

    def _register(self, poller: poll) -> None:
        """What else is waited for."""

    def _take(self, fd: int) -> None:
        """What else is there."""

    def _timeout(self, now: float) -> float:
        paced = self._pacer.wait(now)
        until_deadline = self._deadline - now
        return min(until_deadline, LONGEST_WAIT if paced is None else paced)

    def _read(self, fd: int, most: int = READ_BYTES) -> int:
        """Takes what is there; 0 if nothing is."""
        try:
            data = os.read(fd, most)
        except BlockingIOError:
            return 0
        if data:
            stream = self._open[fd]
            self._pacer.add(stream.name, stream.feed(data))
        else:
            del self._open[fd]
        return len(data)


def run(request: RunRequest, runner: Runner, outlet: Outlet, workspace: str) -> None:
    """A run that its sandbox ends with."""
    if is_missing(request.environment):
        send_missing_environment(outlet, kept=False)
        return
    oom_kills = kernel.count_oom_kills()
    runner.hand_over(request.for_runner)
    supervision = Supervision(request, runner, outlet, kernel.children_wakeup())
    outlet.send("started", execution_id=request.execution_id, kept=False)
    outlet.push()
    status, ran = supervision.watch()
    kernel.end_everyone()
    supervision.finish()
    outcome = judge(status, runner.reports_memory_error(), kernel.count_oom_kills() > oom_kills)
    collection = Collection(workspace, request.artifact_files, request.artifact_bytes)
    send_exit(outlet, outcome, supervision, ran, collection, kept=False)
    collection.send(outlet)
    outlet.drain()


def is_missing(environment: str | None) -> bool:
    return environment is not None and not os.path.isdir(environment)


def send_exit(
    outlet: Outlet,
    outcome: dict[str, object],
    supervision: Supervision,
    ran: float,
    collection: Collection,
    *,
    kept: bool,
) -> None:
    outlet.send(
        "exit",
        **outcome,
        stdout_bytes=supervision.stdout.total,
        stderr_bytes=supervision.stderr.total,
        ran_seconds=round(ran, 6),
        kept=kept,
        files=len(collection.files),
        left_out=collection.left_out.total,
    )


def send_missing_environment(outlet: Outlet, *, kept: bool) -> None:
    send_empty_exit(outlet, "environment_missing", None, kept=kept)


def send_empty_exit(outlet: Outlet, cause: str, exit_code: int | None, *, stderr_bytes: int = 0, kept: bool) -> None:
    """Of a run that did not come to its code."""
    outlet.send(
        "exit",
        cause=cause,
        exit_code=exit_code,
        signal=None,
        stdout_bytes=0,
        stderr_bytes=stderr_bytes,
        ran_seconds=0,
        kept=kept,
        files=0,
        left_out=0,
    )
    outlet.drain()
