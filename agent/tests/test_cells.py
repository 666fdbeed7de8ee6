"""Cells: code that finds what the code before it has left in the interpreter."""

import re
import time
import unittest

from tests.sandbox import Result, Sandbox, hello, request, run


class CellTest(unittest.TestCase):
    def setUp(self) -> None:
        self.sandbox = self.enterContext(Sandbox())

    def cell(self, code: str, **fields: object) -> Result:
        return self.sandbox.cell(code, **fields)

    def prints(self, expected: str, code: str, **fields: object) -> None:
        result = self.cell(code, **fields)
        self.assertEqual((result.stdout.decode(), result.stderr.decode()), (expected, ""))
        self.assertEqual((*result.ending, result.exit["kept"]), ("exited", 0, None, True))

    def fails(self, last_line: str, code: str, **fields: object) -> Result:
        result = self.cell(code, **fields)
        self.assertEqual((*result.ending, result.exit["kept"]), ("exited", 1, None, True))
        self.assertEqual(result.stderr.decode().splitlines()[-1], last_line)
        return result


class Interpreter(CellTest):
    def test_variables_imports_and_the_folder_stay(self) -> None:
        self.prints("", "import os\nx = [1]\nos.mkdir('inner')\nos.chdir('inner')")
        self.prints("[1] /workspace/inner\n", "print(x, os.getcwd())")
        started = self.cell("x.append(2)").frames[0]
        self.assertEqual(started, {"seq": started["seq"], "type": "started", "execution_id": "x-1", "kept": True})
        self.prints("[1, 2]\n", "print(x)")

    def test_a_hundred_cells(self) -> None:
        self.cell("n = 0")
        for _ in range(100):
            self.cell("n += 1")
        self.prints("100\n", "print(n)")

    def test_the_surroundings(self) -> None:
        names = "['__builtins__', '__doc__', '__loader__', '__name__', '__package__', '__spec__', 'sys']"
        for _ in range(2):
            self.prints(
                f"{names}\n__main__ ['/workspace/main.py', 'é'] [] True\n",
                """
                import sys
                print(sorted(name for name in globals() if name != "__annotations__"))
                print(__name__, sys.argv, [path for path in sys.path if "main.py" in path], sys.path[0] == "/workspace")
                """,
                args=["é"],
            )
        self.prints("['mounts', 'output']\n", "import os; print(sorted(os.listdir('/workspace')))")

    def test_only_standard_descriptors_reach_a_child(self) -> None:
        listing = "import subprocess; print(*subprocess.run(['ls', '/proc/self/fd'], close_fds=False, "
        for _ in range(2):
            self.prints("0 1 2 3\n", listing + "capture_output=True, text=True).stdout.split())")

    def test_stdin_arguments_and_variables_are_of_each_cell(self) -> None:
        show = "import os, sys; print(repr(input()), sys.stdin.read(), sys.argv[1:], *map(os.environ.get, 'AB'))"
        self.prints("'1' 2 ['a'] x None\n", show, stdin="1\n2", args=["a"], env={"A": "x"})
        self.prints("'é' 4 [] x y\n", show, stdin="é\n4", env={"B": "y"})
        self.fails("EOFError: EOF when reading a line", "input()")
        self.prints("b'' 0\n", "print(sys.stdin.buffer.read(), sys.stdin.fileno())")
        self.prints("", "exit()")  # it closes sys.stdin
        self.prints("5\n", "print(input())", stdin="5")

    def test_the_value_of_the_last_expression_is_of_each_cell(self) -> None:
        self.assertEqual(self.cell("x = 5\nx + 1").files, [("text", "value.txt", b"6")])
        self.assertEqual(self.cell("x").files, [("text", "value.txt", b"5")])
        self.assertEqual(self.cell("y = x").files, [])
        self.assertEqual(self.cell("1/0").files, [])
        self.assertEqual(self.cell("'''text'''").files, [("text", "value.txt", b"'text'")])

    def test_what_is_preloaded_is_there(self) -> None:
        with Sandbox() as sandbox:
            sandbox.ready("fractions")
            result = sandbox.cell("import sys\n'fractions' in sys.modules")
            self.assertEqual(result.files, [("text", "value.txt", b"True")])

    def test_dataclasses_pickles_and_source(self) -> None:
        self.prints(
            "",
            """
            import dataclasses, inspect, pickle
            @dataclasses.dataclass
            class Point:
                x: int
            if __name__ == "__main__":
                def f(): return 1  # kept
            """,
        )
        self.prints(
            "Point(x=1) __main__ def f(): return 1  # kept\n",
            "print(pickle.loads(pickle.dumps(Point(1))), Point.__module__, inspect.getsource(f).strip())",
        )

    def test_multiprocessing(self) -> None:
        self.prints(
            "", "import multiprocessing\ncontext = multiprocessing.get_context('fork')\ndef square(n): return n * n"
        )
        self.prints("[1, 4]\n", "with context.Pool(2) as pool: print(pool.map(square, [1, 2]))")

    def test_modules_that_come_between_cells_are_found(self) -> None:
        for number in range(20):
            self.sandbox.written(f"m{number}.py", f"x = {number}".encode())
            self.prints(f"{number}\n", f"import m{number}; print(m{number}.x)")

    def test_a_folder_of_modules_that_was_not_there_before(self) -> None:
        for folder in ("/workspace/late", "later"):
            module = folder[-4:]
            self.cell(f"import sys; sys.path.insert(0, {folder!r})\ntry: import {module}\nexcept ImportError: pass")
            self.sandbox.written(f"{folder.removeprefix('/workspace/')}/{module}.py", b"x = 1")
            self.prints("1\n", f"import {module}; print({module}.x)")

    def test_a_relative_folder_of_modules_where_there_is_no_working_directory(self) -> None:
        self.cell("import os, sys; os.mkdir('inner'); os.chdir('inner'); sys.path.insert(0, 'lib')")
        self.cell("import importlib.util; importlib.util.find_spec('unheard_of'); os.rmdir('/workspace/inner')")
        self.prints("lib\n", "print(sys.path[0])")

    def test_modules_that_are_written_again_at_once(self) -> None:
        show = "import importlib, m; importlib.reload(m); print(m.x)"
        for number in range(5):
            self.sandbox.written("m.py", f"x = {number}".encode())
            self.prints(f"{number}\n", show)
        for number in range(5):
            self.sandbox.written("m.py", f"x = {number}".encode())
            self.assertEqual(self.sandbox.program(show).stdout, f"{number}\n".encode())

    def test_each_cell_warns(self) -> None:
        for number in range(1, 3):
            said = self.cell("import warnings\nfor _ in range(2): warnings.warn('w')").stderr.decode()
            self.assertEqual(said.count(f"<run {number}>:2: UserWarning: w\n"), 1)

    def test_limits_are_set_once(self) -> None:
        show = "import resource as r; print(r.getrlimit(r.RLIMIT_NPROC), r.getrlimit(r.RLIMIT_FSIZE))"
        for _ in range(2):
            self.prints("(40, 40) (5000, 5000)\n", show, limits={"processes": 40, "file_bytes": 5000})

    def test_a_stdin_that_the_limits_do_not_allow(self) -> None:
        self.cell("x = 1", limits={"file_bytes": 5000})
        result = self.cell("print('never')", stdin="x" * 6000)
        self.assertEqual((result.stdout, result.ending), (b"", ("exited", 1, None)))
        self.assertIn(b"vivarium: the run could not be prepared: its stdin is too large: [Errno 27]", result.stderr)
        self.prints("1\n", "print(x)")

    def test_the_time_of_each_cell(self) -> None:
        self.cell("import time")
        self.assertGreaterEqual(self.cell("time.sleep(0.2)").exit["ran_seconds"], 0.2)
        self.assertLess(self.cell("pass").exit["ran_seconds"], 0.2)


class Endings(CellTest):
    def test_an_exception_is_shown_as_python_does_and_costs_no_variable(self) -> None:
        self.cell("x = 1\ndef f():\n    raise ValueError('é')\n")
        result = self.fails("ValueError: é", "f()")
        lines = [line for line in result.stderr.decode().splitlines() if set(line) - set(" ^~")]
        self.assertEqual(
            lines,
            [
                "Traceback (most recent call last):",
                '  File "<run 2>", line 1, in <module>',
                "    f()",
                '  File "<run 1>", line 3, in f',
                "    raise ValueError('é')",
                "ValueError: é",
            ],
        )
        self.prints("1\n", "print(x)")

    def test_the_same_words_as_a_programs(self) -> None:
        for code in (
            "x = (", "def f():\n  f()\nf()", "try: 1/0\nexcept ZeroDivisionError as e: raise KeyError(1) from e",
            "raise ExceptionGroup('g', [ValueError(1), TypeError(2)])", "import no_such",
            "class E(Exception): pass\nraise E", "'a' is 'a'", "raise KeyboardInterrupt",
        ):  # fmt: skip
            with self.subTest(code=code), Sandbox() as sandbox:
                cell = sandbox.cell(code).stderr.replace(b"<run 1>", b"/workspace/main.py")
                times = re.compile(rb"repeated \d+ more times")  # a few frames of ours are there, too
                self.assertEqual(times.sub(b"", cell).decode(), times.sub(b"", run(code).stderr).decode())

    def test_code_that_does_not_compile(self) -> None:
        self.cell("x = 1")
        for code in ("x = (", "if 1:\nx", "return", "\0", "x = '\\ud800'\nx y"):
            self.assertEqual(self.cell(code).ending, ("exited", 1, None))
        self.prints("1\n", "print(x)")

    def test_all_forms_of_exit(self) -> None:
        forms = {
            "sys.exit()": (0, ""), "sys.exit(None)": (0, ""), "sys.exit(3)": (3, ""), "sys.exit(-1)": (255, ""),
            "sys.exit(256)": (0, ""), "sys.exit(True)": (1, ""), "sys.exit('why')": (1, "why\n"),
            "sys.exit((1, 2))": (1, "(1, 2)\n"), "sys.exit(10 ** 100)": (255, ""), "exit(4)": (4, ""),
        }  # fmt: skip
        self.cell("import os, sys\nx = 5")
        for form, (code, said) in forms.items():
            with self.subTest(form=form):
                result = self.cell(form)
                self.assertEqual((*result.ending, result.exit["kept"]), ("exited", code, None, True))
                self.assertEqual(result.stderr.decode(), said)
        self.prints("5\n", "print(x)")

    def test_what_ends_the_interpreter(self) -> None:
        endings = {
            "os._exit(5)": ("exited", 5, None), "os.kill(os.getpid(), 9)": ("exited", None, "SIGKILL"),
            "os.execv('/usr/bin/sh', ['sh', '-c', 'exit 9'])": ("exited", 9, None),
        }  # fmt: skip
        for code, ending in endings.items():
            with self.subTest(code=code):
                self.cell("import os\nx = 1\nopen('kept', 'w').write('here')")
                result = self.cell(code)
                self.assertEqual((result.ending, result.exit["kept"]), (ending, False))
                self.fails("NameError: name 'x' is not defined", "print(open('kept').read()); x")
                self.prints("True\n", "import os; print('x' not in globals())")

    def test_an_interpreter_that_can_take_no_run(self) -> None:
        words = "vivarium: the interpreter could not run the code, and ended: "
        leak = "import os, resource; resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))\nwhile True: os.dup(1)"
        full = "class Full(dict):\n    def items(self): raise MemoryError\nimport sys; sys.path_importer_cache = Full()"
        for spoil, why in ((leak, "OSError: [Errno 24] Too many open files"), (full, "MemoryError: ")):
            self.assertTrue(self.cell(f"x = 1\n{spoil}").exit["kept"])
            result = self.cell("print(1)")
            self.assertEqual((*result.ending, result.exit["kept"]), ("exited", 1, None, False))
            self.assertEqual((result.stdout, result.stderr.decode()[: len(words + why)]), (b"", words + why))
            self.prints("False\n", "print('x' in globals())")

    def test_time(self) -> None:
        self.cell("x = 1\nimport time")
        result = self.cell("print('begun'); time.sleep(1000)", limits={"seconds": 0.3})
        self.assertEqual((result.ending, result.exit["kept"]), (("timed_out", None, None), False))
        self.assertEqual(result.stdout, b"begun\n")
        started = self.cell("pass").frames[0]
        self.assertFalse(started["kept"])
        self.fails("NameError: name 'x' is not defined", "x")

    def test_memory(self) -> None:
        self.cell("x = 1", limits={"memory_bytes": 200 << 20})
        result = self.cell("y = []\nwhile True: y.append(bytearray(1 << 20))")
        self.assertEqual((result.ending, result.exit["kept"]), (("out_of_memory", 1, None), True))
        self.assertIn(b"MemoryError", result.stderr)
        self.prints("1\n", "del y\nimport sys\nsys.last_value = sys.last_traceback = sys.last_exc = None\nprint(x)")

    def test_the_programs_own_excepthook_is_used(self) -> None:
        self.cell("import sys\nsys.excepthook = lambda kind, error, at: print('hooked', error, at.tb_lineno)")
        result = self.cell("\n1 / 0")
        self.assertEqual((result.stdout, result.stderr), (b"hooked division by zero 2\n", b""))
        self.assertEqual(result.ending, ("exited", 1, None))
        self.cell("def hook(*_): raise KeyError('hook')\nsys.excepthook = hook")
        said = self.fails("ZeroDivisionError: division by zero", "1 / 0").stderr
        self.assertIn(b"Error in sys.excepthook:", said)
        self.assertIn(b"KeyError: 'hook'", said)

    def test_exceptions_that_cannot_be_shown(self) -> None:
        self.cell(
            """
            class Silent(Exception):
                def __str__(self): raise SystemExit(3)
            class Meta(type):
                __name__ = property(lambda cls: 1 / 0)
            class Strange(Exception, metaclass=Meta):
                __cause__ = property(lambda self: 1 / 0)
                __traceback__ = property(lambda self: 1 / 0)
            """
        )
        self.prints("", "x = 1")
        for code in ("raise Silent", "raise Strange", "raise BaseException", "raise GeneratorExit"):
            with self.subTest(code=code):
                result = self.cell(code)
                self.assertEqual((*result.ending, result.exit["kept"]), ("exited", 1, None, True))
        self.prints("1\n", "print(x)")


class WhatStays(CellTest):
    def test_streams_that_were_replaced_or_closed(self) -> None:
        breaks = (
            "import io, sys; sys.stdout = io.StringIO(); sys.stderr = None", "import sys; sys.stdout.close()",
            "import os; os.close(0), os.close(1), os.close(2)", "import sys; sys.stdout.detach()",
            "import os; os.dup2(os.open('/workspace/log', os.O_CREAT | os.O_WRONLY), 1)",
            "import sys; del sys.stdout, sys.stdin",
            "import os; os.close(1); open('/workspace/other', 'w'); f = open('/workspace/one', 'w')",
        )  # fmt: skip
        for code in breaks:
            with self.subTest(code=code):
                self.assertTrue(self.cell(code).exit["kept"])
                self.prints("still\n3\n", "print('still'); print(input())", stdin="3")
                self.assertEqual(self.cell("import sys; print('e', file=sys.stderr)").stderr, b"e\n")

    def test_streams_that_were_left_not_to_block(self) -> None:
        self.cell("import os; os.set_blocking(1, False)")
        result = self.cell("for _ in range(20): print('x' * 99_999)", limits={"output_bytes": 1 << 22})
        self.assertEqual((len(result.stdout), result.ending), (2_000_000, ("exited", 0, None)))

    def test_all_descriptors_closed(self) -> None:
        result = self.cell("import os; os.closerange(0, 1000)")
        self.assertEqual((result.ending, result.exit["kept"]), (("exited", 0, None), False))
        result = self.cell("import os, sys; os.closerange(3, 1000); sys.exit(7)")
        self.assertEqual((result.ending, result.exit["kept"]), (("exited", 7, None), False))
        self.prints("fresh\n", "print('fresh')")

    def test_a_forked_process_ends_with_its_cell(self) -> None:
        self.prints(
            "child\nat exit\n[5, 0, 1]\n",
            """
            import atexit, os, sys
            def ended(): return os.waitstatus_to_exitcode(os.wait()[1])
            codes = []
            if not os.fork(): sys.exit(5)
            codes.append(ended())
            pid = os.fork()
            if pid:
                codes.append(ended())
                if not os.fork(): os.dup2(os.open("/dev/null", os.O_WRONLY), 2); 1 / 0
                codes.append(ended())
                print(codes)
            else:
                atexit.register(print, "at exit")
                print("child")
            """,
        )
        self.prints("[5, 0, 1]\n", "print(codes)")

    def test_child_processes_go_on(self) -> None:
        self.cell(
            "import subprocess\nPIPE = subprocess.PIPE\n"
            "server = subprocess.Popen(['/usr/bin/cat'], stdin=PIPE, stdout=PIPE)"
        )
        self.prints(
            "b'hello\\n' None\n",
            "server.stdin.write(b'hello\\n'); server.stdin.flush(); print(server.stdout.readline(), server.poll())",
        )

    def test_every_process_ends_with_the_time(self) -> None:
        self.cell("import subprocess\nserver = subprocess.Popen(['/usr/bin/sleep', '1000'], start_new_session=True)")
        self.assertEqual(self.cell("while True: pass", limits={"seconds": 0.2}).exit["cause"], "timed_out")
        self.prints("2\n", "import os; print(len([name for name in os.listdir('/proc') if name.isdigit()]))")

    def test_what_threads_write_between_cells_belongs_to_the_next(self) -> None:
        self.cell(
            """
            import threading, time, os
            go, done = threading.Event(), threading.Event()
            def work():
                go.wait()
                time.sleep(0.1)
                print("between")
                open("/workspace/wrote", "w").close()
                done.wait()
            thread = threading.Thread(target=work)
            thread.start()
            """
        )
        self.prints("", "go.set()")
        while "wrote" not in self.sandbox.paths():
            time.sleep(0.01)
        self.prints("between\nnow\n", "done.set(); thread.join(); print('now')")

    def test_what_goes_on_writing_does_not_put_off_the_end(self) -> None:
        self.cell(
            """
            import os
            for _ in range(2):
                if os.fork() == 0:
                    while True: os.write(1, b"x" * 65536)
            """
        )
        for _ in range(3):
            result = self.cell("import os; os.write(2, b'e')")
            self.assertEqual((result.ending, result.exit["kept"]), (("exited", 0, None), True))
            self.assertEqual(result.stderr, b"e")

    def test_signals_between_cells(self) -> None:
        self.cell(
            """
            import os, signal, threading, time
            def handler(*_): raise RuntimeError("late")
            signal.signal(signal.SIGALRM, handler)
            signal.setitimer(signal.ITIMER_REAL, 0.003, 0.003)
            """
        )
        self.assertEqual({self.cell("x = 1").exit["kept"] for _ in range(30)}, {True})
        while self.cell("signal.setitimer(signal.ITIMER_REAL, 0)").exit["exit_code"]:
            pass
        self.cell("signal.setitimer(signal.ITIMER_REAL, 0.05)")
        time.sleep(0.1)
        result = self.cell("print(x)")
        self.assertEqual((result.stdout, result.ending), (b"1\n", ("exited", 0, None)))
        self.assertTrue(result.stderr.endswith(b"RuntimeError: late\n"))
        self.cell("threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()")
        time.sleep(0.1)
        self.assertEqual(self.cell("print('here')").stdout, b"here\n")

    def test_an_interpreter_that_ended_between_cells(self) -> None:
        self.cell("import os, threading\nx = 1\nthreading.Timer(0.05, os._exit, (3,)).start()")
        time.sleep(0.2)
        result = self.cell("'x' in globals()")
        self.assertEqual(result.files, [("text", "value.txt", b"False")])
        self.assertFalse(result.frames[0]["kept"])

    def test_figures_are_of_each_cell(self) -> None:
        modules = {"matplotlib/__init__": "", "matplotlib/backends/__init__": "", "matplotlib/backends/backend_agg": "",
                   "matplotlib/_pylab_helpers": FAKE_PYLAB}  # fmt: skip
        with Sandbox(modules=modules) as sandbox:
            sandbox.cell("import matplotlib._pylab_helpers as p, matplotlib.backends.backend_agg as agg")
            self.assertEqual(sandbox.cell("p.draw('a'); agg.show(); p.draw('b')").files,
                             [("figure", "figure-1.png", b"a"), ("figure", "figure-2.png", b"b")])  # fmt: skip
            self.assertEqual(sandbox.cell("p.draw('c'); 1 / 0").files, [("figure", "figure-1.png", b"c")])
            self.assertEqual(sandbox.cell("x = 1").files, [])
            broken = sandbox.cell("p.Gcf.get_all_fig_managers = None")
            self.assertTrue(broken.exit["kept"])
            self.assertIn(b"vivarium: the open figures could not be kept: TypeError", broken.stderr)


FAKE_PYLAB = """
class Figure:
    def __init__(self, text): self.text = text
    def savefig(self, file, **_): file.write(self.text.encode())
class Canvas: pass
class Manager: pass
class Gcf:
    open = []
    @classmethod
    def get_all_fig_managers(cls): return list(cls.open)
    @classmethod
    def destroy(cls, manager): cls.open.remove(manager)
def draw(text):
    manager = Manager()
    manager.num = len(Gcf.open)
    manager.canvas = Canvas()
    manager.canvas.figure = Figure(text)
    Gcf.open.append(manager)
"""


class Modes(unittest.TestCase):
    def test_a_single_run_after_cells_ends_the_sandbox(self) -> None:
        with Sandbox() as sandbox:
            sandbox.cell("x = 1")
            sandbox.send(request("print('x' in globals(), __file__)"))
            self.assertEqual(sandbox.result().stdout, b"False /workspace/main.py\n")

    def test_a_hello_after_a_run_is_refused(self) -> None:
        with Sandbox() as sandbox:
            sandbox.cell("x = 1")
            sandbox.send(hello())
            self.assertEqual(sandbox.end(), (2, "vivarium: a hello comes before the first run\n"))
