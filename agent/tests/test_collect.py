"""What a program leaves in output/: carried whole, or named with a reason."""

import hashlib
import os
import tempfile
import textwrap
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

import folders
from tests.sandbox import Result, payload, run


def program(code: str, **fields: Any) -> Result:
    return run(textwrap.dedent(code) + "\npass", **fields)  # and no value


class Outputs(unittest.TestCase):
    def leaves(self, code: str, files: dict[str, bytes], left_out: dict[str, str], **fields: Any) -> Result:
        result = program(code, **fields)
        self.assertEqual(result.stderr, b"")
        self.assertEqual(result.files, [("output", path, data) for path, data in files.items()])
        self.assertEqual(dict(result.left_out), left_out)
        self.assertEqual((result.exit["files"], result.exit["left_out"]), (len(files), len(left_out)))
        return result

    def test_files_follow_the_exit(self) -> None:
        code = """
        import os
        os.makedirs("output/b/c")
        for name in ("b/c/2", "z", "b/1", "ä ö", "empty", ".hidden"):
            open("output/" + name, "w").write(name * (name != "empty"))
        print("done", end="")
        exit(3)
        """
        names = (".hidden", "b/1", "b/c/2", "empty", "z", "ä ö")
        result = self.leaves(code, {name: name.encode() * (name != "empty") for name in names}, {})
        each = ["file", "data", "file_end"]
        kinds = ["started", "stdout", "exit", *each * 3, "file", "file_end", *each * 2, "end"]
        self.assertEqual((result.kinds(), result.ending), (kinds, ("exited", 3, None)))
        sizes = [frame["size"] for frame in result.frames if frame["type"] in ("file", "file_end")]
        self.assertEqual(sizes, [7, 7, 3, 3, 5, 5, 0, 0, 1, 1, 5, 5])

    def test_nothing_follows_where_nothing_was_left(self) -> None:
        result = self.leaves("import os; os.makedirs('output/a/b'); open('elsewhere', 'w')", {}, {})
        self.assertEqual(result.kinds(), ["started", "exit"])
        self.leaves("import os; os.rmdir('output')", {}, {})

    def test_files_of_a_run_that_timed_out(self) -> None:
        code = "open('output/a', 'w').write('1')\nwhile True: pass"
        result = self.leaves(code, {"a": b"1"}, {}, limits={"seconds": 0.5})
        self.assertEqual(result.ending, ("timed_out", None, None))

    def test_a_large_file_is_whole_and_in_full_frames(self) -> None:
        make = "import hashlib, random; random.seed(1); data = random.randbytes(5_000_001)"
        result = program(f"{make}; open('output/a', 'wb').write(data); print(hashlib.sha256(data).hexdigest())")
        [(kind, path, data)] = result.files
        self.assertEqual((kind, path, len(data)), ("output", "a", 5_000_001))
        self.assertEqual(hashlib.sha256(data).hexdigest(), result.stdout.decode().strip())
        sizes = [len(payload(frame)) for frame in result.frames if frame["type"] == "data"]
        self.assertEqual(set(sizes[:-1]), {12_000})

    def test_what_is_no_file_is_named(self) -> None:
        code = """
        import os, socket
        os.chdir("output")
        open("/workspace/secret", "w").write("secret")
        os.symlink("/workspace/secret", "link")
        os.symlink("/workspace", "link_to_folder")
        os.symlink("nowhere", "dangling")
        os.symlink("loop", "loop")
        os.mkdir("folder")
        os.symlink("..", "folder/up")
        os.mkfifo("fifo")
        socket.socket(socket.AF_UNIX).bind("socket")
        os.link("/workspace/secret", "hard")
        """
        names = ("dangling", "fifo", "folder/up", "link", "link_to_folder", "loop", "socket")
        self.leaves(code, {"hard": b"secret"}, dict.fromkeys(names, "type"))

    def test_an_output_folder_that_is_none(self) -> None:
        code = "import os; os.rmdir('output'); "
        for act in ("os.symlink('/usr', 'output')", "open('output', 'w')", "os.mkfifo('output')"):
            self.leaves(code + act, {}, {".": "type"})
        self.leaves("import os; os.chmod('output', 0)", {}, {".": "unreadable"})

    def test_strange_names(self) -> None:
        names = ["n" * 255, "a\nb", "\u202etxt.exe", 'quote"\\', "\x1b[31m", "tab\t", " ", "\U0001f600", "-rf"]
        code = f"for name in {names!r}: open('output/' + name, 'w').write('1')"
        self.leaves(code, dict.fromkeys(sorted(names), b"1"), {})

    def test_names_that_are_no_text(self) -> None:
        code = """
        import os
        os.mkdir(b"output/\\xff")
        for name in (b"a\\xe9", b"\\xff/b", b"\\xff\\\\x"): open(b"output/" + name, "w")
        """
        self.leaves(code, {}, {"a\\xe9": "name", "\\xff/b": "name", "\\xff\\x": "name"})

    def test_what_cannot_be_read(self) -> None:
        code = """
        import os
        os.mkdir("output/closed"); open("output/closed/a", "w"); os.chmod("output/closed", 0)
        os.mkdir("output/listed"); open("output/listed/a", "w"); os.chmod("output/listed", 0o444)
        open("output/file", "w"); os.chmod("output/file", 0o200)
        open("output/good", "w"); os.chmod("output/good", 0o400)
        """
        self.leaves(code, {"good": b""}, dict.fromkeys(("closed", "file", "listed/a"), "unreadable"))

    def test_a_deep_tree(self) -> None:
        code = """
        import os
        os.chdir("output")
        for level in range(1000):
            os.mkdir("d"); os.chdir("d")
            if level in (0, 31, 32): open("f", "w").write(str(level))
        """
        self.leaves(code, {"d/" * 32 + "f": b"31", "d/f": b"0"}, {"d/" * 32 + "d": "name"})

    def test_a_long_path(self) -> None:
        code = """
        import os
        os.chdir("output")
        for level in range(10):
            open("f", "w")
            os.mkdir(200 * "\\x01"); os.chdir(200 * "\\x01")
        """
        deep = 200 * "\x01" + "/"
        result = program(code)
        self.assertEqual([path for _, path, _ in result.files], [level * deep + "f" for level in range(5, -1, -1)])
        self.assertEqual([reason for _, reason in result.left_out], ["name"] * 4)

    def test_ten_thousand_files(self) -> None:
        code = "for n in range(10_000): open(f'output/{n:05}', 'w').write(str(n))"
        result = program(code)
        self.assertEqual([(path, data) for _, path, data in result.files], [(f"{n:05}", b"%d" % n) for n in range(100)])
        self.assertEqual(result.exit["left_out"], 9900)
        self.assertEqual(result.left_out, [(f"{n:05}", "count") for n in range(100, 200)])

    def test_more_than_is_looked_at(self) -> None:
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(folders, "MAX_ENTRIES", 50):
            for number in range(60):
                Path(folder, str(number)).touch()
            found = list(folders.walk(os.open(folder, folders.FOLDER)))
        self.assertEqual((len(found), found[-1].path, found[-1].reason), (51, b".", "count"))

    def test_more_bytes_than_may_be(self) -> None:
        code = """
        for name, size in (("a", 600), ("b", 500), ("c", 400), ("d", 1), ("e", 0)):
            open("output/" + name, "wb").write(bytes(size))
        """
        files = {"a": bytes(600), "c": bytes(400), "e": b""}
        self.leaves(code, files, {"b": "size", "d": "size"}, limits={"artifact_bytes": 1000})

    def test_a_sparse_terabyte(self) -> None:
        code = "open('output/a', 'wb').truncate(1 << 40); open('output/b', 'w').write('1')"
        self.leaves(code, {"b": b"1"}, {"a": "size"}, limits={"file_bytes": 1 << 41})

    def test_no_room(self) -> None:
        self.leaves("open('output/a', 'w').write('1')", {}, {"a": "size"}, limits={"artifact_bytes": 0})

    def test_none_are_wanted(self) -> None:
        code = """
        import os
        print(sorted(os.listdir()))
        os.makedirs("output/b")
        open("output/b/c", "w").write("1")
        """
        result = self.leaves(code, {}, {}, limits={"artifact_files": 0})
        self.assertEqual((result.stdout, result.kinds()[-1]), (b"['main.py']\n", "exit"))


class Kept(unittest.TestCase):
    """The folder for the value and the figures is the program's too: nothing there is taken on trust."""

    def test_the_order(self) -> None:
        code = """
        import os
        os.makedirs(".vivarium")
        names = "value.txt value.html figure-10.png figure-2.html figure-1.png figure-3.exe figure-x.png figure-3 other"
        for name in names.split():
            open(f".vivarium/{name}", "w").write(name)
        open("output/figure-1.png", "w").write("own")
        """
        files = program(code).files
        names = ["text value.txt", "html value.html", "figure figure-1.png", "figure figure-2.html"]
        names += ["figure figure-10.png", "output figure-1.png"]
        self.assertEqual([f"{kind} {path}" for kind, path, _ in files], names)
        self.assertEqual([data for _, _, data in files], [name.split()[1].encode() for name in names[:-1]] + [b"own"])

    def test_no_more_than_may_be(self) -> None:
        code = """
        import os
        os.makedirs(".vivarium")
        open(".vivarium/value.txt", "w").write("x" * 65537)
        open(".vivarium/value.html", "w").write("x" * (256 * 1024 + 1))
        for n in range(1, 4): open(f".vivarium/figure-{n}.png", "w").write("1")
        for n in range(1, 4): open(f"output/{n}", "w").write("1")
        """
        result = program(code, limits={"artifact_files": 2})
        self.assertEqual([path for _, path, _ in result.files], ["figure-1.png", "figure-2.png", "1", "2"])
        left_out = {"value.txt": "size", "value.html": "size", "figure-3.png": "count", "3": "count"}
        self.assertEqual(dict(result.left_out), left_out)

    def test_links_lead_nowhere(self) -> None:
        links = """
        import os
        os.makedirs(".vivarium")
        for name in ("value.txt", "value.html", "figure-1.png"): os.symlink("/etc/passwd", f".vivarium/{name}")
        """
        for code in (links, "import os; os.symlink('/etc', '.vivarium')", "open('.vivarium', 'w')"):
            self.assertEqual(program(code).kinds(), ["started", "exit"])
