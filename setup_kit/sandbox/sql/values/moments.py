"""Dates and times as text, and their ranges and grains, on stored values (units of 100 ns)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import SqlType

_MOMENT = re.compile(
    r"\s*(?:(\d{4})-?(\d{2})-?(\d{2}))?(?:[T\s]*(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.:](\d{1,9}))?)?\s*(am|pm)?Z?)?\s*",
    re.IGNORECASE,
)
_OFFSET = re.compile(r"(.*?\d{1,2}:\d.*?)\s*([+-])(\d{1,2}):(\d{2})\s*", re.DOTALL)
_US_DATE = re.compile(r"\s*(\d{1,2})[/-](\d{1,2})[/-](\d{4})(.*)", re.DOTALL)


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


def parse(text: str) -> int:
    """Ticks of a date, a time or both as text: ISO 8601, `yyyymmdd`, or US order with slashes; raises 241."""
    american = _US_DATE.fullmatch(text)
    if american:
        text = f"{american[3]}-{int(american[1]):02d}-{int(american[2]):02d}{american[4]}"
    found = _MOMENT.fullmatch(text)
    if not found or (text.strip() and not any(found.groups())):
        raise errors.date_conversion_failed()
    year, month, day, hour, minute, second, fraction, half = found.groups()
    days = t.DAY_1900
    ticks = 0
    try:
        if year:
            days = dt.date(int(year), int(month), int(day)).toordinal() - 1
        if hour:
            hours = int(hour) % 12 + (12 if half.lower() == "pm" else 0) if half else int(hour)
            clock = dt.time(hours, int(minute), int(second or 0))
            ticks = (clock.hour * 3600 + clock.minute * 60 + clock.second) * t.TICKS_PER_SECOND
            ticks += int((fraction or "").ljust(7, "0")[:7])
    except ValueError:
        raise errors.date_conversion_failed() from None
    return days * t.TICKS_PER_DAY + ticks


def parse_offset(text: str) -> tuple[int, int]:
    """Ticks of local time and the offset in minutes (0 when the text has none); raises 241."""
    found = _OFFSET.fullmatch(text)
    if not found:
        return parse(text), 0
    minutes = int(found[3]) * 60 + int(found[4])
    if minutes > t.MOST_OFFSET or int(found[4]) > 59:
        raise errors.date_conversion_failed()
    return parse(found[1]), minutes if found[2] == "+" else -minutes


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
    104: "{d:02d}.{m:02d}.{y:04d}", 105: "{d:02d}-{m:02d}-{y:04d}", 110: "{m:02d}-{d:02d}-{y:04d}",
    111: "{y:04d}/{m:02d}/{d:02d}",
}  # fmt: skip
_STYLES = frozenset((0, 20, 21, 23, 25, 100, 112, 120, 121, 126, 127))


def show(ticks: int, kind: SqlType, style: int) -> str:
    """A date or time as text; styles 0/100, 8/24/108, 20/120, 21/25/121, 23, 112, 126, 127, `_DAYS`; 281 for others."""
    days, rest = (0, ticks) if kind.name == "time" else divmod(ticks, t.TICKS_PER_DAY)
    seconds, fraction = divmod(rest, t.TICKS_PER_SECOND)
    day = dt.date.fromordinal(days + 1)
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    digits = kind.scale if kind.name in ("datetime2", "time") else 3 if kind.name == "datetime" else 0
    precise = clock + (f".{fraction:07d}"[: digits + 1] if digits else "")
    modern = kind.name in ("date", "time", "datetime2")
    if style in _DAYS and kind.name != "time":
        return _DAYS[style].format(y=day.year, m=day.month, d=day.day)
    if style in (8, 24, 108) and kind.name != "date":
        return clock
    if style not in _STYLES:
        raise errors.error(281, style, kind.name)
    if style == 112:
        return f"{day.year:04d}{day.month:02d}{day.day:02d}"
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
    if style in (0, 100):
        hour, half = seconds // 3600, "AM" if seconds < 43200 else "PM"
        return f"{day:%b} {day.day:2d} {day.year:04d} {(hour + 11) % 12 + 1:2d}:{seconds // 60 % 60:02d}{half}"
    raise errors.error(281, style, kind.name)
