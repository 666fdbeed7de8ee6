"""The time before a run: the agent preloads what each `hello` asks for, answers what is asked about the workspace, and
waits for files and the request.
"""

import os
import sys
from select import POLLIN, poll

from inbox import Inbox
from mounts import InputRefused, Mounts
from outlet import Outlet
from refusal import Refusal
from request import File, Hello, Lines, RunRequest, Stop
from spawn import ENDED_EARLY, Runner

TYPE_CHECKING = False  # as typing's, which is slow to import
if TYPE_CHECKING:
    from request import Message
    from workspace import Files

READ_BYTES = 1024 * 1024
PYTHON = ".".join(map(str, sys.version_info[:3]))


class Waiting:
    """Before the first run, whose runner is there already."""

    def __init__(self, inbox: Inbox, runner: Runner, outlet: Outlet, desk: "Desk") -> None:
        self._inbox = inbox
        self._runner = runner
        self._outlet = outlet
        self._desk = desk
        self._report = Lines()
        self._hellos: list[Hello] = []  # not answered yet; the runner has the first
        self._failed: dict[str, str] = {}  # by module, of the first
        self._request: RunRequest | None = None

    def wait(self) -> RunRequest | None:
        """The request, or None if its owner went away without one."""
        while not self._is_over():
            poller = poll()
            poller.register(self._runner.report, POLLIN)
            if self._request is None:
                poller.register(self._inbox.fd, POLLIN)
            for fd, _ in poller.poll():
                if fd == self._runner.report:
                    self._read_report()
                else:
                    self._read_inbox()
            self._outlet.drain()
        return self._request

    def _is_over(self) -> bool:
        if self._request:
            return not self._hellos
        return self._inbox.is_at_end

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

    def _read_inbox(self) -> None:
        self._inbox.fill()
        while self._request is None and (message := self._inbox.take()):
            if isinstance(message, Hello):
                self._hellos.append(message)
                if len(self._hellos) == 1:
                    self._preload_next()
            else:
                self._request = self._desk.handle(message)

    def _preload_next(self) -> None:
        """The runner gets one list at a time: a full pipe would block the agent, and hide its owner's end from it."""
        self._runner.tell(self._hellos[0].for_runner)

    def _answer(self) -> None:
        self._outlet.send_ready(PYTHON, self._failed)
        self._failed = {}
        del self._hellos[0]
        if self._hellos:
            self._preload_next()


class Desk:
    """Takes what is said between runs, one message after another."""

    def __init__(self, outlet: Outlet, mounts: Mounts) -> None:
        self._outlet = outlet
        self._mounts = mounts
        self._opened: Files | None = None
        self._problem = ""

    def handle(self, message: "Message") -> RunRequest | None:
        """The message, if it is a request to run."""
        if isinstance(message, File):
            self._add_input(message)
        elif isinstance(message, RunRequest):
            self._end_uploads()
            return message
        elif isinstance(message, Stop):  # of a run that has ended, or that never comes after its files
            self._mounts.drop_unfinished()
            self._end_uploads()
            self.take_problem()
        elif isinstance(message, Hello):
            raise Refusal("a hello comes before the first run")
        else:
            self._files().answer(message)
        return None

    def take_problem(self) -> str:
        """Why an input file of the run that comes is not there; empty if all are."""
        problem, self._problem = self._problem, ""
        return problem

    def _add_input(self, file: File) -> None:
        if self._problem:
            return
        try:
            self._mounts.append(file.path, file.data)
        except InputRefused as refusal:
            self._problem = str(refusal)

    def _end_uploads(self) -> None:
        if self._opened:
            self._opened.abandon()
        self._mounts.seal()

    def _files(self) -> "Files":
        if self._opened is None:
            from workspace import Files

            self._opened = Files(self._mounts.root, self._outlet)
        return self._opened
