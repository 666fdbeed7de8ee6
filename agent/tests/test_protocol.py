"""The conversation with the agent: ready, started, output, exit, and what makes it refuse."""

import hashlib
import json
import subprocess
import unittest

from tests.sandbox import INSTALLED, PYTHON, Frame, Result, Sandbox, hello, request, run


class Conversation(unittest.TestCase):
    def test_a_cold_run(self) -> None:
        result = run("print('hi', end='')", execution_id="abc")
        started, output, ended = result.frames
        self.assertEqual(started, {"seq": 0, "type": "started", "execution_id": "abc", "kept": False})
        self.assertEqual(output, {"seq": 1, "type": "stdout", "text": "hi"})
        self.assertGreater(ended.pop("ran_seconds"), 0)
        how = {"cause": "exited", "exit_code": 0, "signal": None, "stdout_bytes": 2, "stderr_bytes": 0}
        how |= {"kept": False, "files": 0, "left_out": 0}
        self.assertEqual(ended, {"seq": 2, "type": "exit"} | how)

    def test_every_hello_is_answered(self) -> None:
        with Sandbox() as sandbox:
            for seq in range(3):
                ready = sandbox.ready()
                self.assertRegex(ready.pop("python"), r"^3\.\d+\.\d+$")
                self.assertEqual(ready, {"seq": seq, "type": "ready", "failed": {}})
            sandbox.send(request("print(1, end='')"))
            self.assertEqual(sandbox.result().kinds(), ["started", "stdout", "exit"])

    def test_lines_may_come_together_or_in_parts(self) -> None:
        text = (json.dumps(hello("fractions")) + "\n" + json.dumps(request("print(1, end='')")) + "\n").encode()
        for step in (len(text), 100):
            with self.subTest(step=step), Sandbox() as sandbox:
                for at in range(0, len(text), step):
                    sandbox.send_bytes(text[at : at + step])
                self.assertEqual(sandbox.result().kinds(), ["ready", "started", "stdout", "exit"])

    def test_nothing_counts_after_the_request(self) -> None:
        with Sandbox() as sandbox:
            sandbox.send(request("print(1, end='')"))
            sandbox.send_bytes(b"nonsense\n")
            self.assertEqual(sandbox.result().ending, ("exited", 0, None))

    def test_a_large_request(self) -> None:
        stdin = "é\0\n" * (1 << 18)
        code = "import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())\n#" + "x" * (1 << 20)
        result = run(code, stdin=stdin)
        self.assertEqual(result.stdout.decode().strip(), hashlib.sha256(stdin.encode()).hexdigest())


class Owners(unittest.TestCase):
    def test_end_of_stdin_before_a_request_ends_the_agent(self) -> None:
        for sent in (b"", b'{"type":"hello","preload":[]}\n', b'{"type":"run"'):
            with self.subTest(sent=sent), Sandbox() as sandbox:
                sandbox.send_bytes(sent)
                sandbox.close_stdin()
                self.assertEqual(sandbox.end(), (0, ""))

    def test_end_of_stdin_amid_a_preload_ends_the_agent(self) -> None:
        with Sandbox(modules={"slow": "import time; print('begun'); time.sleep(1000)"}) as sandbox:
            for _ in range(50):
                sandbox.send(hello("slow", *(f"m{n}" for n in range(500))))
            sandbox.wait_for_preload()
            sandbox.close_stdin()
            self.assertEqual(sandbox.end(), (0, ""))

    def test_end_of_stdin_after_a_request_means_nothing(self) -> None:
        with Sandbox() as sandbox:
            sandbox.send(request("import time; time.sleep(0.2); print('still here')"))
            sandbox.close_stdin()
            self.assertEqual(sandbox.result().stdout, b"still here\n")


class Refusals(unittest.TestCase):
    def test_what_is_no_request(self) -> None:
        nameless = request("pass")
        del nameless["execution_id"]
        for sent in (b"nonsense\n", b'{"type":"stop"}\n', json.dumps(nameless).encode() + b"\n"):
            with self.subTest(sent=sent[:30]), Sandbox() as sandbox:
                sandbox.send_bytes(sent)
                self.assertEqual(sandbox.line(), b"")
                code, sentence = sandbox.end()
                self.assertEqual(code, 2)
                self.assertRegex(sentence, r"^vivarium: .+\n$")

    def test_a_line_without_end(self) -> None:
        with Sandbox() as sandbox:
            try:
                for _ in range(66):
                    sandbox.send_bytes(b"x" * (1 << 20))
            except BrokenPipeError:
                pass  # it has seen enough
            code, sentence = sandbox.end()
            self.assertEqual(code, 2)
            self.assertIn("at most", sentence)

    def test_to_run_as_any_process_but_the_first(self) -> None:
        command = [PYTHON, "-I", "-S", INSTALLED]
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False)
        self.assertEqual((done.returncode, done.stdout), (2, b""))
        self.assertIn(b"must be PID 1", done.stderr)

    def test_arguments(self) -> None:
        with Sandbox("--verbose") as sandbox:
            code, sentence = sandbox.end()
            self.assertEqual(code, 2)
            self.assertIn("no arguments", sentence)

    def test_a_sandbox_where_the_program_cannot_be_written(self) -> None:
        with Sandbox(workspace_bytes=1 << 20) as sandbox:
            sandbox.send(request("#" + "x" * (2 << 20)))
            self.assertEqual(sandbox.line(), b"")
            code, sentences = sandbox.end()
            self.assertEqual(code, 2)
            self.assertIn("No space left", sentences)
            self.assertIn("could not prepare the program", sentences)


class Preload(unittest.TestCase):
    def test_what_is_preloaded_is_there_and_what_it_prints_is_not_the_programs(self) -> None:
        with Sandbox() as sandbox:
            ready = sandbox.ready("json.decoder", "this", "fractions")
            self.assertEqual(ready["failed"], {})
            sandbox.send(request("import sys; print([name in sys.modules for name in ('json.decoder', 'fractions')])"))
            result = sandbox.result()
            self.assertEqual((result.stdout, result.stderr), (b"[True, True]\n", b""))
            self.assertIn("The Zen of Python", sandbox.end()[1])

    def test_what_is_preloaded_costs_the_end_of_the_program_nothing(self) -> None:
        with Sandbox() as sandbox:
            sandbox.ready("fractions")
            sandbox.send(request("import gc; print(gc.get_freeze_count() > 1000)"))
            self.assertEqual(sandbox.result().stdout, b"True\n")

    def test_what_is_preloaded_is_whole_to_the_end_and_the_program_ends_as_any(self) -> None:
        code = """
import atexit, fractions, sys
class Last:
    def __del__(self): print('del', fractions.Fraction(1, 2), atexit is not None)
last, cycle = Last(), [Last()]
cycle.append(cycle)
del cycle
atexit.register(lambda: print('exit', 'fractions' in sys.modules))
sys.exit(3)
"""
        with Sandbox() as sandbox:
            sandbox.ready("fractions", "gc")
            sandbox.send(request(code))
            result = sandbox.result()
            self.assertEqual(sorted(result.stdout.decode().splitlines()), ["del 1/2 True"] * 2 + ["exit True"])
            self.assertEqual((result.stderr, result.exit["exit_code"]), (b"", 3))

    def test_what_fails_is_named_and_costs_the_others_nothing(self) -> None:
        modules = {
            "exits": "import sys; sys.exit('enough')",
            "silent": "raise SystemExit",
            "loud": "raise ValueError('é' * 200_000)",
            "strange": "raise KeyError('a\\n b \\ud800')",
            "fine": "",
        }
        with Sandbox(modules=modules) as sandbox:
            ready = sandbox.ready("no_such", "exits", "silent", "loud", "strange", "json.no_such", "fine")
            self.assertEqual(
                ready["failed"],
                {
                    "no_such": "ModuleNotFoundError: No module named 'no_such'",
                    "exits": "SystemExit: enough",
                    "silent": "SystemExit",
                    "loud": "ValueError: " + "é" * 488,
                    "strange": r"KeyError: 'a\n b \ud800'",
                    "json.no_such": "ModuleNotFoundError: No module named 'json.no_such'",
                },
            )
            sandbox.send(request("import sys; print('fine' in sys.modules, 'exits' in sys.modules)"))
            self.assertEqual(sandbox.result().stdout, b"True False\n")

    def test_many_that_fail(self) -> None:
        modules = [f"m{n}" for n in range(900)]
        with Sandbox() as sandbox:
            self.assertEqual(list(sandbox.ready(*modules)["failed"]), modules)

    def test_hellos_are_answered_in_order(self) -> None:
        lists: list[list[str]] = [["no_such"], [], ["fractions", "nor_this"], []]
        with Sandbox() as sandbox:
            sandbox.send_bytes(b"".join(json.dumps(hello(*modules)).encode() + b"\n" for modules in lists))
            answers = [list(sandbox.frame()["failed"]) for _ in lists]
            self.assertEqual(answers, [["no_such"], [], ["nor_this"], []])

    def test_a_run_amid_a_preload_comes_right_after_it(self) -> None:
        slow = "import time; print('begun'); time.sleep(0.3)"
        with Sandbox(modules={"slow": slow}) as sandbox:
            sandbox.send(hello("slow"))
            sandbox.send(hello("no_such"))
            sandbox.wait_for_preload()
            sandbox.send(request("import sys; print('slow' in sys.modules, end='')"))
            sandbox.close_stdin()
            result = sandbox.result()
            self.assertEqual(result.kinds(), ["ready", "ready", "started", "stdout", "exit"])
            self.assertEqual(result.stdout, b"True")

    def test_a_preload_that_ends_the_interpreter(self) -> None:
        with Sandbox(modules={"ends": "import os; os._exit(0)"}) as sandbox:
            sandbox.send(hello("ends"))
            self.assertEqual(sandbox.line(), b"")
            self.assertEqual(sandbox.end(), (2, "vivarium: the runner ended before it had a request\n"))


class AfterPreload(unittest.TestCase):
    """The program sees the modules, and nothing else that a cold one does not."""

    def run_after(self, preloaded: Frame, code: str) -> Result:
        with Sandbox() as sandbox:
            sandbox.send(preloaded)
            self.assertEqual(sandbox.frame()["type"], "ready")
            sandbox.send(request(code))
            return sandbox.result()

    def test_the_surroundings(self) -> None:
        show = (
            "__import__('fractions'); import os, sys\n"
            "print(sorted(sys.modules), sorted(vars()), sys.path, sys.argv, sorted(os.environ))\n"
            "print(sorted(os.listdir('/proc/self/fd')))"
        )
        cold = run(show).stdout.decode()
        self.assertIn("fractions", cold)
        for preloaded in (hello(), hello("fractions"), hello("fractions", "no_such")):
            self.assertEqual(self.run_after(preloaded, show).stdout.decode(), cold)
        unasked = "import sys; print(sorted(sys.modules))"
        self.assertEqual(self.run_after(hello(), unasked).stdout, run(unasked).stdout)

    def test_a_traceback(self) -> None:
        code = "def f(): raise ValueError\ntry: f()\nexcept ValueError: import no_such_either"
        self.assertEqual(self.run_after(hello("json", "no_such"), code).stderr, run(code).stderr)

    def test_no_two_sandboxes_share_a_seed(self) -> None:
        code = "import random; print(random.random()); print(hash('a'))"
        first, second = (self.run_after(hello("random"), code).stdout.split() for _ in range(2))
        self.assertNotEqual(first[0], second[0])
        self.assertNotEqual(first[1], second[1])

    def test_an_import_is_free(self) -> None:
        code = "import sys; before = set(sys.modules); import json.decoder; print(set(sys.modules) - before)"
        self.assertEqual(self.run_after(hello("json.decoder"), code).stdout, b"set()\n")
