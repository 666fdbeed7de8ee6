import unittest
from collections.abc import Iterable

from streams import Stream


def through(cap: int, pieces: Iterable[bytes]) -> tuple[list[bytes], Stream]:
    stream = Stream("stdout", cap)
    out = [stream.feed(piece) for piece in pieces]
    return [*out, stream.finish()], stream


def bytewise(data: bytes) -> Iterable[bytes]:
    return (data[n : n + 1] for n in range(len(data)))


class Streams(unittest.TestCase):
    def test_lets_all_through_up_to_the_cap(self) -> None:
        out, stream = through(6, [b"abc", b"def"])
        self.assertEqual((b"".join(out), stream.total), (b"abcdef", 6))

    def test_counts_what_is_past_the_cap(self) -> None:
        out, stream = through(4, [b"abc", b"def", b"ghi"])
        self.assertEqual((b"".join(out), stream.total), (b"abcd", 9))

    def test_keeps_nothing_with_a_cap_of_nothing(self) -> None:
        out, stream = through(0, [b"abc"])
        self.assertEqual((b"".join(out), stream.total), (b"", 3))

    def test_cuts_at_a_character_however_the_bytes_arrive(self) -> None:
        data = "aé€😀".encode() * 2
        for cap in range(len(data) + 1):
            expected = data[:cap].decode(errors="ignore").encode()
            for pieces in ([data], bytewise(data), [data[:cap], data[cap:]]):
                with self.subTest(cap=cap):
                    out, stream = through(cap, pieces)
                    self.assertEqual((b"".join(out), stream.total), (expected, len(data)))

    def test_keeps_nothing_more_once_it_has_cut(self) -> None:
        out, _ = through(2, ["€".encode(), b"a"])
        self.assertEqual(b"".join(out), b"")

    def test_holds_a_split_character_until_it_is_whole(self) -> None:
        out, _ = through(100, [b"a\xe2", b"\x82", b"\xacb"])
        self.assertEqual(out, [b"a", b"", "€b".encode(), b""])

    def test_releases_at_the_end_what_never_became_whole(self) -> None:
        out, _ = through(100, [b"a\xe2\x82"])
        self.assertEqual(out, [b"a", b"\xe2\x82"])

    def test_passes_any_bytes_exactly(self) -> None:
        data = bytes(range(256)) * 7
        for pieces in ([data], bytewise(data)):
            out, _ = through(len(data), pieces)
            self.assertEqual(b"".join(out), data)
