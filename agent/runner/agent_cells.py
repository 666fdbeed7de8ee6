"""The interpreter of a session: runs one cell after another in `__main__`, until the agent ends it.

Python comes here as it would come to the `__main__` of a zip file: /workspace/main.py is said to be one, and no file is
needed for it. Between cells the program's threads, signal handlers and child processes go on: so whatever is ours here
is done again if something of theirs has interrupted it, and what they can break ends this interpreter at most.
"""

import _signal  # type: ignore[import-not-found]
import builtins
import linecache
import marshal
import os
import sys
from errno import EFBIG
from select import POLLIN, poll

TYPE_CHECKING = False  # as typing's, which is slow to import
if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.machinery import ModuleSpec
    from io import BufferedReader
    from types import CodeType, TracebackType
    from typing import Any

    from agent_streams import Descriptor, Stream

PROGRAM = "/workspace/main.py"
FOLDER = os.path.dirname(__file__)
BEGIN = "<cells>"  # in builtins; no source can name it
MAX_SOURCES = 16 * 1024 * 1024  # characters of cells that tracebacks can still show lines of
ATTEMPTS = 100  # at something that is interrupted


class Cells:
    def __init__(
        self,
        requests: "BufferedReader",
        report: "Descriptor",
        streams: "list[Stream]",
        prepare: "Callable[[dict[str, Any]], None]",
        compile_cell: "Callable[[str, str], CodeType]",
        finish: "Callable[[], None]",
    ) -> None:
        """`prepare` does before a cell, and `finish` after it, what is not the interpreter's."""
        self._requests = requests
        self._report = report
        self._prepare = prepare
        self._compile = compile_cell
        self._finish = finish
        self._owner = os.getpid()
        self._request: dict[str, Any] | None = None
        self._ending: tuple[int, bool] | None = None  # its exit code, and whether that is for a MemoryError
        self._signals = Signals()
        self._count = 0
        self._sources: dict[str, int] = {}  # how long each is
        self._streams = streams
        self._namespace = vars(sys.modules["__main__"])

    def take_over(self, request: "dict[str, Any]") -> None:
        """Python will call us where it would have run its script."""

        def begin() -> None:
            del vars(builtins)[BEGIN]
            self._tidy()
            self._serve()

        self._request = request
        vars(builtins)[BEGIN] = begin
        sys.path_importer_cache[PROGRAM] = Importer()

    def _tidy(self) -> None:
        """As it is where there is no script."""
        sys.path[sys.path.index(PROGRAM)] = "/workspace"
        del sys.path_importer_cache[PROGRAM]
        for name in ("__file__", "__cached__"):
            self._namespace.pop(name, None)
        self._namespace.update(__spec__=None, __package__=None, __loader__=sys.modules["builtins"].__loader__)

    def _serve(self) -> None:
        failures = 0
        while True:
            try:
                self._go_on()
                failures = 0
            except BaseException as error:
                if os.getpid() != self._owner:
                    raise  # a forked process ends here, as it would at the end of any program
                self._signals.hold()
                if self._request:
                    failures += 1
                    if failures == ATTEMPTS:
                        self._give_up(error)
                else:
                    show_interruption(error)

    def _give_up(self, error: BaseException) -> None:
        """What keeps us from a run's code, or from its end, would keep us from the next one's."""
        try:
            what = "run the code" if self._ending is None else "end the run"
            show_line(f"vivarium: the interpreter could not {what}, and ended: {type(error).__name__}: {error}")
        finally:
            os._exit(1)

    def _go_on(self) -> None:
        """From wherever it was interrupted; but what has begun of a cell does not begin again."""
        if self._request is None:
            self._signals.release()
            self._wait()
            self._signals.hold()
            self._request = self._receive()
        if self._ending is None:
            self._run(self._request)
        self._signals.hold()
        code, memory_error = self._ending or (1, False)
        if os.getpid() != self._owner:
            self._signals.release()
            raise SystemExit(code)
        self._finish()
        self._flush()
        self._tell(f"\n{self._request['token']} {code} {'m' if memory_error else '-'}\n".encode(), code)
        self._request = self._ending = None

    def _wait(self) -> None:
        """Until a request is there. Signal handlers of the program have their turn here."""
        waiting = poll()
        waiting.register(self._requests, POLLIN)
        waiting.poll()

    def _receive(self) -> "dict[str, Any]":
        try:
            return marshal.load(self._requests)  # type: ignore[no-any-return]
        except (EOFError, ValueError, TypeError, OSError, MemoryError):
            os._exit(1)  # the program has closed the pipe, or read from it, or left no memory

    def _tell(self, report: bytes, code: int) -> None:
        if not self._report.is_intact():
            os._exit(code)  # nobody would hear of it
        os.write(self._report.fd, report)

    def _run(self, request: "dict[str, Any]") -> None:
        for stream in self._streams:
            stream.restore()
        try:
            self._prepare(request)
        except OSError as error:
            if error.errno != EFBIG:
                raise
            self._ending = 1, False
            return show_line(f"vivarium: the run could not be prepared: its stdin is too large: {error}")
        self._ending = 1, False
        self._count += 1
        name = f"<run {self._count}>"
        self._remember(name, request["code"])
        self._namespace.pop("__warningregistry__", None)  # line 1 of this cell has not warned yet
        try:
            self._signals.release()
        except BaseException as error:
            show_interruption(error)
        try:
            exec(self._compile(request["code"], name), self._namespace)
            self._ending = 0, False
        except SystemExit as error:
            self._ending = exit_code(error), False
        except BaseException as error:
            self._ending = 1, isinstance(error, MemoryError)
            try:
                show(error)
            except BaseException:
                show_line("vivarium: the exception that ended the run cannot be shown")

    def _remember(self, name: str, code: str) -> None:
        """For tracebacks, also those through functions of earlier cells."""
        linecache.cache[name] = (len(code), None, [f"{line}\n" for line in code.split("\n")], name)
        self._sources[name] = len(code)
        while sum(self._sources.values()) > MAX_SOURCES and len(self._sources) > 1:
            oldest = next(iter(self._sources))
            del self._sources[oldest]
            linecache.cache.pop(oldest, None)

    def _flush(self) -> None:
        for stream in (*(vars(sys).get(name) for name in ("stdout", "stderr")), *(own.text for own in self._streams)):
            try:
                stream.flush()
            except Exception:
                pass  # it is closed, or no stream


class Importer:
    """Finds `__main__` in place of the script."""

    def find_spec(self, name: str, target: object = None) -> "ModuleSpec | None":  # noqa: ARG002
        make = sys.modules["_frozen_importlib"].ModuleSpec
        return make(name, self, origin=PROGRAM) if name == "__main__" else None

    def get_code(self, name: str) -> "CodeType":  # noqa: ARG002
        return compile("f()", FOLDER, "exec", dont_inherit=True).replace(co_names=(BEGIN,))


class Signals:
    """Those that the program handles. While what is ours is done they wait, as far as its threads do not take them."""

    def __init__(self) -> None:
        self._before: set[int] | None = None

    def hold(self) -> None:
        if self._before is None:
            self._before = _signal.pthread_sigmask(_signal.SIG_BLOCK, ())
            handled = [number for number in _signal.valid_signals() if callable(_signal.getsignal(number))]
            _signal.pthread_sigmask(_signal.SIG_BLOCK, handled)

    def release(self) -> None:
        if self._before is not None:
            before, self._before = self._before, None
            _signal.pthread_sigmask(_signal.SIG_SETMASK, before)


def exit_code(error: SystemExit) -> int:
    """As Python has it."""
    code = error.code
    if code is None:
        return 0
    if isinstance(code, int):
        return int(code) & 0xFF if -(1 << 63) <= code < 1 << 63 else 0xFF
    show_line(code)
    return 1


def show_line(text: object) -> None:
    try:
        sys.stderr.write(f"{text}\n")
    except BaseException:
        pass  # it is closed, or the text has no form


def show_interruption(error: BaseException) -> None:
    """What a signal handler of the program has raised where none of its code was running."""
    try:
        show(error)
    except BaseException:
        pass  # it raises without end, or cannot be shown


def show(error: BaseException) -> None:
    """As Python does what nobody has caught, without the frames that are ours."""
    error.__traceback__ = own_part(error.__traceback__)
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, error.__traceback__
    sys.last_exc = error  # type: ignore[attr-defined, unused-ignore]
    hook = sys.excepthook
    if hook is sys.__excepthook__:
        print_exception(error)
        return
    try:
        hook(type(error), error, error.__traceback__)
    except BaseException as another:
        show_line("Error in sys.excepthook:")
        print_exception(another.with_traceback(own_part(another.__traceback__)))
        show_line("\nOriginal exception was:")
        print_exception(error)


def own_part(at: "TracebackType | None") -> "TracebackType | None":
    while at and at.tb_frame.f_code.co_filename.startswith(FOLDER):
        at = at.tb_next
    return at


def print_exception(error: BaseException) -> None:
    try:
        import traceback

        traceback.print_exception(type(error), error, error.__traceback__)
    except BaseException:
        sys.__excepthook__(type(error), error, error.__traceback__)  # it needs less, and knows no lines of cells
