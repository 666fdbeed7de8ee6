"""Builds an environment: the packages of a list of requirements, in a folder of the volume that every sandbox sees.

It is the program of a sandbox that has that volume to write and a network. Its request is one JSON object on stdin with
the fields of `Request`. Its answer is one JSON object on stdout, `Environment` with
`existing` (it was there before) and `unrecorded` (environments that are there and whose keys were not given).

While it works it says on stderr how far it is, a line each. Exit code 1: the requirements cannot be had; stderr ends
with an empty line and the resolver's own words. Exit code 2: this is no place to build in; it ends with an empty line
and why. Exit code 3: the package index cannot be reached; it ends with an empty line and uv's own words.
"""

import json
import os
import platform
import resource
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from lock import check_denied, preinstalled, resolve
from request import Environment, Failure, Request, Unreachable, check_size, say
from uv import run_uv
from volume import evict, let_all_read, publish, read, remove_leftovers, size, unrecorded

MAX_WORDS = 4000  # characters that a failure may take


def main() -> int:
    os.umask(0o022)
    try:
        fields = json.load(sys.stdin)
        request = Request(**(fields | {"root": Path(fields["root"])}))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        print(json.dumps(provide(request)))
    except (Failure, Unreachable) as failure:
        words = "\n".join(line for line in str(failure).splitlines() if line.strip())
        sys.stderr.write(f"\n{words[:MAX_WORDS]}\n")
        return 3 if isinstance(failure, Unreachable) else 1
    except OSError as error:
        sys.stderr.write(f"\n{error}\n")
        return 2
    return 0


def provide(request: Request) -> Environment:
    """The environment: as it is there, or built."""
    folder = Path(tempfile.mkdtemp(prefix=f".building-{request.key}-", dir=request.root))
    try:
        now = folder.stat().st_mtime  # by the clock of the volume
        evict(request, now)
        remove_leftovers(request, now)
        environment = read(request.root / request.key, now)
        existing = environment is not None
        if environment is None:
            environment = build(request, folder)
            publish(folder / "made", request.root / request.key)
        return environment | {"existing": existing, "unrecorded": list(unrecorded(request))}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def build(request: Request, folder: Path) -> Environment:
    """Makes the environment in `made` below the folder."""
    made = folder / "made"
    library = made / "lib"
    library.mkdir(parents=True)
    has = preinstalled()
    locked = resolve(request, folder, has)
    check_denied(locked, request.denied)
    added = [package for package in locked if has.get(package.name) != package.version]
    (made / "lock.txt").write_text("".join(package.text for package in locked))
    (folder / "install.txt").write_text("".join(package.text for package in added))
    if added:
        say(f"Installing {', '.join(f'{package.name} {package.version}' for package in added)}")
        run_uv(
            ["pip", "install", "--require-hashes", "--no-deps", "--only-binary", ":all:", "--compile-bytecode",
             "--target", str(library), "--requirements", "install.txt"],
            request, folder,
        )  # fmt: skip
        (library / ".lock").unlink(missing_ok=True)
    let_all_read(made)
    environment: Environment = {
        "key": request.key,
        "requirements": request.requirements,
        "python": platform.python_version(),
        "platform": f"{sys.platform}-{platform.machine()}",
        "bytes": size(made),
        "created": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "shadows": sorted(package.name for package in added if package.name in has),
        "packages": [{"name": package.name, "version": package.version} for package in added],
    }
    check_size(environment["bytes"], request)
    (made / "environment.json").write_text(json.dumps(environment))
    return environment


if __name__ == "__main__":
    sys.exit(main())
