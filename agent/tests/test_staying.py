"""Programs in a sandbox that stays: each in an interpreter of its own, with the files of those before it."""

import unittest

from tests.sandbox import Sandbox, file, request

STOP = {"type": "stop", "execution_id": "x-1"}


class StayingTest(unittest.TestCase):
    def setUp(self) -> None:
        self.sandbox = self.enterContext(Sandbox())

    def outputs(self, mode: str, code: str) -> list[str]:
        result = self.sandbox.cell(code) if mode == "cell" else self.sandbox.program(code)
        self.assertEqual((result.ending, result.stderr), (("exited", 0, None), b""))
        return [path for kind, path, _ in result.files if kind == "output"]


class Programs(StayingTest):
    def test_each_has_an_interpreter_of_its_own_and_the_files_of_the_last(self) -> None:
        first = self.sandbox.program("x = 1; open('kept', 'w').write('here'); print(__file__); x")
        self.assertEqual((first.stdout, first.exit["kept"]), (b"/workspace/main.py\n", False))
        self.assertEqual(first.files, [("text", "value.txt", b"1")])
        second = self.sandbox.program(
            "import os, sys; print('x' in globals(), open('kept').read(), sorted(os.listdir()))"
        )
        self.assertEqual(second.stdout, b"False here ['.vivarium', 'kept', 'main.py', 'mounts', 'output']\n")
        self.assertEqual(self.sandbox.paths(), ["kept", "mounts", "output"])
        self.sandbox.close_stdin()
        self.assertEqual(self.sandbox.end(), (0, ""))

    def test_folders_are_there_where_files_are_wanted(self) -> None:
        show = "import os; print(sorted(os.listdir()))"
        bare = {"artifact_files": 0}
        self.assertEqual(self.sandbox.program(show, limits=bare).stdout, b"['main.py']\n")
        self.assertEqual(self.sandbox.program(show).stdout, b"['main.py', 'mounts', 'output']\n")
        self.sandbox.program("made = open('output/a', 'w')")
        self.assertEqual(self.sandbox.program(show, limits=bare).stdout, b"['main.py', 'output']\n")

    def test_the_same_surroundings_each_time(self) -> None:
        show = """
            import os, sys
            print(sorted(sys.modules), sorted(vars()), sys.path, sys.argv, sorted(os.environ))
            """
        first = self.sandbox.program(show)
        self.assertEqual(self.sandbox.program(show).stdout, first.stdout)

    def test_every_process_ends_with_its_program(self) -> None:
        fork = "import os, time\nif os.fork() == 0:\n os.setsid()\n time.sleep(1000)\n"
        self.sandbox.program(fork)
        self.sandbox.cell(fork)
        count = "import os; print(len([name for name in os.listdir('/proc') if name.isdigit()]))"
        self.assertEqual(self.sandbox.program(count).stdout, b"2\n")

    def test_a_program_ends_the_interpreter_of_cells(self) -> None:
        self.sandbox.cell("x = 1")
        self.assertEqual(self.sandbox.program("print('x' in globals())").stdout, b"False\n")
        result = self.sandbox.cell("print('x' in globals())")
        self.assertEqual((result.stdout, result.frames[0]["kept"]), (b"False\n", False))

    def test_how_they_end(self) -> None:
        endings = {
            "exit(3)": ("exited", 3, None), "import os; os.kill(os.getpid(), 9)": ("exited", None, "SIGKILL"),
            "while True: pass": ("timed_out", None, None), "x = (": ("exited", 1, None),
        }  # fmt: skip
        for code, ending in endings.items():
            with self.subTest(code=code):
                result = self.sandbox.program(code, limits={"seconds": 0.5})
                self.assertEqual((result.ending, result.exit["kept"]), (ending, False))
        self.assertEqual(self.sandbox.paths(), ["mounts", "output"])

    def test_the_owner_that_leaves_amid_a_run(self) -> None:
        for mode in ("cell", "program"):
            with self.subTest(mode=mode), Sandbox() as sandbox:
                sandbox.send(request("import time; time.sleep(0.3); print('still here')", mode=mode))
                sandbox.close_stdin()
                self.assertEqual(sandbox.result().stdout, b"still here\n")

    def test_an_environment_that_is_missing_costs_nothing(self) -> None:
        self.sandbox.cell("x = 1")
        result = self.sandbox.cell("x", environment="/environments/none")
        self.assertEqual(result.kinds(), ["exit"])
        self.assertEqual((result.exit["cause"], result.exit["kept"]), ("environment_missing", True))
        self.assertEqual(self.sandbox.cell("x").files, [("text", "value.txt", b"1")])

    def test_packages_of_the_home_folder(self) -> None:
        site = "import site, os; folder = site.getusersitepackages(); os.makedirs(folder)\n"
        self.sandbox.program(site + "open(f'{folder}/mine.py', 'w').write('x = 7')")
        for run in (self.sandbox.program, self.sandbox.cell):
            self.assertEqual(run("import mine; print(mine.x)").stdout, b"7\n")


class MainFile(StayingTest):
    def test_the_callers_own_is_put_back(self) -> None:
        self.sandbox.written("main.py", b"print('mine')")
        self.assertEqual(self.sandbox.program("print(open(__file__).read())").stdout, b"print(open(__file__).read())\n")
        self.assertEqual(self.sandbox.read("main.py"), b"print('mine')")
        self.assertEqual(self.sandbox.cell("print(open('main.py').read())").stdout, b"print('mine')\n")
        for code in ("while True: pass", "import os; os.remove(__file__)", "open(__file__, 'w').write('else')"):
            with self.subTest(code=code):
                self.sandbox.program(code, limits={"seconds": 0.3})
                self.assertEqual(self.sandbox.read("main.py"), b"print('mine')")

    def test_one_that_the_program_makes_stays(self) -> None:
        self.sandbox.program("open(__file__, 'w').write('x = 5')")
        self.assertEqual(self.sandbox.read("main.py"), b"x = 5")

    def test_the_same_as_the_program_that_did_not_run(self) -> None:
        self.sandbox.written("main.py", b"print(1)")
        self.sandbox.send(file("a", b"1"))
        self.sandbox.send(file("a/b", b"1"))
        self.assertEqual(self.sandbox.program("print(1)").ending, ("exited", 1, None))
        self.assertEqual(self.sandbox.read("main.py"), b"print(1)")

    def test_a_folder_of_that_name(self) -> None:
        self.sandbox.cell("import os; os.mkdir('main.py'); open('main.py/a', 'w').close()")
        self.assertEqual(self.sandbox.program("print('runs')").stdout, b"runs\n")
        self.assertEqual(self.sandbox.paths(), ["main.py", "main.py/a", "mounts", "output"])


class Outputs(StayingTest):
    def test_only_what_is_new_or_changed_is_carried(self) -> None:
        for mode in ("cell", "program"):
            with self.subTest(mode=mode):
                folder = f"output/{mode}"
                make = f"import os; os.makedirs('{folder}')\nfor n in 'ab': open(f'{folder}/{{n}}', 'w').write(n)"
                self.assertEqual(self.outputs(mode, make), [f"{mode}/a", f"{mode}/b"])
                self.assertEqual(self.outputs(mode, "pass"), [])
                self.assertEqual(self.outputs(mode, f"open('{folder}/b', 'w').write('b')"), [f"{mode}/b"])
                self.assertEqual(self.outputs(mode, f"import os; os.utime('{folder}/a', (0, 0))"), [f"{mode}/a"])
                self.assertEqual(
                    self.outputs(mode, f"import os; os.rename('{folder}', '{folder}2')"), [f"{mode}2/a", f"{mode}2/b"]
                )

    def test_what_was_there_before(self) -> None:
        self.sandbox.written("output/given", b"1")
        self.assertEqual(self.outputs("program", "open('output/made', 'w')"), ["made"])

    def test_what_is_left_out_is_told_once(self) -> None:
        self.assertEqual(self.sandbox.cell("import os; os.mkfifo('output/f')").left_out, [("f", "type")])
        self.assertEqual(self.sandbox.cell("pass").left_out, [])

    def test_a_single_run_carries_everything(self) -> None:
        self.outputs("program", "open('output/a', 'w').close()")
        self.sandbox.send(request("open('output/b', 'w').close()"))
        self.assertEqual([path for kind, path, _ in self.sandbox.result().files if kind == "output"], ["a", "b"])

    def test_folders_that_were_removed_are_there_again(self) -> None:
        self.sandbox.cell("import os; os.rmdir('output'); os.chmod('mounts', 0o755); os.rmdir('mounts')")
        self.assertEqual(self.outputs("cell", "open('output/a', 'w').close(); os.listdir('mounts')"), ["a"])


class Mounts(StayingTest):
    def test_files_come_before_any_run(self) -> None:
        show = "import os; print({name: open(f'mounts/{name}').read() for name in sorted(os.listdir('mounts'))})"
        for run in (self.sandbox.cell, self.sandbox.program, self.sandbox.cell):
            self.sandbox.send(file("a", b"1"))
            self.sandbox.send(file("b", b"1"))
            self.assertEqual(run(show).stdout, b"{'a': '1', 'b': '1'}\n")
            self.sandbox.send(file("b", b"2"))
            self.sandbox.send(file("b", b"3"))
            self.assertEqual(run(show).stdout, b"{'a': '1', 'b': '23'}\n")

    def test_they_are_sealed_again(self) -> None:
        self.sandbox.send(file("f/a", b"1"))
        self.sandbox.cell("import os")
        self.sandbox.send(file("f/b", b"1"))
        show = "print([oct(os.stat(f'mounts/{name}').st_mode & 0o777) for name in ('', 'f', 'f/a', 'f/b')])"
        self.assertEqual(self.sandbox.cell(show).stdout, b"['0o555', '0o555', '0o444', '0o444']\n")

    def test_files_of_a_run_that_never_comes(self) -> None:
        self.sandbox.send(file("whole", b"1"))
        self.sandbox.send(file("f/begun", b"1"))
        self.sandbox.send(STOP)
        show = (
            "import os; print(sorted(os.listdir('mounts')), os.listdir('mounts/f'), oct(os.stat('mounts/f').st_mode))"
        )
        self.assertEqual(self.sandbox.cell(show).stdout, b"['f', 'whole'] [] 0o40555\n")
        self.sandbox.send(file("a", b"1"))
        self.sandbox.send(file("a/b", b"1"))
        self.sandbox.send(STOP)
        self.assertEqual(self.sandbox.cell("pass").ending, ("exited", 0, None))

    def test_what_cannot_be_written_costs_one_run(self) -> None:
        self.sandbox.cell("x = 1")
        self.sandbox.send(file("a", b"1"))
        self.sandbox.send(file("a/b", b"1"))
        self.sandbox.send(file("c", b"1"))
        result = self.sandbox.cell("print('never')")
        self.assertEqual((*result.ending, result.exit["kept"], result.stdout), ("exited", 1, None, True, b""))
        self.assertEqual(result.stderr, b"vivarium: the input file a/b cannot be written: Not a directory\n")
        self.assertEqual(result.exit["stderr_bytes"], len(result.stderr))
        self.assertEqual(self.sandbox.cell("print(x)").stdout, b"1\n")

    def test_a_full_workspace(self) -> None:
        with Sandbox(workspace_bytes=1 << 20) as sandbox:
            sandbox.send(file("big", bytes(700_000)))
            sandbox.send(file("big", bytes(700_000)))
            result = sandbox.program("print('never')")
            self.assertEqual(
                result.stderr, b"vivarium: the workspace is full: there is no room for the input file big\n"
            )
            self.assertEqual((result.ending, result.exit["kept"]), (("exited", 1, None), False))
            self.assertEqual(sandbox.cell("1").files, [])  # there is no room for the value either
            result = sandbox.program("print('never')")
            self.assertIn(b"vivarium: the runner could not prepare the program: OSError: [Errno 28]", result.stderr)
            self.assertNotIn("main.py", sandbox.paths())
            sandbox.cell("import os; os.chmod('mounts', 0o755); os.remove('mounts/big')")
            self.assertEqual(sandbox.program("print('runs')").stdout, b"runs\n")


class Stops(StayingTest):
    def test_a_run_that_is_stopped(self) -> None:
        for mode in ("cell", "program"):
            with self.subTest(mode=mode):
                self.sandbox.send(request("import sys, time; sys.stdout.write('begun'); time.sleep(1000)", mode=mode))
                self.assertEqual(self.sandbox.frame()["type"], "started")
                self.assertEqual(self.sandbox.frame()["text"], "begun")
                self.sandbox.send({"type": "stop", "execution_id": "another"})
                self.sandbox.send(STOP)
                result = self.sandbox.next_result()
                self.assertEqual((result.ending, result.exit["kept"]), (("stopped", None, None), False))

    def test_a_stop_that_comes_with_the_run(self) -> None:
        self.sandbox.send(request("import time; time.sleep(1000)", mode="cell"))
        self.sandbox.send(STOP)
        self.assertEqual(self.sandbox.next_result().ending, ("stopped", None, None))

    def test_a_stop_that_comes_late_means_nothing(self) -> None:
        self.sandbox.cell("x = 1")
        self.sandbox.send(STOP)
        self.assertEqual(self.sandbox.cell("x").files, [("text", "value.txt", b"1")])

    def test_what_else_comes_amid_a_run_waits(self) -> None:
        self.sandbox.send(request("open('made', 'w').write('1'); import time; time.sleep(0.2)", mode="cell"))
        self.sandbox.send({"type": "read", "path": "made", "most": 10})
        self.sandbox.send({"type": "read", "path": "none", "most": 10})
        self.assertEqual(self.sandbox.next_result().ending, ("exited", 0, None))
        kinds = [self.sandbox.frame()["type"] for _ in range(4)]
        self.assertEqual(kinds, ["file", "data", "file_end", "refused"])
