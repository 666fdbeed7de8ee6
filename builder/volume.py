"""The volume of the environments."""

import json
import os
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from request import KEY, Environment, Request, say

FIELDS = {"key", "requirements", "python", "platform", "bytes", "created", "shadows", "packages"}
RECENT = 600.0  # seconds after its last use in which an environment is not evicted, whatever the request says


def evict(request: Request, now: float) -> None:
    for key in filter(KEY.fullmatch, request.evict):
        folder = request.root / key
        try:
            if now - (folder / "environment.json").stat().st_mtime < RECENT:
                continue
            gone = set_aside(folder)
        except FileNotFoundError:
            continue
        say(f"Evicting the environment {key}")
        shutil.rmtree(gone, ignore_errors=True)


def set_aside(folder: Path) -> Path:
    """Renames what is to be removed: from then on it is there for nobody, and not half of it for anybody."""
    return folder.rename(folder.with_name(f".evicted-{folder.name}-{os.getpid()}-{time.monotonic_ns()}"))


def remove_leftovers(request: Request, now: float) -> None:
    """What builds have left that were killed."""
    for folder in request.root.glob(".evicted-*"):
        shutil.rmtree(folder, ignore_errors=True)
    for folder in request.root.glob(".building-*"):
        try:
            if now - folder.stat().st_mtime > 2 * request.seconds:
                shutil.rmtree(folder, ignore_errors=True)
        except FileNotFoundError:
            pass


def read(folder: Path, used: float | None = None) -> Environment | None:
    """What is said of an environment in its folder; `used` is noted as the time of its last use.

    None if it is not there, or damaged: a disk that was full, or a node that died, leaves such.
    """
    try:
        environment = json.loads((folder / "environment.json").read_bytes())
        if not isinstance(environment, dict) or not environment.keys() >= FIELDS:
            return None
        if used is not None:
            os.utime(folder / "environment.json", (used, used))
    except (FileNotFoundError, ValueError):
        return None
    return environment


def unrecorded(request: Request) -> Iterator[Environment]:
    known = {request.key, *request.recorded}
    for folder in request.root.iterdir():
        if KEY.fullmatch(folder.name) and folder.name not in known:
            environment = read(folder)
            if environment is not None:
                yield {name: environment[name] for name in ("key", "requirements", "bytes", "created", "shadows")}


def publish(made: Path, target: Path) -> None:
    if read(target) is None:
        with suppress(FileNotFoundError):
            shutil.rmtree(set_aside(target), ignore_errors=True)
    try:
        made.rename(target)
    except OSError:
        if read(target) is None:
            raise
        # Another server's build of the same came first.


def size(folder: Path) -> int:
    return sum(status.st_size for status in {(s.st_dev, s.st_ino): s for s in walk(folder)}.values())


def walk(folder: Path) -> Iterator[os.stat_result]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                yield entry.stat(follow_symlinks=False)
                if entry.is_dir(follow_symlinks=False):
                    yield from walk(Path(entry.path))
    except FileNotFoundError:
        pass  # uv works in there meanwhile


def let_all_read(folder: Path) -> None:
    """Sandboxes run as users of their own."""
    for parent, _, files in os.walk(folder):
        os.chmod(parent, 0o755)
        for name in files:
            path = os.path.join(parent, name)
            mode = os.lstat(path).st_mode
            if stat.S_ISREG(mode):
                os.chmod(path, 0o755 if mode & stat.S_IXUSR else 0o644)
