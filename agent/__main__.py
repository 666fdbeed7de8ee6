"""Vivarium's agent: PID 1 of a sandbox. It runs programs and tells on stdout, in frames, what came of them."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # -I leaves it out where this file itself is started

from refusal import Refusal
from spawn import start_runner

STDIN, STDOUT = 0, 1
WORKSPACE = "/workspace"


def serve(arguments: list[str]) -> None:
    if os.getpid() != 1:
        raise Refusal("the agent must be PID 1: it ends every process that it can see")
    if arguments:
        raise Refusal("the agent takes no arguments: what a sandbox is to do, it is told on stdin")
    os.closerange(3, 1024)  # what a container runtime may have left open is no business of the user's program
    runner = start_runner()

    # Imported only now, so that the runner's own start-up, the longer one, is under way meanwhile.
    import kernel
    from inbox import Inbox
    from mounts import Mounts
    from outlet import Outlet
    from run import run
    from waiting import Desk, Waiting

    kernel.forbid_inspection()
    kernel.ignore_signals()
    inbox, outlet, mounts = Inbox(STDIN), Outlet(STDOUT), Mounts(WORKSPACE)
    desk = Desk(outlet, mounts)
    request = Waiting(inbox, runner, outlet, desk).wait()
    if request is None:
        return
    if request.mode == "single":
        if problem := desk.take_problem():
            raise Refusal(problem)
        if not request.artifact_files:
            mounts.remove()
        run(request, runner, outlet, WORKSPACE)
        return
    from staying import Stay

    Stay(inbox, runner, outlet, desk, mounts).serve(request)


def main() -> None:
    try:
        serve(sys.argv[1:])
    except Refusal as refusal:
        sys.stderr.write(f"vivarium: {refusal}\n")
        sys.stderr.flush()
        os._exit(2)
    os._exit(0)  # nothing is left to tidy up, and the namespace ends with us


if __name__ == "__main__":
    main()
