"""The resolver's answer: which packages, in which versions, and why."""

import importlib.metadata
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from request import Failure, Request, say
from uv import run_uv

VERSION = re.compile(r"(\d+!)?\d+(\.\d+)*((a|b|rc)\d+)?(\.post\d+)?(\.dev\d+)?(\+[a-z0-9]+(\.[a-z0-9]+)*)?")


@dataclass(frozen=True)
class Locked:
    """A package of the resolver's answer, which `text` is its part of; `via` names what needs it."""

    name: str
    version: str
    via: list[str]
    text: str


def preinstalled() -> dict[str, str]:
    """Version by name of what the image has. The first on the path counts, as it does for an import."""
    found: dict[str, str] = {}
    for distribution in importlib.metadata.distributions():
        name = distribution.metadata["Name"]
        if name:
            found.setdefault(normalise(name), distribution.version)
    return found


def normalise(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def resolve(request: Request, folder: Path, has: dict[str, str]) -> list[Locked]:
    """First with the image's packages as they are; where that cannot be, with as many of them as can."""
    pins = "".join(f"{name}=={version}\n" for name, version in has.items() if VERSION.fullmatch(version))
    (folder / "requirements.txt").write_text("".join(f"{line}\n" for line in request.requirements))
    (folder / "image.txt").write_text(pins)
    say(f"Resolving {', '.join(request.requirements)}")
    command = ["pip", "compile", "--generate-hashes", "--only-binary", ":all:", "--no-header", "--output-file"]
    try:
        run_uv([*command, "lock.txt", "--constraints", "image.txt", "requirements.txt"], request, folder)
    except Failure as failure:
        if "No solution found" not in str(failure):
            raise
        say("Resolving without the image's versions")
        # What stands in the file already is preferred, and no more than that.
        (folder / "lock.txt").write_text(pins)
        run_uv([*command, "lock.txt", "requirements.txt"], request, folder)
    return parse_lock((folder / "lock.txt").read_text())


def parse_lock(text: str) -> list[Locked]:
    parts = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    return [parse_locked(part) for part in parts]


def parse_locked(text: str) -> Locked:
    name, version = re.split(r"==|\s", text, maxsplit=2)[:2]
    _, _, comment = text.partition("# via")
    via = [line.strip(" #") for line in comment.splitlines()]
    return Locked(normalise(name), version, [name for name in via if name], text)


def check_denied(locked: list[Locked], denied: list[str]) -> None:
    """`types-*` denies all that begin so."""
    words = [
        f"{package.name} is not allowed here; {' and '.join(map(needs, package.via)) or 'it was asked for'}."
        for package in locked
        if any(fnmatchcase(package.name, normalise(pattern)) for pattern in denied)
    ]
    if words:
        raise Failure("\n".join(words))


def needs(via: str) -> str:
    return "it was asked for" if via.startswith("-r ") else f"{via} needs it"
