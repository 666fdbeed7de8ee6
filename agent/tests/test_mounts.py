"""Input files, and the folders that every program finds."""

import textwrap
import unittest

from tests.sandbox import Frame, Result, Sandbox, file, hello, request, run

SHOW = """
import os
for folder, folders, files in sorted(os.walk("mounts")):
    print(folder, oct(os.stat(folder).st_mode & 0o7777))
    for name in sorted(files):
        path = os.path.join(folder, name)
        print(path, oct(os.stat(path).st_mode & 0o7777), os.path.getsize(path), open(path, "rb").read()[:10])
"""


class MountsTest(unittest.TestCase):
    def run_with(self, files: list[Frame], code: str) -> Result:
        with Sandbox() as sandbox:
            for message in files:
                sandbox.send(message)
            sandbox.send(request(textwrap.dedent(code)))
            return sandbox.result()

    def refusal(self, *sent: Frame, workspace_bytes: int = 1 << 20) -> str:
        """Of an agent that starts nothing."""
        with Sandbox(workspace_bytes=workspace_bytes) as sandbox:
            try:
                for message in (*sent, request("")):
                    sandbox.send(message)
            except BrokenPipeError:
                pass  # it has seen enough
            self.assertEqual(sandbox.line(), b"")
            code, sentence = sandbox.end()
            self.assertEqual(code, 2)
            self.assertRegex(sentence, r"^vivarium: .+\n$")
            return sentence

    def test_the_folders_are_always_there(self) -> None:
        result = run("import os; print(sorted(os.listdir()), os.listdir('output'), os.listdir('mounts'))")
        self.assertEqual(result.stdout, b"['main.py', 'mounts', 'output'] [] []\n")
        self.assertEqual(run(SHOW).stdout, b"mounts 0o555\n")

    def test_files_are_there_whole_and_only_to_be_read(self) -> None:
        data = bytes(range(256)) * 8000
        parts = [file("a/b/é ü.bin", data[at : at + 700_000]) for at in range(0, len(data), 700_000)]
        result = self.run_with([file("a/c", b"1"), *parts, file("empty", b""), file("a/d", b"2")], SHOW)
        self.assertEqual(
            result.stdout.decode().splitlines(),
            [
                "mounts 0o555",
                "mounts/empty 0o444 0 b''",
                "mounts/a 0o555",
                "mounts/a/c 0o444 1 b'1'",
                "mounts/a/d 0o444 1 b'2'",
                "mounts/a/b 0o555",
                f"mounts/a/b/é ü.bin 0o444 {len(data)} {data[:10]!r}",
            ],
        )

    def test_nothing_is_added_or_changed(self) -> None:
        code = """
        import os
        for act in (
            lambda: open("mounts/a", "w"), lambda: open("mounts/new", "w"), lambda: os.remove("mounts/a"),
            lambda: os.mkdir("mounts/folder"), lambda: os.rename("mounts/a", "mounts/b"),
        ):
            try: act()
            except PermissionError: print("refused")
        """
        self.assertEqual(self.run_with([file("a", b"1")], code).stdout, b"refused\n" * 5)

    def test_files_come_before_and_after_a_hello(self) -> None:
        with Sandbox() as sandbox:
            sandbox.send(file("a", b"1"))
            sandbox.send(hello("fractions"))
            sandbox.send(file("a", b"2"))
            self.assertEqual(sandbox.frame()["type"], "ready")
            sandbox.send(file("a", b"3"))
            sandbox.send(request("print(open('mounts/a').read())"))
            self.assertEqual(sandbox.result().stdout, b"123\n")

    def test_many_files(self) -> None:
        files = [file(f"{number % 7}/{number}", str(number).encode()) for number in range(1000)]
        code = "import glob; print(sum(int(open(path).read()) for path in glob.glob('mounts/*/*')))"
        self.assertEqual(self.run_with(files, code).stdout.decode(), f"{sum(range(1000))}\n")

    def test_an_owner_that_leaves_amid_its_files(self) -> None:
        with Sandbox() as sandbox:
            sandbox.send(file("a", b"1"))
            sandbox.close_stdin()
            self.assertEqual(sandbox.end(), (0, ""))

    def test_what_cannot_be_written_is_refused(self) -> None:
        a, b = file("a", b"1"), file("b", b"2")
        self.assertIn("the input file a cannot be written", self.refusal(a, b, a))
        self.assertIn("the input file a/b cannot be written", self.refusal(a, file("a/b", b"")))
        self.assertIn("the input file a cannot be written", self.refusal(file("a/b", b""), a))
        self.assertIn("File name too long", self.refusal(file("n" * 256, b"")))
        self.assertIn("must name something below", self.refusal(file("../a", b"")))
        self.assertIn("at most", self.refusal(file("a", bytes(1 << 20))))

    def test_a_full_workspace_is_refused_in_so_many_words(self) -> None:
        sentence = self.refusal(*[file("big", bytes(500_000))] * 4)
        self.assertEqual(sentence, "vivarium: the workspace is full: there is no room for the input file big\n")
