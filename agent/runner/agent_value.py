"""What is shown of a value: its repr, and HTML if it has a way to say it. Both are bounded, however large the value."""

TYPE_CHECKING = False  # as typing's, which is slow to import
if TYPE_CHECKING:
    from collections.abc import Callable

MAX_TEXT, MAX_HTML = 64 * 1024, 256 * 1024  # bytes
CUT = "\n… this is the beginning only: the text of the value is longer than 64 KiB"
MANY = 100_000  # items of a container that spells itself in full

BRACKETS: "dict[type, tuple[str, str]]" = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    dict: ("{", "}"),
    set: ("{", "}"),
    frozenset: ("frozenset({", "})"),
    type({}.keys()): ("dict_keys([", "])"),
    type({}.values()): ("dict_values([", "])"),
    type({}.items()): ("dict_items([", "])"),
}
SPELLED_IN_FULL = (*BRACKETS, str, bytes, bytearray)


class Full(Exception):
    pass


class Text:
    """A repr as it grows, up to a number of characters."""

    def __init__(self, room: int) -> None:
        self.room = room
        self._parts: list[str] = []
        self._inside: set[int] = set()  # ids of the containers that are being spelled

    def __str__(self) -> str:
        return "".join(self._parts)

    def add(self, text: str) -> None:
        self._parts.append(text[: self.room])
        self.room -= len(text)
        if self.room < 0:
            raise Full

    def spell(self, value: object) -> None:
        """As repr does, but of what Python spells in full no more than there is room for."""
        kind = type(value)
        if kind in BRACKETS and value:
            self._spell_container(value)
        elif kind in (str, bytes, bytearray):
            self.add(repr(value[: self.room + 1]))  # type: ignore[index]
        elif has_many(value):
            self.add(object.__repr__(value))
        else:
            self.add(repr(value))

    def _spell_container(self, value: object) -> None:
        left, right = BRACKETS[type(value)]
        if id(value) in self._inside:
            self.add(f"{left}...{right}")
            return
        self._inside.add(id(value))
        self.add(left)
        for at, item in enumerate(value):  # type: ignore[arg-type, var-annotated]
            if at:
                self.add(", ")
            self.spell(item)
            if type(value) is dict:
                self.add(": ")
                self.spell(value[item])
        self.add(",)" if type(value) is tuple and len(value) == 1 else right)
        self._inside.remove(id(value))


def has_many(value: object) -> bool:
    """Whether this may be a container of many items with a repr that leaves none out."""
    spelled = isinstance(value, SPELLED_IN_FULL) or type(value).__module__ in ("collections", "array")
    return spelled and len(value) > MANY  # type: ignore[arg-type]


def text_of(value: object) -> bytes:
    text, whole = Text(MAX_TEXT), True
    try:
        text.spell(value)
    except Full:
        whole = False
    data = str(text).encode(errors="backslashreplace")
    if whole and len(data) <= MAX_TEXT:
        return data
    cut = CUT.encode()
    return data[: MAX_TEXT - len(cut)].decode(errors="ignore").encode() + cut


def html_of(value: object) -> bytes | None:
    if not hasattr(type(value), "_repr_html_"):
        return None
    html = value._repr_html_()  # type: ignore[attr-defined]
    data = html.encode(errors="backslashreplace") if isinstance(html, str) else b""
    return data if 0 < len(data) <= MAX_HTML else None


def keep(value: object, put: "Callable[[str, bytes], None]") -> None:
    put("value.txt", text_of(value))
    if html := html_of(value):
        put("value.html", html)
