"""Gives a cell a stdin of its own. Processes of earlier cells keep theirs."""

import _io
import os
import sys


def replace(text: str) -> None:
    fd = anonymous_file()
    try:
        with open(fd, "wb", closefd=False) as file:
            file.write(text.encode())
        os.lseek(fd, 0, os.SEEK_SET)
        os.dup2(fd, 0)
    finally:
        if fd != 0:
            os.close(fd)
    raw = _io.open(0, "rb", closefd=False)
    sys.stdin = sys.__stdin__ = _io.TextIOWrapper(raw, "utf-8", "strict")  # type: ignore[misc]


def anonymous_file() -> int:
    try:
        return os.memfd_create("stdin")
    except OSError:
        return os.open("/tmp", os.O_TMPFILE | os.O_RDWR, 0o600)
