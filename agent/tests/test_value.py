"""The value of the last expression: it comes back, and nothing else is different."""

import textwrap
import time
import unittest
from typing import Any

import agent_value

from tests.sandbox import Result, Sandbox, request, run, run_plain


def value(result: Result) -> dict[str, str]:
    return {path: data.decode() for kind, path, data in result.files if kind in ("text", "html")}


class ValueTest(unittest.TestCase):
    def same(self, code: str, *texts: str, **fields: Any) -> Result:
        """As plain Python has it; beside it comes the text of the value, if there is one, and its HTML."""
        code = textwrap.dedent(code)
        ours, plain = run(code, **fields), run_plain(code)
        self.assertEqual(ours.stdout.decode(), plain.stdout.decode())
        self.assertEqual(ours.stderr.decode(), plain.stderr.decode())
        self.assertEqual(ours.exit["exit_code"], plain.returncode)
        self.assertEqual(value(ours), dict(zip(("value.txt", "value.html"), texts, strict=False)))
        return ours


class Values(ValueTest):
    def test_what_is_a_value(self) -> None:
        for code, text in {
            "1 + 1": "2",
            "'é\\n'": r"'é\n'",
            "x = [1, {'a': (2,)}]\n\nx  # comment\n\n# more\n": "[1, {'a': (2,)}]",
            "x = 1; x": "1",
            "1; 2;": "2",
            "(y := 5)": "5",
            "[n for n in range(3)]": "[0, 1, 2]",
            "lambda: 0 if False else 1": None,
            "'''the docstring'''": "'the docstring'",
            "'''doc'''\n__doc__": "'doc'",
            "(1,\n 2)": "(1, 2)",
            "\ufeff1": "1",
            "...": "Ellipsis",
            "__name__": "'__main__'",
            "def f(): return 3\nf()": "3",
            "'a' 'b'": "'ab'",
            "f'{1}'": "'1'",
            "1\r\n2\r\n": "2",
            "1\r2\r": "2",
        }.items():
            with self.subTest(code=code):
                found = value(self.same(code, *([text] if text else []))) if text else value(run(code))
                self.assertTrue(found["value.txt"] if text else found["value.txt"].startswith("<function"))

    def test_what_is_none(self) -> None:
        for code in (
            "", "\n", "# only a comment", "x = 1", "print(1)", "None", "x = 1\nif x:\n    x", "for x in range(3): x",
            "def f(): 1", "import os", "assert True", "x: int = 5", "del __doc__", "with open('/dev/null'): 1",
            "'''doc'''\nx = 1",
        ):  # fmt: skip
            with self.subTest(code=code):
                self.assertEqual(self.same(code).exit["files"], 0)

    def test_html(self) -> None:
        code = """
        class Table:
            def __repr__(self): return "a table"
            def _repr_html_(self): return "<b>é</b>"
        Table()
        """
        self.same(code, "a table", "<b>é</b>")
        self.assertEqual(value(run(textwrap.dedent(code).rstrip()[:-2])), {"value.txt": "<class '__main__.Table'>"})

    def test_html_that_is_none(self) -> None:
        for html in ("None", "1", "''", "1 / 0", "'x' * (256 * 1024 + 1)", "b'x'"):
            code = f"""
            class Table:
                def __repr__(self): return "a table"
                def _repr_html_(self): return {html}
            Table()
            """
            self.same(code, "a table")

    def test_a_repr_that_fails_is_no_value_and_no_error(self) -> None:
        for body in ("1 / 0", "return 1", "raise SystemExit(3)", "raise KeyboardInterrupt", "return f()", "exit(1)"):
            self.same(f"class A:\n    def __repr__(self):\n        f = self.__repr__\n        {body}\nA()")

    def test_it_comes_back_from_a_small_file_limit_not_at_all(self) -> None:
        self.same("'x' * 100", limits={"file_bytes": 10})

    def test_it_comes_back_after_a_preload(self) -> None:
        with Sandbox() as sandbox:
            sandbox.ready("fractions")
            sandbox.send(request("import fractions\nfractions.Fraction(1, 2)"))
            self.assertEqual(value(sandbox.result()), {"value.txt": "Fraction(1, 2)"})

    def test_a_full_workspace(self) -> None:
        with Sandbox(workspace_bytes=300_000) as sandbox:
            sandbox.send(request(f"import os; print(sorted(os.listdir()))\n'{'x' * 200_000}'"))
            result = sandbox.result()
            self.assertEqual((result.stdout, result.files), (b"['main.py', 'mounts', 'output']\n", []))
        with Sandbox(workspace_bytes=1 << 20) as sandbox:
            fill = "try: open('a', 'wb').write(bytes(2 << 20))\nexcept OSError: print('full')\n1"
            sandbox.send(request(fill))
            result = sandbox.result()
            self.assertEqual((result.ending, result.stdout), (("exited", 0, None), b"full\n"))

    def test_the_value_is_that_of_this_process(self) -> None:
        result = run("import os\nos.fork() and os.wait()[1] + 7")
        self.assertEqual(value(result), {"value.txt": "7"})


class Exactness(ValueTest):
    def test_tracebacks_from_within_the_last_expression(self) -> None:
        for code in (
            "1 / 0", "x = 1\nx + (2 *\n  undefined)", "def f(x):\n    return x / 0\n\nf(1) + f(2)", "x = 0; (x, 1 / x)",
            "[1 / n for n in (1, 0)]", "'é' + ('ü' + 1)", "import json\njson.loads('{')", "raise_ = (lambda: 1 / 0)()",
            "(lambda: 1 / 0)()", "print(1, 1 / 0)", "'''doc'''\n1 / 0", "from __future__ import annotations\n1 / 0",
            "__import__('no_such')", "x = {}\nx['a']['b']", "print('a').b",
            "try:\n    1 / 0\nexcept Exception as error:\n    e = error\ndef g(): raise e\ng()",
        ):  # fmt: skip
            with self.subTest(code=code):
                self.same(code)

    def test_all_that_ends_a_program(self) -> None:
        for code in (
            "import sys\nsys.exit(3)", "exit('why')", "quit()", "import os\nos._exit(4)",
            "(_ for _ in ()).throw(SystemExit(5))",
            "import os\nos.abort()", "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)",
        ):  # fmt: skip
            with self.subTest(code=code):
                ours, plain = run(code), run_plain(code)
                self.assertEqual((ours.stdout, ours.stderr), (plain.stdout, plain.stderr))
                if "kill" not in code and "abort" not in code:
                    self.assertEqual(ours.exit["exit_code"], plain.returncode)

    def test_syntax_errors_and_what_only_the_compiler_finds(self) -> None:
        for code in (
            "x = (", "1 +", "return 1", "yield 1", "await x", "*[1, 2]", "def f():\n  nonlocal x\n1", "\0", "x\0",
            "break", "'''", "if True:\n1", "1\n\t2", "from __future__ import no_such\n1", "1 = 2",
            "# -*- coding: no-such -*-\n1", "'\\N{no such}'", "x = 5\nfrom __future__ import annotations\nx",
        ):  # fmt: skip
            with self.subTest(code=code):
                self.same(code)

    def test_warnings_of_the_compiler_come_once(self) -> None:
        for code, *text in (
            (r"x = '\d'", ), (r"'\d'", r"'\\d'"), ("1 is 1", "True"), ("x = 1 is 1", ), ("assert (1, 'a')",),
            ("'a' 'b'\n1 is 1\n'\\d'", r"'\\d'"), ("'\\d'\nreturn 1",), ("import warnings\n'\\d' is '\\d'", "True"),
        ):  # fmt: skip
            with self.subTest(code=code):
                self.same(code, *text)

    def test_encodings(self) -> None:
        self.same("# -*- coding: latin-1 -*-\nx = 'é'\nprint(x)\nx", "'Ã©'")
        self.same("# vim: set fileencoding=utf-8 :\n'é'", "'é'")

    def test_main_is_as_python_makes_it(self) -> None:
        self.same(
            """
            '''the docstring'''
            from __future__ import annotations
            import inspect, os, sys
            def f(x: NoSuch) -> None: return 1  # kept
            print(__doc__, __name__, __file__, __spec__, __cached__, __package__, sys.path[0], sys.argv)
            print(type(__loader__), __loader__.name, __loader__.path)
            print(__loader__.get_source("__main__") == open(__file__).read())
            print(inspect.getsource(f), f.__annotations__, list(vars()))
            print(open(__file__).read())
            print(sorted(os.listdir()), os.stat(__file__).st_nlink, oct(os.stat(__file__).st_mode))
            print(inspect.currentframe().f_lineno, inspect.stack()[0].code_context, len(inspect.stack()))
            print(f.__code__.co_firstlineno, f.__code__.co_filename, inspect.currentframe().f_code.co_firstlineno)
            print(inspect.currentframe().f_code.co_name, inspect.currentframe().f_code.co_filename)
            __file__
            """,
            "'/workspace/main.py'",
        )

    def test_annotations_of_main(self) -> None:
        self.same("x: int\ny: str = 'a'\nprint(__annotations__)\n__annotations__['x']", "<class 'int'>")

    def test_the_source_is_back_before_the_first_statement(self) -> None:
        self.same("print(open('main.py').read())\n1", "1")
        self.same("from __future__ import annotations\nprint(open('main.py').read())\n1", "1")

    def test_multiprocessing(self) -> None:
        for method in ("fork", "spawn", "forkserver"):
            self.same(
                f"""
                import multiprocessing
                def square(n): return n * n
                def main():
                    with multiprocessing.get_context("{method}").Pool(2) as pool:
                        return pool.map(square, [1, 2, 3])
                main() if __name__ == "__main__" else 5
                """,
                "[1, 4, 9]",
            )

    def test_classes_of_main_pickle(self) -> None:
        self.same("import pickle\nclass A: x = 1\npickle.loads(pickle.dumps(A())).x", "1")

    def test_the_value_lives_no_longer(self) -> None:
        self.same(
            """
            import atexit
            class Loud:
                def __init__(self, name): self.name = name
                def __del__(self): print("del", self.name)
                def __repr__(self): return self.name
            atexit.register(print, "atexit")
            kept = Loud("kept")
            Loud("statement")
            Loud("value")
            """,
            "value",
        )

    def test_constants_stay_the_same_objects(self) -> None:
        self.same("x = 123456789\ndef f(): return 123456789\nprint(x is f(), 'a b' is 'a b')\nx is f()", "True")

    def test_no_name_of_ours_is_the_programs(self) -> None:
        code = "import builtins, sys\nprint([n for n in dir(builtins) if not n.isidentifier()])\nsorted(vars())"
        self.assertEqual(run(code).stdout, b"['<keep>']\n")
        self.same("print(list(globals()))\nvars()['__builtins__']", "<module 'builtins' (built-in)>")
        modules = "import sys\nprint(sorted(sys.modules))\n"
        self.assertEqual(run(modules + "1").stdout, run(modules).stdout)

    def test_names_that_are_ours_too(self) -> None:
        self.same("str = len = type = isinstance = open = repr = getattr = None\n[1, 'a']", "[1, 'a']")
        self.same("import builtins\nfor n in ('len', 'type', 'repr', 'str'): delattr(builtins, n)\n5")

    def test_large_code(self) -> None:
        lines = "x = 1  # a comment\n" * (1 << 16)
        self.same(lines + "x")
        self.same(lines[: 200 * 1024] + "\nx", "1")
        self.same("x = [" + "[1, 'a', None], " * 10_000 + "]\nlen(x)", "10000")

    def test_code_that_breaks_a_compiler(self) -> None:
        self.same("(" * 300 + ")" * 300)
        self.same("x = 1\n" + "+".join(["x"] * 500), "500")
        for code in ("-" * 50_000 + "1", "+".join(["x"] * 50_000), "x" + ".a" * 50_000, "[" * 5000):
            ours, plain = run(code), run_plain(code)
            self.assertEqual(ours.stderr[-200:], plain.stderr[-200:])
            self.assertEqual(ours.exit["exit_code"], plain.returncode if plain.returncode >= 0 else None)

    def test_memory_for_compiling_counts_as_the_programs(self) -> None:
        code = "x = [" + "[1, 2], " * 20_000 + "]\nx"
        self.assertEqual(run(code, limits={"memory_bytes": 12 << 20}).exit["exit_code"], 1)


class Texts(unittest.TestCase):
    """A repr of any size, in bounded time and memory."""

    def text(self, value: object) -> str:
        text = agent_value.text_of(value)
        self.assertLessEqual(len(text), agent_value.MAX_TEXT)
        return text.decode()

    def test_it_is_the_repr(self) -> None:
        recursive: list[object] = [1]
        recursive.append({"a": recursive, "b": (recursive,)})
        shared = [1, 2]
        values: tuple[object, ...] = (
            1, -1.5, 1j, None, True, "", "a'b", "\n\ud800", b"a\xff", bytearray(b"x"), [], (), {}, set(), frozenset(),
            (1,), (1, 2),
            [[]], {1}, {1, "a", (2, 3)}, frozenset({1}), frozenset([(1,)]), {1: {2: 3}}, {"a": [1, (2,)]}, {}.keys(),
            {1: 2}.keys(),
            {1: 2, 3: 4}.values(), {1: 2}.items(), [shared, shared], range(10**9), recursive, [b"", {}], int, len,
        )  # fmt: skip
        for some in values:
            self.assertEqual(self.text(some), repr(some).encode(errors="backslashreplace").decode())

    def test_it_ends_somewhere(self) -> None:
        large: list[Any] = [
            list(range(1_000_000)), "é" * 10_000_000, b"\xff" * 10_000_000, dict.fromkeys(range(1_000_000)),
            [["x" * 100_000]] * 10, ({1: "y" * 1_000_000},), "\ud800" * 70_000, "\U0001f600" * 70_000,
        ]  # fmt: skip
        for some in large:
            began = time.perf_counter()
            text = self.text(some)
            self.assertLess(time.perf_counter() - began, 5)
            self.assertTrue(text.endswith("longer than 64 KiB"))
            begin, _, _ = text.rpartition("\n")
            self.assertGreater(len(begin.encode()), agent_value.MAX_TEXT - 200)
            if not isinstance(some, str):
                self.assertTrue(repr(some)[: len(begin)].startswith(begin[:-1]))

    def test_the_last_that_fits_and_the_first_that_does_not(self) -> None:
        most = agent_value.MAX_TEXT
        self.assertEqual(self.text("x" * (most - 2)), repr("x" * (most - 2)))
        self.assertTrue(self.text("x" * (most - 1)).endswith("longer than 64 KiB"))

    def test_a_container_of_many_items_that_spells_itself(self) -> None:
        class Mine(list[int]):
            pass

        self.assertRegex(self.text(Mine(range(agent_value.MANY + 1))), r"^<.*Mine object at 0x\w+>$")
        self.assertEqual(self.text(Mine([1])), "[1]")
