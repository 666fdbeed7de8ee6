"""What a program that stays cannot do to the agent, and to the runs after its own."""

import time
import unittest

from tests.sandbox import Result, Sandbox, file, request

FIND_PIPES = """
import fcntl, os, stat
def pipes(mode):
    fds = [fd for fd in range(3, 64) if os.path.exists(f"/proc/self/fd/{fd}") and stat.S_ISFIFO(os.fstat(fd).st_mode)]
    return [fd for fd in fds if fcntl.fcntl(fd, fcntl.F_GETFL) & 3 == mode]
ours = {os.fstat(fd).st_ino for fd in (1, 2)}
[report] = [fd for fd in pipes(os.O_WRONLY) if os.fstat(fd).st_ino not in ours]
[requests] = pipes(os.O_RDONLY)
"""
FIND_TOKEN = """
import gc
[cells] = [each for each in gc.get_objects() if type(each).__name__ == "Cells"]
token = cells._request["token"]
"""


class AttackTest(unittest.TestCase):
    def setUp(self) -> None:
        self.sandbox = self.enterContext(Sandbox())

    def cell(self, code: str, **fields: object) -> Result:
        return self.sandbox.cell(code, **fields)

    def in_background(self, code: str) -> None:
        """In a child process of the interpreter, for as long as that is there."""
        body = "\n".join(f"    {line}" for line in code.splitlines())
        result = self.cell(f"import os, time\nif not os.fork():\n{body}\n    time.sleep(1000)")
        self.assertEqual((result.ending, result.exit["kept"]), (("exited", 0, None), True))

    def works(self) -> None:
        result = self.cell("import os, time; time.sleep(0.1); os.write(1, b'whole'); os.write(2, b'both')")
        self.assertEqual((result.stdout, result.stderr, result.ending), (b"whole", b"both", ("exited", 0, None)))
        self.assertTrue(result.exit["kept"])


class Reports(AttackTest):
    def test_an_old_report_does_not_end_the_next_run(self) -> None:
        self.cell(FIND_PIPES + FIND_TOKEN + r"for _ in range(100): os.write(report, f'\n{token} 3 -\n'.encode())")
        self.works()
        self.in_background(
            FIND_PIPES + FIND_TOKEN + r"while True: os.write(report, f'\n{token} 3 m\n00000000 0 -\n'.encode())"
        )
        for _ in range(3):
            self.works()

    def test_a_report_without_end_holds_up_nothing(self) -> None:
        self.in_background(FIND_PIPES + "while True: os.write(report, b'x' * 4000)")
        for _ in range(3):
            self.works()

    def test_what_is_no_report(self) -> None:
        lies = ("", " ", " 0", " -1 -", " 1000 -", " x -", " 0 - -", "\0 0 -", " \u0663 -")
        for lie in lies:
            with self.subTest(lie=lie):
                self.cell(FIND_PIPES + FIND_TOKEN + f"os.write(report, ('\\n' + token + {lie!r} + '\\n').encode())")
                self.works()

    def test_an_end_that_is_told_too_early_is_the_programs_own_loss(self) -> None:
        result = self.cell(
            FIND_PIPES
            + FIND_TOKEN
            + r"os.write(report, f'\n{token} 9 -\n'.encode())"
            + "\nimport time\ntime.sleep(0.3); late = 1"
        )
        self.assertEqual((result.ending, result.exit["kept"]), (("exited", 9, None), True))
        self.assertEqual(self.cell("late").files, [("text", "value.txt", b"1")])


class Requests(AttackTest):
    def test_an_interpreter_that_takes_no_request_blocks_nobody(self) -> None:
        self.in_background("time.sleep(0.1)\nos.kill(os.getppid(), 19)\nopen('stopped', 'w').close()")
        while "stopped" not in self.sandbox.paths():
            time.sleep(0.01)
        result = self.cell("1", stdin="x" * (4 << 20), limits={"seconds": 0.5})
        self.assertEqual((result.ending, result.exit["kept"]), (("timed_out", None, None), False))
        self.works()

    def test_a_thief_of_requests(self) -> None:
        self.in_background(FIND_PIPES + "while True: os.read(requests, 65536)")
        for _ in range(5):
            self.cell("1", limits={"seconds": 0.2})
        self.sandbox.cell("while True: pass", limits={"seconds": 0.2})
        self.works()

    def test_a_pipe_that_is_closed(self) -> None:
        result = self.cell(FIND_PIPES + "os.close(requests)\nx = 1")
        self.assertEqual(result.ending, ("exited", 0, None))
        result = self.cell("'x' in globals()", stdin="x" * (4 << 20))
        self.assertEqual((result.files, result.frames[0]["kept"]), ([("text", "value.txt", b"False")], False))
        self.works()


class Folders(AttackTest):
    """Processes that exchange folders for links while the agent works in them."""

    def test_links_are_never_followed(self) -> None:
        self.cell("import os\nfor aim in ('aim', 'aim/mounts', 'aim/output'): os.mkdir(f'/tmp/{aim}')")
        for _ in range(2):
            self.in_background(
                """
for name in ("d", "output", "mounts", ".vivarium", "d/inner"):
    if os.fork(): continue
    while True:
        for act in (lambda: os.symlink("/tmp/aim", f"{name}.link"), lambda: os.mkdir(name),
                    lambda: os.chmod(name, 0o755), lambda: os.rename(name, f"{name}.old"),
                    lambda: os.rename(f"{name}.link", name), lambda: os.unlink(name),
                    lambda: os.rename(f"{name}.old", name)):
            try: act()
            except OSError: pass
"""
            )
        for number in range(60):
            for name in ("d", "d/inner", "output"):
                self.assertIn(self.sandbox.written(f"{name}/{number}", b"1")["type"], ("written", "refused"))
                self.assertIn(self.sandbox.entries(name)[-1]["type"], ("listed", "refused"))
                self.sandbox.read(f"{name}/{number}")
            self.sandbox.send(file(f"f/{number}", b"1"))
            if number % 30 == 0:
                self.assertTrue(self.cell("pass").exit["kept"])
        result = self.cell("[name for _, _, names in os.walk('/tmp/aim') for name in names]")
        if result.files:
            self.assertEqual(result.files[0][2], b"[]")

    def test_links_into_proc(self) -> None:
        self.cell(
            "import os\nfor n, aim in enumerate(('/proc/1', '/proc/1/root', '/proc/1/fd/1', '/')):\n"
            "    os.symlink(aim, f'l{n}')"
        )
        for number in range(4):
            self.assertEqual(self.sandbox.written(f"l{number}/fd/1", b"{}\n")["reason"], "type")
            self.assertEqual(self.sandbox.read(f"l{number}/environ"), "type")
            self.assertEqual(self.sandbox.read(f"l{number}"), "type")
            self.assertEqual(self.sandbox.entries(f"l{number}")[0]["reason"], "type")

    def test_files_that_turn_into_pipes(self) -> None:
        self.in_background(
            """
open("a", "wb").write(bytes(100_000))
os.mkfifo("b")
while True:
    for name in ("f", "output/f"):
        for source in ("a", "b"):
            os.link(source, "link")
            os.rename("link", name)
            try: os.unlink("link")
            except OSError: pass
"""
        )
        for number in range(200):
            self.assertIn(self.sandbox.read("f"), ("missing", "type", bytes(100_000)))
            if number % 50 == 0:
                self.assertTrue(self.cell("pass").exit["kept"])

    def test_a_lease_puts_off_nobody(self) -> None:
        self.in_background(
            """
import fcntl, signal
signal.signal(signal.SIGIO, signal.SIG_IGN)
os.mkdir("d")
for name in ("leased", "d/leased"):
    fd = os.open(name, os.O_CREAT | os.O_RDWR)
    os.write(fd, b"1")
    fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
open("ready", "w").close()
"""
        )
        while "ready" not in self.sandbox.paths():
            time.sleep(0.01)
        begin = time.monotonic()
        self.assertEqual(self.sandbox.read("leased"), "unreadable")
        self.assertEqual(self.cell("os.rename('d', 'output/d')").left_out, [("d/leased", "unreadable")])
        self.assertEqual(self.sandbox.written("leased", b"1")["type"], "written")
        self.assertLess(time.monotonic() - begin, 10)

    def test_trees_that_are_very_deep_or_very_wide(self) -> None:
        self.cell(
            "import os\nfor _ in range(300): os.mkdir('deep'); os.chdir('deep')\nos.chdir('/workspace')",
            limits={"seconds": 60},
        )
        *entries, listed = self.sandbox.entries()
        self.assertEqual(len([entry for entry in entries if entry["path"].startswith("deep")]), 33)
        self.assertEqual(listed["left_out"], 1)
        self.cell(
            """
            os.mkdir("output/wide")
            open("one", "w").close()
            for n in range(100_100): os.link("one", f"output/wide/{n}")
            """
        )
        listed = self.sandbox.entries("output")[-1]
        self.assertEqual((listed["entries"], listed["left_out"]), (10_000, 90_001))
        self.works()

    def test_what_blocks_the_shelf(self) -> None:
        for code in (
            "os.mkdir('.vivarium')\nfor name in ('value.txt', 'main.py', 'figure-1'): os.mkdir(f'.vivarium/{name}')",
            "import shutil; shutil.rmtree('.vivarium'); open('.vivarium', 'w').close()",
            "os.remove('.vivarium'); os.symlink('/tmp', '.vivarium')", "os.remove('.vivarium'); os.mkfifo('.vivarium')",
        ):  # fmt: skip
            self.assertEqual(self.cell(f"import os\n{code}").ending, ("exited", 0, None))
            self.works()
            self.assertIn(self.sandbox.written("a", b"1")["type"], ("written", "refused"))
            self.assertEqual(self.sandbox.program("print('runs')").stdout, b"runs\n")
            self.assertEqual(self.sandbox.read("main.py"), "missing")

    def test_a_workspace_that_is_closed_to_its_owner(self) -> None:
        close = "import os; os.chmod('/workspace', 0)"
        self.cell(close)
        self.assertEqual(self.sandbox.read("a"), "unreadable")
        self.assertEqual(self.sandbox.written("a", b"1")["reason"], "unreadable")
        self.assertEqual(self.sandbox.entries()[-1]["type"], "listed")
        self.assertEqual(self.cell("open('/workspace/a', 'w').close()").ending, ("exited", 0, None))
        self.cell(close)
        self.assertEqual(self.sandbox.program("print('runs')").stdout, b"runs\n")

    def test_what_lies_where_a_program_is_put(self) -> None:
        for code in ("os.mkdir('.main.py'); open('.main.py/a', 'w').close()", "os.mkfifo('.main.pyc')"):
            self.cell(f"import os; {code}")
            for _ in range(2):
                result = self.sandbox.program("print('runs'), 1", limits={"seconds": 5})
                self.assertEqual((result.stdout, result.ending), (b"runs\n", ("exited", 0, None)))


class Processes(AttackTest):
    def test_killing_everyone_spares_the_agent(self) -> None:
        self.in_background("time.sleep(0.1); os.kill(-1, 9)")
        time.sleep(0.3)
        self.assertFalse(self.cell("pass").frames[0]["kept"])
        self.works()

    def test_a_flood_of_signals_between_runs(self) -> None:
        self.in_background("import signal\nwhile True: os.kill(1, signal.SIGCHLD)")
        for _ in range(20):
            self.assertIn("output", self.sandbox.paths())
        self.works()

    def test_orphans_between_runs_are_reaped(self) -> None:
        self.in_background(
            "for _ in range(100):\n    if not os.fork():\n        os.fork()\n        os._exit(0)\n    os.wait()"
        )
        self.cell(
            """
            def zombies():
                found = 0
                for name in filter(str.isdigit, os.listdir("/proc")):
                    try: found += open(f"/proc/{name}/stat").read().rpartition(")")[2].split()[0] == "Z"
                    except OSError: pass
                return found
            """
        )
        while self.cell("zombies()").files[0][2] != b"0":
            time.sleep(0.01)

    def test_as_many_as_may_be(self) -> None:
        self.cell(
            "import os, time\ntry:\n  while os.fork(): pass\n  time.sleep(1000)\nexcept OSError: pass",
            limits={"processes": 30},
        )
        self.works()
        self.cell("while True: pass", limits={"seconds": 0.2})
        self.works()

    def test_what_an_earlier_program_has_left_runs_nothing_before_the_next(self) -> None:
        """Where the next interpreter would not be guarded yet."""
        code = "import os, resource; resource.prlimit(1, resource.RLIMIT_CPU, (1, 1))"
        self.cell(
            f"""
            import site, os
            folder = site.getusersitepackages()
            os.makedirs(folder)
            for name in ("sitecustomize.py", "usercustomize.py", "agent_main.py", "agent_guard.py", "ctypes.py"):
                open(f"{{folder}}/{{name}}", "w").write({code!r})
                open(f"/workspace/{{name}}", "w").write({code!r})
            open(f"{{folder}}/evil.pth", "w").write({code!r})
            os._exit(0)
            """
        )
        for run in (self.sandbox.cell, self.sandbox.program):
            result = run("import os; print('runs')")
            self.assertEqual((result.stdout, result.exit["exit_code"]), (b"runs\n", 0))
            self.assertNotIn(b"RLIMIT", result.stderr.replace(b"resource.RLIMIT_CPU", b""))
        self.sandbox.program("print('runs')")

    def test_a_request_that_is_refused_ends_the_sandbox_only_between_runs(self) -> None:
        self.sandbox.send(request("print(1)", mode="cell"))
        self.sandbox.next_result()
        self.sandbox.send_bytes(b"nonsense\n")
        self.assertEqual(self.sandbox.end()[0], 2)
