"""What a run leaves behind: the value of its last expression, its figures, and the files of its output folder.

It is looked at when every process of the program is gone, told of in `exit`, and carried in the frames after it.
"""

import os
import stat
from collections.abc import Iterator
from time import monotonic

import folders
import kernel
from folders import Entry
from frames import CHUNK
from outlet import Outlet

COLLECT_SECONDS = 60.0  # from the first look to the last byte
MAX_LEFT_OUT = 100  # that are told by name
VALUES = ((b"value.txt", "text", 64 * 1024), (b"value.html", "html", 256 * 1024))  # with the most bytes of each
MAX_BACKLOG = 256 * 1024  # bytes; what is carried is not gathered here


class File:
    """To be carried, with the size that it had."""

    __slots__ = ("folder", "kind", "path", "size")

    def __init__(self, folder: int, path: bytes, kind: str, size: int) -> None:
        self.folder = folder
        self.path = path
        self.kind = kind
        self.size = size


class Leftovers:
    """What is not carried: how much, and the first of it by path."""

    def __init__(self) -> None:
        self.total = 0
        self._first: list[tuple[bytes, str]] = []

    def add(self, path: bytes, reason: str) -> None:
        self.total += 1
        self._first.append((path[: folders.MAX_PATH], reason))
        if len(self._first) > 10 * MAX_LEFT_OUT:
            self.first()

    def first(self) -> list[tuple[bytes, str]]:
        self._first.sort()
        del self._first[MAX_LEFT_OUT:]
        return self._first


class Before:
    """What was in the output folder before a run."""

    def __init__(self, workspace: str) -> None:
        self._path = f"{workspace}/output"
        newest = self._look()
        if newest >= self._clock:  # what changes again within this tick of the clock would look as it does now
            kernel.wait_for_tick(newest)
            self._look()

    def knows(self, entry: Entry) -> bool:
        """Whether it was there as it is. What is not known to be older than the run counts as changed."""
        return changed_at(entry) < self._clock and stamp(entry) in self._stamps

    def _look(self) -> int:
        """When something was changed last."""
        self._clock = kernel.coarse_clock()
        self._stamps: set[int] = set()
        newest = 0
        try:
            folder = folders.open_folder(self._path)
        except OSError:
            return newest
        for entry in folders.walk(folder, look=True) if folder is not None else ():
            self._stamps.add(stamp(entry))
            newest = max(newest, changed_at(entry))
        return newest


def changed_at(entry: Entry) -> int:
    return entry.status.st_ctime_ns if entry.status else 0


def stamp(entry: Entry) -> int:
    status = entry.status
    return hash((entry.path, status and (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)))


class Collection:
    """All that is to follow `exit`."""

    def __init__(self, workspace: str, most: int, room: int, before: "Before | None" = None) -> None:
        """Of figures and of outputs `most` each, of all files `room` bytes; of outputs only what is not as `before`.

        Where `most` is 0 they are nobody's, and not even counted.
        """
        self._deadline = monotonic() + COLLECT_SECONDS
        self._room = room
        self._before = before
        self._folders: list[int] = []
        self._kept: set[bytes] = set()  # names on the runner's shelf
        self.files: list[File] = []
        self.left_out = Leftovers()
        self._gather_kept(f"{workspace}/.vivarium", most)
        if most:
            self._gather_outputs(f"{workspace}/output", most)

    def send(self, outlet: Outlet) -> None:
        if not self.files and not self.left_out.total:
            return
        for file in self.files:
            self._carry(file, outlet)
        for path, reason in self.left_out.first():
            outlet.send("left_out", path=path.decode(errors="backslashreplace"), reason=reason)
        outlet.send("end")

    def close(self) -> None:
        """Makes room on the runner's shelf for the next run."""
        for name in self._kept:
            try:
                os.unlink(name, dir_fd=self._folders[0])
            except OSError:
                pass  # the program has put something else there
        for folder in self._folders:
            os.close(folder)

    def _gather_kept(self, path: str, most: int) -> None:
        try:
            folder = folders.open_folder(path)
        except OSError:
            return
        if folder is None:
            return
        # Of what else the program has put there, not even the names are kept in mind.
        self._folders.append(folder)
        names = {entry.path for entry in folders.walk(os.dup(folder)) if not entry.reason and is_kept(entry.path)}
        self._kept = names | {name.partition(b".")[0] for name in names if figure_number(name)}
        for name, kind, most_bytes in VALUES:
            if name in names:
                self._take(folder, name, kind, most_bytes)
        figures = sorted((number, name) for name in names if (number := figure_number(name)))
        for _, name in figures[:most]:
            self._take(folder, name, "figure")
        for _, name in figures[most:] if most else ():
            self.left_out.add(name, "count")

    def _gather_outputs(self, path: str, most: int) -> None:
        try:
            folder = folders.open_folder(path)
        except NotADirectoryError:
            self.left_out.add(b".", "type")
            return
        except OSError:
            self.left_out.add(b".", "unreadable")
            return
        if folder is not None:
            self._folders.append(folder)
            entries = folders.walk(os.dup(folder), look=self._before is not None)
            for output in self._first_outputs(entries, most):
                self._take(folder, output, "output")

    def _first_outputs(self, entries: Iterator[Entry], most: int) -> list[bytes]:
        """The first by path; however many there are, few are kept in mind."""
        first: list[bytes] = []
        for entry in entries:
            if self._before and self._before.knows(entry):
                continue
            reason = entry.reason or ("name" if is_strange(entry.path) else None)
            if reason:
                self.left_out.add(entry.path, reason)
                continue
            first.append(entry.path)
            if len(first) >= 2 * most + 1000:
                self._cut(first, most)
        self._cut(first, most)
        return first

    def _cut(self, paths: list[bytes], most: int) -> None:
        paths.sort()
        for path in paths[most:]:
            self.left_out.add(path, "count")
        del paths[most:]

    def _take(self, folder: int, path: bytes, kind: str, most: int | None = None) -> None:
        try:
            fd = folders.open_file(folder, path)
        except OSError:
            self.left_out.add(path, "unreadable")
            return
        status = os.fstat(fd)
        os.close(fd)
        if not stat.S_ISREG(status.st_mode):
            self.left_out.add(path, "type")
        elif status.st_size > self._room or (most is not None and status.st_size > most):
            self.left_out.add(path, "size")
        else:
            self._room -= status.st_size
            self.files.append(File(folder, path, kind, status.st_size))

    def _carry(self, file: File, outlet: Outlet) -> None:
        if monotonic() >= self._deadline:
            self.left_out.add(file.path, "unreadable")
            return
        try:
            fd = folders.open_file(file.folder, file.path)
        except OSError:
            self.left_out.add(file.path, "unreadable")
            return
        outlet.send("file", path=file.path.decode(), kind=file.kind, size=file.size)
        sent = 0
        for data in self._read(fd, file.size):
            outlet.send_data(data)
            sent += len(data)
            if outlet.backlog >= MAX_BACKLOG:
                outlet.drain()
        os.close(fd)
        outlet.send("file_end", size=sent)

    def _read(self, fd: int, size: int) -> Iterator[bytes]:
        """As much as was announced; less if there is no more, or no time."""
        left = size
        while left and monotonic() < self._deadline:
            try:
                data = os.read(fd, min(left, CHUNK))
            except OSError:
                return
            if not data:
                return
            left -= len(data)
            yield data


def is_strange(path: bytes) -> bool:
    try:
        path.decode()
    except UnicodeDecodeError:
        return True
    return len(path) > folders.MAX_PATH


def is_kept(name: bytes) -> bool:
    return any(name == value for value, _, _ in VALUES) or figure_number(name) is not None


def figure_number(name: bytes) -> int | None:
    """Of figure-1.png, figure-2.html …"""
    stem, _, extension = name.partition(b".")
    digits = stem.removeprefix(b"figure-")
    if extension not in (b"png", b"html") or digits == stem or not digits.isdigit() or len(digits) > 9:
        return None
    return int(digits)
