"""The folders of the workspace: mounts/ for what the run was given, output/ for what it leaves behind."""

import errno
import os

from refusal import Refusal

FULL = (errno.ENOSPC, errno.EDQUOT)


class Mounts:
    """Writes input files as they come, and makes them read-only once they are all there."""

    def __init__(self, workspace: str) -> None:
        self._root = f"{workspace}/mounts"
        self._folders: dict[str, None] = {}  # all that were made, the root first
        self._path: str | None = None
        self._fd = -1
        try:
            self._make(self._root)
            self._make_if_missing(f"{workspace}/output")
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
                raise Refusal(f"the workspace is full: there is no room for the input file {path}") from None
            raise Refusal(f"the input file {path} cannot be written: {error.strerror}") from None

    def seal(self) -> None:
        self._close()
        for folder in self._folders:
            os.chmod(folder, 0o555)

    def _begin(self, path: str) -> None:
        self._close()
        folder = self._root
        for part in path.split("/")[:-1]:
            folder = f"{folder}/{part}"
            self._make(folder)
        self._fd = os.open(f"{self._root}/{path}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
        self._path = path

    def _make(self, folder: str) -> None:
        if folder not in self._folders:
            self._make_if_missing(folder)
            self._folders[folder] = None

    def _make_if_missing(self, folder: str) -> None:
        try:
            os.mkdir(folder)
        except FileExistsError:
            if not os.path.isdir(folder):
                raise

    def _close(self) -> None:
        if self._path is not None:
            os.close(self._fd)
            self._path = None
