"""Every type's bytes: what one side encodes the other side decodes, and nothing malformed gets through."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setup_kit.sandbox.sql.errors import ProtocolError, SqlError
from setup_kit.sandbox.sql.tds import type_info
from setup_kit.sandbox.sql.tds.bulk import BulkLoad
from setup_kit.sandbox.sql.tds.decoding import decoder
from setup_kit.sandbox.sql.tds.encoding import encoder, fixed_encoder
from setup_kit.sandbox.sql.tds.parameters import Calls
from setup_kit.sandbox.sql.tds.reader import Reader
from setup_kit.sandbox.sql.tds.tokens import Column, row_encoder
from setup_kit.sandbox.sql.values import code_page
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.tables import TableValue
from setup_kit.sandbox.sql.values.types import MAX, SqlType, Stored

TEXT = st.text(st.characters(codec="utf-8"), max_size=40)
DAYS = st.integers(0, t.LAST_DAY)
WINDOWS = "".join(code_page.decode(bytes((byte,))) for byte in range(256))


def ticks(scale: int) -> st.SearchStrategy[int]:
    unit = 10 ** (7 - scale)
    return st.integers(0, t.TICKS_PER_DAY // unit - 1).map(lambda n: n * unit)


def moment(days: st.SearchStrategy[int], clock: st.SearchStrategy[int]) -> st.SearchStrategy[int]:
    return st.builds(lambda day, rest: day * t.TICKS_PER_DAY + rest, days, clock)


def integers(name: str) -> tuple[SqlType, st.SearchStrategy[Any]]:
    return SqlType(name), st.integers(*t.INTEGERS[name])


def decimals(precision: int, scale: int) -> tuple[SqlType, st.SearchStrategy[Any]]:
    most = 10**precision - 1
    return t.decimal(precision, scale), st.integers(-most, most).map(lambda n: t.encode_scaled(n, scale))


VALUES: list[tuple[SqlType, st.SearchStrategy[Any]]] = [
    *(integers(name) for name in t.INTEGERS),
    (t.FLOAT, st.floats(allow_nan=False, allow_infinity=False)),
    (SqlType("real"), st.floats(allow_nan=False, allow_infinity=False, width=32)),
    *(decimals(*facets) for facets in ((1, 0), (9, 9), (19, 4), (28, 0), (38, 0), (38, 38), (38, 7))),
    (SqlType("money"), st.integers(-(2**63), 2**63 - 1).map(lambda n: t.encode_scaled(n, 4))),
    (SqlType("smallmoney"), st.integers(-(2**31), 2**31 - 1).map(lambda n: t.encode_scaled(n, 4))),
    (t.nvarchar(100), TEXT),
    (t.nvarchar(MAX), TEXT),
    (t.varchar(100), st.text(st.sampled_from(WINDOWS), max_size=100)),
    (t.varchar(MAX), st.text(st.sampled_from(WINDOWS), max_size=100)),
    (t.varbinary(100), st.binary(max_size=100)),
    (t.varbinary(MAX), st.binary(max_size=100)),
    (t.GUID, st.binary(min_size=16, max_size=16)),
    (SqlType("date"), DAYS.map(lambda day: day * t.TICKS_PER_DAY)),
    (t.DATETIME, moment(st.integers(t.FIRST_DATETIME // t.TICKS_PER_DAY, t.LAST_DAY),
                        st.integers(0, 300 * 86_400 - 1).map(t.datetime_ticks))),
    (SqlType("smalldatetime"), moment(st.integers(t.DAY_1900, t.DAY_1900 + 65535),
                                      st.integers(0, 1439).map(lambda n: n * 60 * t.TICKS_PER_SECOND))),
    *((SqlType("time", scale=scale), ticks(scale)) for scale in range(8)),
    *((SqlType("datetime2", scale=scale), moment(DAYS, ticks(scale))) for scale in range(8)),
    *((SqlType("datetimeoffset", scale=scale),
       st.builds(t.encode_offset, moment(DAYS, ticks(scale)), st.integers(-840, 840))) for scale in range(8)),
    (t.VARIANT, st.one_of(st.integers(-(2**63), 2**63 - 1), TEXT, st.binary(max_size=50),
                          st.floats(allow_nan=False, allow_infinity=False))),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "values"), VALUES, ids=lambda value: str(value) if isinstance(value, SqlType) else "")
def test_a_value_is_decoded_as_it_was_encoded(kind: SqlType, values: st.SearchStrategy[Stored]) -> None:
    reader = Reader(type_info.encode(kind))
    info = type_info.decode(reader)
    assert reader.done
    assert info.type == kind
    encode, decode = encoder(kind), decoder(info)

    @given(st.one_of(st.none(), values), st.binary(max_size=3))
    def check(value: Stored, rest: bytes) -> None:
        data = encode(value)
        found, end = decode(data + rest, 0)
        assert found == value
        assert type(found) is type(value)
        assert end == len(data)
        for cut in {len(data) // 2, len(data) - 1}:
            with pytest.raises(IndexError):
                decode(data[:cut], 0)

    check()


@pytest.mark.parametrize(("kind", "values"), [pair for pair in VALUES if pair[0].name in type_info.FIXED], ids=str)
def test_a_value_without_a_length_is_decoded_too(kind: SqlType, values: st.SearchStrategy[Stored]) -> None:
    info = type_info.decode(Reader(type_info.encode(kind, nullable=False)))
    encode, decode = fixed_encoder(kind), decoder(info)

    @given(values)
    def check(value: Stored) -> None:
        assert decode(encode(value), 0) == (value, len(encode(value)))

    check()


@given(st.binary(max_size=60))
def test_a_type_made_of_noise_is_a_type_or_refused(noise: bytes) -> None:
    try:
        decode = decoder(type_info.decode(Reader(noise)))
        decode(noise, 1)
    except (ProtocolError, SqlError, IndexError):
        return


@given(st.binary(max_size=80))
def test_a_call_made_of_noise_is_a_call_or_refused(noise: bytes) -> None:
    try:
        list(Calls(struct.pack("<I", 4) + b"\xff\xff\x0a\x00\x00\x00" + noise))
    except (ProtocolError, SqlError):
        return


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (t.FLOAT, struct.pack("<Bd", 8, float("nan"))),
        (SqlType("real"), struct.pack("<Bf", 4, float("inf"))),
        (SqlType("date"), b"\x03\xff\xff\xff"),
        (SqlType("time", scale=0), b"\x03\x80\x51\x01"),
        (t.DATETIME, struct.pack("<BiI", 8, -60000, 0)),
        (SqlType("datetimeoffset", scale=0), b"\x08\x00\x00\x00\x00\x00\x00" + struct.pack("<h", 841)),
        (t.decimal(3, 0), b"\x05\x01" + struct.pack("<I", 1000)),
        (t.nvarchar(10), b"\x02\x00\x00\xd8"),
    ],
)
def test_bytes_that_are_no_value_of_their_type_are_refused(kind: SqlType, data: bytes) -> None:
    with pytest.raises(SqlError, match=f'Invalid data for type "{kind.name}"'):
        decoder(type_info.decode(Reader(type_info.encode(kind))))(data, 0)


@given(st.text(st.characters(codec="utf-8")))
def test_code_page_1252_keeps_what_it_has_and_gives_a_question_mark_for_each_utf_16_unit_it_lacks(text: str) -> None:
    shown = code_page.decode(code_page.encode(text))
    assert shown == "".join(c if c in WINDOWS else "?" * (len(c.encode("utf-16-le")) // 2) for c in text)


@given(st.lists(st.builds(t.encode_offset, st.integers(0, 10**16), st.integers(-840, 840)), min_size=2))
def test_stored_offsets_sort_by_their_instants(stored: list[str]) -> None:
    assert [t.decode_offset(one)[0] for one in sorted(stored)] == sorted(t.decode_offset(one)[0] for one in stored)


class TestTables:
    """Table-valued parameters."""

    INT, NAME = type_info.encode(t.INT), type_info.encode(t.nvarchar(10))

    def call(self, columns: bytes, rows: bytes, name: str = "Rows") -> TableValue:
        """What becomes of `columns` (their number first), what stands before rows, and `rows`."""
        typed = b"\x00\x03d\x00b\x00o\x00" + bytes((len(name),)) + name.encode("utf-16-le") + columns
        data = struct.pack("<IHHH", 4, 0xFFFF, 10, 0) + b"\x00\x00\xf3" + typed + rows
        (found,) = Calls(data)
        assert found.parameters[0].type == t.TABLE
        assert found.parameters[0].table is not None
        return found.parameters[0].table

    def column(self, info: bytes, flags: int = 1) -> bytes:
        return struct.pack("<IH", 0, flags) + info + b"\x00"

    def row(self, *values: tuple[SqlType, Stored]) -> bytes:
        return b"\x01" + b"".join(encoder(kind)(value) for kind, value in values)

    @given(st.lists(st.tuples(st.none() | st.integers(-(2**31), 2**31 - 1), st.none() | TEXT.map(lambda s: s[:5]))))
    def test_rows_come_as_they_were_sent_and_can_be_read_again(self, rows: list[tuple[Stored, ...]]) -> None:
        columns = b"\x02\x00" + self.column(self.INT) + self.column(self.NAME) + b"\x00"
        sent = b"".join(self.row((t.INT, a), (t.nvarchar(10), b)) for a, b in rows)
        table = self.call(columns, sent + b"\x00")
        assert (table.schema, table.type_name, table.columns) == ("dbo", "Rows", (t.INT, t.nvarchar(10)))
        assert list(table.rows) == rows
        assert list(table.rows) == rows

    def test_null_is_a_table_without_rows(self) -> None:
        table = self.call(b"\xff\xff\x00", b"\x00")
        assert (table.columns, list(table.rows)) == ((), [])

    def test_values_in_another_order_and_columns_left_to_their_defaults(self) -> None:
        columns = b"\x03\x00" + self.column(self.INT) + self.column(self.INT, 0x201) + self.column(self.NAME)
        order = b"\x10\x01\x00\x01\x00\x01" + b"\x11\x03\x00\x03\x00\x02\x00\x01\x00" + b"\x00"
        table = self.call(columns + order, self.row((t.nvarchar(10), "x"), (t.INT, 1)) + b"\x00")
        assert (table.columns, list(table.rows)) == ((t.INT, t.nvarchar(10)), [(1, "x")])
        assert table.defaulted == {1}

    @pytest.mark.parametrize(
        "rest",
        [b"", b"\x01\x00", b"\x01\x00" + b"\x00" * 5, b"\x00\x00\x00\x00", b"\xff\xff\x00\x02", b"\xff\xff\x12\x00",
         b"\x01\x00" + struct.pack("<IH", 0, 1) + INT + b"\x00" + b"\x11\x01\x00\x02\x00\x00\x00"],
    )  # fmt: skip
    def test_what_is_no_table_is_refused(self, rest: bytes) -> None:
        with pytest.raises(ProtocolError):
            self.call(rest, b"")

    @given(st.binary(max_size=60))
    def test_a_table_made_of_noise_is_a_table_or_refused(self, noise: bytes) -> None:
        try:
            self.call(noise, b"")
        except (ProtocolError, SqlError):
            return


class TestBulkLoad:
    KINDS = (t.INT, t.decimal(19, 4), t.nvarchar(MAX), SqlType("datetimeoffset", scale=3), t.varchar(100), t.BIT)

    def source(self, data: bytes, size: int) -> Callable[[], bytes]:
        """`data` in pieces of `size`."""
        pieces = iter([data[at : at + size] for at in range(0, len(data), size)])
        return lambda: next(pieces, b"")

    def metadata(self, nullable: Sequence[bool]) -> bytes:
        out = struct.pack("<BH", 0x81, len(self.KINDS))
        for number, (kind, takes_null) in enumerate(zip(self.KINDS, nullable, strict=True)):
            name = f"c{number}".encode("utf-16-le")
            out += struct.pack("<IH", 0, 1) + type_info.encode(kind, nullable=takes_null) + bytes((2,)) + name
        return out

    @given(st.data(), st.lists(st.booleans(), min_size=6, max_size=6), st.integers(1, 70))
    def test_rows_come_as_they_were_sent_however_they_are_cut(
        self, data: st.DataObject, nullable: list[bool], size: int
    ) -> None:
        columns = [Column(f"c{n}", kind, null) for n, (kind, null) in enumerate(zip(self.KINDS, nullable, strict=True))]
        values = dict(VALUES)
        row = st.tuples(
            *(
                st.none() | values[kind] if null else values[kind]
                for kind, null in zip(self.KINDS, nullable, strict=True)
            )
        )
        rows = data.draw(st.lists(row, max_size=5))
        encode = row_encoder(columns)
        sent = self.metadata(nullable) + b"".join(map(encode, rows)) + b"\xfd" + b"\x00" * 12
        assert list(BulkLoad(self.source(sent, size)).rows()) == rows

    @given(st.binary(max_size=80), st.integers(1, 20))
    def test_noise_is_refused(self, noise: bytes, size: int) -> None:
        for head in (b"", self.metadata([True] * 6)):
            try:
                list(BulkLoad(self.source(head + noise, size)).rows())
            except (ProtocolError, SqlError):
                continue
