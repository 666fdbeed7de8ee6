import unittest

from utf8 import boundary


class Boundary(unittest.TestCase):
    def test_never_splits_a_character(self) -> None:
        text = "aé€😀é😀€a" * 3
        data = text.encode()
        starts = {len(text[:n].encode()) for n in range(len(text) + 1)}
        for at in range(len(data) + 1):
            with self.subTest(at=at):
                self.assertEqual(boundary(data, at), max(start for start in starts if start <= at))

    def test_holds_back_the_beginning_of_a_character_at_the_end(self) -> None:
        for character in ("é", "€", "😀"):
            encoded = character.encode()
            for size in range(1, len(encoded)):
                self.assertEqual(boundary(b"ab" + encoded[:size], 2 + size), 2)
            self.assertEqual(boundary(b"ab" + encoded, 2 + len(encoded)), 2 + len(encoded))

    def test_cuts_bytes_that_are_no_text_where_it_is_told(self) -> None:
        for data in (b"\x80" * 9, b"\xff" * 9, b"\xc0\x80" * 5, b"a\xe2" + b"a" * 7, b"\xf5\x80\x80\x80\x80\x80"):
            self.assertEqual(boundary(data, 4), 4, data)

    def test_goes_back_three_bytes_at_most(self) -> None:
        self.assertEqual(boundary(b"\xf0" + b"\x80" * 8, 4), 4)
        self.assertEqual(boundary(b"\xf0" + b"\x80" * 8, 3), 0)

    def test_of_nothing(self) -> None:
        self.assertEqual(boundary(b"", 0), 0)
