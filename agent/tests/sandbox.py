"""A real sandbox for the tests: the agent as PID 1 of its own namespaces, under bubblewrap."""

import atexit
import base64
import json
import os
import shutil
import subprocess
import tempfile
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

Frame = dict[str, Any]

AGENT = Path(__file__).resolve().parent.parent
PYTHON = os.environ.get("VIVARIUM_TEST_PYTHON", "/usr/bin/python3")
NOBODY = 65532
PATIENCE = 60.0  # seconds until a test gives up; nothing should come near it
MAX_LINE = 16384
WORKSPACE_BYTES = 256 << 20
LIMITS = {
    "seconds": 30, "output_bytes": 1 << 20, "processes": 64, "file_bytes": 1 << 28, "memory_bytes": None,
    "artifact_files": 100, "artifact_bytes": 1 << 27,
}  # fmt: skip


def install() -> str:
    """A copy of the agent as an image has it: compiled, without its tests, readable to all."""
    folder = tempfile.mkdtemp(prefix="vivarium-agent-")
    atexit.register(shutil.rmtree, folder)
    target = Path(folder, "agent")
    shutil.copytree(AGENT, target, ignore=shutil.ignore_patterns("tests", "__pycache__", ".*", "*.txt", "*.toml"))
    subprocess.run([PYTHON, "-m", "compileall", "-q", str(target)], check=True)
    os.chmod(folder, 0o755)
    return str(target)


INSTALLED = install()


def with_modules(modules: dict[str, str]) -> list[str]:
    """What lets a sandbox import these modules, besides the standard library."""
    folder = tempfile.mkdtemp(prefix="vivarium-modules-")
    atexit.register(shutil.rmtree, folder)
    for name, code in modules.items():
        path = Path(folder, f"{name}.py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code)
    os.chmod(folder, 0o755)
    return ["--ro-bind", folder, "/opt/modules", "--setenv", "PYTHONPATH", "/opt/modules"]


def command(
    *arguments: str,
    environment: dict[str, str],
    modules: dict[str, str] | None = None,
    environments: str | None = None,
    workspace_bytes: int = WORKSPACE_BYTES,
) -> list[str]:
    python_home = str(Path(PYTHON).parent.parent)
    return [
        "bwrap", "--unshare-all", "--as-pid-1", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv",
        "--uid", str(NOBODY), "--gid", str(NOBODY),
        "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib",
        "--symlink", "usr/lib64", "/lib64", "--ro-bind", python_home, python_home,
        "--ro-bind", INSTALLED, "/opt/vivarium/agent", "--proc", "/proc", "--dev", "/dev",
        "--size", str(256 << 20), "--tmpfs", "/tmp", "--size", str(workspace_bytes), "--tmpfs", "/workspace",
        *[word for name, value in environment.items() for word in ("--setenv", name, value)],
        *(with_modules(modules) if modules else []),
        *(["--ro-bind", environments, "/environments"] if environments else []),
        *arguments,
    ]  # fmt: skip


def run_plain(code: str) -> subprocess.CompletedProcess[bytes]:
    """What `python main.py` makes of it, in the same surroundings but without us."""
    script = (
        f"cat >main.py && mkdir mounts output && exec env -u PWD -u SHLVL -u _ {PYTHON} /workspace/main.py </dev/null"
    )
    environment = {"HOME": "/workspace", "TMPDIR": "/tmp", "PATH": "/usr/bin", "PYTHONUNBUFFERED": "1"}
    return subprocess.run(
        command("/usr/bin/sh", "-c", f"cd /workspace && {script}", environment=environment),
        input=code.encode(),
        capture_output=True,
        check=False,
        cwd="/",
        **as_nobody(),
    )


def as_nobody() -> dict[str, Any]:
    as_root = os.geteuid() == 0  # and RLIMIT_NPROC binds no process of root's, in whatever namespace
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if as_root else {}


def request(code: str, **fields: Any) -> Frame:
    """A run; `limits` given here are laid over the usual ones."""
    limits = LIMITS | fields.pop("limits", {})
    run = {"type": "run", "execution_id": "x-1", "code": code, "stdin": "", "args": [], "env": {}}
    return run | {"environment": None, "mode": "single", "limits": limits} | fields


def file(path: str, data: bytes) -> Frame:
    return {"type": "file", "path": path, "base64": base64.b64encode(data).decode()}


def hello(*modules: str) -> Frame:
    return {"type": "hello", "preload": modules}


@dataclass
class Result:
    frames: list[Frame]

    @property
    def exit(self) -> Frame:
        [frame] = (frame for frame in self.frames if frame["type"] == "exit")
        return frame

    @property
    def files(self) -> list[tuple[str, str, bytes]]:
        """Kind, path and content of all that was carried."""
        found: list[tuple[str, str, bytes]] = []
        for frame in self.frames:
            if frame["type"] == "file":
                found.append((frame["kind"], frame["path"], b""))
            elif frame["type"] == "data":
                kind, path, data = found.pop()
                found.append((kind, path, data + payload(frame)))
        return found

    @property
    def left_out(self) -> list[tuple[str, str]]:
        return [(frame["path"], frame["reason"]) for frame in self.frames if frame["type"] == "left_out"]

    @property
    def stdout(self) -> bytes:
        return self.output("stdout")

    @property
    def stderr(self) -> bytes:
        return self.output("stderr")

    @property
    def ending(self) -> tuple[str, int | None, str | None]:
        return self.exit["cause"], self.exit["exit_code"], self.exit["signal"]

    def output(self, stream: str) -> bytes:
        return b"".join(payload(frame) for frame in self.frames if frame["type"] == stream)

    def kinds(self) -> list[str]:
        return [frame["type"] for frame in self.frames]


def children(pid: int) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            if int(parent) == pid and state != "Z":
                found.append(int(folder.name))
    return found


def payload(frame: Frame) -> bytes:
    return base64.b64decode(frame["base64"]) if "base64" in frame else str(frame["text"]).encode()


class Sandbox:
    """One agent, from its start to its end. Every frame that is read is checked for its form."""

    def __init__(
        self,
        *arguments: str,
        environment: dict[str, str] | None = None,
        modules: dict[str, str] | None = None,
        environments: str | None = None,
        workspace_bytes: int = WORKSPACE_BYTES,
    ) -> None:
        self.process: subprocess.Popen[bytes] = subprocess.Popen(
            command(
                *(PYTHON, "-I", "-S", "/opt/vivarium/agent", *arguments),
                environment={"PATH": "/usr/bin"} | (environment or {}),
                modules=modules,
                environments=environments,
                workspace_bytes=workspace_bytes,
            ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd="/",
            **as_nobody(),
        )
        self._watchdog = threading.Timer(PATIENCE, self.process.kill)
        self._watchdog.start()
        self._frames_seen = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._watchdog.cancel()
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            with suppress(BrokenPipeError):
                assert pipe
                pipe.close()

    def send(self, message: Frame) -> None:
        self.send_bytes(json.dumps(message).encode() + b"\n")

    def send_bytes(self, data: bytes) -> None:
        assert self.process.stdin
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def close_stdin(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()

    def ready(self, *modules: str) -> Frame:
        """The answer to a hello."""
        self.send(hello(*modules))
        return self.frame()

    def wait_for_preload(self) -> None:
        """Returns once a module that is being preloaded has said so."""
        assert self.process.stderr
        self.process.stderr.readline()

    def line(self) -> bytes:
        assert self.process.stdout
        return self.process.stdout.readline()

    def frame(self) -> Frame:
        line = self.line()
        if not line:
            raise AssertionError(f"the agent ended without a frame: {self.end()}")
        if len(line) >= MAX_LINE:
            raise AssertionError(f"a line of {len(line)} bytes")
        frame: Frame = json.loads(line)
        if frame["seq"] != self._frames_seen:
            raise AssertionError(f"frame {frame['seq']} where {self._frames_seen} was due")
        self._frames_seen += 1
        return frame

    def result(self) -> Result:
        """Everything up to `exit` and the files after it; then nothing may follow and the agent ends with 0."""
        result = self.next_result()
        rest, code = self.line(), self.process.wait()
        if rest or code != 0:
            raise AssertionError(f"after exit: {rest!r}, exit code {code}")
        return result

    def next_result(self) -> Result:
        """Everything up to `exit` and the files after it."""
        frames = [self.frame()]
        while frames[-1]["type"] != "exit":
            frames.append(self.frame())
        if frames[-1]["files"] or frames[-1]["left_out"]:
            while frames[-1]["type"] != "end":
                frames.append(self.frame())
        return Result(frames)

    def cell(self, code: str, **fields: Any) -> Result:
        self.send(request(textwrap.dedent(code), mode="cell", **fields))
        return self.next_result()

    def program(self, code: str, **fields: Any) -> Result:
        self.send(request(textwrap.dedent(code), mode="program", **fields))
        return self.next_result()

    def write(self, path: str, data: bytes, more: bool = False) -> None:
        self.send({"type": "write", "path": path, "base64": base64.b64encode(data).decode(), "more": more})

    def written(self, path: str, data: bytes) -> Frame:
        """The answer to what writes a file."""
        self.write(path, data)
        return self.frame()

    def entries(self, path: str = "", recursive: bool = True) -> list[Frame]:
        """All entries, and `listed` or `refused`."""
        self.send({"type": "list", "path": path, "recursive": recursive})
        frames = [self.frame()]
        while frames[-1]["type"] == "entry":
            frames.append(self.frame())
        return frames

    def paths(self, path: str = "") -> list[str]:
        return [frame["path"] for frame in self.entries(path)[:-1]]

    def read(self, path: str, most: int = 1 << 20) -> bytes | str:
        """The file, or why it is refused."""
        self.send({"type": "read", "path": path, "most": most})
        first = self.frame()
        if first["type"] == "refused":
            return str(first["reason"])
        assert (first["type"], first["kind"], first["path"]) == ("file", "read", path), first
        data = b""
        while (frame := self.frame())["type"] == "data":
            data += payload(frame)
        assert frame == {"seq": frame["seq"], "type": "file_end", "size": len(data)}, frame
        return data

    def wait_until_agent_is_alone(self) -> None:
        """Returns once the agent, bubblewrap's only child, has no child of its own."""
        [agent] = children(self.process.pid)
        while not children(agent):
            time.sleep(0.01)
        while children(agent):
            if self.process.poll() is not None:
                raise AssertionError("the agent ended, or was given up")
            time.sleep(0.01)

    def end(self) -> tuple[int, str]:
        """The agent's own exit code and stderr, once it ends."""
        assert self.process.stderr
        return self.process.wait(), self.process.stderr.read().decode()


def run(code: str, **fields: Any) -> Result:
    with Sandbox() as sandbox:
        sandbox.send(request(code, **fields))
        return sandbox.result()


def run_all(requests: list[Frame]) -> list[Result]:
    """Many runs, a few at a time."""

    def one(message: Frame) -> Result:
        with Sandbox() as sandbox:
            sandbox.send(message)
            return sandbox.result()

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(one, requests))
