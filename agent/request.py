"""Requests: what the agent is told, one JSON line each."""

import json
import marshal
from binascii import a2b_base64

from refusal import Refusal

TYPE_CHECKING = False  # as typing's, which is slow to import
if TYPE_CHECKING:
    from typing import Any, TypeGuard

MAX_LINE = 64 * 1024 * 1024
MAX_HELLO = 8 * 1024  # bytes; a `ready` that has to name every module of it still fits a line
MAX_FILE = 1024 * 1024  # bytes of a line that carries a part of an input file
MAX_ID = 256
MAX_NUMBER = 1 << 62  # any more and the kernel takes it for no limit, or for an error

FIELDS: "dict[str, tuple[type, ...]]" = {
    "type": (str,), "execution_id": (str,), "code": (str,), "stdin": (str,), "args": (list,), "env": (dict,),
    "environment": (str, type(None)), "limits": (dict,),
}  # fmt: skip
COUNTS = ("output_bytes", "processes", "file_bytes", "artifact_files", "artifact_bytes")
LIMITS = {"seconds", *COUNTS, "memory_bytes"}
FOR_RUNNER = ("code", "stdin", "args", "env", "environment", "limits")


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
        self.environment: str | None = value["environment"]
        self.seconds: float = value["limits"]["seconds"]
        self.output_bytes: int = value["limits"]["output_bytes"]
        self.artifact_files: int = value["limits"]["artifact_files"]
        self.artifact_bytes: int = value["limits"]["artifact_bytes"]
        self.for_runner = marshal.dumps({name: value[name] for name in FOR_RUNNER})


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


def parse(line: bytes) -> Hello | File | RunRequest:
    value = parse_json(line)
    kind = value.get("type") if type(value) is dict else None
    require(kind in ("hello", "file", "run"), 'a request is of type "hello", "file" or "run"')
    if kind == "file":
        require(len(line) <= MAX_FILE, f"a line of a file is at most {MAX_FILE} bytes")
        return parse_file(value)
    if kind == "hello":
        require(len(line) <= MAX_HELLO, f"a hello is at most {MAX_HELLO} bytes")
        check_hello(value)
        return Hello(value)
    check_run(value)
    return RunRequest(value)


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


def check_hello(value: "dict[str, Any]") -> None:
    require(value.keys() == {"type", "preload"}, "a hello has exactly the fields type, preload")
    require(type(value["preload"]) is list, "preload must be of type list")
    require(all(map(is_module_name, value["preload"])), "preload must hold names of modules")


def parse_file(value: "dict[str, Any]") -> File:
    require(value.keys() == {"type", "path", "base64"}, "a file has exactly the fields type, path, base64")
    path, text = value["path"], value["base64"]
    require(is_inner_path(path), "path must name something below mounts/, without empty, . or .. parts")
    require(type(text) is str, "base64 must be of type str")
    try:
        return File(path, a2b_base64(text, strict_mode=True))
    except ValueError:
        raise Refusal(f"the base64 of the file {path} is none") from None


def check_run(value: "dict[str, Any]") -> None:
    require(value.keys() == FIELDS.keys(), f"a run has exactly the fields {', '.join(FIELDS)}")
    for name, kinds in FIELDS.items():
        require(type(value[name]) in kinds, f"{name} must be of type {kinds[0].__name__}")
    require(len(value["execution_id"]) <= MAX_ID, f"execution_id is at most {MAX_ID} characters")
    require(all(map(is_c_string, value["args"])), "args must be strings without NUL")
    for name, text in value["env"].items():
        require(is_c_string(name) and name != "" and "=" not in name, "env names must not be empty or hold = or NUL")
        require(is_c_string(text), "env values must be strings without NUL")
    environment = value["environment"]
    require(environment is None or is_search_path(environment), "environment must be an absolute path without : or NUL")
    check_limits(value["limits"])


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
