"""The time before the run: the agent waits for the runner to be ready and for its one request."""

import os
import sys
from select import POLLIN, poll

from outlet import Outlet
from refusal import Refusal
from request import Lines, RunRequest, parse
from spawn import READY, Runner

READ_BYTES = 1024 * 1024
PYTHON = ".".join(map(str, sys.version_info[:3]))


class Waiting:
    def __init__(self, stdin: int, runner: Runner, outlet: Outlet) -> None:
        self._stdin = stdin
        self._runner = runner
        self._outlet = outlet
        self._lines = Lines()
        self._is_ready = False
        self._owner_is_gone = False
        self._request: RunRequest | None = None

    def wait(self) -> RunRequest | None:
        """The request, or None if its owner went away without one."""
        while not (self._owner_is_gone or (self._is_ready and self._request)):
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
        if os.read(self._runner.report, 1) != READY:
            raise Refusal("the runner ended before it had a request")
        self._is_ready = True
        self._say_ready()

    def _read_stdin(self) -> None:
        data = os.read(self._stdin, READ_BYTES)
        self._owner_is_gone = not data
        for line in self._lines.feed(data):
            self._request = parse(line)
            if self._request:
                return  # whatever follows the one request means nothing
            if self._is_ready:
                self._say_ready()

    def _say_ready(self) -> None:
        self._outlet.send("ready", python=PYTHON)


def wait_for_request(stdin: int, runner: Runner, outlet: Outlet) -> RunRequest | None:
    return Waiting(stdin, runner, outlet).wait()
