"""A seccomp filter that keeps the program's hands off the agent's limits and priority.

The kernel lets anyone set these for a process of the same user, dumpable or not: with RLIMIT_CPU alone the program
could end the agent, and with SCHED_IDLE put off its own deadline. So these calls fail with EPERM for PID 1.
"""

import ctypes
import errno
import os

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, MODE_FILTER = 38, 22, 2
LOAD, JUMP_EQUAL, JUMP_AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
ALLOW, FAIL = 0x7FFF0000, 0x00050000
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
X32 = 0x40000000  # the second set of numbers of an x86-64 kernel

#            AUDIT_ARCH, and of each call the number: prlimit64, sched_setparam, _setscheduler, _setaffinity, _setattr;
#            setpriority, which alone has the process id as its second argument
MACHINES = {
    "x86_64": (0xC000003E, (302, 142, 144, 203, 314), 141),
    "aarch64": (0xC00000B7, (261, 118, 119, 122, 274), 140),
}

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, operand


class Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def refuse_for_agent(call: int, argument: int) -> list[Instruction]:
    return [
        (JUMP_EQUAL, 0, 4, call),
        (LOAD, 0, 0, ARGUMENTS + 8 * argument),
        (JUMP_EQUAL, 0, 1, 1),
        (RETURN, 0, 0, FAIL | errno.EPERM),
        (RETURN, 0, 0, ALLOW),
    ]


def instructions(machine: str) -> list[Instruction]:
    architecture, by_first, by_second = MACHINES[machine]
    program = [
        (LOAD, 0, 0, ARCHITECTURE),
        (JUMP_EQUAL, 0, 2, architecture),
        (LOAD, 0, 0, NUMBER),
        (JUMP_AT_LEAST, 0, 1, X32),
        (RETURN, 0, 0, FAIL | errno.ENOSYS),  # no way round by the calls of another architecture
    ]
    for call in by_first:
        program += refuse_for_agent(call, 0)
    program += refuse_for_agent(by_second, 1)
    program.append((RETURN, 0, 0, ALLOW))
    return program


def encode(program: list[Instruction]) -> bytes:
    return b"".join(
        code.to_bytes(2, "little") + bytes((if_true, if_false)) + operand.to_bytes(4, "little")
        for code, if_true, if_false, operand in program
    )


def guard_agent() -> None:
    machine = os.uname().machine
    if machine not in MACHINES:
        return  # then the program can spoil its own result, and no more
    program = instructions(machine)
    libc = ctypes.CDLL(None, use_errno=True)
    filtered = Program(len(program), encode(program))
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(PR_SET_SECCOMP, MODE_FILTER, ctypes.byref(filtered)):
        raise OSError(ctypes.get_errno(), "PR_SET_SECCOMP")
