"""Keeps the pictures that a program shows, as figure-N.png and figure-N.html in the order in which it shows them.

There is no screen, so what matplotlib, Pillow and plotly would show on one goes onto the shelf.
"""

import atexit
import os
import sys
from collections.abc import Callable
from io import BytesIO
from types import ModuleType
from typing import Any

Keep = Callable[[str, Callable[[], bytes]], None]

at_end: list[Callable[[], None]] = []


class Figures:
    """Numbers are shared by all processes of the program: who makes the file of that name has the number."""

    def __init__(self, limits: dict[str, Any], put: Callable[[str, bytes], None]) -> None:
        self._limits = limits
        self._put = put
        self._last = 0

    def start_again(self) -> None:
        """Another run begins, and has numbers of its own."""
        self._last = 0

    def keep(self, extension: str, draw: Callable[[], bytes]) -> None:
        """A figure that cannot be drawn or kept costs the program nothing but a line on stderr."""
        if not self._limits["artifact_files"]:
            return
        try:
            # Of what will not be carried the name is enough: the agent counts it.
            data = draw() if self._last < self._limits["artifact_files"] else b""
            self._put(f"figure-{self._take_number()}.{extension}", data)
        except Exception as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            say(f"vivarium: a figure could not be kept: {reason}\n")

    def _take_number(self) -> int:
        while True:
            self._last += 1
            try:
                self._put(f"figure-{self._last}", b"")
                return self._last
            except FileExistsError:
                pass


def say(sentence: str) -> None:
    try:
        sys.stderr.write(sentence)
    except Exception:
        pass  # the program has closed it


def adapt(module: ModuleType, keep: Keep) -> None:
    {
        "matplotlib.backends.backend_agg": adapt_matplotlib,
        "PIL.ImageShow": adapt_pillow,
        "plotly.io._renderers": adapt_plotly,
    }[module.__name__](module, keep)


def show_what_is_open() -> None:
    """At the end of a run whose interpreter goes on."""
    for show in at_end:
        show()


def adapt_matplotlib(agg: Any, keep: Keep) -> None:
    """Gives the backend for files, which has nothing to show on, a `show`. What is open at the end is shown too."""
    owner = os.getpid()
    managed = sys.modules["matplotlib._pylab_helpers"].Gcf

    def draw(figure: Any) -> bytes:
        buffer = BytesIO()
        figure.savefig(buffer, format="png", bbox_inches="tight")
        return buffer.getvalue()

    def show(*, block: bool | None = None) -> None:  # noqa: ARG001
        for manager in sorted(managed.get_all_fig_managers(), key=lambda manager: manager.num):
            keep("png", lambda figure=manager.canvas.figure: draw(figure))  # type: ignore[misc]
            managed.destroy(manager)

    def show_open_figures() -> None:
        if os.getpid() != owner or not managed.get_all_fig_managers():
            return  # a forked process has the same figures open as the one that it comes from
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the program did not ask for this drawing
            show()

    agg.show = show
    at_end.append(show_open_figures)
    atexit.register(show_open_figures)  # after matplotlib's own handler, so it comes before that closes all


def adapt_pillow(image_show: Any, keep: Keep) -> None:
    class Viewer(image_show.Viewer):  # type: ignore[misc]
        format = "PNG"

        def show_image(self, image: Any, **_: object) -> int:
            keep("png", lambda: draw(image))
            return 1

    def draw(image: Any) -> bytes:
        buffer = BytesIO()
        image.save(buffer, "PNG")
        return buffer.getvalue()

    image_show.register(Viewer, 0)


def adapt_plotly(renderers: Any, keep: Keep) -> None:
    class Renderer(renderers.ExternalRenderer):  # type: ignore[misc]
        def render(self, figure: Any) -> None:
            keep("html", lambda: draw(figure))

    def draw(figure: Any) -> bytes:
        html: str = sys.modules["plotly.io"].to_html(figure, include_plotlyjs=True, full_html=True, validate=False)
        return html.encode()

    renderers.renderers["browser"] = Renderer()
    if "PLOTLY_RENDERER" not in os.environ:
        renderers.renderers.default = "browser"
