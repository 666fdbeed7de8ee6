"""What the agent is told on its stdin, message by message."""

import os

from request import Lines, RunRequest, Stop, parse

TYPE_CHECKING = False  # as typing's, which is slow to import
if TYPE_CHECKING:
    from request import Message

READ_BYTES = 1024 * 1024


class Inbox:
    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.is_at_end = False  # the owner is gone, or has nothing more to say
        self._lines = Lines()
        self._unread: list[bytes] = []  # lines that have come and were not asked for
        self._put_back: Message | None = None

    def fill(self) -> None:
        """Takes what has come; blocks if nothing has."""
        data = os.read(self.fd, READ_BYTES)
        self.is_at_end = not data
        self._unread += self._lines.feed(data)

    def take(self) -> "Message | None":
        """The next message that has come. What follows a request that is the last of a sandbox means nothing."""
        if self._put_back:
            message, self._put_back = self._put_back, None
            return message
        if not self._unread:
            return None
        message = parse(self._unread.pop(0))
        if isinstance(message, RunRequest) and message.mode == "single":
            self._unread.clear()
        return message

    def is_stop(self, execution_id: str) -> bool:
        """Whether the run is to stop. Whatever else comes amid it waits, and holds up what follows."""
        while not self.is_held_up and (message := self.take()):
            if not isinstance(message, Stop):
                self._put_back = message
            elif message.execution_id == execution_id:
                return True
        return False

    @property
    def is_held_up(self) -> bool:
        return self._put_back is not None
