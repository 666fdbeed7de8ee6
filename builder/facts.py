"""Says as JSON what an image has: Python, platform, packages. Of two of one name the first on the path counts."""

import importlib.metadata
import json
import platform
import re
import sys
from typing import Any


def main() -> None:
    packages: dict[str, dict[str, Any]] = {}
    for distribution in importlib.metadata.distributions():
        name = distribution.metadata["Name"]
        if name:
            packages.setdefault(re.sub(r"[-_.]+", "-", name).lower(), describe(distribution))
    json.dump(
        {
            "python": platform.python_version(),
            "platform": f"{sys.platform}-{platform.machine()}-{'-'.join(platform.libc_ver())}",
            "packages": [packages[name] for name in sorted(packages)],
        },
        sys.stdout,
    )


def describe(distribution: importlib.metadata.Distribution) -> dict[str, Any]:
    top_level = distribution.read_text("top_level.txt")
    modules = set(top_level.split()) if top_level else {file.parts[0] for file in distribution.files or []}
    names = sorted(name.partition(".")[0] if name.endswith((".py", ".so")) else name for name in modules)
    return {
        "name": distribution.metadata["Name"],
        "version": distribution.version,
        "modules": [name for name in names if name.isidentifier() and name != "__pycache__"],
    }


if __name__ == "__main__":
    main()
