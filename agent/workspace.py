"""What is asked about the workspace between runs: to write a file, to list a folder, to read a file.

The program owns the workspace, and its processes may change it at any moment: whatever is there is reached through
folder descriptors that follow no link, and opened in ways that wait for nobody.
"""

import errno
import os
import stat

import folders
from frames import CHUNK
from outlet import Outlet
from request import List, Read, Write, is_inner_path

TYPE_CHECKING = False  # as typing's, which is slow to import
if TYPE_CHECKING:
    from request import Message

MAX_TOLD = 10_000  # entries of a list
MAX_BACKLOG = 256 * 1024  # bytes; what is read is not gathered here
SECOND = 1_000_000_000  # nanoseconds
MAX_AHEAD = 3600  # seconds; a file whose time is further in the future has it from the program
REASONS = {
    errno.ENOENT: "missing", errno.ENOTDIR: "type", errno.ELOOP: "type", errno.EISDIR: "type", errno.ENXIO: "type",
    errno.ENAMETOOLONG: "name", errno.ENOSPC: "full", errno.EDQUOT: "full",
}  # fmt: skip


class Refused(Exception):
    def __init__(self, reason: str, **more: object) -> None:
        super().__init__(reason)
        self.fields = {"reason": reason, **more}


class Upload:
    """A file that is being written under a name of ours."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.size = 0
        self.refused: Refused | None = None  # what follows is swallowed
        self.shelf = -1
        self.fd = -1
        self.name = b"write-" + os.urandom(8).hex().encode()

    def open(self, root: int) -> None:
        self.shelf = folders.make_folder(root, folders.SHELF)
        self.fd = os.open(self.name, folders.NEW_FILE, 0o644, dir_fd=self.shelf)

    def append(self, data: bytes) -> None:
        unwritten = memoryview(data)
        while unwritten:
            unwritten = unwritten[os.write(self.fd, unwritten) :]
        self.size += len(data)

    def close(self) -> None:
        """Whatever is still under the name of ours is gone."""
        if self.fd >= 0:
            os.close(self.fd)
            try:
                os.unlink(self.name, dir_fd=self.shelf)
            except OSError:
                pass  # it has its own name now
        if self.shelf >= 0:
            os.close(self.shelf)
        self.fd = self.shelf = -1


class Files:
    def __init__(self, root: int, outlet: Outlet) -> None:
        self._root = root
        self._outlet = outlet
        self._upload: Upload | None = None

    def answer(self, message: "Message") -> None:
        if not isinstance(message, Write):
            self.abandon()
        try:
            if isinstance(message, Write):
                self._write(message)
            elif isinstance(message, List):
                self._list(message)
            elif isinstance(message, Read):
                self._read(message)
        except Refused as refused:
            self._outlet.send("refused", path=message.path[: folders.MAX_PATH], **refused.fields)  # type: ignore[union-attr]

    def abandon(self) -> None:
        """Of a file that was not sent to its end nothing stays."""
        if self._upload:
            self._upload.close()
            self._upload = None

    def _write(self, message: Write) -> None:
        if self._upload is None or self._upload.path != message.path:
            self.abandon()
            self._upload = Upload(message.path)
        upload = self._upload
        if not upload.refused:
            try:
                self._append(upload, message.data)
            except Refused as refused:
                upload.close()
                upload.refused = refused
        if message.more:
            return
        try:
            if upload.refused:
                raise upload.refused
            self._place(upload)
        finally:
            self.abandon()
        self._outlet.send("written", path=upload.path, size=upload.size)

    def _append(self, upload: Upload, data: bytes) -> None:
        parts_of(upload.path)
        try:
            if upload.fd < 0:
                upload.open(self._root)
            upload.append(data)
        except OSError as error:
            raise refusal(error) from None

    def _place(self, upload: Upload) -> None:
        *parents, name = parts_of(upload.path)
        try:
            folder = folders.open_inner(self._root, parents, make=True)
            try:
                make_newer(upload.fd, folder, name)
                os.rename(upload.name, name, src_dir_fd=upload.shelf, dst_dir_fd=folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise refusal(error) from None

    def _list(self, message: List) -> None:
        parts = parts_of(message.path) if message.path else []
        try:
            folder = folders.open_inner(self._root, parts)
        except OSError as error:
            raise refusal(error) from None
        prefix = b"".join(part + b"/" for part in parts)
        told, left_out = first_entries(folder, prefix, message.recursive)
        for path, status in told:
            self._outlet.send("entry", path=path.decode(), **described(status))
            self._make_room()
        self._outlet.send("listed", entries=len(told), left_out=left_out)

    def _read(self, message: Read) -> None:
        parts = parts_of(message.path)
        try:
            fd = folders.open_file(self._root, b"/".join(parts))
        except OSError as error:
            raise refusal(error) from None
        try:
            self._carry(fd, message)
        finally:
            os.close(fd)

    def _carry(self, fd: int, message: Read) -> None:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise Refused("type")
        if status.st_size > message.most:
            raise Refused("size", size=status.st_size)
        self._outlet.send("file", path=message.path, kind="read", size=status.st_size)
        sent = 0
        while sent < status.st_size and (data := read_some(fd, min(CHUNK, status.st_size - sent))):
            self._outlet.send_data(data)
            sent += len(data)
            self._make_room()
        self._outlet.send("file_end", size=sent)

    def _make_room(self) -> None:
        if self._outlet.backlog >= MAX_BACKLOG:
            self._outlet.drain()


def parts_of(path: str) -> list[bytes]:
    name = path.encode()
    parts = name.split(b"/")
    is_long = len(name) > folders.MAX_PATH or len(parts) > folders.MAX_DEPTH
    if is_long or not is_inner_path(path) or parts[0] == folders.SHELF:
        raise Refused("name")
    return parts


def make_newer(fd: int, folder: int, name: bytes) -> None:
    """Than the file whose place it takes, by a whole second: Python takes a module for the one that it has compiled if
    size and second are the same.
    """
    try:
        old = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime_ns // SECOND
    except OSError:
        return  # there is none
    if 0 <= old - os.fstat(fd).st_mtime_ns // SECOND < MAX_AHEAD:
        os.utime(fd, ns=((old + 1) * SECOND, (old + 1) * SECOND))


def refusal(error: OSError) -> Refused:
    return Refused(REASONS.get(error.errno or 0, "unreadable"))


def read_some(fd: int, most: int) -> bytes:
    try:
        return os.read(fd, most)
    except OSError:
        return b""


def first_entries(folder: int, prefix: bytes, recursive: bool) -> tuple[list[tuple[bytes, os.stat_result]], int]:
    """The first by path, and how many there are beside these. Takes the descriptor over."""
    first: list[tuple[bytes, os.stat_result]] = []
    seen = 0
    for entry in folders.walk(folder, look=True, folders=True, recursive=recursive):
        path = prefix + entry.path
        if path == folders.SHELF or path.startswith(folders.SHELF + b"/"):
            continue
        seen += 1
        if entry.status and is_plain(path):
            first.append((path, entry.status))
        if len(first) >= 2 * MAX_TOLD:
            cut(first)
    cut(first)
    return first, seen - len(first)


def cut(entries: list[tuple[bytes, os.stat_result]]) -> None:
    entries.sort(key=path_of)
    del entries[MAX_TOLD:]


def path_of(entry: tuple[bytes, os.stat_result]) -> bytes:
    return entry[0]


def is_plain(path: bytes) -> bool:
    try:
        path.decode()
    except UnicodeDecodeError:
        return False
    return len(path) <= folders.MAX_PATH


def described(status: os.stat_result) -> dict[str, object]:
    is_file, is_folder = stat.S_ISREG(status.st_mode), stat.S_ISDIR(status.st_mode)
    return {
        "kind": "file" if is_file else "folder" if is_folder else "other",
        "size": status.st_size if is_file else 0,
        "modified": status.st_mtime,
    }
