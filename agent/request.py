"""Requests: what the agent is told, one JSON line each."""

import json
import marshal
import os
from binascii import a2b_base64

from refusal import Refusal

TYPE_CHECKING = False  # as typing's, which is slow to import
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeGuard

MAX_LINE = 64 * 1024 * 1024
MAX_HELLO = 8 * 1024  # bytes; a `ready` that has to name every module of it still fits a line
MAX_FILE = 1024 * 1024  # bytes of a line that carries a part of a file
MAX_ID = 256
MAX_NUMBER = 1 << 62  # any more and the kernel takes it for no limit, or for an error

FIELDS: "dict[str, tuple[type, ...]]" = {
    "type": (str,), "execution_id": (str,), "code": (str,), "stdin": (str,), "args": (list,), "env": (dict,),
    "environment": (str, type(None)), "mode": (str,), "limits": (dict,),
}  # fmt: skip
MODES = ("single", "program", "cell")
COUNTS = ("output_bytes", "processes", "file_bytes", "artifact_files", "artifact_bytes")
LIMITS = {"seconds", *COUNTS, "memory_bytes"}
FOR_RUNNER = ("code", "stdin", "args", "env", "environment", "mode", "limits")


class Hello:
    def __init__(self, value: "dict[str, Any]") -> None:
        # The runner is the same interpreter, and marshal is built into it: there is no second JSON to parse.
        self.for_runner = marshal.dumps(value["preload"])


class File:
    """A part of an input file."""

    def __init__(self, path: str, data: bytes) -> None:
        self.path = path
        self.data = data


class RunRequest:
    def __init__(self, value: "dict[str, Any]") -> None:
        self.execution_id: str = value["execution_id"]
        self.code: str = value["code"]
        self.environment: str | None = value["environment"]
        self.mode: str = value["mode"]
        self.seconds: float = value["limits"]["seconds"]
        self.output_bytes: int = value["limits"]["output_bytes"]
        self.artifact_files: int = value["limits"]["artifact_files"]
        self.artifact_bytes: int = value["limits"]["artifact_bytes"]
        # Who reports the end of this run must have been told this: what an earlier run left in the pipe does not count.
        self.token = os.urandom(16).hex() if self.mode == "cell" else ""
        self.for_runner = marshal.dumps({"token": self.token} | {name: value[name] for name in FOR_RUNNER})


class Write:
    """A part of a file of the workspace."""

    def __init__(self, path: str, data: bytes, more: bool) -> None:
        self.path = path
        self.data = data
        self.more = more


class List:
    def __init__(self, path: str, recursive: bool) -> None:
        self.path = path
        self.recursive = recursive


class Read:
    def __init__(self, path: str, most: int) -> None:
        self.path = path
        self.most = most


class Stop:
    def __init__(self, execution_id: str) -> None:
        self.execution_id = execution_id


if TYPE_CHECKING:
    Message = Hello | File | RunRequest | Write | List | Read | Stop


class Lines:
    """Cuts what was read into lines."""

    def __init__(self) -> None:
        self._partial = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        first, *more = data.split(b"\n")
        self._partial += first
        if len(self._partial) > MAX_LINE:
            raise Refusal(f"a request line is at most {MAX_LINE} bytes")
        if not more:
            return []
        lines = [bytes(self._partial), *more[:-1]]
        self._partial = bytearray(more[-1])
        return lines


def parse(line: bytes) -> "Message":
    value = parse_json(line)
    kind = value.get("type") if type(value) is dict else None
    require(isinstance(kind, str) and kind in PARSERS, f"a request is of a type among {', '.join(PARSERS)}")
    most, parse_fields = PARSERS[str(kind)]
    require(len(line) <= most, f"a line of type {kind} is at most {most} bytes")
    return parse_fields(value)


def parse_json(line: bytes) -> "Any":
    try:
        value = json.loads(line.decode())
        if b"\\u" in line:
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Refusal("a request must be one line of JSON in UTF-8, without lone surrogates") from None
    return value


def require(holds: bool, sentence: str) -> None:
    if not holds:
        raise Refusal(sentence)


def parse_hello(value: "dict[str, Any]") -> Hello:
    require(value.keys() == {"type", "preload"}, "a hello has exactly the fields type, preload")
    require(type(value["preload"]) is list, "preload must be of type list")
    require(all(map(is_module_name, value["preload"])), "preload must hold names of modules")
    return Hello(value)


def parse_file(value: "dict[str, Any]") -> File:
    require_fields(value, {"path": str, "base64": str})
    require(is_inner_path(value["path"]), "path must name something below mounts/, without empty, . or .. parts")
    return File(value["path"], parse_data(value))


def parse_write(value: "dict[str, Any]") -> Write:
    require_fields(value, {"path": str, "base64": str, "more": bool})
    return Write(value["path"], parse_data(value), value["more"])


def parse_list(value: "dict[str, Any]") -> List:
    require_fields(value, {"path": str, "recursive": bool})
    return List(value["path"], value["recursive"])


def parse_read(value: "dict[str, Any]") -> Read:
    require_fields(value, {"path": str, "most": int})
    require(is_count(value["most"]), "most must be a whole number, 0 or above")
    return Read(value["path"], value["most"])


def parse_stop(value: "dict[str, Any]") -> Stop:
    require_fields(value, {"execution_id": str})
    return Stop(value["execution_id"])


def parse_data(value: "dict[str, Any]") -> bytes:
    try:
        return a2b_base64(value["base64"], strict_mode=True)
    except ValueError:
        raise Refusal(f"the base64 of the file {value['path']} is none") from None


def require_fields(value: "dict[str, Any]", fields: "dict[str, type]") -> None:
    names = {"type", *fields}
    require(value.keys() == names, f"a {value['type']} has exactly the fields {', '.join(['type', *fields])}")
    for name, kind in fields.items():
        require(type(value[name]) is kind, f"{name} must be of type {kind.__name__}")


def parse_run(value: "dict[str, Any]") -> RunRequest:
    require(value.keys() == FIELDS.keys(), f"a run has exactly the fields {', '.join(FIELDS)}")
    for name, kinds in FIELDS.items():
        require(type(value[name]) in kinds, f"{name} must be of type {kinds[0].__name__}")
    require(len(value["execution_id"]) <= MAX_ID, f"execution_id is at most {MAX_ID} characters")
    require(all(map(is_c_string, value["args"])), "args must be strings without NUL")
    for name, text in value["env"].items():
        require(is_c_string(name) and name != "" and "=" not in name, "env names must not be empty or hold = or NUL")
        require(is_c_string(text), "env values must be strings without NUL")
    require(value["mode"] in MODES, f"mode must be one of {', '.join(MODES)}")
    environment = value["environment"]
    require(environment is None or is_search_path(environment), "environment must be an absolute path without : or NUL")
    check_limits(value["limits"])
    return RunRequest(value)


def check_limits(limits: "dict[str, Any]") -> None:
    require(limits.keys() == LIMITS, f"limits has exactly the fields {', '.join(sorted(LIMITS))}")
    seconds = limits["seconds"]
    require(type(seconds) in (int, float) and 0 < seconds < MAX_NUMBER, "limits.seconds must be a number above 0")
    for name in COUNTS:
        require(is_count(limits[name]), f"limits.{name} must be a whole number, 0 or above")
    memory = limits["memory_bytes"]
    require(memory is None or is_count(memory), "limits.memory_bytes must be a whole number or null")


def is_module_name(value: object) -> bool:
    return isinstance(value, str) and all(part.isidentifier() for part in value.split("."))


def is_c_string(value: object) -> "TypeGuard[str]":
    return isinstance(value, str) and "\0" not in value


def is_inner_path(value: object) -> bool:
    """Whether it names something below a folder, and nothing beside it."""
    return is_c_string(value) and "\\" not in value and not {"", ".", ".."} & set(value.split("/"))


def is_search_path(value: str) -> bool:
    return is_c_string(value) and value.startswith("/") and ":" not in value


def is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < MAX_NUMBER


PARSERS: "dict[str, tuple[int, Callable[[dict[str, Any]], Message]]]" = {
    "hello": (MAX_HELLO, parse_hello), "file": (MAX_FILE, parse_file), "run": (MAX_LINE, parse_run),
    "write": (MAX_FILE, parse_write), "list": (MAX_FILE, parse_list), "read": (MAX_FILE, parse_read),
    "stop": (MAX_FILE, parse_stop),
}  # fmt: skip
