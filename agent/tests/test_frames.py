import base64
import json
import unittest

from frames import CHUNK, MAX_LINE, MAX_REASON, frame, output_frame, ready_frame
from request import MAX_HELLO, parse
from tests.sandbox import hello


class Frames(unittest.TestCase):
    def test_is_one_compact_line(self) -> None:
        self.assertEqual(frame(0, "started", {"execution_id": "a"}), b'{"seq":0,"type":"started","execution_id":"a"}\n')

    def test_says_text_as_it_is(self) -> None:
        line = output_frame(7, "stdout", 'é€😀 "\\\n\u2028'.encode())
        self.assertEqual(line.decode(), '{"seq":7,"type":"stdout","text":"é€😀 \\"\\\\\\n\u2028"}\n')

    def test_says_other_bytes_as_base64(self) -> None:
        for data in (b"\xff", b"a\xe2\x82", b"\xed\xa0\x80", b"\xc0\x80"):
            said = json.loads(output_frame(0, "stderr", data))
            self.assertEqual(base64.b64decode(said["base64"]), data)
            self.assertNotIn("text", said)

    def test_says_mostly_escapes_as_base64(self) -> None:
        said = json.loads(output_frame(0, "stdout", b"\0" * CHUNK))
        self.assertEqual(base64.b64decode(said["base64"]), b"\0" * CHUNK)

    def test_says_ordinary_lines_as_text(self) -> None:
        said = json.loads(output_frame(0, "stdout", (b"12345\n" * CHUNK)[:CHUNK]))
        self.assertIn("text", said)

    def test_fits_a_line_whatever_the_bytes(self) -> None:
        fills = [b"a", b'"', b"\n", b"\0", b"\xff", b"ab\n", b"abc\t", "é".encode(), "😀".encode(), b"\x7f", b"\x1b[0m"]
        for fill in fills:
            for size in (1, CHUNK // 2, CHUNK - 1, CHUNK):
                line = output_frame(10**12, "stderr", (fill * CHUNK)[:size])
                self.assertLess(len(line), MAX_LINE)
                self.assertEqual(line.count(b"\n"), 1)


class Ready(unittest.TestCase):
    def test_says_why_imports_failed(self) -> None:
        said = json.loads(ready_frame(3, "3.13.5", {"a.b": "E: " + "é" * MAX_REASON}))
        failed = {"a.b": "E: " + "é" * (MAX_REASON - 3)}
        self.assertEqual(said, {"seq": 3, "type": "ready", "python": "3.13.5", "failed": failed})

    def test_fits_a_line_however_many_failed(self) -> None:
        letters = [chr(code) for code in range(0x370, 0x800) if chr(code).isidentifier()]
        short = [*map(chr, range(ord("a"), ord("z"))), *letters, *("a" + letter for letter in letters)]
        for modules in (short, [f"m{n}" for n in range(2000)], [f"m{n}" + "x" * 100 for n in range(70)]):
            while (
                len(line := json.dumps(hello(*modules), ensure_ascii=False, separators=(",", ":")).encode()) > MAX_HELLO
            ):
                modules.pop()
            parse(line)
            for reason in ("", "E", "\0" * MAX_REASON, "😀" * MAX_REASON):
                said = ready_frame(10**12, "3.13.5", dict.fromkeys(modules, reason))
                self.assertLess(len(said), MAX_LINE)
                self.assertEqual(list(json.loads(said)["failed"]), modules)
