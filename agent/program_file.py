"""The program's own file, /workspace/main.py, in a sandbox that stays: what was there before is there again later."""

import os
import stat

import folders

NAME = b"main.py"
KEPT = b"main.py"
LEFT = (b".main.py", b".main.pyc")  # by a program that was ended amid its first steps, or for the next to stumble over


class ProgramFile:
    """Its methods are called when no process of the program is there."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._shelf = -1
        self._is_put_away = False

    def put_away(self) -> None:
        """OSError if something is there that cannot be put away."""
        for name in LEFT:
            self._remove(name)
        try:
            os.lstat(NAME, dir_fd=self._root)
        except FileNotFoundError:
            pass
        else:
            self._shelf = folders.make_folder(self._root, folders.SHELF)
            os.rename(NAME, KEPT, src_dir_fd=self._root, dst_dir_fd=self._shelf)
        self._is_put_away = True

    def restore(self, code: bytes) -> None:
        if self._is_put_away:
            self._put_back(code)
        if self._shelf >= 0:
            os.close(self._shelf)

    def _put_back(self, code: bytes) -> None:
        try:
            if self._holds(code):
                os.unlink(NAME, dir_fd=self._root)
            for name in LEFT:
                self._remove(name)
            if self._shelf >= 0:
                os.rename(KEPT, NAME, src_dir_fd=self._shelf, dst_dir_fd=self._root)
        except OSError:
            pass  # the program has seen to it that it cannot be

    def _remove(self, name: bytes) -> None:
        try:
            os.unlink(name, dir_fd=self._root)
        except OSError:
            pass

    def _holds(self, code: bytes) -> bool:
        """Whether the file is as it was made. What the program has put in its place is the program's."""
        try:
            fd = folders.open_file(self._root, NAME)
        except OSError:
            return False
        with open(fd, "rb") as file:
            status = os.fstat(fd)
            return stat.S_ISREG(status.st_mode) and status.st_size == len(code) and file.read(len(code)) == code
