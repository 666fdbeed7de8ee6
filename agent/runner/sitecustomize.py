"""The runner: prepares an interpreter that then becomes the user's program.

Python imports `sitecustomize` when it is itself complete and before it opens its script, /workspace/main.py. So
everything that must happen first happens in here: preload, wait, write the script, set limits. Then this returns,
and Python runs the script as it runs any. Tracebacks, exit codes, SystemExit, excepthook, atexit, threads, pickling
and multiprocessing are Python's own: nothing of ours is on the stack.
"""

import atexit
import marshal
import os
import resource
import sys

from agent_guard import guard_agent

TYPE_CHECKING = False  # as typing's, which takes longer to import than all of the above
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

PROGRAM = "/workspace/main.py"


def step_aside() -> None:
    """Leaves no trace of how we came here, and lets the image's own sitecustomize, which we hide, have its turn."""
    folder, _, rest = os.environ.pop("PYTHONPATH").partition(os.pathsep)
    if rest:
        os.environ["PYTHONPATH"] = rest
    sys.path.remove(folder)
    sys.path_importer_cache.pop(folder, None)
    del sys.modules["agent_guard"]
    ourselves = sys.modules.pop(__name__)
    try:
        __import__(__name__)
    except ImportError:
        sys.modules[__name__] = ourselves


def offer_to_the_oom_killer() -> None:
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")
    except OSError:
        pass  # then the kernel chooses by size alone, and that is hardly ever the agent


def preload(modules: "Iterable[str]") -> None:
    for module in modules:
        try:
            __import__(module)
        except Exception as error:
            print(f"vivarium: preload of {module} failed: {error!r}", file=sys.stderr)


def receive(fd: int) -> "dict[str, Any]":
    with open(fd, "rb") as pipe:
        request = pipe.read()
    if not request:
        os._exit(0)  # the agent is gone
    return marshal.loads(request)  # type: ignore[no-any-return]


def write_program(code: str) -> None:
    with open(PROGRAM, "wb") as file:
        file.write(code.encode())


def fill_stdin(text: str) -> None:
    with open(0, "wb", closefd=False) as file:
        file.write(text.encode())
    os.lseek(0, 0, os.SEEK_SET)


def lower_limit(which: int, value: int) -> None:
    hard = resource.getrlimit(which)[1]
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(which, (value, value))


def lower_limits(limits: "dict[str, Any]") -> None:
    lower_limit(resource.RLIMIT_CORE, 0)
    lower_limit(resource.RLIMIT_NPROC, limits["processes"])
    lower_limit(resource.RLIMIT_FSIZE, limits["file_bytes"])
    if limits["memory_bytes"] is not None:
        lower_limit(resource.RLIMIT_DATA, limits["memory_bytes"])


def replace(target: int, fd: int) -> None:
    os.dup2(fd, target)
    os.close(fd)


def report_memory_error_at_exit(report: int) -> None:
    """Python keeps the exception that ended the program, whatever excepthook the program has set."""
    owner, pipe = os.getpid(), os.fstat(report)

    def report_memory_error() -> None:
        if os.getpid() != owner or not issubclass(getattr(sys, "last_type", None) or object, MemoryError):
            return
        try:
            if os.path.samestat(pipe, os.fstat(report)):  # the program may have closed it and opened a file there
                os.write(report, b"m")
        except OSError:
            pass

    atexit.register(report_memory_error)


def become_program(request: "dict[str, Any]", report: int, stdout: int, stderr: int) -> None:
    write_program(request["code"])
    fill_stdin(request["stdin"])
    os.chdir("/workspace")
    sys.argv[1:] = request["args"]
    os.environ.update(request["env"])
    lower_limits(request["limits"])
    os.set_inheritable(report, False)
    report_memory_error_at_exit(report)
    replace(1, stdout)
    replace(2, stderr)
    os.write(report, b"p")


def prepare() -> None:
    step_aside()
    request, report, stdout, stderr = map(int, os.environ.pop("VIVARIUM_FDS").split())
    offer_to_the_oom_killer()
    guard_agent()
    preload(filter(None, os.environ.pop("VIVARIUM_PRELOAD").split(",")))
    os.write(report, b"r")
    become_program(receive(request), report, stdout, stderr)


try:
    prepare()
except BaseException as error:
    # Nothing may pass: `site` would report an exception and then run whatever is at main.py.
    sys.stderr.write(f"vivarium: the runner failed: {error!r}\n")
    os._exit(1)
