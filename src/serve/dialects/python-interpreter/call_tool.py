"""Calls a function of Python as a tool. Runs in a sandbox: stdin is its source and input, stdout its result."""

import datetime
import inspect
import json
import linecache
import os
import pathlib
import re
import sys
import textwrap
import traceback
import types
import typing
from collections.abc import Callable

from tool_types import ARRAYS, OBJECTS, SETS, ToolFault, parts, split

# The file that the tool's code is said to come from.
NAME = "<tool>"
# As ISO 8601 writes them, and as Python does.
DURATIONS = (
    r"(-?)P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?",
    r"(-?)(?:(?P<days>\d+) days?,? )?(?P<hours>\d+):(?P<minutes>\d\d):(?P<seconds>\d\d(?:\.\d+)?)",
)
# The largest number of seconds since 1970 that a moment may be given by.
MOST_SECONDS = 20_000_000_000


class Invalid(Exception):
    """A value is not of its type."""


def convert(value: typing.Any, kind: typing.Any) -> typing.Any:
    """A value of JSON as one of its type. Raises Invalid."""
    origin, arguments = parts(kind)
    if origin in (typing.Any, object, inspect.Parameter.empty):
        return value
    if origin in (typing.Union, types.UnionType):
        return convert_union(value, arguments)
    if origin is typing.Literal:
        matching = [each for each in arguments if type(each) is type(value) and each == value]
        if not matching:
            raise Invalid("Input should be " + " or ".join(repr(each) for each in arguments))
        return matching[0]
    if origin is tuple:
        return convert_tuple(value, arguments)
    if origin in ARRAYS or origin in SETS:
        each = arguments[0] if arguments else typing.Any
        items = [at(place, convert, item, each) for place, item in enumerate(expect(value, list, "list"))]
        return items if origin in ARRAYS else frozenset(items) if origin is frozenset else set(items)
    if origin in OBJECTS:
        of_key, of_value = arguments or (typing.Any, typing.Any)
        found = expect(value, dict, "dictionary")
        return {at(key, convert, key, of_key): at(key, convert, item, of_value) for key, item in found.items()}
    if origin in CONVERTERS:
        return CONVERTERS[origin](value)
    raise TypeError(f"an argument of type {kind!r} cannot come as JSON")


def expect(value: typing.Any, kind: type, name: str) -> typing.Any:
    if not isinstance(value, kind):
        raise Invalid(f"Input should be a valid {name}")
    return value


def at(place: object, work: Callable[..., typing.Any], *arguments: typing.Any) -> typing.Any:
    try:
        return work(*arguments)
    except Invalid as error:
        raise Invalid(f"at {place!r}: {error}") from None


def convert_union(value: typing.Any, kinds: tuple[typing.Any, ...]) -> typing.Any:
    """What fits as it is comes before what can be converted."""
    faults = []
    same = [kind for kind in kinds if parts(kind)[0] is type(value)]
    for kind in (*same, *kinds):
        try:
            return convert(value, kind)
        except Invalid as error:
            faults.append(str(error))
    raise Invalid(" or: ".join(dict.fromkeys(faults)))


def convert_tuple(value: typing.Any, kinds: tuple[typing.Any, ...]) -> tuple[typing.Any, ...]:
    items = expect(value, list, "tuple")
    if not kinds:
        return tuple(items)
    if len(kinds) == 2 and kinds[1] is ...:
        kinds = (kinds[0],) * len(items)
    if len(items) != len(kinds):
        raise Invalid(f"Input should have {len(kinds)} items, not {len(items)}")
    return tuple(at(place, convert, item, kind) for place, (item, kind) in enumerate(zip(items, kinds, strict=True)))


def to_none(value: typing.Any) -> None:
    if value is not None:
        raise Invalid("Input should be None")


def to_text(value: typing.Any) -> str:
    return str(expect(value, str, "string"))


def to_integer(value: typing.Any) -> int:
    if isinstance(value, str) and re.fullmatch(r"\s*[-+]?\d[\d_]*(\.0*)?\s*", value):
        return int(value.strip().split(".")[0])
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return int(expect(value, int, "integer"))


def to_number(value: typing.Any) -> float:
    try:
        return float(expect(value, (int, float, str), "number"))  # type: ignore[arg-type]
    except ValueError:
        raise Invalid("Input should be a valid number") from None


def to_boolean(value: typing.Any) -> bool:
    if isinstance(value, str):
        value = value.lower()
    for meaning, words in (
        (True, ("true", "t", "yes", "y", "on", "1", 1)),
        (False, ("false", "f", "no", "n", "off", "0", 0)),
    ):
        if value in words:
            return meaning
    raise Invalid("Input should be a valid boolean")


def is_number(value: typing.Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def to_moment(value: typing.Any) -> datetime.datetime:
    """Numbers are seconds since 1970, or milliseconds where they are too large for that."""
    if isinstance(value, str) and re.fullmatch(r"[-+]?\d+(\.\d+)?", value):
        value = float(value)
    if is_number(value):
        try:
            return datetime.datetime.fromtimestamp(value / 1000 if abs(value) > MOST_SECONDS else value, datetime.UTC)
        except (OverflowError, ValueError) as error:
            raise Invalid(f"Input should be a valid datetime: {error}") from None
    moment: datetime.datetime = from_iso(datetime.datetime, value, "datetime")
    return moment


def to_date(value: typing.Any) -> datetime.date:
    """The moment at which a day begins is a date, too."""
    try:
        date: datetime.date = from_iso(datetime.date, value, "date")
        return date
    except Invalid as fault:
        try:
            moment = to_moment(value)
        except Invalid:
            raise fault from None
    if moment.time() != datetime.time():
        raise Invalid("Datetimes provided to dates should have zero time")
    return moment.date()


def to_time(value: typing.Any) -> datetime.time:
    """A number is seconds since midnight."""
    if is_number(value) and 0 <= value < 86_400:
        return to_moment(value).timetz()
    time: datetime.time = from_iso(datetime.time, value, "time")
    return time


def from_iso(kind: typing.Any, value: typing.Any, name: str) -> typing.Any:
    try:
        return kind.fromisoformat(expect(value, str, name))
    except ValueError as error:
        raise Invalid(f"Input should be a valid {name}: {error}") from None


def to_duration(value: typing.Any) -> datetime.timedelta:
    if is_number(value):
        return datetime.timedelta(seconds=value)
    text = expect(value, str, "timedelta")
    for pattern in DURATIONS:
        match = re.fullmatch(pattern, text)
        if match and any(match.groups()[1:]):
            amounts = {name: float(amount) for name, amount in match.groupdict().items() if amount}
            duration = datetime.timedelta(**amounts)
            return -duration if match[1] else duration
    raise Invalid("Input should be a valid timedelta")


CONVERTERS: dict[typing.Any, Callable[[typing.Any], typing.Any]] = {
    str: to_text,
    int: to_integer,
    float: to_number,
    bool: to_boolean,
    bytes: lambda value: to_text(value).encode(),
    type(None): to_none,
    None: to_none,
    datetime.datetime: to_moment,
    datetime.date: to_date,
    datetime.time: to_time,
    datetime.timedelta: to_duration,
    pathlib.Path: lambda value: pathlib.Path(to_text(value)),
    pathlib.PurePath: lambda value: pathlib.PurePath(to_text(value)),
}


def arguments_of(function: Callable[..., typing.Any], text: str) -> dict[str, typing.Any]:
    """The input of a tool as its arguments. Raises Invalid with everything that is wrong."""
    given = json.loads(text)
    if not isinstance(given, dict):
        raise Invalid("The input must be a JSON object.")
    kinds = typing.get_type_hints(function)
    parameters = inspect.signature(function).parameters
    faults = [f"{name}: Unexpected keyword argument" for name in given if name not in parameters]
    arguments = {}
    for name, parameter in parameters.items():
        if name not in given:
            if parameter.default is parameter.empty:
                faults.append(f"{name}: Missing required argument")
            continue
        try:
            arguments[name] = convert(given[name], kinds.get(name, typing.Any))
        except Invalid as error:
            faults.append(f"{name}: {error}")
    if faults:
        raise Invalid("\n".join(faults))
    return arguments


def execute(source: str, text: str) -> str:
    """Calls the tool. Its result as JSON."""
    _, function = split(source)
    clean = textwrap.dedent(source)
    linecache.cache[NAME] = (len(clean), None, clean.splitlines(keepends=True), NAME)
    namespace: dict[str, typing.Any] = {"__name__": "__main__"}
    exec(compile(clean, NAME, "exec"), namespace)
    tool = namespace[function.name]
    return json.dumps(tool(**arguments_of(tool, text)))


def take_stdout() -> int:
    """Where stdout leads. From now on it leads nowhere: what the tool, its threads and processes print is no result."""
    stdout = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return stdout


def own_frames(error: BaseException) -> types.TracebackType | None:
    """The traceback from the tool's own code on: this program's frames say nothing to its author."""
    trace = error.__traceback__
    while trace and trace.tb_frame.f_code.co_filename != NAME:
        trace = trace.tb_next
    return trace


def main() -> int:
    request = json.load(sys.stdin)
    stdout = take_stdout()
    try:
        result = execute(request["tool_source_code"], request["tool_input_json"])
        with open(stdout, "w", encoding="ascii") as out:
            print(result, file=out)
        return 0
    except (Invalid, ToolFault) as error:
        print("\n".join(map(str, error.args)), file=sys.stderr)
    except Exception as error:
        traceback.print_exception(type(error), error, own_frames(error))
    return 1


if __name__ == "__main__":
    sys.exit(main())
