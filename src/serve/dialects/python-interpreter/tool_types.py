"""What parsing a tool and calling it have in common."""

import ast
import collections.abc
import textwrap
import typing

ARRAYS = (list, collections.abc.Sequence, collections.abc.MutableSequence, collections.abc.Iterable)
SETS = (set, frozenset, collections.abc.Set, collections.abc.MutableSet)
OBJECTS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)


class ToolFault(Exception):
    """The source is no tool; each argument says why."""


def split(source: str) -> tuple[list[ast.stmt], ast.FunctionDef]:
    try:
        body = ast.parse(textwrap.dedent(source)).body
    except SyntaxError as error:
        raise ToolFault(f"Syntax error: {error.msg} on line {error.lineno}") from error
    except (ValueError, RecursionError, MemoryError) as error:
        # A NUL, half of a surrogate pair, and what is nested too deeply.
        raise ToolFault(f"Syntax error: {str(error) or 'too deeply nested'}") from error
    imports, function = body[:-1], body[-1] if body else None
    if not isinstance(function, ast.FunctionDef) or not all(
        isinstance(n, (ast.Import, ast.ImportFrom)) for n in imports
    ):
        raise ToolFault("The tool source code must only define a single function, optionally preceded by imports.")
    return imports, function


def parts(kind: typing.Any) -> tuple[typing.Any, tuple[typing.Any, ...]]:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return parts(arguments[0])
    return (kind if origin is None else origin), arguments
