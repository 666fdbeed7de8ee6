"""What is on the volume, whole or not."""

import json
import tempfile
import unittest
from pathlib import Path

import volume
from request import Request

KEY = "abcdefghijklmnopqrstuvwxyz"
WHOLE = dict.fromkeys(volume.FIELDS, "")


class Damage(unittest.TestCase):
    def setUp(self) -> None:
        self.root = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def environment(self, name: str, description: bytes | None = None) -> Path:
        folder = self.root / name
        folder.mkdir()
        if description is not None:
            (folder / "environment.json").write_bytes(description)
        return folder

    def test_is_as_if_nothing_were_there(self) -> None:
        request = Request(self.root, "z" * 26, [], "", [], [], [], 0, 0)
        damaged = (None, b"", b"\xff", json.dumps(WHOLE).encode()[:-1], b"[]", b"null", b'{"key": ""}')
        for number, description in enumerate(damaged):
            folder = self.environment(chr(ord("a") + number) * 26, description)
            self.assertIsNone(volume.read(folder, 0), description)
        self.assertEqual(list(volume.unrecorded(request)), [])

    def test_makes_way_for_what_is_whole(self) -> None:
        target = self.environment(KEY, b"{")
        (target / "left").touch()
        volume.publish(self.environment("made", json.dumps(WHOLE).encode()), target)
        self.assertEqual(volume.read(target), WHOLE)
        self.assertEqual([path.name for path in self.root.iterdir()], [KEY])
        self.assertEqual([path.name for path in target.iterdir()], ["environment.json"])

    def test_what_is_whole_stays(self) -> None:
        target = self.environment(KEY, json.dumps(WHOLE | {"key": "first"}).encode())
        (target / "lib").mkdir()
        volume.publish(self.environment("made", json.dumps(WHOLE).encode()), target)
        self.assertEqual(volume.read(target), WHOLE | {"key": "first"})


if __name__ == "__main__":
    unittest.main()
