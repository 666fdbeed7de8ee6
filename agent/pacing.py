"""Pacing: how many frames a run's output becomes. A log is bounded, and a frame costs it more than its bytes."""

from collections.abc import Iterator

from utf8 import boundary


class TokenBucket:
    def __init__(self, capacity: int, per_second: float, now: float) -> None:
        self._capacity = capacity
        self._rate = per_second
        self._tokens = float(capacity)
        self._at = now

    def _fill(self, now: float) -> None:
        self._tokens = min(self._capacity, self._tokens + (now - self._at) * self._rate)
        self._at = now

    def take(self, now: float) -> bool:
        self._fill(now)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def wait(self, now: float) -> float:
        """Seconds until a token is there."""
        self._fill(now)
        return max(0.0, (1 - self._tokens) / self._rate)


class Pacer:
    """Gathers output and releases it as chunks: full ones at once, smaller ones at the bucket's pace.

    Chunks leave in the order in which their first byte came; what waits for a token grows in the meantime.
    """

    def __init__(self, bucket: TokenBucket, chunk: int) -> None:
        self._bucket = bucket
        self._chunk = chunk
        self._waiting: dict[str, bytearray] = {}  # by stream, the longest waiting first

    def add(self, stream: str, data: bytes) -> None:
        if data:
            self._waiting.setdefault(stream, bytearray()).extend(data)

    def due(self, now: float) -> Iterator[tuple[str, bytes]]:
        while self._waiting and (self._has_full_chunk() or self._bucket.take(now)):
            yield self._next()

    def rest(self) -> Iterator[tuple[str, bytes]]:
        while self._waiting:
            yield self._next()

    def wait(self, now: float) -> float | None:
        """Seconds until something is due; None if nothing waits."""
        return self._bucket.wait(now) if self._waiting else None

    def _has_full_chunk(self) -> bool:
        return any(len(data) >= self._chunk for data in self._waiting.values())

    def _next(self) -> tuple[str, bytes]:
        stream, data = next(iter(self._waiting.items()))
        cut = boundary(data, self._chunk) if len(data) > self._chunk else len(data)
        chunk = bytes(data[:cut])
        del data[:cut]
        if not data:
            del self._waiting[stream]
        return stream, chunk
