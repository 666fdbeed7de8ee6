"""How what was collected is carried: whatever happens to it meanwhile, however slow the reader."""

import os
import resource
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

import collect
from outlet import Outlet
from tests.sandbox import Frame, Sandbox, request

MOST, ROOM = 100, 1 << 27


class Carrying(unittest.TestCase):
    """What no program can bring about, because it is dead by then."""

    def setUp(self) -> None:
        self.workspace = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (self.workspace / "output").mkdir()
        self.sent: list[Frame] = []

    def carry(self, collection: collect.Collection, amid: object = None) -> tuple[list[str], list[int]]:
        """The frames, and the announced and real sizes. `amid` is called once the first data were sent."""
        test = self

        class Recorder(Outlet):
            def __init__(self) -> None:
                self._unsent = bytearray()

            def send(self, kind: str, /, **fields: object) -> None:
                test.sent.append({"type": kind, **fields})

            def send_data(self, data: bytes) -> None:
                test.sent.append({"type": "data", "size": len(data)})
                if callable(amid):
                    amid()

        collection.send(Recorder())
        return [frame["type"] for frame in self.sent], [
            frame["size"] for frame in self.sent if frame["type"] in ("file", "file_end")
        ]

    def output(self, name: str, data: bytes) -> Path:
        path = self.workspace / "output" / name
        path.write_bytes(data)
        return path

    def test_a_file_that_shrinks(self) -> None:
        path = self.output("a", bytes(50_000))
        sizes = self.carry(collect.Collection(str(self.workspace), MOST, ROOM), lambda: os.truncate(path, 20_000))[1]
        self.assertEqual(sizes, [50_000, 20_000])

    def test_a_file_that_grows(self) -> None:
        path = self.output("a", bytes(50_000))
        sizes = self.carry(collect.Collection(str(self.workspace), MOST, ROOM), lambda: os.truncate(path, 90_000))[1]
        self.assertEqual(sizes, [50_000, 50_000])

    def test_a_file_that_goes(self) -> None:
        path = self.output("a", b"1")
        self.output("b", b"2")
        collection = collect.Collection(str(self.workspace), MOST, ROOM)
        path.unlink()
        self.assertEqual(self.carry(collection)[0], ["file", "data", "file_end", "left_out", "end"])
        self.assertEqual(self.sent[3], {"type": "left_out", "path": "a", "reason": "unreadable"})

    def test_there_is_an_end_to_the_time_for_it(self) -> None:
        for name in "abc":
            self.output(name, bytes(50_000))
        collection = collect.Collection(str(self.workspace), MOST, ROOM)
        clock = self.enterContext(mock.patch.object(collect, "monotonic", return_value=time.monotonic()))

        def hours_pass() -> None:
            clock.return_value += 3600

        kinds = self.carry(collection, hours_pass)[0]
        self.assertEqual(kinds, ["file", "data", "file_end", "left_out", "left_out", "end"])
        self.assertEqual(self.sent[2]["size"], 12_000)

    def test_an_empty_folder_costs_next_to_nothing(self) -> None:
        def seconds() -> float:
            begin = time.perf_counter()
            collect.Collection(str(self.workspace), MOST, ROOM)
            return time.perf_counter() - begin

        self.assertLess(min(seconds() for _ in range(50)), 0.002)

    def test_memory_stays_flat(self) -> None:
        """However slow the reader, and however large the files."""
        with open(self.workspace / "output/a", "wb") as file:
            file.truncate(100 << 20)
        self.assertGreater(self.carried_in_little_memory(), 100 << 20)

    def test_names_that_are_not_looked_for_take_no_memory(self) -> None:
        folder = self.workspace / ".vivarium" / "/".join(["x" * 250] * 14)
        folder.mkdir(parents=True)
        for number in range(8000):
            os.mknod(folder / f"{number}")
        (self.workspace / ".vivarium/figure-1.png").write_bytes(bytes(1 << 20))
        self.assertGreater(self.carried_in_little_memory(), 1 << 19)

    def carried_in_little_memory(self) -> int:
        """How many bytes the frames of data have, but for the last of them, for which the outlet does not wait."""
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reader)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            collect.Collection(str(self.workspace), MOST, ROOM).send(Outlet(writer))
            grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
            os._exit(grown > 8 * 1024)  # KiB
        os.close(writer)
        with open(reader, "rb") as frames:
            size = sum(len(line) for line in frames if b'"data"' in line)
        self.assertEqual(os.waitpid(pid, 0)[1], 0)
        return size


class Readers(unittest.TestCase):
    def test_a_reader_that_takes_its_time(self) -> None:
        with Sandbox() as sandbox:
            sandbox.send(request("open('output/a', 'wb').truncate(3 << 20); pass"))
            time.sleep(1)
            [(_, _, data)] = sandbox.result().files
            self.assertEqual(len(data), 3 << 20)
