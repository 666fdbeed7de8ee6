"""Parses a function of Python as a tool. Runs in a sandbox: stdin is the source, stdout says what it is."""

import ast
import collections.abc
import datetime
import inspect
import json
import pathlib
import re
import sys
import types
import typing
from collections.abc import Iterable

from tool_types import ARRAYS, OBJECTS, SETS, ToolFault, parts, split

Schema = dict[str, typing.Any]

# Modules that annotations may name: nothing else is imported to parse a tool.
MODULES = ("typing", "pathlib", "datetime")
SCALARS: dict[typing.Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    bytes: {"type": "string", "format": "binary"},
    type(None): {"type": "null"},
    None: {"type": "null"},
    typing.Any: {},
    object: {},
    datetime.datetime: {"type": "string", "format": "date-time"},
    datetime.date: {"type": "string", "format": "date"},
    datetime.time: {"type": "string", "format": "time"},
    datetime.timedelta: {"type": "string", "format": "duration"},
    pathlib.Path: {"type": "string", "format": "path"},
    pathlib.PurePath: {"type": "string", "format": "path"},
}


def parse(source: str) -> dict[str, str]:
    imports, function = split(source)
    arguments = [*function.args.args, *function.args.kwonlyargs]
    faults = [
        (function.args.posonlyargs, "The tool function must not have positional-only arguments"),
        (function.args.vararg, "The tool function must not have *args"),
        (function.args.kwarg, "The tool function must not have **kwargs"),
        (
            any(argument.annotation is None for argument in arguments),
            "The tool function arguments must have type annotations",
        ),
    ]
    if any(is_there for is_there, _ in faults):
        raise ToolFault(*(text for is_there, text in faults if is_there))
    about, returns, described = docstring(ast.get_docstring(function) or "")
    namespace = names_of(imports)
    properties = {}
    for argument in arguments:
        assert argument.annotation is not None
        schema = annotation_schema(argument.annotation, namespace)
        description = described.get(argument.arg)
        properties[argument.arg] = schema | ({"description": description} if description else {})
    positional = function.args.args[: len(function.args.args) - len(function.args.defaults)]
    keyword = [
        a for a, default in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True) if default is None
    ]
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "title": function.name,
        "properties": properties,
        "required": [argument.arg for argument in (*positional, *keyword)],
        "additionalProperties": False,
    }
    result = " -- ".join(text for text in (ast.unparse(function.returns) if function.returns else "", returns) if text)
    description = "\n\n".join(text for text in (about, f"Returns: {result}" if result else "") if text)
    return {
        "tool_name": function.name,
        "tool_input_schema_json": json.dumps(schema),
        "tool_description": description,
    }


def docstring(text: str) -> tuple[str, str, dict[str, str]]:
    """What the function does, what it returns, and its parameters, by `:param name:` and `:return:`."""
    first, *chunks = (chunk.strip() for chunk in re.split(r"(?:^|\n)\s*:", inspect.cleandoc(text)))
    returns = ""
    parameters = {}
    for chunk in chunks:
        if match := re.match(r"param (\w+):\s+(.+)", chunk, re.DOTALL):
            parameters[match[1]] = match[2]
        elif match := re.match(r"returns?:\s+(.+)", chunk, re.DOTALL):
            returns = match[1]
    return first, returns, parameters


def names_of(imports: Iterable[ast.stmt]) -> dict[str, typing.Any]:
    namespace: dict[str, typing.Any] = {}
    for node in imports:
        if isinstance(node, ast.Import):
            for name in node.names:
                if name.name in MODULES:
                    namespace[name.asname or name.name] = __import__(name.name)
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            module = __import__(node.module)
            for name in node.names:
                if not hasattr(module, name.name):
                    raise ToolFault(f"Cannot import name `{name.name}` from `{node.module}`")
                namespace[name.asname or name.name] = getattr(module, name.name)
    return namespace


def annotation_schema(node: ast.expr, namespace: dict[str, typing.Any]) -> Schema:
    text = ast.unparse(node)
    if not is_plain(node):
        raise ToolFault(f"Invalid type annotation `{text}`")
    try:
        return schema_of(eval(text, dict(namespace)))
    except Exception as error:
        raise ToolFault(f"Error when parsing type `{text}`: {error}") from error


def is_plain(node: ast.expr) -> bool:
    """Whether an annotation is made of names, subscripts and unions alone."""
    match node:
        case ast.Name():
            return True
        case ast.Attribute(value=value):
            return is_plain(value)
        case ast.Subscript(value=value, slice=inner):
            return is_plain(value) and is_plain(inner)
        case ast.Tuple(elts=elements) | ast.List(elts=elements):
            return all(is_plain(element) for element in elements)
        case ast.Constant(value=value):
            return isinstance(value, (str, int, float, bool, type(None), type(...)))
        case ast.BinOp(op=ast.BitOr(), left=left, right=right):
            return is_plain(left) and is_plain(right)
        case _:
            return False


def schema_of(kind: typing.Any) -> Schema:
    origin, arguments = parts(kind)
    if isinstance(origin, collections.abc.Hashable) and origin in SCALARS:
        return dict(SCALARS[origin])
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [schema_of(each) for each in arguments]}
    if origin is typing.Literal:
        return literal_schema(arguments)
    if origin is tuple:
        return tuple_schema(arguments)
    if origin in ARRAYS:
        return {"type": "array", "items": schema_of(arguments[0]) if arguments else {}}
    if origin in SETS:
        return {"type": "array", "items": schema_of(arguments[0]) if arguments else {}, "uniqueItems": True}
    if origin in OBJECTS:
        return {"type": "object", "additionalProperties": (schema_of(arguments[1]) if arguments else {}) or True}
    raise TypeError(f"there is no JSON schema for {kind!r}")


def tuple_schema(arguments: tuple[typing.Any, ...]) -> Schema:
    if not arguments:
        return {"type": "array", "items": {}}
    if len(arguments) == 2 and arguments[1] is ...:
        return {"type": "array", "items": schema_of(arguments[0])}
    items = [schema_of(each) for each in arguments]
    return {"type": "array", "minItems": len(items), "items": items, "additionalItems": False}


def literal_schema(values: tuple[typing.Any, ...]) -> Schema:
    kinds = {type(value) for value in values}
    kind = SCALARS.get(kinds.pop(), {}) if len(kinds) == 1 else {}
    return ({"const": values[0]} if len(values) == 1 else {"enum": list(values)}) | kind


def main() -> None:
    try:
        print(json.dumps(parse(json.load(sys.stdin)["tool_source_code"])))
    except ToolFault as fault:
        print(json.dumps({"error_messages": list(fault.args)}))


if __name__ == "__main__":
    main()
