"""Frames: what the agent says, one JSON line each."""

from binascii import b2a_base64
from json import JSONEncoder

MAX_LINE = 16_384  # containerd splits a log line that is longer
MAX_REASON = 500  # characters of why an import failed
CHUNK = 12_000  # bytes of output in a frame: as base64 they fit a line, as text they may grow by a third

_encode = JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def frame(seq: int, kind: str, fields: dict[str, object]) -> bytes:
    return (_encode({"seq": seq, "type": kind, **fields}) + "\n").encode()


def ready_frame(seq: int, python: str, failed: dict[str, str]) -> bytes:
    """Names every import that failed; where there are many, the reasons get shorter until the line is short enough."""
    most = MAX_REASON
    while True:
        reasons = {module: reason[:most] for module, reason in failed.items()}
        line = frame(seq, "ready", {"python": python, "failed": reasons})
        if len(line) < MAX_LINE or most == 0:
            return line
        most //= 2


def output_frame(seq: int, stream: str, data: bytes) -> bytes:
    """At most CHUNK bytes, as text if they are text and not mostly escapes."""
    try:
        line = frame(seq, stream, {"text": data.decode()})
    except UnicodeDecodeError:
        pass
    else:
        if len(line) < MAX_LINE:
            return line
    return frame(seq, stream, {"base64": b2a_base64(data, newline=False).decode("ascii")})


def data_frame(seq: int, data: bytes) -> bytes:
    """At most CHUNK bytes of a file."""
    return b'{"seq":%d,"type":"data","base64":"%b"}\n' % (seq, b2a_base64(data, newline=False))
