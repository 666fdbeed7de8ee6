"""An environment: a folder of packages that one run asks for."""

import atexit
import os
import shutil
import tempfile
import textwrap
import unittest
from pathlib import Path
from typing import Any

from tests.sandbox import Result, Sandbox, hello, request


def environments(files: dict[str, str]) -> str:
    """A folder with one environment, `made`."""
    folder = tempfile.mkdtemp(prefix="vivarium-environments-")
    atexit.register(shutil.rmtree, folder)
    for name, text in files.items():
        path = Path(folder, "made/lib", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    os.chmod(folder, 0o755)
    return folder


class EnvironmentTest(unittest.TestCase):
    def run_in(self, files: dict[str, str], code: str, **fields: Any) -> Result:
        with Sandbox(environments=environments(files)) as sandbox:
            sandbox.send(request(textwrap.dedent(code), environment="/environments/made", **fields))
            return sandbox.result()

    def prints(self, expected: str, files: dict[str, str], code: str, **fields: Any) -> None:
        result = self.run_in(files, code, **fields)
        self.assertEqual((result.stdout.decode(), result.stderr.decode()), (expected, ""))
        self.assertEqual(result.ending, ("exited", 0, None))

    def test_its_packages_are_imported(self) -> None:
        files = {"pack/__init__.py": "x = 1", "pack/inner.py": "y = 2", "single.py": "z = 3"}
        self.prints("1 2 3\n", files, "import pack.inner, single; print(pack.x, pack.inner.y, single.z)")
        with Sandbox(environments=environments(files)) as sandbox:
            sandbox.send(hello("fractions", "email"))
            sandbox.frame()
            code = "import pack.inner, single; print(pack.x, pack.inner.y, single.z)"
            sandbox.send(request(code, environment="/environments/made"))
            self.assertEqual(sandbox.result().stdout, b"1 2 3\n")

    def test_it_comes_after_the_standard_library_and_before_what_is_installed(self) -> None:
        code = """
        import sys
        lib = sys.path.index("/environments/made/lib")
        site = [at for at, folder in enumerate(sys.path) if folder.endswith("-packages")]
        print(all(at > lib for at in site), sys.path[0], sys.path[lib - 1].endswith("lib-dynload"))
        import colorsys
        print(colorsys.__file__.startswith("/environments"))
        """
        self.prints("True /workspace True\nFalse\n", {"colorsys.py": ""}, code)

    def test_pth_files_are_read(self) -> None:
        files = {
            "named/of_pth.py": "x = 1",
            "a.pth": "named\nimport sys; sys.seen_by_pth = list(sys.path)\n",
            "b.pth": "import os; print('from a pth')\n",
        }
        code = """
        import of_pth, sys
        at = sys.path.index("/environments/made/lib")
        print(of_pth.x, sys.path[at + 1], "/environments/made/lib" in sys.seen_by_pth)
        print(len(sys.path) == len(set(sys.path)))
        """
        self.prints("from a pth\n1 /environments/made/lib/named True\nTrue\n", files, code)

    def test_a_pth_without_end_has_the_programs_time(self) -> None:
        result = self.run_in({"a.pth": "import time; time.sleep(1000)\n"}, "print(1)", limits={"seconds": 1})
        self.assertEqual((result.ending, result.kinds()), (("timed_out", None, None), ["started", "exit"]))

    def test_processes_that_the_program_starts(self) -> None:
        files = {"single.py": "z = 3", "bin/tool": "#!/bin/sh\necho from the tool\n"}
        code = """
        import os, subprocess, sys
        subprocess.run([sys.executable, "-c", "import single; print(single.z)"])
        subprocess.run(["tool"])
        print(os.environ["PYTHONPATH"], os.environ["PATH"])
        """
        path = "/environments/made/lib/bin:/usr/bin"
        self.prints(f"3\nfrom the tool\n/environments/made/lib {path}\n", files, code)
        self.prints(f"3\nfrom the tool\n/environments/made/lib:/own {path}\n", files, code, env={"PYTHONPATH": "/own"})

    def test_an_environment_without_packages(self) -> None:
        self.prints("1\n", {"../lock.txt": ""}, "print(1)")

    def test_one_that_is_not_there(self) -> None:
        for known in (None, environments({"single.py": ""})):
            with Sandbox(environments=known) as sandbox:
                sandbox.send(request("print(1)", environment="/environments/lost"))
                result = sandbox.result()
                self.assertEqual(result.kinds(), ["exit"])
                self.assertEqual(result.ending, ("environment_missing", None, None))
                counts = [result.exit[name] for name in ("stdout_bytes", "stderr_bytes", "files", "left_out")]
                self.assertEqual(counts, [0, 0, 0, 0])
