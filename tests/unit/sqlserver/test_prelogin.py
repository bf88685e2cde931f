"""What a server's first answer is read as, whatever it is."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from setup_kit.sqlserver.encryption import options_of


def message(values: dict[int, bytes]) -> bytes:
    """A PRELOGIN message, MS-TDS 2.2.6.5: a table of token, offset and length, then the values."""
    at = 5 * len(values) + 1
    table, data = b"", b""
    for token, value in values.items():
        table += struct.pack(">BHH", token, at + len(data), len(value))
        data += value
    return table + b"\xff" + data


@given(st.dictionaries(st.integers(0, 254), st.binary(max_size=9), max_size=6))
def test_every_option_is_read_as_it_was_written(values: dict[int, bytes]) -> None:
    assert options_of(message(values)) == values


@given(st.binary(max_size=60))
def test_any_bytes_are_read_without_harm(data: bytes) -> None:
    assert all(len(value) <= len(data) for value in options_of(data).values())


@given(st.dictionaries(st.integers(0, 254), st.binary(min_size=1, max_size=9), min_size=1, max_size=6), st.data())
def test_what_is_cut_off_is_left_out(values: dict[int, bytes], data: st.DataObject) -> None:
    whole = message(values)
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    assert options_of(cut).items() <= values.items()
