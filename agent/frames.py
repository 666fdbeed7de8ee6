"""Frames: what the agent says, one JSON line each."""

from binascii import b2a_base64
from json import JSONEncoder

MAX_LINE = 16_384  # containerd splits a log line that is longer
CHUNK = 12_000  # bytes of output in a frame: as base64 they fit a line, as text they may grow by a third

_encode = JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def frame(seq: int, kind: str, fields: dict[str, object]) -> bytes:
    return (_encode({"seq": seq, "type": kind, **fields}) + "\n").encode()


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
