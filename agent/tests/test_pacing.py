import unittest

from pacing import Pacer, TokenBucket


class Buckets(unittest.TestCase):
    def test_holds_its_capacity_at_first(self) -> None:
        bucket = TokenBucket(3, 10, now=0)
        self.assertEqual([bucket.take(0) for _ in range(4)], [True, True, True, False])

    def test_fills_at_its_rate(self) -> None:
        bucket = TokenBucket(1, 10, now=0)
        bucket.take(0)
        self.assertAlmostEqual(bucket.wait(0), 0.1)
        self.assertFalse(bucket.take(0.05))
        self.assertAlmostEqual(bucket.wait(0.05), 0.05)
        self.assertTrue(bucket.take(0.11))

    def test_never_holds_more_than_its_capacity(self) -> None:
        bucket = TokenBucket(2, 10, now=0)
        self.assertEqual([bucket.take(1000) for _ in range(3)], [True, True, False])

    def test_waits_for_nothing_while_it_has_tokens(self) -> None:
        self.assertEqual(TokenBucket(2, 10, now=0).wait(0), 0)


def pacer(tokens: int) -> Pacer:
    return Pacer(TokenBucket(tokens, 10, now=0), chunk=8)


class Pacers(unittest.TestCase):
    def test_releases_at_once_while_there_are_tokens(self) -> None:
        paced = pacer(2)
        for text in (b"a", b"b"):
            paced.add("stdout", text)
            self.assertEqual(list(paced.due(0)), [("stdout", text)])

    def test_merges_what_waits_for_a_token(self) -> None:
        paced = pacer(0)
        for stream, text in (("stderr", b"1"), ("stdout", b"a"), ("stderr", b"2"), ("stdout", b"b")):
            paced.add(stream, text)
            self.assertEqual(list(paced.due(0)), [])
        self.assertAlmostEqual(paced.wait(0) or 0, 0.1)
        self.assertEqual(list(paced.due(0.11)), [])  # a bucket for no frame at once never has a token
        self.assertEqual(list(paced.rest()), [("stderr", b"12"), ("stdout", b"ab")])

    def test_releases_the_longest_waiting_first(self) -> None:
        paced = pacer(1)
        paced.add("stderr", b"1")
        paced.add("stdout", b"a")
        self.assertEqual(list(paced.due(0)), [("stderr", b"1")])
        self.assertEqual(list(paced.due(0.11)), [("stdout", b"a")])

    def test_releases_a_full_chunk_at_once_and_what_came_before_it(self) -> None:
        paced = pacer(0)
        paced.add("stderr", b"1")
        paced.add("stdout", b"abcdefghij")
        self.assertEqual(list(paced.due(0)), [("stderr", b"1"), ("stdout", b"abcdefgh")])
        self.assertEqual(list(paced.rest()), [("stdout", b"ij")])

    def test_cuts_chunks_between_characters(self) -> None:
        paced = pacer(0)
        paced.add("stdout", ("aaaaaaa" + "€" * 3).encode())
        self.assertEqual([chunk.decode() for _, chunk in paced.rest()], ["aaaaaaa", "€€", "€"])

    def test_waits_for_nothing_when_it_holds_nothing(self) -> None:
        paced = pacer(0)
        paced.add("stdout", b"")
        self.assertIsNone(paced.wait(0))

    def test_makes_few_frames_of_many_writes(self) -> None:
        paced = Pacer(TokenBucket(256, 100, now=0), chunk=12_000)
        frames = 0
        for n in range(100_000):  # ten seconds of 10,000 writes each
            paced.add("stdout" if n % 2 else "stderr", b"x")
            frames += len(list(paced.due(n / 10_000)))
        self.assertLessEqual(frames, 256 + 1000)
        self.assertGreater(frames, 1000)
