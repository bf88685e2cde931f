"""Dates and times as text, and their ranges and grains, on stored values (units of 100 ns)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import SqlType

#: A date in figures, whole or with separators; the rest is the time.
_WHOLE_DATE = re.compile(r"\s*(\d{8}|\d{6}|\d{4}(?![-/.:]))(?!\d)(.*)", re.DOTALL)
_PARTED_DATE = re.compile(r"\s*(\d{1,4})([-/.])(\d{1,2})\2(\d{1,4})(?!\d)(.*)", re.DOTALL)
_DAY_FIRST = re.compile(r"\s*(\d{1,2})\s+([a-z]{3,9}),?\s+(\d{4}|\d{2})(?!\d)(.*)", re.DOTALL | re.IGNORECASE)
_MONTH_FIRST = re.compile(r"\s*([a-z]{3,9})\s+(\d{1,2})\s*,?\s+(\d{4}|\d{2})(?!\d)(.*)", re.DOTALL | re.IGNORECASE)
_CLOCK = re.compile(r"[T\s]*(?:(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.:](\d{1,9}))?)?\s*(am|pm)?Z?)?\s*", re.IGNORECASE)
_OFFSET = re.compile(r"(.*?\d{1,2}:\d.*?)\s*([+-])(\d{1,2}):(\d{2})\s*", re.DOTALL)
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip

#: The order in which a style has a date read ("CAST and CONVERT"): its figures, the month's name, or the time alone.
_ORDERS = {
    **dict.fromkeys((1, 10, 22, 101, 110), "mdy"), **dict.fromkeys((3, 4, 5, 103, 104, 105), "dmy"),
    **dict.fromkeys((2, 11, 12, 20, 21, 23, 25, 102, 111, 112, 120, 121, 126, 127), "ymd"),
    **dict.fromkeys((6, 7, 9, 13, 106, 107, 109, 113), "name"), **dict.fromkeys((8, 14, 24, 108, 114), "time"),
    0: "any", 100: "any",
}  # fmt: skip
#: Styles below 100 that have a year of four digits all the same.
_WITH_CENTURY = frozenset((9, 13, 20, 21, 23, 25))
_LAST_YEAR_OF_TWO_DIGITS = 49  # "two digit year cutoff": 2049


def fitter(target: SqlType, source: SqlType) -> Callable[[int], int]:
    """Rounds and checks the range of a moment of the target's type; `time` keeps the part within the day."""
    low, high = {
        "datetime": (t.FIRST_DATETIME, (t.LAST_DAY + 1) * t.TICKS_PER_DAY - 1),
        "smalldatetime": (t.DAY_1900 * t.TICKS_PER_DAY, (t.DAY_1900 + 65536) * t.TICKS_PER_DAY - 1),
    }.get(target.name, (0, (t.LAST_DAY + 1) * t.TICKS_PER_DAY - 1))

    def fit(ticks: int) -> int:
        if target.name == "date":
            ticks -= ticks % t.TICKS_PER_DAY
        elif target.name == "datetime":
            ticks = t.round_to_datetime(ticks)
        elif target.name == "smalldatetime":
            minute = 60 * t.TICKS_PER_SECOND
            ticks = (ticks + minute // 2 + 10_000) // minute * minute  # from 29.999 seconds on it goes up
        else:
            unit = 10 ** (7 - target.scale)
            ticks = (ticks + unit // 2) // unit * unit
        if target.name == "time":
            return ticks % t.TICKS_PER_DAY
        if not low <= ticks <= high:
            raise errors.date_out_of_range(source.name, target.name)
        return ticks

    return fit


def reads_style(style: int) -> bool:
    """Whether a string can be read as a date or time in a style of CONVERT."""
    return style in _ORDERS


def parse(text: str, style: int = 0, out_of_range: errors.SqlError | None = None) -> int:
    """Ticks of a date, a time or both as text, in the order of CONVERT's style; without one as ISO 8601, `yyyymmdd`,
    with the month's name or in US order. Raises 241, or `out_of_range` for a day or an hour that there is not.
    """
    date, rest = _date(text, style)
    found = _CLOCK.fullmatch(rest)
    if not found or (text.strip() and date is None and not found[1]):
        raise errors.date_conversion_failed()
    hour, minute, second, fraction, half = found.groups()
    days = t.DAY_1900
    ticks = 0
    try:
        if date is not None:
            days = dt.date(*date).toordinal() - 1
        if hour:
            hours = int(hour) % 12 + (12 if half.lower() == "pm" else 0) if half else int(hour)
            clock = dt.time(hours, int(minute), int(second or 0))
            ticks = (clock.hour * 3600 + clock.minute * 60 + clock.second) * t.TICKS_PER_SECOND
            ticks += int((fraction or "").ljust(7, "0")[:7])
    except ValueError:
        raise out_of_range or errors.date_conversion_failed() from None
    return days * t.TICKS_PER_DAY + ticks


def _date(text: str, style: int) -> tuple[tuple[int, int, int] | None, str]:
    """Year, month and day at the beginning of a text, None when there is no date; and what is behind it."""
    order = _ORDERS[style]
    if order == "time":
        return None, text
    if found := _WHOLE_DATE.fullmatch(text):
        figures = found[1]
        if len(figures) == 4:
            return (int(figures), 1, 1), found[2]
        return (_year(figures[:-4], 0), int(figures[-4:-2]), int(figures[-2:])), found[2]
    if found := _PARTED_DATE.fullmatch(text):
        parts, rest = (found[1], found[3], found[4]), found[5]
        if order == "name":
            raise errors.date_conversion_failed()
        if order == "any":
            order = "ymd" if len(parts[0]) == 4 else "mdy"
        year, month, day = (parts[order.index(letter)] for letter in "ymd")
        if len(month) > 2 or len(day) > 2:
            raise errors.date_conversion_failed()
        return (_year(year, style), int(month), int(day)), rest
    if order in ("any", "name"):
        if found := _DAY_FIRST.fullmatch(text):
            return (_year(found[3], style), _month(found[2]), int(found[1])), found[4]
        if found := _MONTH_FIRST.fullmatch(text):
            return (_year(found[3], style), _month(found[1]), int(found[2])), found[4]
    return None, text


def _year(figures: str, style: int) -> int:
    """A style has either two digits or four; without one both are read."""
    wanted = (2, 4) if style in (0, 100) else (4,) if style > 100 or style in _WITH_CENTURY else (2,)
    if len(figures) not in wanted:
        raise errors.date_conversion_failed()
    year = int(figures)
    if len(figures) == 4:
        return year
    return year + (2000 if year <= _LAST_YEAR_OF_TWO_DIGITS else 1900)


def _month(name: str) -> int:
    for number, month in enumerate(_MONTHS, 1):
        if name.lower() in (month, month[:3]):
            return number
    raise errors.date_conversion_failed()


def parse_offset(text: str, style: int = 0) -> tuple[int, int]:
    """Ticks of local time and the offset in minutes (0 when the text has none); raises 241."""
    found = _OFFSET.fullmatch(text)
    if not found:
        return parse(text, style), 0
    minutes = int(found[3]) * 60 + int(found[4])
    if minutes > t.MOST_OFFSET or int(found[4]) > 59:
        raise errors.date_conversion_failed()
    return parse(found[1], style), minutes if found[2] == "+" else -minutes


def with_offset(local: int, minutes: int, source: SqlType) -> str:
    """The stored datetimeoffset of a local time; 242 where the instant lies outside the calendar."""
    utc = local - minutes * 60 * t.TICKS_PER_SECOND
    if not 0 <= utc < (t.LAST_DAY + 1) * t.TICKS_PER_DAY:
        raise errors.date_out_of_range(source.name, "datetimeoffset")
    return t.encode_offset(utc, minutes)


def show_offset(stored: str, kind: SqlType, style: int) -> str:
    """A datetimeoffset as text: local time and offset; style 127 gives UTC with a Z."""
    utc, minutes = t.decode_offset(stored)
    if style == 127:
        return show(utc, SqlType("datetime2", scale=kind.scale), style) + "Z"
    text = show(t.local_ticks(stored), SqlType("datetime2", scale=kind.scale), style)
    if style in (23, 112):
        return text
    hours, rest = divmod(abs(minutes), 60)
    return f"{text}{'' if style == 126 else ' '}{'-' if minutes < 0 else '+'}{hours:02d}:{rest:02d}"


#: Styles that show the day alone ("CAST and CONVERT").
_DAYS = {
    101: "{m:02d}/{d:02d}/{y:04d}", 102: "{y:04d}.{m:02d}.{d:02d}", 103: "{d:02d}/{m:02d}/{y:04d}",
    104: "{d:02d}.{m:02d}.{y:04d}", 105: "{d:02d}-{m:02d}-{y:04d}", 106: "{d:02d} {name} {y:04d}",
    107: "{name} {d:02d}, {y:04d}", 110: "{m:02d}-{d:02d}-{y:04d}", 111: "{y:04d}/{m:02d}/{d:02d}",
    112: "{y:04d}{m:02d}{d:02d}", 1: "{m:02d}/{d:02d}/{c:02d}", 2: "{c:02d}.{m:02d}.{d:02d}",
    3: "{d:02d}/{m:02d}/{c:02d}", 4: "{d:02d}.{m:02d}.{c:02d}", 5: "{d:02d}-{m:02d}-{c:02d}",
    6: "{d:02d} {name} {c:02d}", 7: "{name} {d:02d}, {c:02d}", 10: "{m:02d}-{d:02d}-{c:02d}",
    11: "{c:02d}/{m:02d}/{d:02d}", 12: "{c:02d}{m:02d}{d:02d}",
}  # fmt: skip
_STYLES = frozenset((0, 20, 21, 23, 25, 100, 112, 120, 121, 126, 127))


def show(ticks: int, kind: SqlType, style: int) -> str:
    """A date or time as text; styles 0/100, 8/24/108, 20/120, 21/25/121, 23, 126, 127, `_DAYS`; 281 for others."""
    days, rest = (0, ticks) if kind.name == "time" else divmod(ticks, t.TICKS_PER_DAY)
    seconds, fraction = divmod(rest, t.TICKS_PER_SECOND)
    day = dt.date.fromordinal(days + 1)
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    digits = kind.scale if kind.name in ("datetime2", "time") else 3 if kind.name == "datetime" else 0
    precise = clock + (f".{fraction:07d}"[: digits + 1] if digits else "")
    modern = kind.name in ("date", "time", "datetime2")
    if style in _DAYS and kind.name != "time":
        return _DAYS[style].format(y=day.year, m=day.month, d=day.day, c=day.year % 100, name=f"{day:%b}")
    if style in (8, 24, 108) and kind.name != "date":
        return clock
    if style not in _STYLES:
        raise errors.error(281, style, kind.name)
    if style == 100 or (style == 0 and not modern):
        hour, half = seconds // 3600, "AM" if seconds < 43200 else "PM"
        name_and_day = f"{day:%b} {day.day:2d} {day.year:04d}"
        hour_and_minute = f"{(hour + 11) % 12 + 1:2d}:{seconds // 60 % 60:02d}{half}"
        if kind.name in ("date", "time"):
            return name_and_day if kind.name == "date" else hour_and_minute
        return f"{name_and_day} {hour_and_minute}"
    if style == 112:
        raise errors.error(281, style, kind.name)
    if style == 23 or kind.name == "date":
        return day.isoformat()
    if kind.name == "time":
        return precise
    if style in (126, 127):
        return f"{day.isoformat()}T{precise if fraction or modern else clock}"
    if style in (20, 120):
        return f"{day.isoformat()} {clock}"
    if modern or style in (21, 25, 121):
        return f"{day.isoformat()} {precise}"
    raise errors.error(281, style, kind.name)
