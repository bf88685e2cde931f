"""Rows that a client sends: ROW and NBCROW tokens of bulk load, rows of table-valued parameters.

Types are looked at once. Neighbouring columns whose values have a usual size make a *run*, which one `struct` takes
apart; a run in which a length is another (a NULL, for instance) is read column by column.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from operator import itemgetter

from setup_kit.sandbox.sql.tds.decoding import Convert, Decoder, InvalidValueError, converter, decoder
from setup_kit.sandbox.sql.tds.type_info import Form, TypeInfo
from setup_kit.sandbox.sql.values.types import Stored

#: Takes the bytes, where the row's columns begin, and a list for the values; gives where the row ends.
RowDecoder = Callable[[bytes, int], tuple[tuple[Stored, ...], int]]
_Part = Callable[[bytes, int, list[Stored]], int]

#: `struct` formats of values that need no conversion.
_NATIVE = {"tinyint": "B", "smallint": "h", "int": "i", "bigint": "q"}


def row_decoder(columns: Sequence[TypeInfo], *, in_row: bool = False) -> RowDecoder:
    """Raises as a value's decoder does: IndexError where the bytes end too soon.

    `in_row`: text, ntext and image come with a text pointer, as they do in ROW tokens.
    """
    parts: list[_Part] = []
    run: list[tuple[bytes, TypeInfo, int]] = []
    for info in columns:
        if info.form is Form.BYTE or info.form is Form.FIXED:
            run.append((b"", info, info.type.max_length))
            continue
        if run:
            parts.append(_run(run))
            run = []
        parts.append(_short(info) if info.form is Form.SHORT else _single(decoder(info, in_row=in_row)))
    if run:
        parts.append(_run(run))
    return _whole(parts)


def labelled_row_decoder(columns: Sequence[tuple[bytes, TypeInfo, int]]) -> RowDecoder:
    """For rows with constant bytes before each value, as the parameters of calls have them; each with its type and the
    size that its value usually has. Raises DifferentLabelError, too.
    """
    parts: list[_Part] = []
    run: list[tuple[bytes, TypeInfo, int]] = []
    for label, info, size in columns:
        if info.form is Form.BYTE or info.form is Form.FIXED:
            run.append((label, info, size))
            continue
        if run:
            parts.append(_run(run))
            run = []
        parts.append(_after(label, _short(info) if info.form is Form.SHORT else _single(decoder(info))))
    if run:
        parts.append(_run(run))
    return _whole(parts)


def _whole(parts: Sequence[_Part]) -> RowDecoder:
    def decode(data: bytes, at: int) -> tuple[tuple[Stored, ...], int]:
        values: list[Stored] = []
        for part in parts:
            at = part(data, at, values)
        return tuple(values), at

    return decode


def nullable_row_decoder(columns: Sequence[TypeInfo], *, in_row: bool = False) -> RowDecoder:
    """For rows that begin with a bitmap of their NULLs, and leave these out (NBCROW)."""
    decoders = [decoder(info, in_row=in_row) for info in columns]
    size = (len(columns) + 7) // 8

    def decode(data: bytes, at: int) -> tuple[tuple[Stored, ...], int]:
        bitmap = int.from_bytes(data[at : at + size], "little")
        at += size
        if at > len(data):
            raise IndexError
        values: list[Stored] = []
        for number, one in enumerate(decoders):
            if bitmap >> number & 1:
                values.append(None)
            else:
                value, at = one(data, at)
                values.append(value)
        return tuple(values), at

    return decode


class DifferentLabelError(Exception):
    """Other bytes stand before a value than those that are expected."""


def _after(label: bytes, part: _Part) -> _Part:
    size = len(label)

    def after(data: bytes, at: int, values: list[Stored]) -> int:
        if not data.startswith(label, at):
            raise DifferentLabelError
        return part(data, at + size, values)

    return after


def _single(decode: Decoder) -> _Part:
    def part(data: bytes, at: int, values: list[Stored]) -> int:
        value, at = decode(data, at)
        values.append(value)
        return at

    return part


def _short(info: TypeInfo) -> _Part:
    convert, most = converter(info), info.type.max_length

    def part(data: bytes, at: int, values: list[Stored]) -> int:
        size = data[at] | data[at + 1] << 8
        at += 2
        if size == 0xFFFF:
            values.append(None)
            return at
        end = at + size
        if size > most:
            raise InvalidValueError(info.type.name)
        if end > len(data):
            raise IndexError
        values.append(convert(data[at:end]))
        return end

    return part


def _run(columns: Sequence[tuple[bytes, TypeInfo, int]]) -> _Part:
    """Values of one usual size each, given after the bytes that stand before the value and its type."""
    layout = "<"
    labels: list[bytes] = []
    converts: list[tuple[int, Convert]] = []
    places: list[int] = []  # of values among the fields, and those of labels with lengths
    others: list[int] = []
    for label, info, size in columns:
        before = label + bytes([size]) if info.form is Form.BYTE else label
        if before:
            others.append(len(others) + len(places))
            labels.append(before)
            layout += f"{len(before)}s"
        if info.type.name not in _NATIVE:
            converts.append((len(places), converter(info)))
        places.append(len(others) + len(places))
        layout += _NATIVE.get(info.type.name, f"{size}s")
    pattern = struct.Struct(layout)
    unpack, width = pattern.unpack_from, pattern.size
    usual = tuple(labels)
    take_labels, take_values = _taker(others), _taker(places)
    singly = [_after(label, _single(decoder(info))) for label, info, _ in columns]

    def part(data: bytes, at: int, values: list[Stored]) -> int:
        if at + width <= len(data):
            fields = unpack(data, at)
            if take_labels(fields) == usual:
                found = take_values(fields)
                if converts:
                    found = list(found)
                    for place, convert in converts:
                        found[place] = convert(found[place])  # type: ignore[arg-type]  # these fields are bytes
                values += found
                return at + width
        for one in singly:
            at = one(data, at, values)
        return at

    return part


def _taker(places: list[int]) -> Callable[[tuple[Stored, ...]], Sequence[Stored]]:
    """As `itemgetter`, but always a tuple."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda fields: tuple(fields[place] for place in places)
