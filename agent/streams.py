"""One output stream of the program: what of it is kept, and how much there was."""

from utf8 import boundary


class Stream:
    """Lets the first `cap` bytes through, in whole characters, and counts the rest."""

    def __init__(self, name: str, cap: int) -> None:
        self.name = name
        self.total = 0
        self._room = cap
        self._tail = b""  # the beginning of a character whose end has not come yet
        self._full = False

    def feed(self, data: bytes) -> bytes:
        """What of `data`, and of what was held back, can go on."""
        self.total += len(data)
        if self._full:
            return b""
        data = self._tail + data
        self._full = len(data) > self._room
        cut = boundary(data, min(len(data), self._room))
        self._room -= cut
        self._tail = b"" if self._full else data[cut:]
        return data[:cut]

    def finish(self) -> bytes:
        """What was held back for an end that never came."""
        tail, self._tail = self._tail, b""
        return tail
