"""Built-in functions of dates and times."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Callable

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.compiler.bound import Bound, Program, Runtime
from setup_kit.sandbox.sql.values import conversions, moments
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import SqlType, Stored

WITH_DATE_PART = frozenset({"DATEADD", "DATEDIFF", "DATEDIFF_BIG", "DATEPART", "DATENAME"})

_PARTS = {
    "year": ("year", "yy", "yyyy"), "quarter": ("quarter", "qq", "q"), "month": ("month", "mm", "m"),
    "dayofyear": ("dayofyear", "dy", "y"), "day": ("day", "dd", "d"), "week": ("week", "wk", "ww"),
    "weekday": ("weekday", "dw", "w"), "hour": ("hour", "hh"), "minute": ("minute", "mi", "n"),
    "second": ("second", "ss", "s"), "millisecond": ("millisecond", "ms"), "microsecond": ("microsecond", "mcs"),
    "nanosecond": ("nanosecond", "ns"),
}  # fmt: skip
_PART_OF = {word: part for part, words in _PARTS.items() for word in words}
_TICKS = {
    "week": 7 * t.TICKS_PER_DAY, "day": t.TICKS_PER_DAY, "dayofyear": t.TICKS_PER_DAY, "weekday": t.TICKS_PER_DAY,
    "hour": 3600 * t.TICKS_PER_SECOND, "minute": 60 * t.TICKS_PER_SECOND, "second": t.TICKS_PER_SECOND,
    "millisecond": 10_000, "microsecond": 10,
}  # fmt: skip
_ZONE = re.compile(r"\s*([+-])(\d{1,2}):([0-5]\d)\s*", re.ASCII)
_MONTHS = {"year": 12, "quarter": 3, "month": 1}


def _moment(program: Program, bound: Bound) -> Bound:
    """`bound` as a moment of local time."""
    return bound if bound.type.name in t.MOMENTS else program.convert(bound, t.DATETIME2)


def _instant(program: Program, bound: Bound) -> Bound:
    """`bound` as a moment; that of a datetimeoffset in UTC, as DATEDIFF takes it."""
    if bound.type.name != "datetimeoffset":
        return _moment(program, bound)
    return program.apply("utc", _strict(lambda v: t.decode_offset(v)[0]), t.DATETIME2, bound)


def call_with_part(program: Program, name: str, written: str, values: list[Bound]) -> Bound:
    """DATEADD, DATEDIFF, DATEPART and DATENAME, whose first argument is a word; 155 for one that is not a date part."""
    part = _PART_OF.get(written.lower())
    if part is None:
        raise errors.error(155, written, name.lower())
    if len(values) != (1 if name in ("DATEPART", "DATENAME") else 2):
        raise errors.error(174, name.lower(), len(values) + 1)
    if name in ("DATEADD", "DATEPART", "DATENAME"):
        _check_part(part, written, name, values[-1].type.name)
    if name == "DATEPART":
        return program.apply(
            f"datepart {part}", _strict(lambda v: date_part(part, v)), t.INT, _moment(program, values[0])
        )
    if name == "DATENAME":
        return program.apply(
            f"datename {part}", _strict(lambda v: _date_name(part, v)), t.nvarchar(30), _moment(program, values[0])
        )
    if name == "DATEADD":
        return _add(program, part, values)
    result = t.INT if name == "DATEDIFF" else t.BIGINT
    start, end = _instant(program, values[0]), _instant(program, values[1])

    def difference(first: int, last: int) -> Stored:
        value = _boundaries(part, last) - _boundaries(part, first)
        low, high = t.INTEGERS[result.name]
        if not low <= value <= high:
            raise errors.error(535, "datediff", "datediff")
        return value

    return program.apply(f"{name.lower()} {part}", _strict(difference), result, start, end)


_TIMES = frozenset(("hour", "minute", "second", "millisecond", "microsecond", "nanosecond"))


def _check_part(part: str, written: str, name: str, kind: str) -> None:
    """9810 for a part that a type has not: the time of a date, the day of a time, the finest grains of a datetime."""
    finest = part in ("microsecond", "nanosecond") and name == "DATEADD"
    if (
        (kind == "date" and part in _TIMES)
        or (kind == "time" and part not in _TIMES)
        or (kind in ("datetime", "smalldatetime") and finest)
    ):
        raise errors.error(9810, written, name.lower(), kind)


def _strict(function: Callable[..., Stored]) -> Callable[..., Stored]:
    def call(_: Runtime, *values: Stored) -> Stored:
        return None if None in values else function(*values)

    return call


def _add(program: Program, part: str, values: list[Bound]) -> Bound:
    count = program.convert(values[0], t.INT, explicit=True)
    if values[1].type.name == "datetimeoffset":
        moved = _add(program, part, [values[0], _moment(program, values[1])])
        return program.apply("same offset", _strict(_with_offset_of), values[1].type, moved, values[1])
    kind = values[1].type if values[1].type.name in t.MOMENTS else t.DATETIME
    moment = program.convert(values[1], kind)
    fit = conversions.converter(t.DATETIME2, kind) if kind.name != "time" else None

    def function(number: int, ticks: int) -> Stored:
        try:
            if part in _MONTHS:
                moved = add_months(ticks, number * _MONTHS[part])
            elif part == "nanosecond":
                moved = ticks + number // 100
            else:
                moved = ticks + number * _TICKS[part]
            if kind.name == "time":
                return moved % t.TICKS_PER_DAY
            if not 0 <= moved < (t.LAST_DAY + 1) * t.TICKS_PER_DAY:
                raise ValueError
        except (ValueError, OverflowError):
            raise errors.error(517, kind.name) from None
        return fit(moved) if fit else moved

    return program.apply(f"dateadd {part} {kind}", _strict(function), kind, count, moment)


def _with_offset_of(local: int, stored: str) -> Stored:
    return moments.with_offset(local, t.decode_offset(stored)[1], t.DATETIMEOFFSET)


def add_months(ticks: int, months: int) -> int:
    days, rest = divmod(ticks, t.TICKS_PER_DAY)
    day = dt.date.fromordinal(days + 1)
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    if not 1 <= year <= 9999:
        raise ValueError("year out of range")
    last = calendar.monthrange(year, month)[1]
    return (dt.date(year, month, min(day.day, last)).toordinal() - 1) * t.TICKS_PER_DAY + rest


def _boundaries(part: str, ticks: int) -> int:
    """How many boundaries of this part lie before a moment: DATEDIFF counts those between two."""
    if part in _MONTHS:
        day = dt.date.fromordinal(ticks // t.TICKS_PER_DAY + 1)
        return (day.year * 12 + day.month - 1) // _MONTHS[part]
    if part == "nanosecond":
        return ticks * 100
    if part == "week":  # weeks begin on Sunday whatever DATEFIRST says; 0001-01-01 was a Monday
        return (ticks // t.TICKS_PER_DAY + 1) // 7
    return ticks // _TICKS[part]


def date_part(part: str, ticks: int) -> int:
    days, rest = divmod(ticks, t.TICKS_PER_DAY)
    day = dt.date.fromordinal(days + 1)
    first = dt.date(day.year, 1, 1)
    values = {
        "year": day.year,
        "quarter": (day.month + 2) // 3,
        "month": day.month,
        "day": day.day,
        "dayofyear": (day - first).days + 1,
        "week": ((day - first).days + (first.isoweekday() % 7)) // 7 + 1,
        "weekday": day.isoweekday() % 7 + 1,
        "hour": rest // (3600 * t.TICKS_PER_SECOND),
        "minute": rest // (60 * t.TICKS_PER_SECOND) % 60,
        "second": rest // t.TICKS_PER_SECOND % 60,
        "millisecond": rest % t.TICKS_PER_SECOND // 10_000,
        "microsecond": rest % t.TICKS_PER_SECOND // 10,
        "nanosecond": rest % t.TICKS_PER_SECOND * 100,
    }
    return values[part]


def _date_name(part: str, ticks: int) -> str:
    if part in ("month", "weekday"):
        day = dt.date.fromordinal(ticks // t.TICKS_PER_DAY + 1)
        return calendar.month_name[day.month] if part == "month" else calendar.day_name[day.weekday()]
    return str(date_part(part, ticks))


def _part(part: str) -> Callable[[Program, list[Bound]], Bound]:
    return lambda program, values: call_with_part(program, "DATEPART", part, values)


def _now(kind: SqlType) -> Callable[[Program, list[Bound]], Bound]:
    """The time at which the statement began, the same in all its rows. Azure SQL's clock is UTC."""
    fit = conversions.converter(t.DATETIME2, kind)

    def compile_(program: Program, values: list[Bound]) -> Bound:
        def slot(runtime: Runtime) -> Stored:
            return fit(runtime.statement_time) if fit else runtime.statement_time

        return program.from_slot(slot, kind, nullable=False)

    return compile_


def _end_of_month(program: Program, values: list[Bound]) -> Bound:
    moment = _moment(program, values[0])
    months = program.convert(values[1], t.INT) if len(values) > 1 else program.constant(0, t.INT)

    def function(ticks: int, shift: int) -> Stored:
        day = dt.date.fromordinal(add_months(ticks, shift) // t.TICKS_PER_DAY + 1)
        last = calendar.monthrange(day.year, day.month)[1]
        return (day.replace(day=last).toordinal() - 1) * t.TICKS_PER_DAY

    return program.apply("eomonth", _strict(function), SqlType("date"), moment, months)


def _isdate(program: Program, values: list[Bound]) -> Bound:
    moment = program.convert(values[0], t.DATETIME, explicit=True, safe=True)
    return program.apply("isdate", lambda _, v: int(v is not None), t.INT, moment)


def _minutes(program: Program, function: str, zone: Bound) -> Bound:
    """An offset as minutes, or as text such as '-07:00'; 9812 for one that is neither."""

    def parse(text: str) -> Stored:
        found = _ZONE.fullmatch(text)
        minutes = int(found[2]) * 60 + int(found[3]) if found else t.MOST_OFFSET + 1
        return _checked(-minutes if found and found[1] == "-" else minutes)

    def _checked(minutes: int) -> int:
        if abs(minutes) > t.MOST_OFFSET:
            raise errors.error(9812, function)
        return minutes

    if zone.type.name in t.STRINGS:
        return program.apply(f"{function} zone", _strict(parse), t.INT, zone)
    return program.apply(f"{function} minutes", _strict(_checked), t.INT, program.convert(zone, t.INT))


def _switch_offset(program: Program, values: list[Bound]) -> Bound:
    """The same instant with another offset."""
    moment = values[0] if values[0].type.name == "datetimeoffset" else program.convert(values[0], t.DATETIMEOFFSET)
    minutes = _minutes(program, "switchoffset", values[1])

    def function(stored: str, offset: int) -> Stored:
        return t.encode_offset(t.decode_offset(stored)[0], offset)

    return program.apply("switchoffset", _strict(function), moment.type, moment, minutes)


def _to_offset(program: Program, values: list[Bound]) -> Bound:
    """A local time with an offset put beside it."""
    moment = _moment(program, values[0])
    kind = SqlType("datetimeoffset", scale=moment.type.scale if moment.type.name in t.SCALED else 3)
    local = program.convert(moment, SqlType("datetime2", scale=kind.scale))
    minutes = _minutes(program, "todatetimeoffset", values[1])

    def function(ticks: int, offset: int) -> Stored:
        return moments.with_offset(ticks, offset, t.DATETIMEOFFSET)

    return program.apply("todatetimeoffset", _strict(function), kind, local, minutes)


def _from_parts(label: str, kind: SqlType, names: tuple[str, ...]) -> Callable[[Program, list[Bound]], Bound]:
    """DATEFROMPARTS and its kin; 289 when the parts are no moment. `names` in order; the last may be the scale."""

    def compile_(program: Program, values: list[Bound]) -> Bound:
        inputs = [program.convert(value, t.INT) for value in values]
        target = kind
        if "precision" in names:
            slot = inputs.pop().slot
            scale = slot(None) if slot is not None and isinstance(inputs[0].sql, str) else None  # type: ignore[arg-type]
            if not isinstance(scale, int) or not 0 <= scale <= 7:
                raise errors.error(10760, kind.name)
            target = SqlType(kind.name, scale=scale)
        fraction_unit = 10 ** (7 - target.scale) if "precision" in names else 10_000

        def function(*parts: int) -> Stored:
            given = dict(zip(names, parts, strict=False))
            try:
                day = dt.date(given.get("year", 1900), given.get("month", 1), given.get("day", 1))
                clock = dt.time(given.get("hour", 0), given.get("minute", 0), given.get("second", 0))
                fraction = given.get("fraction", 0)
                if not 0 <= fraction < t.TICKS_PER_SECOND // fraction_unit + (fraction_unit == t.TICKS_PER_SECOND):
                    raise ValueError
            except ValueError:
                raise errors.error(289, kind.name) from None
            seconds = clock.hour * 3600 + clock.minute * 60 + clock.second
            ticks = seconds * t.TICKS_PER_SECOND + fraction * fraction_unit
            if kind.name == "time":
                return ticks
            whole = (day.toordinal() - 1) * t.TICKS_PER_DAY + ticks
            fit = conversions.converter(t.DATETIME2, target) if kind.name in ("datetime", "smalldatetime") else None
            return fit(whole) if fit else whole

        return program.apply(f"{label} {target}", _strict(function), target, *inputs)

    return compile_


_DAY = ("year", "month", "day")
_CLOCK = ("hour", "minute", "second", "fraction")

TABLE: dict[str, tuple[int, int, Callable[[Program, list[Bound]], Bound]]] = {
    "GETDATE": (0, 0, _now(t.DATETIME)),
    "GETUTCDATE": (0, 0, _now(t.DATETIME)),
    "CURRENT_TIMESTAMP": (0, 0, _now(t.DATETIME)),
    "SYSDATETIME": (0, 0, _now(t.DATETIME2)),
    "SYSUTCDATETIME": (0, 0, _now(t.DATETIME2)),
    "SYSDATETIMEOFFSET": (0, 0, _now(t.DATETIMEOFFSET)),
    "SWITCHOFFSET": (2, 2, _switch_offset),
    "TODATETIMEOFFSET": (2, 2, _to_offset),
    "YEAR": (1, 1, _part("year")),
    "MONTH": (1, 1, _part("month")),
    "DAY": (1, 1, _part("day")),
    "DATEFROMPARTS": (3, 3, _from_parts("datefromparts", SqlType("date"), _DAY)),
    "DATETIMEFROMPARTS": (7, 7, _from_parts("datetimefromparts", t.DATETIME, _DAY + _CLOCK)),
    "SMALLDATETIMEFROMPARTS": (
        5,
        5,
        _from_parts("smalldatetimefromparts", SqlType("smalldatetime"), (*_DAY, "hour", "minute")),
    ),
    "DATETIME2FROMPARTS": (8, 8, _from_parts("datetime2fromparts", t.DATETIME2, (*_DAY, *_CLOCK, "precision"))),
    "TIMEFROMPARTS": (5, 5, _from_parts("timefromparts", SqlType("time", scale=7), (*_CLOCK, "precision"))),
    "EOMONTH": (1, 2, _end_of_month),
    "ISDATE": (1, 1, _isdate),
}
