"""What is asked about the workspace before runs and between them."""

import unittest

from tests.sandbox import Frame, Sandbox


class WorkspaceTest(unittest.TestCase):
    def setUp(self) -> None:
        self.sandbox = self.enterContext(Sandbox())

    def refused(self, answer: Frame) -> str:
        self.assertEqual(answer["type"], "refused")
        return str(answer["reason"])

    def write(self, path: str) -> str:
        return self.refused(self.sandbox.written(path, b"1"))

    def list(self, path: str) -> str:
        [answer] = self.sandbox.entries(path)
        return self.refused(answer)


class Writing(WorkspaceTest):
    def test_a_file_with_its_folders(self) -> None:
        for _ in range(2):
            data = bytes(range(256)) * 5000
            for at in range(0, len(data), 500_000):
                self.sandbox.write("a/b/é ü.bin", data[at : at + 500_000], more=at + 500_000 < len(data))
            answer = self.sandbox.frame()
            self.assertEqual(
                answer, {"seq": answer["seq"], "type": "written", "path": "a/b/é ü.bin", "size": len(data)}
            )
            self.assertEqual(self.sandbox.read("a/b/é ü.bin", 1 << 24), data)
            self.assertEqual(self.sandbox.written("empty", b"")["size"], 0)
            self.sandbox.cell("import os; assert oct(os.stat('empty').st_mode) == '0o100644'")
            self.assertEqual(self.sandbox.paths(), ["a", "a/b", "a/b/é ü.bin", "empty", "mounts", "output"])
            self.assertEqual(self.sandbox.cell("os.listdir('.vivarium')").files[0][2], b"[]")

    def test_a_file_is_there_whole_or_not_at_all(self) -> None:
        self.sandbox.written("a", b"old")
        self.sandbox.write("a", b"new", more=True)
        self.assertEqual(self.sandbox.read("a"), b"old")
        self.sandbox.write("a", b"new", more=True)
        self.assertEqual(self.sandbox.written("b", b"1")["path"], "b")
        self.assertEqual(self.sandbox.written("a", b"end")["size"], 3)
        self.sandbox.write("a", b"new", more=True)
        self.assertEqual(
            self.sandbox.cell("import os; print(open('a').read(), os.listdir('.vivarium'))").stdout, b"end []\n"
        )

    def test_a_link_or_pipe_is_replaced_and_not_followed(self) -> None:
        self.sandbox.cell("import os; os.symlink('/tmp/aim', 'link'); os.mkfifo('pipe')")
        for name in ("link", "pipe"):
            self.assertEqual(self.sandbox.written(name, b"1")["type"], "written")
            self.assertEqual(self.sandbox.read(name), b"1")
        self.assertEqual(self.sandbox.cell("print(os.path.exists('/tmp/aim'))").stdout, b"False\n")

    def test_what_is_refused(self) -> None:
        self.sandbox.cell(
            "import os; os.symlink('/tmp', 'tmp'); os.mkdir('d'); os.mkdir('locked', 0o555); open('f', 'w')"
        )
        for path, reason in {
            "../a": "name", "/a": "name", "": "name", "a//b": "name", "a/./b": "name", ".vivarium/a": "name",
            "a\0": "name", ".vivarium": "name", "n" * 256: "name", "é" * 600: "name", "/".join("a" * 33): "name",
            "tmp/a": "type", "f/a": "type", "d": "type", "locked/a": "unreadable", "mounts/a": "unreadable",
        }.items():  # fmt: skip
            with self.subTest(path=path[:20]):
                self.assertEqual(self.write(path), reason)
        long = self.sandbox.written("\1" * 100_000, b"")
        self.assertEqual((long["reason"], long["path"]), ("name", "\1" * 1024))

    def test_a_full_workspace(self) -> None:
        with Sandbox(workspace_bytes=1 << 20) as sandbox:
            for _ in range(3):
                for more in (True, True, False):
                    sandbox.write("big", bytes(500_000), more)
                self.assertEqual(self.refused(sandbox.frame()), "full")
            self.assertEqual(sandbox.written("small", bytes(500_000))["type"], "written")
            self.assertEqual(sandbox.paths(), ["mounts", "output", "small"])


class Listing(WorkspaceTest):
    def test_what_is_there(self) -> None:
        self.sandbox.cell(
            "import os; os.mkdir('d'); open('d/f', 'w').write('123'); os.utime('d/f', (5, 7.5)); os.symlink('d', 'l')"
        )
        *entries, listed = self.sandbox.entries()
        shown = [(entry["path"], entry["kind"], entry["size"]) for entry in entries]
        expected = [
            ("d", "folder", 0),
            ("d/f", "file", 3),
            ("l", "other", 0),
            ("mounts", "folder", 0),
            ("output", "folder", 0),
        ]
        self.assertEqual(shown, expected)
        self.assertEqual(entries[1]["modified"], 7.5)
        self.assertEqual(listed, {"seq": listed["seq"], "type": "listed", "entries": 5, "left_out": 0})
        self.assertEqual(
            [frame["path"] for frame in self.sandbox.entries(recursive=False)[:-1]], ["d", "l", "mounts", "output"]
        )
        self.assertEqual(self.sandbox.paths("d"), ["d/f"])
        self.assertEqual(self.sandbox.paths("output"), [])

    def test_names_that_are_none_are_counted(self) -> None:
        self.sandbox.cell("open(b'/workspace/output/\\xff', 'w'); open('output/a', 'w')")
        self.assertEqual(
            [frame.get("path") or frame["left_out"] for frame in self.sandbox.entries("output")], ["output/a", 1]
        )

    def test_the_first_of_very_many(self) -> None:
        self.sandbox.cell("import os; os.mkdir('d')\nfor n in range(12_000): os.mkdir(f'd/{n:05}')")
        *entries, listed = self.sandbox.entries("d")
        self.assertEqual([entry["path"] for entry in entries], [f"d/{n:05}" for n in range(10_000)])
        self.assertEqual((listed["entries"], listed["left_out"]), (10_000, 2_000))

    def test_what_is_refused(self) -> None:
        self.sandbox.cell("import os; open('f', 'w'); os.symlink('output', 'l'); os.mkdir('locked', 0)")
        for path, reason in {
            "none": "missing", "f": "type", "l": "type", "l/a": "type", "..": "name", ".vivarium": "name",
            "locked": "unreadable",
        }.items():  # fmt: skip
            with self.subTest(path=path):
                self.assertEqual(self.list(path), reason)


class Reading(WorkspaceTest):
    def test_what_is_refused(self) -> None:
        self.sandbox.cell(
            """
            import os, socket
            open('f', 'w').write('1234'); os.symlink('f', 'l'); os.symlink('output', 'd'); os.mkfifo('pipe')
            open('locked', 'w').close(); os.chmod('locked', 0); open('output/f', 'w')
            socket.socket(socket.AF_UNIX).bind('socket')
            """
        )
        for path, reason in {
            "none": "missing", "output": "type", "l": "type", "d/f": "type", "pipe": "type", "socket": "type",
            "f/f": "type", "../etc/passwd": "name", "/etc/passwd": "name", "locked": "unreadable", "": "name",
        }.items():  # fmt: skip
            with self.subTest(path=path):
                self.assertEqual(self.sandbox.read(path), reason)
        self.assertEqual(self.sandbox.read("f", 4), b"1234")
        self.sandbox.send({"type": "read", "path": "f", "most": 3})
        answer = self.sandbox.frame()
        self.assertEqual(answer, {"seq": answer["seq"], "type": "refused", "path": "f", "reason": "size", "size": 4})

    def test_a_large_file(self) -> None:
        self.sandbox.cell("import os; data = os.urandom(5_000_000); open('big', 'wb').write(data)")
        data = self.sandbox.read("big", 5_000_000)
        assert isinstance(data, bytes)
        self.sandbox.written("copy", b"")
        self.assertEqual(len(data), 5_000_000)
        self.sandbox.cell("import hashlib")
        import hashlib

        sums = self.sandbox.cell("print(hashlib.sha256(data).hexdigest())").stdout.decode().strip()
        self.assertEqual(hashlib.sha256(data).hexdigest(), sums)

    def test_before_the_first_run(self) -> None:
        self.assertEqual(self.sandbox.read("a"), "missing")
        self.sandbox.ready()
        self.sandbox.written("a", b"1")
        self.assertEqual(self.sandbox.read("a"), b"1")
        self.assertEqual(self.sandbox.paths(), ["a", "mounts", "output"])
