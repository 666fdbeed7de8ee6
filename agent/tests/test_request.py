import copy
import json
import marshal
import unittest
from typing import Any

import request
from refusal import Refusal
from tests.sandbox import file, hello
from tests.sandbox import request as run_request


def line(value: object) -> bytes:
    return json.dumps(value).encode()


class Parsing(unittest.TestCase):
    def test_a_hello(self) -> None:
        for modules in ([], ["numpy", "pandas.io", "été"]):
            asked = request.parse(line(hello(*modules)))
            assert isinstance(asked, request.Hello)
            self.assertEqual(marshal.loads(asked.for_runner), modules)

    def test_a_run(self) -> None:
        run = request.parse(line(run_request("print('é')", args=["a"], env={"A": "="}, limits={"seconds": 0.5})))
        assert isinstance(run, request.RunRequest)
        self.assertEqual((run.execution_id, run.seconds, run.output_bytes), ("x-1", 0.5, 1 << 20))
        value = marshal.loads(run.for_runner)
        self.assertEqual((value["code"], value["args"], value["env"]), ("print('é')", ["a"], {"A": "="}))

    def test_refuses_what_is_no_request(self) -> None:
        for text in (b"", b"{", b"[]", b"null", b'"run"', b"{}", b'{"type":"bye"}', b"\xff",
                     b'{"type":["run"]}', b"[" * 100_000, b'"\\ud800"'):  # fmt: skip
            with self.subTest(text=text[:30]), self.assertRaises(Refusal):
                request.parse(text)

    def test_refuses_a_hello_that_names_no_modules(self) -> None:
        self.refuses({"type": "hello"})
        self.refuses({**hello(), "more": 1})
        none: tuple[object, ...] = (None, "numpy", {}, {"numpy": 1}, 1)
        for value in none:
            self.refuses({**hello(), "preload": value})
        for name in (1, None, ["a"], "", ".", "a.", ".a", "a..b", "a b", "a-b", "a/b", "a\n", "1a", "a\0"):
            self.refuses({**hello(), "preload": ["json", name]})

    def test_refuses_a_hello_whose_answer_might_not_fit_a_line(self) -> None:
        self.refuses(hello("m" * request.MAX_HELLO))

    def test_refuses_a_field_that_is_missing_strange_or_of_another_type(self) -> None:
        good = run_request("pass")
        for name in good:
            for value in (*([] if name == "environment" else [None]), 1, True, [1], {"a": 1}):
                self.refuses({**good, name: value})
            self.refuses({key: value for key, value in good.items() if key != name})
        self.refuses({**good, "more": 1})

    def test_refuses_limits_that_are_none(self) -> None:
        good = run_request("pass")
        none: tuple[object, ...] = (-1, "1", True, [], 1 << 63, float("nan"), float("inf"))
        for name in good["limits"]:
            for value in none:
                bad = copy.deepcopy(good)
                bad["limits"][name] = value
                self.refuses(bad)
        for name in request.COUNTS:
            self.refuses(run_request("pass", limits={name: None}))
            self.refuses(run_request("pass", limits={name: 1.5}))
        self.refuses(run_request("pass", limits={"seconds": 0}))
        self.refuses(run_request("pass", limits={"more": 1}))

    def test_refuses_what_an_environment_cannot_hold(self) -> None:
        for bad in ({"": "a"}, {"A=B": "a"}, {"A\0": "a"}, {"A": "\0"}, {"A": 1}, {"A": None}):
            self.refuses(run_request("pass", env=bad))
        for args in (["\0"], [1], [None]):
            self.refuses(run_request("pass", args=args))

    def test_refuses_an_environment_that_is_no_search_path(self) -> None:
        for bad in ("", "environments/x", "/a:/b", "/a\0"):
            self.refuses(run_request("pass", environment=bad))

    def test_a_file(self) -> None:
        for path, data in (("a", b""), ("b/c d/é.csv", bytes(range(256))), ("...", b"1"), (".a", b"2"), ("a\n", b"")):
            part = request.parse(line(file(path, data)))
            assert isinstance(part, request.File)
            self.assertEqual((part.path, part.data), (path, data))

    def test_refuses_a_file_that_is_not_below_its_folder(self) -> None:
        for path in (
            "",
            ".",
            "..",
            "/",
            "/a",
            "a/",
            "a//b",
            "../a",
            "a/../b",
            "a/..",
            "./a",
            "a\\b",
            "a\0",
            1,
            None,
            ["a"],
        ):
            self.refuses({**file("a", b""), "path": path})

    def test_refuses_a_file_that_is_none(self) -> None:
        for text in ("a", "YQ=", "YQ==\n", "Y Q==", "é", "!!!!", None, 1):
            self.refuses({**file("a", b""), "base64": text})
        self.refuses({**file("a", b""), "more": 1})
        self.refuses({"type": "file", "path": "a"})
        self.refuses(file("a", bytes(request.MAX_FILE)))

    def test_what_is_asked_about_the_workspace(self) -> None:
        write = request.parse(line({"type": "write", "path": "a", "base64": "YQ==", "more": True}))
        assert isinstance(write, request.Write)
        self.assertEqual((write.path, write.data, write.more), ("a", b"a", True))
        asked = request.parse(line({"type": "list", "path": "", "recursive": False}))
        assert isinstance(asked, request.List)
        self.assertEqual((asked.path, asked.recursive), ("", False))
        read = request.parse(line({"type": "read", "path": "a", "most": 0}))
        assert isinstance(read, request.Read)
        self.assertEqual((read.path, read.most), ("a", 0))
        stop = request.parse(line({"type": "stop", "execution_id": "x"}))
        assert isinstance(stop, request.Stop)
        self.assertEqual(stop.execution_id, "x")

    def test_refuses_what_is_not_asked_in_full(self) -> None:
        good: list[dict[str, Any]] = [
            {"type": "write", "path": "a", "base64": "YQ==", "more": True},
            {"type": "list", "path": "", "recursive": False},
            {"type": "read", "path": "a", "most": 0},
            {"type": "stop", "execution_id": "x"},
        ]
        for message in good:
            self.refuses({**message, "else": 1})
            for name in message:
                self.refuses({key: value for key, value in message.items() if key != name})
                self.refuses({**message, name: None})
        self.refuses({"type": "read", "path": "a", "most": -1})
        self.refuses({"type": "read", "path": "a", "most": True})
        self.refuses({**good[0], "base64": "A" * request.MAX_FILE})

    def test_the_modes_of_a_run(self) -> None:
        tokens = set()
        for mode in request.MODES:
            run = request.parse(line(run_request("pass", mode=mode)))
            assert isinstance(run, request.RunRequest)
            self.assertEqual((run.mode, marshal.loads(run.for_runner)["mode"]), (mode, mode))
            tokens.add(run.token)
        self.assertEqual((len(tokens), sorted(tokens)[0]), (2, ""))
        for mode in ("", "Cell", "cells"):
            self.refuses(run_request("pass", mode=mode))

    def test_refuses_lone_surrogates(self) -> None:
        self.refuses(file("\ud800", b""))
        for fields in ({"stdin": "\ud800"}, {"env": {"A": "\udc80"}}, {"args": ["\udcff"]}):
            self.refuses(run_request("pass", **fields))

    def refuses(self, value: dict[str, Any]) -> None:
        with self.subTest(value=value), self.assertRaises(Refusal):
            request.parse(line(value))


class Reading(unittest.TestCase):
    def test_cuts_lines_however_they_arrive(self) -> None:
        text = b"one\n\ntwo\nthree"
        for size in range(1, len(text) + 1):
            lines = request.Lines()
            read = [cut for at in range(0, len(text), size) for cut in lines.feed(text[at : at + size])]
            self.assertEqual(read, [b"one", b"", b"two"])

    def test_refuses_a_line_without_end(self) -> None:
        lines = request.Lines()
        lines.feed(b"x" * request.MAX_LINE)
        with self.assertRaises(Refusal):
            lines.feed(b"x")
