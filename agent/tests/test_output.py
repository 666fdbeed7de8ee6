"""The program's output, byte for byte."""

import hashlib
import textwrap
import unittest

from tests.sandbox import Result, Sandbox, request, run

DRAINED = """
import fcntl, os, sys, termios, time

def drained(fd):
    "Returns once the agent has read what was written."
    while any(fcntl.ioctl(fd, termios.FIONREAD, bytes(4))):
        time.sleep(0.0005)
"""


def program(code: str, **fields: object) -> Result:
    return run(textwrap.dedent(code), **fields)


class Bytes(unittest.TestCase):
    def test_any_bytes_arrive_exactly(self) -> None:
        every = bytes(range(256)) * 3
        for data in (b"", b"\xff\xfe", b"a\0b", b"\0" * 40_000, every, "é€😀\u2028".encode(), b"a\xe2\x82"):
            with self.subTest(data=data[:8]):
                result = run("import os; os.write(1, data[::-1]); os.write(2, data)".replace("data", repr(data)))
                self.assertEqual((result.stdout, result.stderr), (data[::-1], data))

    def test_a_megabyte_by_its_digest(self) -> None:
        result = program("""
            import hashlib, os, sys
            data = os.urandom(1 << 20)
            sys.stdout.buffer.write(data)
            print(hashlib.sha256(data).hexdigest(), end="", file=sys.stderr)
        """)
        self.assertEqual(hashlib.sha256(result.stdout).hexdigest(), result.stderr.decode())
        self.assertEqual(result.exit["stdout_bytes"], 1 << 20)

    def test_text_stays_text_where_writes_split_its_characters(self) -> None:
        result = program(
            DRAINED
            + textwrap.dedent("""
            for byte in "é€😀".encode() * 10:
                os.write(1, bytes([byte]))
                drained(1)
        """)
        )
        self.assertEqual(result.stdout.decode(), "é€😀" * 10)
        self.assertFalse(any("base64" in frame for frame in result.frames))

    def test_streams_keep_the_order_of_arrival(self) -> None:
        result = program(
            DRAINED
            + textwrap.dedent("""
            for n in range(40):
                print("out", n)
                drained(1)
                print("err", n, file=sys.stderr)
                drained(2)
        """)
        )
        texts = [frame["text"] for frame in result.frames if "text" in frame]
        self.assertEqual("".join(texts), "".join(f"out {n}\nerr {n}\n" for n in range(40)))

    def test_what_was_not_flushed_is_kept_at_every_end(self) -> None:
        for ending in ("pass", "os._exit(0)", "os.abort()", "time.sleep(100)"):
            with self.subTest(ending=ending):
                result = run(f"import os, time; print('x', end=''); {ending}", limits={"seconds": 1})
                self.assertEqual(result.stdout, b"x")

    def test_many_small_writes_become_few_frames(self) -> None:
        result = program(
            DRAINED
            + textwrap.dedent("""
            for n in range(3000):
                os.write(1 + n % 2, b"%d " % n)
                drained(1 + n % 2)
        """)
        )
        numbers = sorted(map(int, result.stdout.split() + result.stderr.split()))
        self.assertEqual(numbers, list(range(3000)))
        self.assertLess(len(result.frames), 256 + 100 * result.exit["ran_seconds"] + 10)


class Caps(unittest.TestCase):
    def test_what_is_past_the_cap_is_counted_for_each_stream(self) -> None:
        result = run("import os; os.write(1, b'a' * 150); os.write(2, b'b' * 70)", limits={"output_bytes": 100})
        self.assertEqual((result.stdout, result.stderr), (b"a" * 100, b"b" * 70))
        self.assertEqual((result.exit["stdout_bytes"], result.exit["stderr_bytes"]), (150, 70))
        self.assertEqual(result.ending, ("exited", 0, None))

    def test_the_cut_is_at_a_character(self) -> None:
        for cap in range(9):
            with self.subTest(cap=cap):
                result = run("print('é€😀', end='')", limits={"output_bytes": cap})
                self.assertEqual(result.stdout, "é€😀".encode()[:cap].decode(errors="ignore").encode())
                self.assertEqual(result.exit["stdout_bytes"], 9)

    def test_a_flood_is_counted_exactly(self) -> None:
        for line in ("x" * 100, "x" * 99 + "\n"):
            with self.subTest(line=line[-2:]):
                result = run(f"import sys; sys.stdout.write({line!r} * 2_000_000)")
                self.assertEqual(result.stdout, (line * 20_000).encode()[: 1 << 20])
                self.assertEqual(result.exit["stdout_bytes"], 200_000_000)

    def test_a_large_cap_keeps_all(self) -> None:
        result = run("print('0123456789' * 5_000_000)", limits={"output_bytes": 1 << 30})
        self.assertEqual(
            hashlib.sha256(result.stdout).digest(), hashlib.sha256(b"0123456789" * 5_000_000 + b"\n").digest()
        )


class Readers(unittest.TestCase):
    def test_a_reader_that_stalls_does_not_lengthen_the_run(self) -> None:
        code = "import os\nwhile True: os.write(1, b'x' * (1 << 20))"
        with Sandbox() as sandbox:
            sandbox.ready()
            sandbox.send(request(code, limits={"seconds": 1, "output_bytes": 1 << 30}))
            sandbox.wait_until_agent_is_alone()
            result = sandbox.result()
        self.assertEqual(result.exit["cause"], "timed_out")
        self.assertEqual(len(result.stdout), result.exit["stdout_bytes"])
