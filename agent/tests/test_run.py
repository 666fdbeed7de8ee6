import io
import os
import signal
import threading
import unittest

import kernel
from outlet import Outlet
from request import RunRequest
from run import Supervision
from spawn import Runner
from tests.sandbox import request


class Pipes(unittest.TestCase):
    def setUp(self) -> None:
        self.addCleanup(signal.signal, signal.SIGCHLD, signal.getsignal(signal.SIGCHLD))
        self.addCleanup(signal.set_wakeup_fd, -1)

    def pipe(self) -> tuple[int, io.FileIO]:
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        return reader, self.enterContext(io.FileIO(writer, "w"))

    def test_a_pipe_that_someone_else_emptied_blocks_nothing(self) -> None:
        """The program can read its own pipe between the agent's poll and its read."""
        (stdout, out), (stderr, _), (_, sink) = self.pipe(), self.pipe(), self.pipe()
        runner, outlet = Runner(0, -1, -1, stdout, stderr), Outlet(sink.fileno())
        supervision = Supervision(RunRequest(request("")), runner, outlet, kernel.children_wakeup())
        out.write(b"all that was left")
        reading = threading.Thread(target=supervision.finish, daemon=True)
        reading.start()
        reading.join(30)
        self.assertFalse(reading.is_alive())
        self.assertEqual(supervision.stdout.total, 17)
