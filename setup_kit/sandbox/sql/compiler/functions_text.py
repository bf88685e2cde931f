"""Built-in functions of strings. They count UTF-16 units: the collation has no supplementary characters (_SC)."""

from __future__ import annotations

import hashlib
import re
from array import array
from collections.abc import Callable

from setup_kit.sandbox.sql import errors, unsupported
from setup_kit.sandbox.sql.compiler import operators
from setup_kit.sandbox.sql.compiler.bound import Bound, Function, Program, Runtime
from setup_kit.sandbox.sql.values import code_page, collation
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import MAX, SqlType, Stored
from setup_kit.sandbox.sql.values.units import cut_units, utf16_length

Compile = Callable[[Program, list[Bound]], Bound]


def _units(text: str) -> str:
    """`text` with a character for each of its UTF-16 units."""
    if text.isascii() or max(text) < "\U00010000":
        return text
    return "".join(map(chr, array("H", text.encode("utf-16-le"))))


def _whole(units: str) -> str:
    """The text of UTF-16 units. Half a pair, which the store cannot hold, becomes U+FFFD."""
    if units.isascii():
        return units
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def strict(function: Callable[..., Stored]) -> Function:
    """NULL when any argument is NULL."""

    def call_unless_null(_: Runtime, *values: Stored) -> Stored:
        return None if None in values else function(*values)

    return call_unless_null


def text(program: Program, bound: Bound) -> Bound:
    """A string of any kind as it is; anything else as nvarchar(max)."""
    if bound.type.name in t.STRINGS and not bound.undeclared:
        return bound
    return program.convert(bound, t.nvarchar(4000))


def _varying(kind: SqlType, length: int | None = None) -> SqlType:
    name = "nvarchar" if kind.name in t.NATIONAL else "varchar"
    return SqlType(name, kind.length if length is None else length)


# Strings

#: Characters of a value that REPLICATE may make; SQL Server would go to 2 GB.


def _string(label: str, function: Callable[..., Stored]) -> Compile:
    """A function from a string to a string of the same type, with integers behind it."""

    def compile_(program: Program, values: list[Bound]) -> Bound:
        value = text(program, values[0])
        numbers = [program.convert(bound, t.BIGINT) for bound in values[1:]]
        return program.apply(f"{label}", strict(function), _varying(value.type), value, *numbers)

    return compile_


def _replicate(program: Program, values: list[Bound]) -> Bound:
    value = text(program, values[0])
    large, national = value.type.length == MAX, value.type.name in t.NATIONAL
    longest = t.LONGEST if large else 4000 if national else 8000

    def function(part: str, times: int) -> Stored:
        if times < 0:
            return None
        if large:
            operators.check_length(len(part) * times)
        return cut_units(part * min(times, longest), longest)

    kind = _varying(value.type, MAX if large else longest)
    return program.apply(f"replicate {longest}", strict(function), kind, value, program.convert(values[1], t.BIGINT))


def _measure(label: str, function: Callable[[str], Stored]) -> Compile:
    def compile_(program: Program, values: list[Bound]) -> Bound:
        return program.apply(label, strict(function), t.INT, text(program, values[0]))

    return compile_


def _datalength(program: Program, values: list[Bound]) -> Bound:
    kind = values[0].type
    if kind.name in t.NATIONAL:
        return program.apply("datalength n", strict(lambda v: len(v.encode("utf-16-le"))), t.INT, values[0])
    if kind.name in t.SIZED:
        return program.apply("datalength", strict(len), t.INT, values[0])
    size = kind.max_length
    return program.apply(f"datalength {size}", strict(lambda _: size), t.INT, values[0])


def _replace(program: Program, values: list[Bound]) -> Bound:
    inputs = [text(program, value) for value in values]
    kind = operators.concatenated_type(*[bound.type for bound in inputs])

    def function(value: str, old: str, new: str) -> str:
        if not old:
            return operators.bounded(value, kind)
        folded, wanted, out, at = collation.lower(value), collation.lower(old), [], 0
        length = len(value)
        while (found := folded.find(wanted, at)) >= 0:
            length += len(new) - len(old)
            operators.check_length(length)
            out.append(value[at:found] + new)
            at = found + len(old)
        return operators.bounded("".join(out) + value[at:], kind)

    return program.apply(f"replace {kind}", strict(function), kind, *inputs)


def _charindex(program: Program, values: list[Bound]) -> Bound:
    needle, hay = (program.convert(value, t.nvarchar(MAX)) for value in values[:2])
    start = program.convert(values[2], t.BIGINT) if len(values) > 2 else program.constant(1, t.BIGINT)

    def function(wanted: str, value: str, first: int) -> int:
        sought = collation.lower(_units(wanted))
        return collation.lower(_units(value)).find(sought, max(first - 1, 0)) + 1 if wanted else 0

    return program.apply("charindex", strict(function), t.INT, needle, hay, start)


def _patindex(program: Program, values: list[Bound]) -> Bound:
    """Where the first match of a LIKE pattern begins, its percent signs at the ends left out; 0 for none."""
    pattern, hay = (program.convert(value, t.nvarchar(MAX)) for value in values)

    def function(wanted: str, value: str) -> int:
        begins, ends = not wanted.startswith("%"), not wanted.endswith("%")
        compiled = operators.like_pattern(wanted.strip("%"), None)
        if begins and ends:
            found = compiled.fullmatch(value)
        elif begins:
            found = compiled.match(value)
        elif ends:
            found = re.search(f"(?:{compiled.pattern})\\Z", value, compiled.flags)
        else:
            found = compiled.search(value)
        return utf16_length(value[: found.start()]) + 1 if found else 0

    return program.apply("patindex", strict(function), t.INT, pattern, hay)


def _substring(value: str, start: int, length: int) -> str:
    if length < 0:
        raise errors.error(537)
    end = start - 1 + length
    return _whole(_units(value)[max(start - 1, 0) : max(end, 0)])


def _left(value: str, length: int) -> str:
    return _substring(value, 1, length)


def _right(value: str, length: int) -> str:
    if length < 0:
        raise errors.error(536, "RIGHT")
    return _whole(_units(value)[-length:]) if length else ""


def _concat(separated: bool) -> Compile:
    def compile_(program: Program, values: list[Bound]) -> Bound:
        inputs = [text(program, value) for value in values]
        kind = operators.concatenated_type(*[bound.type for bound in inputs])

        def function(_: Runtime, *parts: Stored) -> Stored:
            if separated:
                mark, *rest = parts
                return operators.bounded(str(mark or "").join(str(part) for part in rest if part is not None), kind)
            return operators.bounded("".join(str(part) for part in parts if part is not None), kind)

        return program.apply(f"{'concat_ws' if separated else 'concat'} {kind}", function, kind, *inputs)

    return compile_


def _quotename(program: Program, values: list[Bound]) -> Bound:
    inputs = [program.convert(value, t.nvarchar(258)) for value in values]
    pairs = {"[": "]", "]": "]", "(": ")", ")": ")", "<": ">", ">": "<", "{": "}", "}": "}"}

    def function(value: str, mark: str = "[") -> Stored:
        opening = {"]": "[", ")": "(", ">": "<", "}": "{"}.get(mark[:1], mark[:1])
        closing = pairs.get(opening, opening)
        return None if utf16_length(value) > 128 else opening + value.replace(closing, closing * 2) + closing

    return program.apply("quotename", strict(function), t.nvarchar(258), *inputs)


def _stuff(program: Program, values: list[Bound]) -> Bound:
    value, new = text(program, values[0]), text(program, values[3])
    start, length = (program.convert(bound, t.BIGINT) for bound in values[1:3])

    def function(old: str, first: int, count: int, insert: str) -> Stored:
        units = _units(old)
        if first < 1 or first > len(units) or count < 0:
            return None
        return operators.bounded(_whole(units[: first - 1]) + insert + _whole(units[first - 1 + count :]), kind)

    kind = operators.concatenated_type(value.type, new.type)
    return program.apply(f"stuff {kind}", strict(function), kind, value, start, length, new)


def _character(label: str, kind: SqlType, function: Callable[[int], Stored]) -> Compile:
    def compile_(program: Program, values: list[Bound]) -> Bound:
        return program.apply(label, strict(function), kind, program.convert(values[0], t.INT))

    return compile_


def _unit(number: int) -> Stored:
    """The character of a UTF-16 unit; half a pair is refused, which the store cannot hold."""
    if 0xD800 <= number <= 0xDFFF:
        raise unsupported.refused("unpaired surrogate")
    return chr(number) if 0 <= number < 0x10000 else None


def _of_code_page(number: int) -> Stored:
    return code_page.decode(bytes((number,))) if 0 <= number < 256 else None


def _trim(program: Program, values: list[Bound]) -> Bound:
    """TRIM(value), or TRIM(characters FROM value), which comes as two arguments."""
    value = text(program, values[-1])
    if len(values) == 1:
        return program.apply("trim", strict(lambda v: v.strip(" ")), _varying(value.type), value)
    characters = text(program, values[0])
    return program.apply("trim of", strict(lambda c, v: v.strip(c)), _varying(value.type), characters, value)


def _translate(program: Program, values: list[Bound]) -> Bound:
    inputs = [text(program, value) for value in values]

    def function(value: str, old: str, new: str) -> str:
        old, new = _units(old), _units(new)
        if len(old) != len(new):
            raise errors.error(9828)
        pairs: dict[int, str] = {}
        for left, right in zip(old, new, strict=True):
            for char in {left, left.lower(), left.upper()}:
                if len(char) == 1:
                    pairs.setdefault(ord(char), right)
        return _whole(_units(value).translate(pairs))

    return program.apply("translate", strict(function), _varying(inputs[0].type), *inputs)


_HASHES = {"MD5": "md5", "SHA": "sha1", "SHA1": "sha1", "SHA2_256": "sha256", "SHA2_512": "sha512"}


def _hash(program: Program, values: list[Bound]) -> Bound:
    """HASHBYTES of a string's bytes as the server would hold them, or of binary; NULL for an algorithm unknown here."""
    kind = values[1].type
    charset = "utf-16-le" if kind.name in t.NATIONAL else "cp1252"

    def function(algorithm: str, value: str | bytes) -> Stored:
        name = _HASHES.get(algorithm.upper())
        data = value.encode(charset, "replace") if isinstance(value, str) else value
        return hashlib.new(name, data, usedforsecurity=False).digest() if name else None

    return program.apply(f"hashbytes {charset}", strict(function), t.varbinary(8000), values[0], values[1])


TABLE: dict[str, tuple[int, int, Compile]] = {
    "LEN": (1, 1, _measure("len", lambda v: utf16_length(v.rstrip(" ")))),
    "DATALENGTH": (1, 1, _datalength),
    "LOWER": (1, 1, _string("lower", collation.lower)),
    "UPPER": (1, 1, _string("upper", collation.upper)),
    "LTRIM": (1, 1, _string("ltrim", lambda v: v.lstrip(" "))),
    "RTRIM": (1, 1, _string("rtrim", lambda v: v.rstrip(" "))),
    "TRIM": (1, 2, _trim),
    "TRANSLATE": (3, 3, _translate),
    "HASHBYTES": (2, 2, _hash),
    "REVERSE": (1, 1, _string("reverse", lambda v: _whole(_units(v)[::-1]))),
    "LEFT": (2, 2, _string("left", _left)),
    "RIGHT": (2, 2, _string("right", _right)),
    "SUBSTRING": (3, 3, _string("substring", _substring)),
    "REPLICATE": (2, 2, _replicate),
    "SPACE": (1, 1, _character("space", t.varchar(8000), lambda n: " " * min(n, 8000) if n >= 0 else None)),
    "REPLACE": (3, 3, _replace),
    "CHARINDEX": (2, 3, _charindex),
    "PATINDEX": (2, 2, _patindex),
    "CONCAT": (2, 254, _concat(separated=False)),
    "CONCAT_WS": (3, 254, _concat(separated=True)),
    "QUOTENAME": (1, 2, _quotename),
    "STUFF": (4, 4, _stuff),
    "NCHAR": (
        1,
        1,
        _character("nchar", t.SqlType("nchar", 1), _unit),
    ),
    "CHAR": (1, 1, _character("char", t.SqlType("char", 1), _of_code_page)),
    "UNICODE": (1, 1, _measure("unicode", lambda v: ord(_units(v)[0]) if v else None)),
    "ASCII": (1, 1, _measure("ascii", lambda v: v.encode("cp1252", "replace")[0] if v else None)),
}
