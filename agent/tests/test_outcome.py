import signal
import tempfile
import unittest

import kernel
from outcome import judge


def exited(code: int) -> int:
    return code << 8


class Judging(unittest.TestCase):
    def verdict(self, status: int | None, memory_error: bool = False, oom_killed: bool = False) -> tuple[object, ...]:
        return tuple(judge(status, memory_error, oom_killed).values())

    def test_an_exit(self) -> None:
        self.assertEqual(self.verdict(exited(0)), ("exited", 0, None))
        self.assertEqual(self.verdict(exited(255)), ("exited", 255, None))

    def test_a_signal(self) -> None:
        self.assertEqual(self.verdict(signal.SIGSEGV), ("exited", None, "SIGSEGV"))
        self.assertEqual(self.verdict(signal.SIGABRT | 0x80), ("exited", None, "SIGABRT"))
        self.assertEqual(self.verdict(signal.SIGRTMIN + 3), ("exited", None, "SIGRTMIN+3"))

    def test_time_ended_first(self) -> None:
        self.assertEqual(self.verdict(None, True, True), ("timed_out", None, None))

    def test_a_memory_error_counts_only_as_what_ended_the_program(self) -> None:
        self.assertEqual(self.verdict(exited(1), memory_error=True), ("out_of_memory", 1, None))
        for status in (exited(0), exited(2), signal.SIGKILL):
            self.assertEqual(self.verdict(status, memory_error=True)[0], "exited")

    def test_a_kill_by_the_kernel_counts_unless_the_program_succeeded(self) -> None:
        self.assertEqual(self.verdict(signal.SIGKILL, oom_killed=True), ("out_of_memory", None, "SIGKILL"))
        self.assertEqual(self.verdict(exited(3), oom_killed=True), ("out_of_memory", 3, None))
        self.assertEqual(self.verdict(exited(0), oom_killed=True), ("exited", 0, None))


class OomCounters(unittest.TestCase):
    def test_both_cgroup_versions(self) -> None:
        self.assertEqual(kernel.parse_oom_kills("low 0\nhigh 1\nmax 2\noom 5\noom_kill 3\noom_group_kill 9\n"), 3)
        self.assertEqual(kernel.parse_oom_kills("oom_kill_disable 0\nunder_oom 0\noom_kill 4\n"), 4)
        self.assertEqual(kernel.parse_oom_kills(""), 0)

    def test_the_first_counter_that_is_there(self) -> None:
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("oom_kill 2\n")
            file.flush()
            self.assertEqual(kernel.count_oom_kills(("/nowhere/at/all", file.name)), 2)
        self.assertEqual(kernel.count_oom_kills(("/nowhere/at/all",)), 0)
