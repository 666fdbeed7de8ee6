"""Makes the packages of an environment the program's: they come after the standard library and before what is
installed, in the program itself, and before all else in the Python processes that it starts.
"""

import os
import site
import sys


def add(environment: str) -> None:
    lib = f"{environment}/lib"
    prepend("PYTHONPATH", lib, os.environ.get("PYTHONPATH"))
    prepend("PATH", f"{lib}/bin", os.environ.get("PATH", os.defpath))
    at = end_of_standard_library()
    sys.path.insert(at, lib)
    last = sys.path[-1]
    site.addsitedir(lib)  # it appends what .pth files name, and that belongs to the packages
    end = sys.path.index(last) + 1
    named = sys.path[end:]
    del sys.path[end:]
    sys.path[at + 1 : at + 1] = named


def end_of_standard_library() -> int:
    """Where in sys.path the folders begin that `site` has added."""
    library = os.path.dirname(os.__file__)
    return 1 + max(at for at, folder in enumerate(sys.path) if folder in (library, f"{library}/lib-dynload"))


def prepend(name: str, folder: str, rest: str | None) -> None:
    os.environ[name] = os.pathsep.join(filter(None, (folder, rest)))
