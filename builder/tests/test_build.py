"""Real builds, by the real uv, from an index on loopback."""

import contextlib
import io
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

import build
import lock
import uv
from tests.index import Index

UV = shutil.which("uv") or "uv is missing"
KEY = "abcdefghijklmnopqrstuvwxyz"
OTHER = "bbbbbbbbbbbbbbbbbbbbbbbbbb"
MiB = 1 << 20


class Builds(unittest.TestCase):
    def setUp(self) -> None:
        self.root = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.secrets = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.enterContext(mock.patch.object(uv, "UV", UV))
        self.enterContext(mock.patch.object(uv, "INDEX", self.secrets))
        self.index = self.enterContext(Index())

    def build(self, *requirements: str, **fields: Any) -> tuple[int, dict[str, Any], str]:
        """Exit code, answer and stderr."""
        request = {
            "root": str(self.root), "key": KEY, "requirements": requirements, "index": self.index.url, "denied": [],
            "evict": [], "recorded": [], "max_bytes": 64 * MiB, "seconds": 60,
        }  # fmt: skip
        stdin, stdout, stderr = io.StringIO(json.dumps(request | fields)), io.StringIO(), io.StringIO()
        with (
            mock.patch("sys.stdin", stdin),
            contextlib.redirect_stdout(stdout),
            contextlib.redirect_stderr(stderr),
        ):
            code = build.main()
        return code, json.loads(stdout.getvalue() or "{}"), stderr.getvalue()

    def refused(self, *requirements: str, code: int = 1, **fields: Any) -> str:
        """What a build says that fails, after which nothing is left."""
        found, answer, stderr = self.build(*requirements, **fields)
        self.assertEqual((found, answer), (code, {}), stderr)
        self.assertEqual(self.left(), [])
        return stderr.rpartition("\n\n")[2]

    def left(self) -> list[str]:
        return sorted(path.name for path in self.root.iterdir())

    def imports(self, module: str) -> str:
        code = f"import {module}; print({module}.version)"
        environment = {"PYTHONPATH": str(self.root / KEY / "lib")}
        return subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
        ).stdout.strip()

    def has(self, packages: dict[str, str]) -> None:
        self.enterContext(mock.patch.object(build, "preinstalled", return_value=packages))

    def test_what_was_asked_for_and_what_that_needs(self) -> None:
        self.index.add("fish", "1.0", requires=("water>=2",))
        self.index.add("water", "1.0")
        self.index.add("water", "2.0")
        code, answer, stderr = self.build("fish")
        self.assertEqual(code, 0, stderr)
        self.assertEqual(answer["key"], KEY)
        self.assertEqual(answer["packages"], [{"name": "fish", "version": "1.0"}, {"name": "water", "version": "2.0"}])
        self.assertEqual((answer["existing"], answer["shadows"], answer["unrecorded"]), (False, [], []))
        self.assertEqual(self.imports("water"), "2.0")
        self.assertEqual(self.left(), [KEY])
        self.assertEqual(sorted(os.listdir(self.root / KEY)), ["environment.json", "lib", "lock.txt"])
        self.assertIn("--hash=sha256:", (self.root / KEY / "lock.txt").read_text())
        self.assertIn("Resolved 2 packages in", stderr)
        self.assertEqual(stderr.splitlines()[0], "Resolving fish")

    def test_an_index_that_gives_no_hashes(self) -> None:
        self.index.hashes = False
        self.index.add("fish", "1.0")
        code, _, stderr = self.build("fish")
        self.assertEqual(code, 0, stderr)
        self.assertIn("--hash=sha256:", (self.root / KEY / "lock.txt").read_text())

    def test_is_compiled_and_everyone_can_read_it(self) -> None:
        script = {"fish-1.0.dist-info/entry_points.txt": "[console_scripts]\nswim = fish:swim\n"}
        self.index.add("fish", "1.0", files=script)
        code, answer, stderr = self.build("fish")
        self.assertEqual(code, 0, stderr)
        paths = [self.root / KEY, *(self.root / KEY).rglob("*")]
        for path in paths:
            mode = path.stat().st_mode & 0o777
            self.assertIn(mode, (0o755,) if path.is_dir() else (0o644, 0o755), path)
        self.assertTrue(os.access(self.root / KEY / "lib/bin/swim", os.X_OK))
        self.assertEqual(len([path for path in paths if path.name.startswith("__init__.cpython")]), 1)
        self.assertGreater(answer["bytes"], 200)

    def test_says_at_once_what_is_there(self) -> None:
        self.index.add("fish", "1.0")
        _, first, _ = self.build("fish")
        self.index.files.clear()
        past = time.time() - 5000
        os.utime(self.root / KEY / "environment.json", (past, past))
        code, second, stderr = self.build("fish")
        self.assertEqual(code, 0, stderr)
        self.assertEqual(second, first | {"existing": True})
        self.assertGreater((self.root / KEY / "environment.json").stat().st_mtime, past + 4000)

    def test_what_cannot_be_had(self) -> None:
        self.index.add("fish", "1.0", requires=("water>=3",))
        self.index.add("water", "2.0")
        words = self.refused("fish", "water")
        self.assertIn("fish depend on water>=3 and only water==2.0 is available", " ".join(words.split()))
        self.assertNotIn("\n\n", words.strip())

    def test_what_is_not_there(self) -> None:
        self.assertIn("unicorn was not found in the package registry", " ".join(self.refused("unicorn").split()))

    def test_takes_no_sources(self) -> None:
        self.index.files["fish-1.0.tar.gz"] = b"not read"
        self.assertIn("fish", self.refused("fish"))
        self.assertEqual(self.index.asked, [])

    def test_leaves_out_what_the_image_has(self) -> None:
        self.index.add("fish", "1.0", requires=("water",))
        self.index.add("water", "1.0")
        self.index.add("water", "2.0")
        self.has({"water": "1.0", "unrelated": "0.1", "odd": "1.0-odd.3"})
        code, answer, stderr = self.build("fish")
        self.assertEqual(code, 0, stderr)
        self.assertEqual((answer["packages"], answer["shadows"]), ([{"name": "fish", "version": "1.0"}], []))
        self.assertEqual(self.index.asked.count("water-1.0-py3-none-any.whl"), 0)

    def test_builds_nothing_where_the_image_has_it_all(self) -> None:
        self.index.add("water", "1.0")
        self.has({"water": "1.0"})
        code, answer, stderr = self.build("water")
        self.assertEqual((code, answer["packages"]), (0, []), stderr)
        self.assertTrue((self.root / KEY / "lib").is_dir())

    def test_replaces_of_the_image_what_it_must_and_no_more(self) -> None:
        self.index.add("fish", "1.0", requires=("water>=2", "salt"))
        for version in ("1.0", "2.0"):
            self.index.add("water", version)
            self.index.add("salt", version)
        self.has({"water": "1.0", "salt": "1.0"})
        code, answer, stderr = self.build("fish")
        self.assertEqual(code, 0, stderr)
        self.assertEqual(answer["shadows"], ["water"])
        self.assertEqual([package["name"] for package in answer["packages"]], ["fish", "water"])
        self.assertIn("Resolving without the image's versions", stderr)

    def test_says_who_needs_what_is_denied(self) -> None:
        self.index.add("fish", "1.0", requires=("bad.water",))
        self.index.add("bad_water", "1.0")
        self.assertEqual(self.refused("fish", denied=["Bad_Water"]), "bad-water is not allowed here; fish needs it.\n")
        self.assertEqual(self.refused("fish", denied=["FI*"]), "fish is not allowed here; it was asked for.\n")

    def test_ends_what_grows_too_large(self) -> None:
        self.index.add("whale", "1.0", files={"whale/blubber.txt": "blubber" * MiB})
        words = self.refused("whale", max_bytes=2 * MiB)
        self.assertEqual(words, "These packages take more than 2 MiB, which is the most that an environment may.\n")

    def test_ends_uv_while_it_grows_too_large(self) -> None:
        self.index.add("whale", "1.0", files={"whale/blubber.txt": "blubber" * MiB})
        self.index.add("slow", "1.0")
        began = time.monotonic()
        self.assertIn("more than 2 MiB", self.refused("whale", "slow", max_bytes=2 * MiB))
        self.index.slow.set()
        self.assertLess(time.monotonic() - began, 30)

    def test_a_file_that_is_larger_than_an_environment_may_be(self) -> None:
        self.index.add("whale", "1.0", files={"whale/blubber.txt": "blubber" * MiB})
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_FSIZE, before)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4 * MiB, before[1]))
        self.assertIn("more than 64 MiB", self.refused("whale"))

    def test_evicts_first_but_nothing_that_was_just_used(self) -> None:
        self.index.add("fish", "1.0")
        self.build("fish", key=OTHER)
        recent = "c" * 26
        self.build("fish", key=recent)
        past = time.time() - 5000
        os.utime(self.root / OTHER / "environment.json", (past, past))
        code, _, stderr = self.build("fish", evict=[OTHER, recent, "d" * 26, "../secret"])
        self.assertEqual((code, self.left()), (0, [KEY, recent]), stderr)
        self.assertIn(f"Evicting the environment {OTHER}", stderr)

    def test_takes_away_what_dead_builds_left(self) -> None:
        self.index.add("fish", "1.0")
        old, young, gone = self.root / ".building-a", self.root / ".building-b", self.root / ".evicted-c"
        for folder in (old, young, gone):
            (folder / "deep").mkdir(parents=True)
        past = time.time() - 5000
        os.utime(old, (past, past))
        self.build("fish")
        self.assertEqual(self.left(), [".building-b", KEY])

    def test_tells_of_environments_that_the_server_does_not_know(self) -> None:
        self.index.add("fish", "1.0")
        self.build("fish", key=OTHER)
        self.build("fish", key="c" * 26)
        _, answer, _ = self.build("fish", recorded=["c" * 26])
        [found] = answer["unrecorded"]
        self.assertEqual((found["key"], found["requirements"], found["shadows"]), (OTHER, ["fish"], []))

    def test_credentials_open_the_index_and_are_seen_nowhere(self) -> None:
        password = "pass/word:42"
        self.index = self.enterContext(Index(credentials=f"reader:{password}"))
        self.index.add("fish", "1.0", requires=("water",))
        self.assertNotIn(password, self.refused("fish"))
        (self.secrets / "username").write_text("reader\n")
        (self.secrets / "password").write_text(password)
        words = self.refused("fish")
        self.assertIn("water was not found", words)
        self.index.add("water", "1.0")
        code, answer, stderr = self.build("fish")
        self.assertEqual(code, 0, stderr)
        for path in (self.root / KEY).rglob("*"):
            if path.is_file():
                self.assertNotIn(password.encode(), path.read_bytes(), path)
        self.assertNotIn(password, f"{words}{stderr}{answer}")

    def test_trusts_the_index_s_own_authority(self) -> None:
        certificate = self.secrets / "both.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", "/CN=index", "-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=CA:FALSE",
             "-keyout", certificate, "-out", "cert.pem"],
            check=True, capture_output=True, cwd=self.secrets,
        )  # fmt: skip
        authority = (self.secrets / "cert.pem").read_text()
        with certificate.open("a") as file:
            file.write(authority)
        self.index = self.enterContext(Index(certificate=certificate))
        self.index.add("fish", "1.0")
        self.assertIn("certificate", self.refused("fish", code=3).lower())
        (self.secrets / "ca.crt").write_text(authority)
        code, _, stderr = self.build("fish")
        self.assertEqual(code, 0, stderr)

    def test_an_index_that_is_not_there(self) -> None:
        words = self.refused("fish", code=3, index="http://127.0.0.1:9/simple")
        self.assertIn("http://127.0.0.1:9/simple/fish/", words)

    def test_a_place_that_cannot_be_built_in(self) -> None:
        code, answer, stderr = self.build("fish", root="/nonexistent")
        self.assertEqual((code, answer), (2, {}))
        self.assertIn("/nonexistent", stderr)


class Words(unittest.TestCase):
    FETCH = "error: Failed to fetch: https://index/simple/fish/\n  cause: "

    def test_of_a_network_that_fails(self) -> None:
        for words in (
            f"error: Request failed after 3 retries in 7.8s\n  cause: {self.FETCH}",
            f"{self.FETCH}HTTP status server error (503 Service Unavailable) for url (https://index/simple/fish/)",
            f"{self.FETCH}HTTP status client error (429 Too Many Requests) for url (https://index/simple/fish/)",
            f"{self.FETCH}error sending request for url (https://index/simple/fish/)\n  cause: dns error",
            f"{self.FETCH}error decoding response body\n  cause: end of file before message length reached",
            f"{self.FETCH}operation timed\n  out",
            "error: Failed to download distribution due to network timeout. Try increasing UV_HTTP_TIMEOUT",
        ):
            self.assertTrue(uv.is_network_failure(words), words)

    def test_of_requirements_that_cannot_be_had(self) -> None:
        for words in (
            "error: No solution found when resolving dependencies\n  cause: Because fish was not found",
            "error: No solution found\n  hint: An index returned a 403 Forbidden error; operation timed out",
            f"{self.FETCH}HTTP status client error (404 Not Found) for url (https://index/files/fish.whl)",
            f"{self.FETCH}HTTP status client error (403 Forbidden) for url (https://index/files/fish.whl)",
            "error: Hash mismatch for fish==1.0",
            "",
        ):
            self.assertFalse(uv.is_network_failure(words), words)


class Locks(unittest.TestCase):
    def test_reads_names_versions_and_reasons(self) -> None:
        text = (
            "a_b==1.0 \\\n    --hash=sha256:00\n    # via -r requirements.txt\n"
            "c==2.0+cpu \\\n    --hash=sha256:00 \\\n    --hash=sha256:01\n"
            "    # via\n    #   -r requirements.txt\n    #   a-b\n"
        )
        one, two = lock.parse_lock(text)
        self.assertEqual((one.name, one.version, one.via), ("a-b", "1.0", ["-r requirements.txt"]))
        self.assertEqual((two.name, two.version, two.via), ("c", "2.0+cpu", ["-r requirements.txt", "a-b"]))
        self.assertEqual(one.text + two.text, text)


if __name__ == "__main__":
    unittest.main()
