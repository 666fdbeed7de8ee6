"""A sandbox that stays: one run after another, and between them what is asked about the workspace.

The interpreter of a cell stays as well, with the processes that it has started. Whatever else ends a run ends every
process: so wherever an interpreter is started, nobody else is there.
"""

import os
from select import POLLIN, POLLOUT, poll

import kernel
from collect import Before, Collection
from frames import CHUNK
from inbox import Inbox
from mounts import Mounts
from outcome import judge, judge_code
from outlet import Outlet
from program_file import ProgramFile
from refusal import Refusal
from request import RunRequest
from run import READ_BYTES, Supervision, is_missing, send_empty_exit, send_exit, send_missing_environment
from spawn import Runner, start_runner
from waiting import Desk

MAX_REPORT = 4096  # bytes of a line; ours are shorter


class Report:
    """What the interpreter says on its pipe of the end of a cell. The program may write there too."""

    def __init__(self, fd: int, token: str) -> None:
        self._fd = fd
        self._token = token.encode()
        self._partial = b""
        self.is_open = True
        self.exit_code: int | None = None
        self.memory_error = False

    def read(self) -> int:
        """Takes what is there; 0 if nothing is."""
        try:
            data = os.read(self._fd, READ_BYTES)
        except BlockingIOError:
            return 0
        self.is_open = bool(data)
        *lines, rest = (self._partial + data).split(b"\n")
        self._partial = rest[-MAX_REPORT:]
        for line in lines:
            self._look_at(line)
        return len(data)

    def _look_at(self, line: bytes) -> None:
        token, *words = line.split(b" ")
        if token == self._token and len(words) == 2 and words[0].isdigit() and len(words[0]) <= 3:
            self.exit_code = int(words[0]) & 0xFF
            self.memory_error = words[1] == b"m"


class StayingSupervision(Supervision):
    """Sees to it that the run can be stopped, and of a cell that it is handed over and when it has ended."""

    def __init__(
        self, request: RunRequest, runner: Runner, outlet: Outlet, children: int, inbox: Inbox, unsent: bytes
    ) -> None:
        super().__init__(request, runner, outlet, children)
        self._execution_id = request.execution_id
        self._inbox = inbox
        self._unsent = memoryview(unsent)
        self.is_stopped = inbox.is_stop(request.execution_id)
        self.report = Report(runner.report, request.token) if request.mode == "cell" else None
        os.set_blocking(runner.report, False)
        os.set_blocking(runner.request, False)

    def is_over(self) -> bool:
        return self.is_stopped or (self.report is not None and self.report.exit_code is not None)

    def finish_cell(self) -> None:
        """What was in the pipes at its end; who is left may go on writing."""
        for fd in list(self._open):
            left = kernel.waiting_bytes(fd)
            while left > 0 and fd in self._open and (taken := self._read(fd, min(left, READ_BYTES))):
                left -= taken
        self._send_rest()

    def _register(self, poller: poll) -> None:
        if self.report and self.report.is_open:
            poller.register(self._runner.report, POLLIN)
        if self._unsent:
            poller.register(self._runner.request, POLLOUT)
        if not self._inbox.is_at_end and not self._inbox.is_held_up:
            poller.register(self._inbox.fd, POLLIN)

    def _take(self, fd: int) -> None:
        if self.report and fd == self._runner.report:
            self.report.read()
        elif fd == self._runner.request:
            self._hand_over()
        elif fd == self._inbox.fd:
            self._inbox.fill()
            self.is_stopped = self._inbox.is_stop(self._execution_id)

    def _hand_over(self) -> None:
        try:
            self._unsent = self._unsent[os.write(self._runner.request, self._unsent) :]
        except BlockingIOError:
            pass
        except BrokenPipeError:
            self._unsent = memoryview(b"")  # it has closed its pipe, and ends when it wants the next request


class Stay:
    def __init__(self, inbox: Inbox, runner: Runner, outlet: Outlet, desk: Desk, mounts: Mounts) -> None:
        self._inbox = inbox
        self._outlet = outlet
        self._desk = desk
        self._mounts = mounts
        self._children = kernel.children_wakeup()
        self._runner: Runner | None = runner
        self._is_kept = False  # whether the runner has run cells

    def serve(self, request: RunRequest | None) -> None:
        while request:
            self._run(request)
            if request.mode == "single":
                return
            request = self._wait()

    def _wait(self) -> RunRequest | None:
        """The next request, or None if there is none to come."""
        while True:
            while message := self._inbox.take():
                request = self._desk.handle(message)
                self._outlet.drain()
                if request:
                    return request
            if self._inbox.is_at_end:
                return None
            poller = poll()
            poller.register(self._inbox.fd, POLLIN)
            poller.register(self._children, POLLIN)
            for fd, _ in poller.poll():
                if fd == self._inbox.fd:
                    self._inbox.fill()
                else:
                    kernel.calm(fd)
                    self._reap()

    def _reap(self) -> None:
        if self._runner is None:
            kernel.reap(0)
        elif kernel.reap(self._runner.pid) is not None:
            self._end_interpreter()

    def _end_interpreter(self) -> None:
        kernel.end_everyone()
        if self._runner:
            self._runner.close()
        self._runner = None
        self._is_kept = False

    def _run(self, request: RunRequest) -> None:
        problem = self._desk.take_problem()
        self._reap()
        if self._is_kept and request.mode != "cell":
            self._end_interpreter()
        if is_missing(request.environment):
            send_missing_environment(self._outlet, kept=self._is_kept)
            return
        program = None if request.mode == "cell" else ProgramFile(self._mounts.root)
        before = None if request.mode == "single" else Before(self._mounts.workspace)
        oom_kills = kernel.count_oom_kills()
        try:
            self._prepare(request, program, problem)
        except (Refusal, OSError) as error:
            self._fail(request, str(error), kernel.count_oom_kills() > oom_kills)
        else:
            self._supervise(request, before, oom_kills)
        finally:
            if program:
                self._end_interpreter()
                program.restore(request.code.encode())

    def _prepare(self, request: RunRequest, program: ProgramFile | None, problem: str) -> None:
        """Until nothing but the user's code is left to run."""
        if problem:
            raise Refusal(problem)
        self._mounts.ensure()
        if not request.artifact_files:
            self._mounts.remove()
        if program:
            program.put_away()
        if self._runner is None:
            # Without the packages in the home folder: an earlier program may have put some there that run code at once.
            self._runner = start_runner("-s")
        if not self._is_kept:
            self._runner.hand_over(request.for_runner)

    def _fail(self, request: RunRequest, sentence: str, oom_killed: bool) -> None:
        if not self._is_kept:
            self._end_interpreter()
        said = f"vivarium: {sentence}\n".encode(errors="backslashreplace")[:CHUNK]
        self._outlet.send("started", execution_id=request.execution_id, kept=self._is_kept)
        self._outlet.send_output("stderr", said)
        cause = "out_of_memory" if oom_killed else "exited"
        send_empty_exit(self._outlet, cause, 1, stderr_bytes=len(said), kept=self._is_kept)

    def _supervise(self, request: RunRequest, before: Before | None, oom_kills: int) -> None:
        assert self._runner
        unsent = request.for_runner if self._is_kept else b""
        supervision = StayingSupervision(request, self._runner, self._outlet, self._children, self._inbox, unsent)
        self._outlet.send("started", execution_id=request.execution_id, kept=self._is_kept)
        self._outlet.push()
        status, ran = supervision.watch()
        outcome = self._judge(supervision, status, oom_kills)
        collection = Collection(self._mounts.workspace, request.artifact_files, request.artifact_bytes, before)
        send_exit(self._outlet, outcome, supervision, ran, collection, kept=self._is_kept)
        collection.send(self._outlet)
        collection.close()
        self._outlet.drain()

    def _judge(self, supervision: StayingSupervision, status: int | None, oom_kills: int) -> dict[str, object]:
        assert self._runner
        report = supervision.report
        self._is_kept = status is None and report is not None and report.exit_code is not None
        if self._is_kept:
            supervision.finish_cell()
        else:
            kernel.end_everyone()
            supervision.finish()
        if report:
            while report.exit_code is None and report.read():
                pass
        memory_error = report.memory_error if report else self._runner.reports_memory_error()
        if not self._is_kept:
            self._end_interpreter()
        oom_killed = kernel.count_oom_kills() > oom_kills
        if report and report.exit_code is not None:
            return judge_code(report.exit_code, memory_error, oom_killed)
        if supervision.is_stopped:
            return {"cause": "stopped", "exit_code": None, "signal": None}
        return judge(status, memory_error, oom_killed)
