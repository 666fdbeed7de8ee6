"""Figures that are shown or left open come back. The modules are stand-ins that have of the real ones what we touch."""

import textwrap
import unittest
from typing import Any

from tests.sandbox import Result, Sandbox, hello, request

MATPLOTLIB = {
    "matplotlib/__init__": "",
    "matplotlib/backends/__init__": "",
    "matplotlib/_pylab_helpers": """
import atexit
class Gcf:
    figs = {}
    @classmethod
    def get_all_fig_managers(cls): return list(cls.figs.values())
    @classmethod
    def destroy(cls, manager): del cls.figs[manager.num]
    @classmethod
    def destroy_all(cls): cls.figs.clear()
atexit.register(Gcf.destroy_all)
""",
    "matplotlib/backends/backend_agg": """
from matplotlib._pylab_helpers import Gcf
def show(*, block=None): print("shown nowhere")
""",
    "matplotlib/pyplot": """
from matplotlib._pylab_helpers import Gcf
class Figure:
    def __init__(self, text): self.text = text
    def savefig(self, file, format, bbox_inches):
        assert (format, bbox_inches) == ("png", "tight")
        if "warn" in self.text:
            import warnings
            warnings.warn(self.text)
        file.write(self.text.encode("ascii"))
class Manager: pass
def figure(text):
    import matplotlib.backends.backend_agg
    manager = Manager()
    manager.num = max(Gcf.figs, default=0) + 1
    manager.canvas = Manager()
    manager.canvas.figure = Figure(text)
    Gcf.figs[manager.num] = manager
def again(number):
    Gcf.figs[number] = Gcf.figs.pop(number)
def show(*args, **kwargs):
    import matplotlib.backends.backend_agg as backend
    backend.show(*args, **kwargs)
""",
}
PILLOW = {
    "PIL/__init__": "",
    "PIL/Image": """
class Image:
    def __init__(self, text): self.text = text
    def save(self, file, format): file.write(f"{format} {self.text}".encode("ascii"))
    def show(self):
        from . import ImageShow
        return ImageShow.show(self)
""",
    "PIL/ImageShow": """
_viewers = []
def register(viewer, order=1): _viewers.insert(0 if order <= 0 else len(_viewers), viewer())
def show(image): return any(viewer.show(image, title=None) for viewer in _viewers)
class Viewer:
    def show(self, image, **options): return self.show_image(image, **options)
class Display(Viewer):
    def show_image(self, image, **options): print("no display")
register(Display)
""",
}
PLOTLY = {
    "plotly/__init__": "",
    "plotly/io/__init__": """
from ._renderers import renderers, show
def to_html(figure, include_plotlyjs, full_html, validate):
    assert (include_plotlyjs, full_html, validate) == (True, True, False)
    return f"<html>{figure}"
""",
    "plotly/io/_renderers": """
class ExternalRenderer: pass
class Renderers(dict): default = "none"
class Nothing:
    def render(self, figure): print("no browser")
renderers = Renderers(none=Nothing(), browser=Nothing())
def show(figure, renderer=None): renderers[renderer or renderers.default].render(figure)
""",
}


MODULES = MATPLOTLIB | PILLOW | PLOTLY


def run(code: str, modules: dict[str, str] = MODULES, **fields: Any) -> Result:
    with Sandbox(modules=modules) as sandbox:
        sandbox.send(request(textwrap.dedent(code), **fields))
        return sandbox.result()


def figures(result: Result) -> list[str]:
    return [f"{path} {data.decode()}" for kind, path, data in result.files if kind == "figure"]


class PicturesTest(unittest.TestCase):
    def keeps(self, code: str, *shown: str, stdout: str = "", exit_code: int = 0, **fields: Any) -> Result:
        result = run(code, **fields)
        self.assertEqual((result.stdout.decode(), result.stderr.decode()), (stdout, ""))
        self.assertEqual(result.ending, ("exited", exit_code, None))
        self.assertEqual(figures(result), list(shown))
        return result


class Matplotlib(PicturesTest):
    def test_what_is_shown_is_closed_and_what_stays_open_is_shown_at_the_end(self) -> None:
        code = """
        import matplotlib.pyplot as plt
        plt.figure("a"); plt.figure("b"); plt.again(1)
        plt.show(block=True)
        plt.figure("c"); plt.show(); plt.show()
        plt.figure("d")
        """
        self.keeps(code, "figure-1.png a", "figure-2.png b", "figure-3.png c", "figure-4.png d")

    def test_however_the_program_ends(self) -> None:
        code = "import matplotlib.pyplot as plt\nplt.figure('a')\n"
        self.keeps(code + "raise SystemExit(3)", "figure-1.png a", exit_code=3)
        result = run(code + "1 / 0")
        self.assertEqual((len(result.files), result.exit["exit_code"]), (1, 1))
        self.keeps(code + "import os; os._exit(0)")

    def test_a_figure_that_cannot_be_kept(self) -> None:
        code = "import matplotlib.pyplot as plt\nfor text in 'aéb': plt.figure(text); plt.show()\nplt.figure('ü')"
        result = run(code)
        self.assertEqual([path for _, path, _ in result.files], ["figure-1.png", "figure-2.png"])
        said = result.stderr.decode().splitlines()
        self.assertEqual((len(said), result.ending), (2, ("exited", 0, None)))
        self.assertRegex(said[0], "^vivarium: a figure could not be kept: UnicodeEncodeError: ")
        self.keeps("import matplotlib.pyplot as plt, sys\nplt.figure('é')\nsys.stderr = None")

    def test_a_full_workspace(self) -> None:
        code = "import matplotlib.pyplot as plt\nfor text in 'ab': plt.figure(text * 100); plt.show()\nprint('end')"
        result = run(code, limits={"file_bytes": 10})
        self.assertEqual((result.files, result.stdout, result.ending), ([], b"end\n", ("exited", 0, None)))

    def test_drawing_at_the_end_warns_of_nothing(self) -> None:
        self.keeps("import matplotlib.pyplot as plt\nplt.figure('warning')", "figure-1.png warning")
        result = run("import matplotlib.pyplot as plt\nplt.figure('warning'); plt.show()")
        self.assertIn(b"UserWarning: warning", result.stderr)

    def test_forked_processes_share_the_numbers(self) -> None:
        code = """
        import os, matplotlib.pyplot as plt
        plt.figure("open in both")
        for child in range(3):
            if os.fork() == 0:
                plt.figure(f"child {child}")
                plt.show()
                raise SystemExit
            os.wait()
        """
        of_children = [
            f"figure-{2 * n + at + 1}.png {text}"
            for n in range(3)
            for at, text in enumerate(("open in both", f"child {n}"))
        ]
        self.keeps(code, *of_children, "figure-7.png open in both")

    def test_children_that_exit_keep_nothing_twice(self) -> None:
        self.keeps("import os, matplotlib.pyplot as plt\nplt.figure('a')\nos.fork() and os.wait()", "figure-1.png a")

    def test_at_once_in_many_processes(self) -> None:
        code = """
        import os, matplotlib.pyplot as plt
        for child in range(8):
            if os.fork() == 0:
                for n in range(10): plt.figure("x"); plt.show()
                os._exit(0)
        for child in range(8): os.wait()
        """
        self.keeps(code, *[f"figure-{n + 1}.png x" for n in range(80)])

    def test_more_figures_than_are_carried(self) -> None:
        code = "import matplotlib.pyplot as plt\nfor n in range(5): plt.figure(str(n)); plt.show()"
        result = self.keeps(code, "figure-1.png 0", "figure-2.png 1", limits={"artifact_files": 2})
        self.assertEqual(result.left_out, [(f"figure-{n}.png", "count") for n in (3, 4, 5)])

    def test_none_are_wanted(self) -> None:
        code = "import os, matplotlib.pyplot as plt; plt.figure('a'); plt.show(); print(os.listdir())"
        result = self.keeps(code, stdout="['main.py']\n", limits={"artifact_files": 0})
        self.assertEqual(result.left_out, [])

    def test_what_is_preloaded(self) -> None:
        for module in ("matplotlib.pyplot", "matplotlib.backends.backend_agg", "PIL.ImageShow", "plotly.io"):
            with Sandbox(modules=MODULES) as sandbox:
                sandbox.send(hello(module))
                self.assertEqual(sandbox.frame()["failed"], {})
                show = "plt.figure('a'); plt.show(); Image.Image('b').show(); io.show('c'); plt.figure('d')"
                imports = "import matplotlib.pyplot as plt\nfrom PIL import Image\nfrom plotly import io\n"
                sandbox.send(request(imports + show))
                shown = figures(sandbox.result())
            self.assertEqual(shown, ["figure-1.png a", "figure-2.png PNG b", "figure-3.html <html>c", "figure-4.png d"])

    def test_a_version_that_is_made_otherwise(self) -> None:
        other = {"matplotlib/_pylab_helpers": "", "matplotlib/backends/backend_agg": "def show(): print('theirs')"}
        result = run("from matplotlib.backends.backend_agg import show; show()", MODULES | other)
        self.assertEqual((result.stdout, result.stderr), (b"theirs\n", b""))

    def test_a_module_that_fails_fails_as_ever(self) -> None:
        broken = {"matplotlib/backends/backend_agg": "1 / 0"}
        code = "for n in '12':\n try: import matplotlib.backends.backend_agg\n except ZeroDivisionError: print(n)"
        self.assertEqual(run(code, MODULES | broken).stdout, b"1\n2\n")
        missing = "try: import PIL.ImageShow\nexcept ModuleNotFoundError as error: print(error)"
        self.assertEqual(run(missing, {}).stdout, b"No module named 'PIL'\n")


class Others(PicturesTest):
    def test_pillow(self) -> None:
        self.keeps("from PIL.Image import Image\nprint(Image('a').show())", "figure-1.png PNG a", stdout="True\n")

    def test_plotly(self) -> None:
        code = "import plotly.io as io\nio.show('a'); io.show('b', 'browser'); io.show('c', 'none')"
        self.keeps(code, "figure-1.html <html>a", "figure-2.html <html>b", stdout="no browser\n")
        env = {"PLOTLY_RENDERER": "none"}
        self.keeps("import plotly.io as io\nio.show('a')", stdout="no browser\n", env=env)

    def test_numbers_are_shared_by_all_that_show(self) -> None:
        code = """
        import matplotlib.pyplot as plt, plotly.io as io
        from PIL.Image import Image
        plt.figure("left open"); io.show("a"); Image("b").show(); io.show("c")
        """
        self.keeps(
            code, "figure-1.html <html>a", "figure-2.png PNG b", "figure-3.html <html>c", "figure-4.png left open"
        )

    def test_the_modules_are_what_they_are_without_us(self) -> None:
        code = """
        import inspect, os, sys
        import PIL.ImageShow as module
        print(module.__file__, module.__spec__.loader is module.__loader__, type(module.__loader__).__name__)
        print(vars(module.__loader__))
        print(inspect.getsource(module)[:14].strip(), "MPLBACKEND" in os.environ, os.path.exists(".vivarium"))
        """
        result = run(code)
        path = "/opt/modules/PIL/ImageShow.py"
        loader = f"{{'name': 'PIL.ImageShow', 'path': '{path}'}}"
        expected = f"{path} True SourceFileLoader\n{loader}\n_viewers = [] False False\n"
        self.assertEqual(result.stdout.decode(), expected)
