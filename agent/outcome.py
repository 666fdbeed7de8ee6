"""How a run ended."""

import os

from kernel import signal_name


def judge(status: int | None, memory_error: bool, oom_killed: bool) -> dict[str, object]:
    """`cause`, `exit_code` and `signal`, from the program's wait status (None: its time ended first)."""
    if status is None:
        return {"cause": "timed_out", "exit_code": None, "signal": None}
    return judge_code(os.waitstatus_to_exitcode(status), memory_error, oom_killed)


def judge_code(code: int, memory_error: bool, oom_killed: bool) -> dict[str, object]:
    """From an exit code, or a signal's number below 0."""
    out_of_memory = (memory_error and code == 1) or (oom_killed and code != 0)
    return {
        "cause": "out_of_memory" if out_of_memory else "exited",
        "exit_code": code if code >= 0 else None,
        "signal": signal_name(-code) if code < 0 else None,
    }
