"""What is asked of a build, and what it says on the way."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KEY = re.compile(r"[a-z2-7]{26}")
Environment = dict[str, Any]  # key, requirements, python, platform, bytes, created, shadows, packages


class Failure(Exception):
    """The requirements cannot be had. The text is for whoever asked."""


class Unreachable(Exception):
    """The package index does not answer as it should: nothing is known of the requirements."""


@dataclass(frozen=True)
class Request:
    root: Path  # the volume
    key: str  # name of the environment's folder in it
    requirements: list[str]
    index: str  # URL
    denied: list[str]  # names of packages
    evict: list[str]  # keys
    recorded: list[str]  # keys of the environments that the server knows of
    max_bytes: int
    seconds: float  # that the longest build takes


def check_size(found: int, request: Request) -> None:
    if found > request.max_bytes:
        raise too_large(request)


def too_large(request: Request) -> Failure:
    most = request.max_bytes >> 20
    return Failure(f"These packages take more than {most} MiB, which is the most that an environment may.")


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
