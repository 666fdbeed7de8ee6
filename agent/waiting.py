"""The time before the run: the agent has preloaded what each `hello` asks for, and waits for files and the request."""

import os
import sys
from select import POLLIN, poll

from mounts import Mounts
from outlet import Outlet
from refusal import Refusal
from request import File, Hello, Lines, RunRequest, parse
from spawn import ENDED_EARLY, Runner

READ_BYTES = 1024 * 1024
PYTHON = ".".join(map(str, sys.version_info[:3]))


class Waiting:
    def __init__(self, stdin: int, runner: Runner, outlet: Outlet, mounts: Mounts) -> None:
        self._stdin = stdin
        self._runner = runner
        self._outlet = outlet
        self._mounts = mounts
        self._lines = Lines()
        self._report = Lines()
        self._hellos: list[Hello] = []  # not answered yet; the runner has the first
        self._failed: dict[str, str] = {}  # by module, of the first
        self._owner_is_gone = False
        self._request: RunRequest | None = None

    def wait(self) -> RunRequest | None:
        """The request, or None if its owner went away without one."""
        while not self._owner_is_gone and (self._hellos or not self._request):
            poller = poll()
            poller.register(self._runner.report, POLLIN)
            if self._request is None:
                poller.register(self._stdin, POLLIN)
            for fd, _ in poller.poll():
                if fd == self._runner.report:
                    self._read_report()
                else:
                    self._read_stdin()
            self._outlet.drain()
        return self._request

    def _read_report(self) -> None:
        """A line for each import that failed, and an empty one when the preload is done."""
        data = os.read(self._runner.report, READ_BYTES)
        if not data:
            raise Refusal(ENDED_EARLY)
        for line in self._report.feed(data):
            if line:
                module, _, reason = line.decode().partition(" ")
                self._failed[module] = reason
            else:
                self._answer()

    def _read_stdin(self) -> None:
        data = os.read(self._stdin, READ_BYTES)
        self._owner_is_gone = not data
        for line in self._lines.feed(data):
            message = parse(line)
            if isinstance(message, File):
                self._mounts.append(message.path, message.data)
            elif isinstance(message, Hello):
                self._hellos.append(message)
                if len(self._hellos) == 1:
                    self._preload_next()
            else:
                self._mounts.seal()
                self._request = message
                return  # whatever follows the one request means nothing

    def _preload_next(self) -> None:
        """The runner gets one list at a time: a full pipe would block the agent, and hide its owner's end from it."""
        self._runner.tell(self._hellos[0].for_runner)

    def _answer(self) -> None:
        self._outlet.send_ready(PYTHON, self._failed)
        self._failed = {}
        del self._hellos[0]
        if self._hellos:
            self._preload_next()


def wait_for_request(stdin: int, runner: Runner, outlet: Outlet, mounts: Mounts) -> RunRequest | None:
    return Waiting(stdin, runner, outlet, mounts).wait()
