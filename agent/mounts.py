"""The folders of the workspace: mounts/ for what the runs were given, output/ for what they leave behind."""

import errno
import os

import folders
from refusal import Refusal

FULL = (errno.ENOSPC, errno.EDQUOT)
MOUNTS, OUTPUT = b"mounts", b"output"


class InputRefused(Refusal):
    pass


class Mounts:
    """Writes input files as they come, and makes them read-only once they are all there.

    After the first run they may come for another, and the program may have changed what is there: so every file is
    reached through folder descriptors that follow no link.
    """

    def __init__(self, workspace: str) -> None:
        self.workspace = workspace
        self._begun: set[str] = set()  # files of this run
        self._open: dict[tuple[bytes, ...], None] = {}  # folders that are not sealed, by their parts
        self._path: str | None = None
        self._fd = -1
        try:
            self.root = os.open(workspace, folders.FOLDER)
            self._unseal((MOUNTS,))
            os.close(folders.make_folder(self.root, OUTPUT))
        except OSError as error:
            raise Refusal(f"the workspace cannot be written to: {error}") from None

    def append(self, path: str, data: bytes) -> None:
        """To the file of this path, which the first line that names it makes. Lines of one path follow each other."""
        try:
            if path != self._path:
                self._begin(path)
            unwritten = memoryview(data)
            while unwritten:
                unwritten = unwritten[os.write(self._fd, unwritten) :]
        except OSError as error:
            if error.errno in FULL:
                raise InputRefused(f"the workspace is full: there is no room for the input file {path}") from None
            raise InputRefused(f"the input file {path} cannot be written: {error.strerror}") from None

    def drop_unfinished(self) -> None:
        """Takes the last file away: whether more of it was to come is not known."""
        if self._path is not None:
            *parents, name = self._path.encode().split(b"/")
            try:
                at = folders.open_inner(self.root, [MOUNTS, *parents])
            except OSError:
                return  # a process of the program has taken it away
            try:
                os.unlink(name, dir_fd=at)
            except OSError:
                pass
            finally:
                os.close(at)

    def seal(self) -> None:
        self._close()
        for parts in self._open:
            try:
                folder = folders.open_inner(self.root, list(parts))
            except OSError:
                continue  # a process of the program has taken it away
            os.fchmod(folder, 0o555)
            os.close(folder)
        self._open.clear()
        self._begun.clear()

    def remove(self) -> None:
        """Takes all folders of ours away from a run that was given nothing and leaves nothing. What is in use stays."""
        for name in (MOUNTS, OUTPUT, folders.SHELF):
            try:
                os.rmdir(name, dir_fd=self.root)
            except OSError:
                pass

    def ensure(self) -> None:
        """Makes the folders again if a program has removed them, and the workspace its owner's if it was closed."""
        try:
            os.fchmod(self.root, os.fstat(self.root).st_mode & 0o7777 | 0o700)
        except OSError:
            pass  # it is not ours, so no program can have closed it
        for name in (MOUNTS, OUTPUT):
            try:
                os.close(folders.make_folder(self.root, name))
            except OSError:
                pass  # something else is there, by the program's own will

    def _begin(self, path: str) -> None:
        self._close()
        if path in self._begun:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        *parents, name = path.encode().split(b"/")
        for depth in range(len(parents) + 1):
            folder = (MOUNTS, *parents[:depth])
            if folder not in self._open:
                self._unseal(folder)
        at = folders.open_inner(self.root, [MOUNTS, *parents])
        try:
            try:
                os.unlink(name, dir_fd=at)
            except FileNotFoundError:
                pass
            self._fd = os.open(name, folders.NEW_FILE, 0o444, dir_fd=at)
        finally:
            os.close(at)
        self._path = path
        self._begun.add(path)

    def _unseal(self, parts: tuple[bytes, ...]) -> None:
        *parents, name = parts
        at = folders.open_inner(self.root, parents)
        try:
            folder = folders.make_folder(at, name)
        finally:
            os.close(at)
        os.fchmod(folder, 0o755)
        os.close(folder)
        self._open[parts] = None

    def _close(self) -> None:
        if self._path is not None:
            os.close(self._fd)
            self._path = None
