"""stdout and stderr as every cell finds them, whatever the cells before it have done to them."""

import _io
import os
import sys


class Descriptor:
    """One of ours, which the program may have closed, and may have opened something else in its place."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._status = os.fstat(fd)

    def is_intact(self, fd: int | None = None) -> bool:
        try:
            return os.path.samestat(self._status, os.fstat(self.fd if fd is None else fd))
        except OSError:
            return False


class Stream:
    """stdout or stderr, which every cell finds as the first one did."""

    def __init__(self, number: int, name: str) -> None:
        self._number = number
        self._name = name
        self._pipe = Descriptor(os.dup(number))
        self.text = getattr(sys, name)
        self._encoding, self._errors = self.text.encoding, self.text.errors

    def restore(self) -> None:
        if self._pipe.is_intact():
            os.dup2(self._pipe.fd, self._number)
            os.set_blocking(self._number, True)  # an event loop may have had it, and then what finds no room is lost
        if self._is_closed():
            raw = _io.open(self._number, "wb", 0, closefd=False)
            self.text = _io.TextIOWrapper(raw, self._encoding, self._errors, "\n", write_through=True)
        setattr(sys, self._name, self.text)
        setattr(sys, f"__{self._name}__", self.text)

    def _is_closed(self) -> bool:
        try:
            return bool(self.text.closed)
        except ValueError:
            return True  # it is detached
