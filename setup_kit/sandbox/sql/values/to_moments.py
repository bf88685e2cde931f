"""Makers of conversions to dates and times, and from datetimeoffset; see `conversions`."""

from __future__ import annotations

from setup_kit.sandbox.sql import errors, unsupported
from setup_kit.sandbox.sql.values import moments
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.to_numbers import to_float
from setup_kit.sandbox.sql.values.types import Converter, SqlType, Stored


def _check_style(style: int) -> None:
    if not moments.reads_style(style):
        raise unsupported.refused("CONVERT of a string in style", str(style))


def to_moment(source: SqlType, target: SqlType, style: int) -> Converter | None:
    fit = moments.fitter(target, source)
    if source.name in t.MOMENTS:
        if source.name == "time":
            return lambda value: fit(t.DAY_1900 * t.TICKS_PER_DAY + int(value))  # type: ignore[arg-type]
        return lambda value: fit(int(value))  # type: ignore[arg-type]
    if source.name in t.STRINGS:
        _check_style(style)
        strict = target.name in ("datetime", "smalldatetime")
        out_of_range = errors.date_out_of_range(source.name, target.name) if strict else None
        return lambda value: fit(moments.parse(str(value), style, out_of_range))
    if source.name in t.NUMBERS and target.name in ("datetime", "smalldatetime"):
        to_days = to_float(source, t.FLOAT, 0)

        def of_days(value: Stored) -> Stored:
            days = float(to_days(value) if to_days else value)  # type: ignore[arg-type]
            return fit(t.DAY_1900 * t.TICKS_PER_DAY + round(days * t.TICKS_PER_DAY))

        return of_days
    raise errors.type_clash(source.name, target.name)


def to_offset(source: SqlType, target: SqlType, style: int) -> Converter | None:
    """To datetimeoffset: a moment without an offset is taken for UTC; the scale is rounded, the offset stays."""
    fit = moments.fitter(SqlType("datetime2", scale=target.scale), target)
    if source.name == "datetimeoffset":
        if source.scale <= target.scale:
            return None

        def rescale(value: Stored) -> Stored:
            utc, minutes = t.decode_offset(str(value))
            return t.encode_offset(fit(utc), minutes)

        return rescale
    if source.name in t.STRINGS:
        _check_style(style)

        def parse(value: Stored) -> Stored:
            local, minutes = moments.parse_offset(str(value), style)
            return moments.with_offset(fit(local), minutes, source)

        return parse
    to_local = to_moment(source, t.DATETIME2, 0)

    def of_moment(value: Stored) -> Stored:
        return moments.with_offset(fit(int(to_local(value) if to_local else value)), 0, source)  # type: ignore[arg-type]

    return of_moment


def from_offset(source: SqlType, target: SqlType, style: int) -> Converter | None:
    """The local time of a datetimeoffset as another type of moment."""
    fit = moments.fitter(target, source)
    return lambda value: fit(t.local_ticks(str(value)))
