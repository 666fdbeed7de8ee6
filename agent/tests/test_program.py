"""The program runs as `python main.py` would run it."""

import textwrap
import unittest

from tests.sandbox import Result, Sandbox, request, run


def program(code: str, **fields: object) -> Result:
    return run(textwrap.dedent(code), **fields)


class ProgramTest(unittest.TestCase):
    def prints(self, expected: str, code: str, **fields: object) -> None:
        result = program(code, **fields)
        self.assertEqual((result.stdout.decode(), result.stderr.decode()), (expected, ""))
        self.assertEqual(result.ending, ("exited", 0, None))


class Surroundings(ProgramTest):
    def test_arguments_environment_stdin_and_folder(self) -> None:
        self.prints(
            "['/workspace/main.py', 'a b', 'é']\nà la carte\n/workspace /workspace /tmp\nfirst ['second\\n']\nTrue\n",
            """
            import os, sys
            print(sys.argv)
            print(os.environ["MENU"])
            print(os.getcwd(), os.environ["HOME"], os.environ["TMPDIR"])
            print(input(), sys.stdin.readlines())
            print(not [name for name in os.environ if name.startswith(("KUBERNETES_", "VIVARIUM_", "PYTHONPATH"))])
            """,
            args=["a b", "é"],
            env={"MENU": "à la carte"},
            stdin="first\nsecond\n",
        )

    def test_the_environment_of_the_container(self) -> None:
        environment = {"KUBERNETES_PORT": "1", "HOME": "/tmp", "PYTHONPATH": "/nowhere", "OTHER": "here"}
        with Sandbox(environment=environment) as sandbox:
            names = "'KUBERNETES_PORT', 'HOME', 'PYTHONPATH', 'OTHER'"
            sandbox.send(request(f"import os, sys; print(*map(os.environ.get, [{names}]), '/nowhere' in sys.path)"))
            self.assertEqual(sandbox.result().stdout, b"None /tmp /nowhere here True\n")

    def test_an_empty_stdin(self) -> None:
        self.prints("''\n", "import sys; print(repr(sys.stdin.read()))")

    def test_main_is_as_python_makes_it(self) -> None:
        self.prints(
            "__main__ /workspace/main.py None /workspace\n['__main__']\n['<module>']\ndef f(): return 1  # kept\n\n",
            """
            import inspect, sys, traceback
            def f(): return 1  # kept
            print(__name__, __file__, __spec__, sys.path[0])
            print([name for name, module in sys.modules.items() if getattr(module, "__file__", "") == __file__])
            print([frame.name for frame in traceback.extract_stack()])
            print(inspect.getsource(f))
            """,
        )

    def test_the_image_loses_no_module_to_the_runner(self) -> None:
        self.prints("True False\n", "import sys; print('site' in sys.modules, any('vivarium' in p for p in sys.path))")

    def test_modules_of_the_workspace_are_imported(self) -> None:
        self.prints("7\n", "open('request.py', 'w').write('x = 7'); import request; print(request.x)")

    def test_signals_are_as_in_any_other_interpreter(self) -> None:
        self.prints(
            "True\n",
            """
            import subprocess, sys
            show = "print([line for line in open('/proc/self/status') if line.startswith(('Sig', 'Shd'))][1:])"
            ours = [line for line in open('/proc/self/status') if line.startswith(('Sig', 'Shd'))][1:]
            print(subprocess.run([sys.executable, "-c", show], capture_output=True, text=True).stdout == f"{ours}\\n")
            """,
        )

    def test_only_standard_descriptors_reach_a_child(self) -> None:
        self.prints(
            "0 1 2 3\n",  # 3 is the folder that ls reads
            """
            import subprocess
            listed = subprocess.run(["ls", "/proc/self/fd"], close_fds=False, capture_output=True, text=True)
            print(*listed.stdout.split())
            """,
        )

    def test_children_of_python_are_unbuffered_too(self) -> None:
        result = program(
            """
            import subprocess, sys
            subprocess.run([sys.executable, "-c", "import time; print('begun', end=''); time.sleep(100)"])
            """,
            limits={"seconds": 1},
        )
        self.assertEqual((result.exit["cause"], result.stdout), ("timed_out", b"begun"))


class Library(ProgramTest):
    def test_multiprocessing(self) -> None:
        for method in ("fork", "spawn", "forkserver"):
            with self.subTest(method=method):
                self.prints(
                    "[1, 4, 9] 5\n",
                    f"""
                    import multiprocessing
                    def square(n): return n * n
                    def put(queue): queue.put(5)
                    if __name__ == "__main__":
                        context = multiprocessing.get_context("{method}")
                        queue = context.Queue()
                        child = context.Process(target=put, args=(queue,))
                        child.start()
                        with context.Pool(2) as pool:
                            print(pool.map(square, [1, 2, 3]), queue.get())
                        child.join()
                    """,
                )

    def test_classes_of_main_pickle(self) -> None:
        self.prints(
            "Point(x=1, y=2) __main__\n",
            """
            import dataclasses, pickle
            @dataclasses.dataclass
            class Point:
                x: int
                y: int = 2
            print(pickle.loads(pickle.dumps(Point(1))), Point.__module__)
            """,
        )

    def test_threads_are_awaited_and_atexit_comes_last(self) -> None:
        self.prints(
            "main\nthread\natexit\n",
            """
            import atexit, threading
            atexit.register(print, "atexit")
            ended = threading.Event()
            def work():
                ended.wait()
                print("thread")
            threading.Thread(target=work).start()
            print("main")
            ended.set()
            """,
        )


class Endings(ProgramTest):
    def test_a_traceback_shows_the_programs_frames_only(self) -> None:
        result = program("def f():\n    raise ValueError('é')\nf()\n")
        self.assertEqual(result.ending, ("exited", 1, None))
        lines = [line for line in result.stderr.decode().splitlines() if set(line) - set(" ^~")]
        self.assertEqual(
            lines,
            [
                "Traceback (most recent call last):",
                '  File "/workspace/main.py", line 3, in <module>',
                "    f()",
                '  File "/workspace/main.py", line 2, in f',
                "    raise ValueError('é')",
                "ValueError: é",
            ],
        )

    def test_a_syntax_error_reads_as_pythons(self) -> None:
        result = program("x = 1\ny = (\n")
        self.assertEqual(result.ending, ("exited", 1, None))
        lines = result.stderr.decode().splitlines()
        self.assertEqual(lines[0], '  File "/workspace/main.py", line 2')
        self.assertEqual(lines[-1], "SyntaxError: '(' was never closed")

    def test_all_forms_of_exit(self) -> None:
        forms = {
            "sys.exit()": (0, ""), "sys.exit(None)": (0, ""), "sys.exit(3)": (3, ""), "sys.exit(-1)": (255, ""),
            "sys.exit(256)": (0, ""), "sys.exit(True)": (1, ""), "sys.exit('why')": (1, "why\n"),
            "sys.exit((1, 2))": (1, "(1, 2)\n"), "raise SystemExit": (0, ""), "exit(4)": (4, ""),
            "os._exit(5)": (5, ""),
        }  # fmt: skip
        for form, (code, said) in forms.items():
            with self.subTest(form=form):
                result = run(f"import os, sys\n{form}")
                self.assertEqual(result.ending, ("exited", code, None))
                self.assertEqual(result.stderr.decode(), said)

    def test_an_uncaught_keyboard_interrupt_is_an_end_by_sigint(self) -> None:
        for code in ("raise KeyboardInterrupt", "import os; os.kill(os.getpid(), 2)"):
            result = run(code)
            self.assertEqual(result.ending, ("exited", None, "SIGINT"))
            self.assertTrue(result.stderr.rstrip().endswith(b"KeyboardInterrupt"))

    def test_the_programs_own_excepthook_is_used(self) -> None:
        result = program("import sys\nsys.excepthook = lambda kind, error, at: print('hooked', error)\n1 / 0\n")
        self.assertEqual((result.stdout, result.stderr), (b"hooked division by zero\n", b""))
        self.assertEqual(result.ending, ("exited", 1, None))

    def test_another_program_in_its_place(self) -> None:
        result = program("import os; os.execv('/usr/bin/sh', ['sh', '-c', 'echo sh; exit 9'])")
        self.assertEqual((result.stdout, result.ending), (b"sh\n", ("exited", 9, None)))
