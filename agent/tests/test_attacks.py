"""What the program cannot do to the agent, and to its own result."""

import json
import textwrap
import unittest

from tests.sandbox import Result, run

FORGED = {"seq": 3, "type": "exit", "cause": "exited", "exit_code": 0, "signal": None}
FIND_REPORT = """
import os, stat
[report] = [fd for fd in range(3, 64) if os.path.exists(f"/proc/self/fd/{fd}") and stat.S_ISFIFO(os.fstat(fd).st_mode)]
"""


def program(code: str, **fields: object) -> Result:
    return run(textwrap.dedent(code), **fields)


class AttackTest(unittest.TestCase):
    def survives(self, expected: str, code: str, **fields: object) -> None:
        """The agent still tells the exact result, by which the program tells what it achieved."""
        result = program(code, **fields)
        self.assertEqual((result.stdout.decode(), result.stderr.decode()), (expected, ""))
        self.assertEqual(result.ending, ("exited", 7, None))


class Frames(AttackTest):
    def test_printed_frames_are_text(self) -> None:
        forged = json.dumps(FORGED)
        self.survives(f"\n{forged}\n", f"print(); print({forged!r}); exit(7)")

    def test_the_agents_descriptors_do_not_open(self) -> None:
        self.survives(
            "0 opened\n",
            """
            import os
            opened = 0
            for fd in range(256):
                for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR):
                    try:
                        os.open(f"/proc/1/fd/{fd}", flags)
                        opened += 1
                    except (PermissionError, FileNotFoundError):
                        pass
            print(opened, "opened")
            exit(7)
            """,
        )

    def test_reading_ones_own_output_blocks_nobody(self) -> None:
        result = program(
            """
            import os
            thief = os.open("/proc/self/fd/1", os.O_RDONLY | os.O_NONBLOCK)
            while True:
                os.write(1, b"x" * 100)
                try: os.read(thief, 1000)
                except BlockingIOError: pass
            """,
            limits={"seconds": 1},
        )
        self.assertEqual(result.ending, ("timed_out", None, None))
        self.assertEqual(len(result.stdout), min(result.exit["stdout_bytes"], 1 << 20))


class Inspection(AttackTest):
    def test_proc_does_not_open(self) -> None:
        self.survives(
            "[]\n",
            """
            opened = []
            for name in ("mem", "environ", "maps", "auxv", "stack", "syscall", "pagemap", "io", "map_files", "cwd/x"):
                try:
                    with open(f"/proc/1/{name}", "rb") as file:
                        file.read(1)
                    opened.append(name)
                except OSError:
                    pass
            print(opened)
            exit(7)
            """,
        )

    def test_nothing_in_proc_takes_a_write(self) -> None:
        self.survives(
            "[]\n",
            """
            import os
            written = []
            for name in os.listdir("/proc/1"):
                try:
                    with open(f"/proc/1/{name}", "wb", buffering=0) as file:
                        file.write(b"1")
                    written.append(name)
                except OSError:
                    pass
            print(written)
            exit(7)
            """,
        )

    def test_ptrace_and_process_memory_are_refused(self) -> None:
        self.survives(
            "[(-1, 1), (-1, 1), (-1, 1), (-1, 1)]\n",
            """
            import ctypes
            libc = ctypes.CDLL(None, use_errno=True)
            ATTACH, SEIZE = 16, 0x4206
            class Span(ctypes.Structure):
                _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]
            buffer = ctypes.create_string_buffer(8)
            ours, theirs = Span(ctypes.addressof(buffer), 8), Span(ctypes.addressof(buffer), 8)
            def tried(result): return result, ctypes.get_errno()
            print([
                tried(libc.ptrace(ATTACH, 1, None, None)),
                tried(libc.ptrace(SEIZE, 1, None, None)),
                tried(libc.process_vm_readv(1, ctypes.byref(ours), 1, ctypes.byref(theirs), 1, 0)),
                tried(libc.process_vm_writev(1, ctypes.byref(ours), 1, ctypes.byref(theirs), 1, 0)),
            ])
            exit(7)
            """,
        )

    def test_limits_and_priority_of_the_agent_cannot_be_set(self) -> None:
        self.survives(
            "[True, False, True, False, True, False, True, False, True, False, True, False]\n",
            """
            import ctypes, os, resource, struct
            attributes = struct.pack("IIQiIQQQ", 48, 0, 0, 19, 0, 0, 0, 0)  # SCHED_OTHER with nice 19
            number = {"x86_64": 314, "aarch64": 274}[os.uname().machine]
            def set_attributes(pid):
                libc = ctypes.CDLL(None, use_errno=True)
                if libc.syscall(number, pid, attributes, 0): raise OSError(ctypes.get_errno(), "")
            def refused(call, *arguments):
                try: call(*arguments)
                except PermissionError: return True
                return False
            print([
                refused(call, *before, pid, *after)
                for call, before, after in (
                    (resource.prlimit, (), (resource.RLIMIT_CPU, (100, 100))),
                    (os.setpriority, (os.PRIO_PROCESS,), (10,)),
                    (os.sched_setaffinity, (), (os.sched_getaffinity(0),)),
                    (os.sched_setscheduler, (), (os.SCHED_BATCH, os.sched_param(0))),
                    (os.sched_setparam, (), (os.sched_param(0),)),
                    (set_attributes, (), ()),
                )
                for pid in (1, os.getpid())
            ])
            exit(7)
            """,
        )


class Signals(AttackTest):
    def test_no_signal_ends_the_agent(self) -> None:
        self.survives(
            "still\n",
            """
            import os
            for number in range(1, 65):
                if number not in (32, 33):
                    os.kill(1, number)
                    os.kill(1, number)
            print("still")
            exit(7)
            """,
        )

    def test_a_flood_of_sigchld_disturbs_nothing(self) -> None:
        self.survives(
            "x" * 100_000,
            """
            import os, signal
            done, ready = os.pipe()
            for _ in range(2):
                if os.fork() == 0:
                    for n in range(10**9):
                        os.kill(1, signal.SIGCHLD)
                        if n == 10_000: os.write(ready, b".")
            os.read(done, 1)
            os.read(done, 1)
            for _ in range(1000): os.write(1, b"x" * 100)
            exit(7)
            """,
        )

    def test_killing_everyone_spares_the_agent(self) -> None:
        self.survives(
            "alone\n",
            """
            import os, signal
            for _ in range(3):
                if os.fork() == 0: signal.pause()
            os.kill(-1, signal.SIGKILL)
            for _ in range(3): os.wait()
            print("alone")
            exit(7)
            """,
        )

    def test_killing_ones_group_kills_oneself_only(self) -> None:
        result = run("import os; os.killpg(0, 9)")
        self.assertEqual(result.ending, ("exited", None, "SIGKILL"))

    def test_orphans_without_end_are_reaped(self) -> None:
        self.survives(
            "0 zombies\n",
            """
            import os, time
            for _ in range(300):
                pid = os.fork()
                if pid == 0:
                    if os.fork() == 0: os._exit(3)
                    os._exit(0)
                os.waitpid(pid, 0)
            def zombies():
                found = 0
                for name in filter(str.isdigit, os.listdir("/proc")):
                    try: found += open(f"/proc/{name}/stat").read().rpartition(")")[2].split()[0] == "Z"
                    except OSError: pass
                return found
            while zombies(): time.sleep(0.001)
            print(zombies(), "zombies")
            exit(7)
            """,
            limits={"processes": 600},
        )


class Reports(AttackTest):
    def forged(self, ending: str) -> tuple[str, int | None, str | None]:
        return run(FIND_REPORT + f"os.write(report, b'rpm' * 9)\n{ending}").ending

    def test_a_forged_report_mislabels_a_failed_run_at_most(self) -> None:
        self.assertEqual(self.forged("exit(0)"), ("exited", 0, None))
        self.assertEqual(self.forged("exit(3)"), ("exited", 3, None))
        self.assertEqual(self.forged("os.kill(os.getpid(), 9)"), ("exited", None, "SIGKILL"))
        self.assertEqual(self.forged("exit(1)"), ("out_of_memory", 1, None))

    def test_a_report_without_end_blocks_nobody(self) -> None:
        code = (
            FIND_REPORT
            + "os.set_blocking(report, False)\ntry:\n while 1: os.write(report, b'x' * 4096)\nexcept OSError: exit(7)"
        )
        self.assertEqual(run(code).ending, ("exited", 7, None))
