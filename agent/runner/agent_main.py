"""Lets Python itself run the program, and hands the value of its last expression to us all the same.

Where the last statement is an expression, main.py is compiled code for a moment, which Python runs as it runs source.
In it that expression is the argument of a function that keeps what is to be shown of it; and its first statement puts
everything back as Python would have it. In all other cases, and if anything is unusual, main.py stays as it is.
"""

import _warnings
import builtins
import marshal
import os
import sys

TYPE_CHECKING = False  # as typing's, which is slow to import
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import Any

PROGRAM = "/workspace/main.py"
SOURCE, COMPILED = "/workspace/.main.py", "/workspace/.main.pyc"
BEGIN, KEEP = "<begin>", "<keep>"  # builtins; no source can name them
ONLY_TREE = 0x400  # PyCF_ONLY_AST
LONGEST = 256 * 1024  # bytes of code; for more the trees take too long, and too much memory


def get_ready() -> None:
    """Python makes the types of its syntax trees when it first needs them, and takes a millisecond for it."""
    with_hooks(b"f(x)")


def arrange(code: str, keep: "Callable[[object], None]") -> None:
    """`keep` is called with the value, if there is one, in this process only. Nothing that goes wrong is said here:
    Python says it when it compiles main.py itself.
    """
    try:
        compiled = compile_once_warned(code.encode(), PROGRAM, begins=True)
        if compiled is None:
            return
        write(COMPILED, sys.modules["_frozen_importlib_external"].MAGIC_NUMBER + bytes(12) + marshal.dumps(compiled))
        os.rename(PROGRAM, SOURCE)
    except Exception:
        return
    vars(builtins).update({BEGIN: begin, KEEP: in_this_process(keep)})
    os.rename(COMPILED, PROGRAM)


def compile_program(code: str, name: str, keep: "Callable[[object], None]") -> "CodeType":
    """For us to run. SyntaxError as Python has it."""
    source = code.encode()
    try:
        compiled = compile_once_warned(source, name, begins=False)
    except Exception:
        compiled = None  # unusual, or wrong: then it is said below
    if compiled is None:
        return compile(source, name, "exec", dont_inherit=True)
    vars(builtins)[KEEP] = in_this_process(keep)
    return compiled


def compile_once_warned(source: bytes, name: str, *, begins: bool) -> "CodeType | None":
    """Of what the compiler warns of, the program's output has each warning once, as ever."""
    if len(source) > LONGEST:
        return None
    try:
        return under("error", source, name, begins)
    except SyntaxError:
        compiled = under("ignore", source, name, begins)
    if compiled:
        compile(source, name, "exec", dont_inherit=True)
    return compiled


def under(action: str, source: bytes, name: str, begins: bool) -> "CodeType | None":
    filters = sys.modules.get("warnings", _warnings).filters
    warnings = (action, None, Warning, None, 0)
    filters.insert(0, warnings)
    try:
        return with_hooks(source, name, begins)
    finally:
        filters.remove(warnings)


def with_hooks(source: bytes, name: str = PROGRAM, begins: bool = True) -> "CodeType | None":
    """None if the last statement is no expression."""
    tree = parse(source, name)
    body = tree.body
    if not body or not is_a(body[-1], "Expr") or is_a(body[-1].value, "Starred") or prints(body[-1].value):
        return None
    kept = statement(KEEP, body[-1])
    if len(body) == 1 and is_text(body[0]):
        body.append(kept)  # the text stays what else it is, the docstring
    else:
        body[-1] = kept
    if begins:
        body.insert(first_after_preamble(body), statement(BEGIN))
    return compile(tree, name, "exec", dont_inherit=True)


def parse(source: "str | bytes", name: str = PROGRAM) -> "Any":
    return compile(source, name, "exec", ONLY_TREE, dont_inherit=True)


def statement(function: str, expression: "Any" = None) -> "Any":
    """A call of the function, in place of the expression and with its value."""
    call = parse("f()").body[0]
    call.value.func.id = function
    if expression:
        call.value.args = [expression.value]
        for node in (call, call.value, call.value.func):
            for name in ("lineno", "col_offset", "end_lineno", "end_col_offset"):
                setattr(node, name, getattr(expression, name))
    return call


def first_after_preamble(body: "list[Any]") -> int:
    """The docstring and imports from __future__ come first."""
    at = int(is_text(body[0]))
    while is_a(body[at], "ImportFrom") and body[at].module == "__future__":
        at += 1
    return at


def is_a(node: object, kind: str) -> bool:
    return type(node).__name__ == kind


def is_text(node: "Any") -> bool:
    return is_a(node, "Expr") and is_a(node.value, "Constant") and isinstance(node.value.value, str)


def prints(expression: "Any") -> bool:
    """The most common end of a program: it has no value, so there is nothing to do for it."""
    return is_a(expression, "Call") and is_a(expression.func, "Name") and expression.func.id == "print"


def write(path: str, data: bytes) -> None:
    """Whole or not at all."""
    try:
        with open(path, "wb") as file:
            file.write(data)
    except OSError:
        os.unlink(path)
        raise


def begin() -> None:
    del vars(builtins)[BEGIN]
    os.rename(SOURCE, PROGRAM)
    loader = sys.modules["_frozen_importlib_external"].SourceFileLoader
    vars(sys.modules["__main__"])["__loader__"] = loader("__main__", PROGRAM)


def in_this_process(keep: "Callable[[object], None]") -> "Callable[[object], None]":
    owner = os.getpid()

    def keep_here(value: object) -> None:
        if value is not None and os.getpid() == owner:
            keep(value)

    return keep_here
