"""The conversation with the agent: ready, started, output, exit, and what makes it refuse."""

import hashlib
import json
import subprocess
import unittest

from tests.sandbox import INSTALLED, PYTHON, Sandbox, request, run

HELLO = {"type": "hello"}


class Conversation(unittest.TestCase):
    def test_a_cold_run(self) -> None:
        result = run("print('hi', end='')", execution_id="abc")
        ready, started, output, ended = result.frames
        self.assertRegex(ready["python"], r"^3\.\d+\.\d+$")
        self.assertEqual(started, {"seq": 1, "type": "started", "execution_id": "abc"})
        self.assertEqual(output, {"seq": 2, "type": "stdout", "text": "hi"})
        self.assertGreater(ended.pop("ran_seconds"), 0)
        how = {"cause": "exited", "exit_code": 0, "signal": None, "stdout_bytes": 2, "stderr_bytes": 0}
        self.assertEqual(ended, {"seq": 3, "type": "exit"} | how)

    def test_ready_is_said_again_for_each_later_hello(self) -> None:
        with Sandbox() as sandbox:
            ready = sandbox.frame()
            for _ in range(3):
                sandbox.send(HELLO)
                self.assertEqual(sandbox.frame(), {**ready, "seq": ready["seq"] + 1})
                ready["seq"] += 1
            sandbox.send(request("print(1, end='')"))
            self.assertEqual(sandbox.result().kinds(), ["started", "stdout", "exit"])

    def test_lines_may_come_together_or_in_parts(self) -> None:
        text = (json.dumps(HELLO) + "\n" + json.dumps(request("print(1, end='')")) + "\n").encode()
        for step in (len(text), 100):
            with self.subTest(step=step), Sandbox() as sandbox:
                sandbox.frame()
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
        for sent in (b"", b'{"type":"hello"}\n', b'{"type":"run"'):
            with self.subTest(sent=sent), Sandbox() as sandbox:
                sandbox.frame()
                sandbox.send_bytes(sent)
                sandbox.close_stdin()
                self.assertEqual(sandbox.end(), (0, ""))

    def test_end_of_stdin_before_ready_ends_the_agent(self) -> None:
        with Sandbox("--preload", "time") as sandbox:
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
                sandbox.frame()
                sandbox.send_bytes(sent)
                self.assertEqual(sandbox.line(), b"")
                code, sentence = sandbox.end()
                self.assertEqual(code, 2)
                self.assertRegex(sentence, r"^vivarium: .+\n$")

    def test_a_line_without_end(self) -> None:
        with Sandbox() as sandbox:
            sandbox.frame()
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

    def test_arguments_that_it_does_not_know(self) -> None:
        with Sandbox("--verbose") as sandbox:
            code, sentence = sandbox.end()
            self.assertEqual(code, 2)
            self.assertIn("usage", sentence)

    def test_a_sandbox_where_the_program_cannot_be_written(self) -> None:
        with Sandbox(workspace_bytes=1 << 20) as sandbox:
            sandbox.frame()
            sandbox.send(request("#" + "x" * (2 << 20)))
            self.assertEqual(sandbox.line(), b"")
            code, sentences = sandbox.end()
            self.assertEqual(code, 2)
            self.assertIn("No space left", sentences)
            self.assertIn("could not prepare the program", sentences)


class Preload(unittest.TestCase):
    def test_what_is_preloaded_is_there_and_what_it_prints_is_not_the_programs(self) -> None:
        with Sandbox("--preload", "json.decoder,this,no_such_module,fractions") as sandbox:
            sandbox.send(request("import sys; print([name in sys.modules for name in ('json.decoder', 'fractions')])"))
            result = sandbox.result()
            self.assertEqual((result.stdout, result.stderr), (b"[True, True]\n", b""))
            _, said = sandbox.end()
            self.assertIn("preload of no_such_module failed", said)
            self.assertIn("The Zen of Python", said)

    def test_a_preload_that_ends_the_interpreter(self) -> None:
        with Sandbox("--preload", "unittest.__main__") as sandbox:
            self.assertEqual(sandbox.line(), b"")
            code, sentences = sandbox.end()
            self.assertEqual(code, 2)
            self.assertIn("the runner failed: SystemExit", sentences)
            self.assertIn("the runner ended before it had a request", sentences)
