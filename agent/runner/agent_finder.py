"""Notices the import of the few modules that show pictures, so that what they show can be kept.

An import of any other module costs one look into a dictionary.
"""

import sys

TYPE_CHECKING = False  # as typing's, which is slow to import
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

SHOWING = {"matplotlib.backends.backend_agg", "PIL.ImageShow", "plotly.io._renderers"}


class Finder:
    """Finds nothing itself. `adapt` is called with each of the modules once it is imported."""

    def __init__(self, adapt: "Callable[[ModuleType], None]") -> None:
        self._adapt = adapt

    def find_spec(
        self, name: str, path: "Sequence[str] | None" = None, target: "ModuleType | None" = None
    ) -> "ModuleSpec | None":
        return self._find_among_others(name, path, target) if name in SHOWING else None

    def _find_among_others(
        self, name: str, path: "Sequence[str] | None", target: "ModuleType | None"
    ) -> "ModuleSpec | None":
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path, target) if finder is not self else None
            if spec:
                self._follow(spec)
                return spec
        return None

    def _follow(self, spec: "ModuleSpec") -> None:
        loader = spec.loader

        def exec_module(module: "ModuleType") -> None:
            del loader.exec_module  # type: ignore[union-attr]
            loader.exec_module(module)  # type: ignore[union-attr]
            try:
                self._adapt(module)
            except Exception:
                pass  # a version that is made otherwise shows its pictures nowhere, as without us

        loader.exec_module = exec_module  # type: ignore[union-attr, method-assign]
