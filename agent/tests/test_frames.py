import base64
import json
import unittest

from frames import CHUNK, MAX_LINE, frame, output_frame


class Frames(unittest.TestCase):
    def test_is_one_compact_line(self) -> None:
        self.assertEqual(frame(0, "ready", {"python": "3.13.5"}), b'{"seq":0,"type":"ready","python":"3.13.5"}\n')

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
