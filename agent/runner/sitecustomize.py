"""The runner: prepares an interpreter that then becomes the user's program.

Python imports `sitecustomize` when it is itself complete and before it opens its script, /workspace/main.py. So
everything that must happen first happens in here: preload, wait for the request, write the script, set limits.
Then this returns, and Python runs the script as it runs any. Tracebacks, exit codes, SystemExit, excepthook, atexit,
threads, pickling and multiprocessing are Python's own: nothing of ours is on the stack.
"""

import atexit
import ctypes
import gc
import marshal
import os
import resource
import sys

from agent_finder import Finder
from agent_guard import guard_agent
from agent_main import arrange, compile_program, get_ready, write

TYPE_CHECKING = False  # as typing's, which takes longer to import than all of the above
if TYPE_CHECKING:
    from io import BufferedReader
    from types import CodeType, ModuleType
    from typing import Any

PROGRAM = "/workspace/main.py"
FOLDER = os.path.dirname(__file__)

limits: "dict[str, Any]" = {}  # of the request, once it is there
environments: "set[str]" = set()  # that cells have had

pictures: "list[Any]" = []  # the module and its figures, once something is there that shows some

whole: "list[object]" = []
whole.append(whole)  # so that, once frozen, it outlives all else


def step_aside() -> None:
    """Leaves no trace of how we came here, and lets the image's own sitecustomize, which we hide, have its turn."""
    folder, _, rest = os.environ.pop("PYTHONPATH").partition(os.pathsep)
    if rest:
        os.environ["PYTHONPATH"] = rest
    sys.path.remove(folder)
    sys.path_importer_cache.pop(folder, None)
    del sys.modules["agent_finder"], sys.modules["agent_guard"], sys.modules["agent_main"]
    ourselves = sys.modules.pop(__name__)
    try:
        __import__(__name__)
    except ImportError:
        sys.modules[__name__] = ourselves


def load(name: str) -> "ModuleType":
    """A module of ours that most runs do not need. No import system knows of it."""
    module = type(sys)(name)
    module.__file__ = f"{FOLDER}/{name}.py"
    sys.modules["_frozen_importlib_external"].SourceFileLoader(name, module.__file__).exec_module(module)
    return module


def offer_to_the_oom_killer() -> None:
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")
    except OSError:
        pass  # then the kernel chooses by size alone, and that is hardly ever the agent


def receive(pipe: "BufferedReader") -> "Any":
    try:
        return marshal.load(pipe)
    except EOFError:
        os._exit(0)  # the agent is gone


def preload(modules: list[str]) -> bytes:
    """Imports each; a line for each that failed, and an empty one."""
    report = ""
    before = set(sys.modules)
    imported: list[str] = []
    atexit.register(leave_whole, imported)  # before whatever the modules register, so that it comes after
    for module in modules:
        try:
            __import__(module)
        except BaseException as error:  # SystemExit too: a module costs the sandbox no more than itself
            report += f"{module} {describe(error)}\n"
    imported += set(sys.modules) - before
    freeze()
    return f"{report}\n".encode(errors="backslashreplace")


def freeze() -> None:
    """Takes all out of the garbage collector's sight but the program's own namespace, which shall end as ever."""
    namespace = ctypes.py_object(vars(sys.modules["__main__"]))
    ctypes.pythonapi.PyObject_GC_UnTrack(namespace)
    gc.freeze()
    ctypes.pythonapi.PyObject_GC_Track(namespace)


def leave_whole(modules: list[str]) -> None:
    """Spares the end of the program 45 ms with pandas, in which the interpreter goes through all objects and takes its
    modules apart, for nothing. It passes over objects that are frozen, and modules that it does not know of.
    """
    whole.extend(sys.modules.pop(name, None) for name in modules)


def describe(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split()).removesuffix(":")


def preload_until_request(pipe: "BufferedReader", report: int) -> "dict[str, Any]":
    """The agent sends lists of modules, each once the one before is reported, and in the end the request, a dict."""
    while isinstance(message := receive(pipe), list):
        with open(report, "wb", closefd=False) as file:
            file.write(preload(message))
    return message  # type: ignore[no-any-return]


def fill_stdin(text: str) -> None:
    with open(0, "wb", closefd=False) as file:
        file.write(text.encode())
    os.lseek(0, 0, os.SEEK_SET)


def lower_limit(which: int, value: int) -> None:
    hard = resource.getrlimit(which)[1]
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(which, (value, value))


def lower_limits() -> None:
    lower_limit(resource.RLIMIT_CORE, 0)
    lower_limit(resource.RLIMIT_NPROC, limits["processes"])
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


def watch_for_pictures() -> None:
    """From the preload on: what is imported then is not imported again."""

    def adapt(module: "ModuleType") -> None:
        if not pictures:
            pictures.append(load("agent_pictures"))
            pictures.append(pictures[0].Figures(limits, load("agent_shelf").put))
        pictures[0].adapt(module, pictures[1].keep)

    sys.meta_path.insert(0, Finder(adapt))


def keep_value(value: object) -> None:
    try:
        load("agent_value").keep(value, load("agent_shelf").put)
    except BaseException:
        pass  # the program has run to its end; what is shown of it changes nothing about that


def become_program(request: "dict[str, Any]", report: int, stdout: int, stderr: int) -> None:
    write(PROGRAM, request["code"].encode())
    fill_stdin(request["stdin"])
    os.chdir("/workspace")
    sys.argv[1:] = request["args"]
    os.environ.update(request["env"])
    limits.update(request["limits"])
    lower_limits()
    os.set_inheritable(report, False)
    report_memory_error_at_exit(report)
    replace(1, stdout)
    replace(2, stderr)
    os.write(report, b"p")
    # From here on it is the program's time, of which compiling is a part, and the code of its packages.
    arrange(request["code"], keep_value)
    lower_limit(resource.RLIMIT_FSIZE, limits["file_bytes"])
    add_packages_of_the_home_folder()
    if request["environment"] is not None:
        load("agent_environment").add(request["environment"])


def add_packages_of_the_home_folder() -> None:
    """Which the agent has left out where an earlier program may have put some there: what they run is this one's."""
    if sys.flags.no_user_site:
        import site

        if os.path.isdir(folder := site.getusersitepackages()):
            site.addsitedir(folder)


def become_cells(request: "dict[str, Any]", pipe: "BufferedReader", report: int, stdout: int, stderr: int) -> None:
    """The interpreter that runs this one and those that follow."""
    os.chdir("/workspace")
    limits.update(request["limits"])
    lower_limits()
    for fd in (pipe.fileno(), report):
        os.set_inheritable(fd, False)
    replace(1, stdout)
    replace(2, stderr)
    ours = load("agent_streams")
    streams = [ours.Stream(1, "stdout"), ours.Stream(2, "stderr")]
    cells = load("agent_cells").Cells
    cells(pipe, ours.Descriptor(report), streams, prepare_cell, compile_cell, finish_cell).take_over(request)
    os.write(report, b"p")
    lower_limit(resource.RLIMIT_FSIZE, limits["file_bytes"])
    add_packages_of_the_home_folder()


def prepare_cell(request: "dict[str, Any]") -> None:
    limits.update(request["limits"])
    load("agent_stdin").replace(request["stdin"])
    sys.argv = [PROGRAM, *request["args"]]
    os.environ.update(request["env"])
    if pictures:
        pictures[1].start_again()
    for folder, finder in list(sys.path_importer_cache.items()):
        if not may_be_in_workspace(folder):
            continue
        if finder is None:
            del sys.path_importer_cache[folder]  # there was no such folder, and may be now
        elif invalidate := getattr(finder, "invalidate_caches", None):
            invalidate()  # new modules may have come within one tick of the clock
    environment = request["environment"]
    if environment is not None and environment not in environments:
        environments.add(environment)
        load("agent_environment").add(environment)


def may_be_in_workspace(folder: str) -> bool:
    try:
        return os.path.abspath(folder).startswith("/workspace")
    except OSError:
        return True  # it is relative to a working directory that is gone


def compile_cell(code: str, name: str) -> "CodeType":
    return compile_program(code, name, keep_value)


def finish_cell() -> None:
    if not pictures:
        return
    try:
        pictures[0].show_what_is_open()
    except Exception as error:
        pictures[0].say(f"vivarium: the open figures could not be kept: {describe(error)}\n")


def prepare() -> None:
    step_aside()
    requests, report, stdout, stderr = map(int, os.environ.pop("VIVARIUM_FDS").split())
    offer_to_the_oom_killer()
    guard_agent()
    get_ready()
    watch_for_pictures()
    pipe = open(requests, "rb")  # noqa: SIM115
    request = preload_until_request(pipe, report)
    try:
        if request["mode"] == "cell":
            become_cells(request, pipe, report, stdout, stderr)
        else:
            pipe.close()
            become_program(request, report, stdout, stderr)
    except BaseException as error:
        os.write(report, f"x{describe(error)}".encode(errors="backslashreplace"))
        os._exit(1)


try:
    prepare()
except BaseException as error:
    # Nothing may pass: `site` would report an exception and then run whatever is at main.py.
    sys.stderr.write(f"vivarium: the runner failed: {error!r}\n")
    os._exit(1)
