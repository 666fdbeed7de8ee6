"""How a run ends: exit codes, signals, time and resources."""

import signal
import unittest
from concurrent.futures import ThreadPoolExecutor

from tests.sandbox import Result, request, run, run_all

IGNORE_ALL = """
import signal
for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, signal.SIG_IGN)
"""
DAEMON = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        {in_daemon}
        os.write(ready, b".")
        time.sleep(1000)
    os._exit(0)
"""
NOT_FATAL = {"SIGCHLD", "SIGCONT", "SIGURG", "SIGWINCH", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU"}


class Exits(unittest.TestCase):
    def test_every_exit_code(self) -> None:
        codes = range(256)
        results = run_all([request(f"import os; os._exit({code})") for code in codes])
        self.assertEqual([result.ending for result in results], [("exited", code, None) for code in codes])

    def test_every_fatal_signal_by_name(self) -> None:
        fatal = [number for number in signal.Signals if number.name not in NOT_FATAL]
        by_default = "import os, signal\nif {0} != 9: signal.signal({0}, signal.SIG_DFL)\nos.kill(os.getpid(), {0})"
        results = run_all([request(by_default.format(int(number))) for number in fatal])
        self.assertEqual([result.ending for result in results], [("exited", None, number.name) for number in fatal])
        self.assertGreater(len(fatal), 20)

    def test_a_signal_without_a_name_of_its_own(self) -> None:
        result = run("import os, signal; os.kill(os.getpid(), signal.SIGRTMIN + 3)")
        self.assertEqual(result.ending, ("exited", None, "SIGRTMIN+3"))

    def test_a_real_fault(self) -> None:
        result = run("import ctypes; ctypes.string_at(0)")
        self.assertEqual(result.ending, ("exited", None, "SIGSEGV"))


class Time(unittest.TestCase):
    def test_nothing_outlives_its_time(self) -> None:
        programs = {
            "sleeps": "import time; time.sleep(1000)",
            "is busy": "while True: pass",
            "is busy in C": "10 ** 10 ** 8",
            "ignores signals": IGNORE_ALL + "import time\nwhile True: time.sleep(1000)",
            "waits for a thread": "import threading; threading.Event().wait()",
            "stops itself": "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)",
            "closed its streams": "import os, time; [os.close(fd) for fd in (0, 1, 2)]; time.sleep(1000)",
            "forks without end": "import os\nwhile True:\n try: os.fork()\n except OSError: pass",
            "forks and leaves": "import os\nmain = os.getpid()\nwhile True:\n try:\n"
            "  if os.fork() and os.getpid() != main: os._exit(0)\n except OSError: pass",
            "starts threads without end": "import threading, time\nwhile True:\n"
            " try: threading.Thread(target=time.sleep, args=(1000,)).start()\n except RuntimeError: pass",
        }  # fmt: skip
        with ThreadPoolExecutor(2) as pool:
            started = {
                name: pool.submit(run, f"print(1)\n{code}", limits={"seconds": 1}) for name, code in programs.items()
            }
        for name, future in started.items():
            with self.subTest(name):
                result = future.result()
                self.assertEqual(result.ending, ("timed_out", None, None))
                self.assertEqual(result.stdout, b"1\n")
                self.assertGreaterEqual(result.exit["ran_seconds"], 1)
                self.assertLess(result.exit["ran_seconds"], 30)

    def test_a_fraction_of_a_second(self) -> None:
        result = run("import time; time.sleep(1000)", limits={"seconds": 0.05})
        self.assertEqual(result.exit["cause"], "timed_out")
        self.assertGreaterEqual(result.exit["ran_seconds"], 0.05)

    def test_the_end_of_the_program_is_the_end_of_its_daemons(self) -> None:
        in_daemon = {
            "holds the pipes": "pass",
            "ignores signals": "import signal; [signal.signal(n, 1) for n in range(1, 32) if n not in (9, 19)]",
            "closed the pipes": "os.close(1), os.close(2)",
        }  # fmt: skip
        for name, code in in_daemon.items():
            with self.subTest(name):
                daemon = DAEMON.format(in_daemon=code)
                result = run(f"import os; done, ready = os.pipe()\n{daemon}\nos.read(done, 1); print('main ends')")
                self.assertEqual((result.ending, result.stdout), (("exited", 0, None), b"main ends\n"))
                self.assertLess(result.exit["ran_seconds"], 20)

    def test_daemons_that_never_stop_writing_do_not_put_off_the_end(self) -> None:
        code = """
import os
done, ready = os.pipe()
for _ in range(4):
    if os.fork() == 0:
        os.setsid()
        block = b"x" * (1 << 20)
        os.write(ready, b".")
        while True: os.write(1, block)
for _ in range(4): os.read(done, 1)
"""
        result = run(code)
        self.assertEqual(result.ending, ("exited", 0, None))
        self.assertEqual(set(result.stdout), {ord("x")} if result.stdout else set())


class Memory(unittest.TestCase):
    def bomb(self, before: str = "") -> Result:
        code = "kept = []\nwhile True: kept.append(bytearray(1 << 20))"
        return run(f"{before}\n{code}", limits={"memory_bytes": 100 << 20})

    def test_an_uncaught_memory_error(self) -> None:
        result = self.bomb()
        self.assertEqual(result.ending, ("out_of_memory", 1, None))
        self.assertIn(b"MemoryError", result.stderr)
        self.assertIn(b"main.py", result.stderr)

    def test_an_uncaught_memory_error_under_the_programs_own_excepthook(self) -> None:
        result = self.bomb("import sys; sys.excepthook = lambda *_: None")
        self.assertEqual((result.ending, result.stderr), (("out_of_memory", 1, None), b""))

    def test_a_memory_error_that_was_caught(self) -> None:
        result = run("try: bytearray(1 << 30)\nexcept MemoryError: exit(1)", limits={"memory_bytes": 100 << 20})
        self.assertEqual(result.ending, ("exited", 1, None))

    def test_a_childs_memory_error_is_not_the_programs(self) -> None:
        code = "import os\nif os.fork() == 0: raise MemoryError\nos.wait(); exit(1)"
        self.assertEqual(run(code).ending, ("exited", 1, None))

    def test_the_report_does_not_go_where_the_program_reused_its_descriptor(self) -> None:
        code = (
            "import os\nos.closerange(3, 64)\nfor n in range(9): os.open(f'/workspace/{n}', os.O_CREAT | os.O_RDWR)\n"
        )
        look = (
            "import atexit; atexit.register(lambda: print(sum(os.stat(f'/workspace/{n}').st_size for n in range(9))))\n"
        )
        result = run(code + look + "raise MemoryError")
        self.assertEqual((result.ending, result.stdout), (("exited", 1, None), b"0\n"))


class Resources(unittest.TestCase):
    def test_processes(self) -> None:
        code = """
import os, time
pids = []
try:
    while True:
        pid = os.fork()
        if pid == 0: time.sleep(1000)
        pids.append(pid)
except BlockingIOError:
    print(len(pids))
"""
        result = run(code, limits={"processes": 10})
        self.assertEqual(result.ending, ("exited", 0, None))
        self.assertIn(int(result.stdout), range(5, 10))  # the agent, the program and bubblewrap's own count too

    def test_file_size(self) -> None:
        code = (
            "import sys\ntry: open('big', 'wb').write(bytes(2 << 20))\nexcept OSError as error: print(error.strerror)"
        )
        self.assertEqual(run(code, limits={"file_bytes": 1 << 20}).stdout, b"File too large\n")

    def test_output_is_no_file(self) -> None:
        result = run("print('x' * 5000)", limits={"file_bytes": 10})
        self.assertEqual(len(result.stdout), 5001)

    def test_what_is_set(self) -> None:
        names = "CORE", "NPROC", "FSIZE", "DATA"
        code = f"import resource as r\nfor name in {names}: print(r.getrlimit(getattr(r, 'RLIMIT_' + name)))"
        limits = {"processes": 40, "file_bytes": 5000, "memory_bytes": 1 << 28}
        self.assertEqual(
            run(code, limits=limits).stdout.decode(), f"(0, 0)\n(40, 40)\n(5000, 5000)\n{(1 << 28, 1 << 28)}\n"
        )
