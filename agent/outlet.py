"""The agent's stdout. It never blocks the agent: a reader that stalls must not lengthen a run."""

import os
from select import POLLOUT, poll

from frames import data_frame, frame, output_frame, ready_frame


class Outlet:
    def __init__(self, fd: int) -> None:
        os.set_blocking(fd, False)
        self.fd = fd
        self._seq = 0
        self._unsent = bytearray()

    @property
    def backlog(self) -> int:
        return len(self._unsent)

    def send(self, kind: str, /, **fields: object) -> None:
        self._append(frame(self._seq, kind, fields))

    def send_ready(self, python: str, failed: dict[str, str]) -> None:
        self._append(ready_frame(self._seq, python, failed))

    def send_output(self, stream: str, data: bytes) -> None:
        self._append(output_frame(self._seq, stream, data))

    def send_data(self, data: bytes) -> None:
        self._append(data_frame(self._seq, data))

    def push(self) -> None:
        """Writes what the reader will take now."""
        try:
            while self._unsent:
                del self._unsent[: os.write(self.fd, self._unsent)]
        except BlockingIOError:
            pass

    def drain(self) -> None:
        """Writes everything, however long the reader takes."""
        writable = poll()
        writable.register(self.fd, POLLOUT)
        self.push()
        while self._unsent:
            writable.poll()
            self.push()

    def _append(self, line: bytes) -> None:
        self._unsent += line
        self._seq += 1
