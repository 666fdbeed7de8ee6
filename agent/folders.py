"""What is in a folder that the program wrote: found without following a link, and in bounded time and memory."""

import os
from collections.abc import Iterator

TYPE_CHECKING = False  # as typing's, which is slow to import
if TYPE_CHECKING:
    Entries = os._ScandirIterator[str]

SHELF = b".vivarium"  # of the workspace: where we put what is not to be seen by its name
MAX_ENTRIES = 100_000  # of a tree that are looked at
MAX_DEPTH = 32  # folders in one another
MAX_PATH = 1024  # bytes; in a frame each of them may take six
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Entry:
    """A file, or what is none and why not. The path is relative to the folder; b"." is the folder itself."""

    __slots__ = ("path", "reason", "status")

    def __init__(self, path: bytes, reason: str | None = None, status: os.stat_result | None = None) -> None:
        self.path = path
        self.reason = reason
        self.status = status


def walk(folder: int, *, look: bool = False, folders: bool = False, recursive: bool = True) -> Iterator[Entry]:
    """All that is below, with `folders` these too; with `look` each has its status. Takes the descriptor over."""
    stack = [(folder, os.scandir(folder), b"")]
    seen = 0
    try:
        while stack:
            parent, entries, prefix = stack[-1]
            entry = next_of(entries)
            if entry is None:
                close(*stack.pop()[:2])
                continue
            seen += 1
            if seen > MAX_ENTRIES:
                yield Entry(b".", "count")
                return
            path = prefix + os.fsencode(entry.name)
            try:
                is_folder = entry.is_dir(follow_symlinks=False)
                if folders or not is_folder:
                    status = entry.stat(follow_symlinks=False) if look else None
                    yield Entry(path, None if is_folder or entry.is_file(follow_symlinks=False) else "type", status)
                if not (is_folder and recursive):
                    continue
                if len(stack) > MAX_DEPTH:
                    yield Entry(path, "name")
                else:
                    inner = os.open(entry.name, FOLDER, dir_fd=parent)
                    stack.append((inner, os.scandir(inner), path + b"/"))
            except OSError:
                yield Entry(path, "unreadable")
    finally:
        for fd, entries, _ in stack:
            close(fd, entries)


def next_of(entries: "Entries") -> "os.DirEntry[str] | None":
    try:
        return next(entries, None)
    except OSError:
        return None


def close(fd: int, entries: "Entries") -> None:
    entries.close()
    os.close(fd)


def open_folder(path: str) -> int | None:
    """None if nothing is there. NotADirectoryError if it is no folder."""
    try:
        return os.open(path, FOLDER)
    except FileNotFoundError:
        return None


def open_file(folder: int, path: bytes) -> int:
    """A file below the folder, reached by folders alone; whether it is a regular one is still to be seen. OSError if it
    cannot be had.
    """
    *folders, name = path.split(b"/")
    at = open_inner(folder, folders)
    try:
        return os.open(name, FILE, dir_fd=at)
    finally:
        os.close(at)


def open_inner(folder: int, parts: list[bytes], make: bool = False) -> int:
    """A folder below, reached by folders alone, which are made if that is asked for. OSError if it cannot be had."""
    at = os.dup(folder)
    for part in parts:
        try:
            inner = make_folder(at, part) if make else os.open(part, FOLDER, dir_fd=at)
        finally:
            os.close(at)
        at = inner
    return at


def make_folder(parent: int, name: bytes) -> int:
    """Opens a folder, which may be there already."""
    try:
        os.mkdir(name, dir_fd=parent)
    except FileExistsError:
        pass
    return os.open(name, FOLDER, dir_fd=parent)
