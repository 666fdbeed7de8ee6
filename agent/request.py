"""Requests: what the agent is told, one JSON line each."""

import json
import marshal

from refusal import Refusal

TYPE_CHECKING = False  # as typing's, which is slow to import
if TYPE_CHECKING:
    from typing import Any

MAX_LINE = 64 * 1024 * 1024
MAX_HELLO = 8 * 1024  # bytes; a `ready` that has to name every module of it still fits a line
MAX_ID = 256
MAX_NUMBER = 1 << 62  # any more and the kernel takes it for no limit, or for an error

FIELDS = {"type": str, "execution_id": str, "code": str, "stdin": str, "args": list, "env": dict, "limits": dict}
LIMITS = ("seconds", "output_bytes", "processes", "file_bytes", "memory_bytes")


class Hello:
    def __init__(self, value: "dict[str, Any]") -> None:
        # The runner is the same interpreter, and marshal is built into it: there is no second JSON to parse.
        self.for_runner = marshal.dumps(value["preload"])


class RunRequest:
    def __init__(self, value: "dict[str, Any]") -> None:
        self.execution_id: str = value["execution_id"]
        self.seconds: float = value["limits"]["seconds"]
        self.output_bytes: int = value["limits"]["output_bytes"]
        self.for_runner = marshal.dumps({name: value[name] for name in ("code", "stdin", "args", "env", "limits")})


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


def parse(line: bytes) -> Hello | RunRequest:
    value = parse_json(line)
    kind = value.get("type") if type(value) is dict else None
    require(kind in ("hello", "run"), 'a request is of type "hello" or "run"')
    if kind == "hello":
        require(len(line) <= MAX_HELLO, f"a hello is at most {MAX_HELLO} bytes")
        check_hello(value)
        return Hello(value)
    check_run(value)
    return RunRequest(value)


def parse_json(line: bytes) -> "Any":
    try:
        value = json.loads(line.decode())
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


def check_run(value: "dict[str, Any]") -> None:
    require(value.keys() == FIELDS.keys(), f"a run has exactly the fields {', '.join(FIELDS)}")
    for name, kind in FIELDS.items():
        require(type(value[name]) is kind, f"{name} must be of type {kind.__name__}")
    require(len(value["execution_id"]) <= MAX_ID, f"execution_id is at most {MAX_ID} characters")
    require(all(map(is_c_string, value["args"])), "args must be strings without NUL")
    for name, text in value["env"].items():
        require(is_c_string(name) and name != "" and "=" not in name, "env names must not be empty or hold = or NUL")
        require(is_c_string(text), "env values must be strings without NUL")
    check_limits(value["limits"])


def check_limits(limits: "dict[str, Any]") -> None:
    require(limits.keys() == set(LIMITS), f"limits has exactly the fields {', '.join(LIMITS)}")
    seconds = limits["seconds"]
    require(type(seconds) in (int, float) and 0 < seconds < MAX_NUMBER, "limits.seconds must be a number above 0")
    for name in ("output_bytes", "processes", "file_bytes"):
        require(is_count(limits[name]), f"limits.{name} must be a whole number, 0 or above")
    memory = limits["memory_bytes"]
    require(memory is None or is_count(memory), "limits.memory_bytes must be a whole number or null")


def is_module_name(value: object) -> bool:
    return isinstance(value, str) and all(part.isidentifier() for part in value.split("."))


def is_c_string(value: object) -> bool:
    return isinstance(value, str) and "\0" not in value


def is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < MAX_NUMBER
