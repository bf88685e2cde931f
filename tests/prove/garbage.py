"""Messages that no client should send, each from its own seed."""

# ruff: noqa: E501 - bytes and texts are read better whole

from __future__ import annotations

import random
import struct
from collections.abc import Sequence

from setup_kit.sandbox.sql.tds.packets import HEADER, PacketType
from tests.prove.garbage_sql import sql
from tests.prove.wire import ALL_HEADERS, PRELOGIN, login7, packets

_COLLATION = b"\x09\x04\xd0\x00\x34"
_EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0xFFFE, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)


def _text(value: str) -> bytes:
    """A parameter's TYPE_INFO and value: nvarchar(4000)."""
    raw = value.encode("utf-16-le")
    return b"\xe7\x40\x1f" + _COLLATION + struct.pack("<H", len(raw)) + raw


def _large(value: str) -> bytes:
    raw = value.encode("utf-16-le")
    return b"\xe7\xff\xff" + _COLLATION + struct.pack("<QI", len(raw), len(raw)) + raw + b"\x00" * 4


#: TYPE_INFO and value of one parameter of each type that a client may send.
VALUES = (
    b"\x26\x04\x04\x07\x00\x00\x00", b"\x26\x08\x08" + b"\x01" * 8, b"\x26\x04\x00", b"\x26\x01\x01\x05", b"\x68\x01\x01\x01",
    b"\x38\x07\x00\x00\x00", b"\x6d\x08\x08" + struct.pack("<d", 1.5), b"\x6d\x04\x04" + struct.pack("<f", 1.5),
    b"\x6a\x11\x12\x04\x11\x01" + b"\x07" + b"\x00" * 15, b"\x6c\x11\x26\x0a\x00", b"\x6e\x08\x08" + b"\x00" * 7 + b"\x01",
    b"\x6f\x08\x08" + struct.pack("<iI", 45000, 300), b"\x28\x03\x45\x46\x0b", b"\x29\x07\x05\x05\x00\xe0\x34\x95",
    b"\x2a\x07\x08\x00\x68\xc4\x61\x08\x45\x46\x0b", b"\x2b\x07\x0a\x00\x68\xc4\x61\x08\x45\x46\x0b\x3c\x00",
    b"\x24\x10\x10" + bytes(range(16)), b"\xa5\x32\x00\x03\x00abc", b"\xa7\x32\x00" + _COLLATION + b"\x03\x00abc",
    b"\xa5\xff\xff" + struct.pack("<QI", 3, 3) + b"abc" + b"\x00" * 4, b"\x62\x49\x1f\x00\x00\x06\x00\x00\x00\x38\x00\x01\x00\x00\x00",
    _text("it's [a] \"text\" \U0001f600"), _large("x" * 5000), b"\xe7\x40\x1f" + _COLLATION + b"\xff\xff",
    b"\xf3\x00\x00\x00\xff\xff\x00\x00",
    b"\xf3\x00\x03d\x00b\x00o\x00\x02t\x00t\x00\x02\x00" + b"\x00" * 6 + b"\x26\x04\x00" + b"\x00" * 6
    + b"\xe7\x14\x00" + _COLLATION + b"\x00\x00" + b"\x01\x04\x07\x00\x00\x00\x04\x00a\x00b\x00" * 3 + b"\x00", b"\xef\x08\x00" + _COLLATION + b"\x08\x00a\x00b\x00c\x00d\x00",
)  # fmt: skip


def _parameter(name: str, value: bytes, flags: int = 0) -> bytes:
    raw = name.encode("utf-16-le")
    return bytes([len(name)]) + raw + bytes([flags]) + value


def _call(procedure: int | str, *parameters: bytes) -> bytes:
    if isinstance(procedure, int):
        head = struct.pack("<HH", 0xFFFF, procedure)
    else:
        head = struct.pack("<H", len(procedure)) + procedure.encode("utf-16-le")
    return head + b"\x00\x00" + b"".join(parameters)


_INT_OUT = b"\x26\x04\x00"
CALLS = (
    *(_call(10, _parameter("", _text("SELECT @p")), _parameter("", _text("@p sql_variant")), _parameter("@p", value)) for value in VALUES),
    *(_call(10, _parameter("", _text("SELECT @p")), _parameter("", _text("@p nvarchar(max)")), _parameter("@p", value)) for value in VALUES),
    _call(13, _parameter("", _INT_OUT, 1), _parameter("", _text("@p int")), _parameter("", _text("INSERT dbo.t (a) VALUES (@p)")), _parameter("", VALUES[0])),
    _call(11, _parameter("", _INT_OUT, 1), _parameter("", _text("@p int")), _parameter("", _text("SELECT @p")), _parameter("", VALUES[0])),
    b"\xff".join(_call(12, _parameter("", VALUES[0]), _parameter("", value)) for value in (VALUES[0],) * 5),
    _call(15, _parameter("", VALUES[0])), _call("sp_executesql", _parameter("", _text("SELECT 1"))),
    _call("sp_describe_undeclared_parameters", _parameter("", _text("SELECT * FROM dbo.t WHERE a = @P1"))),
    _call("sp_describe_first_result_set", _parameter("", _text("SELECT * FROM dbo.t"))), _call("sp_nothing"),
    _call("sp_reset_connection"), *(_call(number) for number in range(20)),
)  # fmt: skip

BULK = (
    b"\x81\x02\x00\x00\x00\x00\x00\x00\x00\x08\x00\x38\x00\x00\x00\x00\x00\x00\x09\x00\xe7\x14\x00" + _COLLATION + b"\x00"
    b"\xd1\x01\x00\x00\x00\x04\x00a\x00b\x00\xd1\x02\x00\x00\x00\xff\xff\xfd\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
)  # fmt: skip
TRANSACTIONS = tuple(
    ALL_HEADERS + struct.pack("<H", number) + rest
    for number in (0, 1, 5, 6, 7, 8, 9, 10)
    for rest in (b"", b"\x00\x00", b"\x02\x00", b"\x00\x04a\x00b\x00\x01\x00\x00")
)
REQUESTS: tuple[tuple[int, bytes], ...] = (
    *((PacketType.RPC, ALL_HEADERS + call) for call in CALLS),
    *((PacketType.TRANSACTION_MANAGER, data) for data in TRANSACTIONS),
    (PacketType.BULK_LOAD, BULK), (PacketType.LOGIN7, login7("sa", "x", "master")), (PacketType.PRELOGIN, PRELOGIN),
    (0x02, b""), (0x08, b"x" * 20), (0x11, b"NTLM"), (0x0F, ALL_HEADERS), (0x00, b""), (0xFF, b"\xff" * 8),
)  # fmt: skip


def mutated(data: bytes, chance: random.Random, others: Sequence[bytes] = ()) -> bytes:
    """The data with one to four things wrong."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(out) + 1)
        match chance.randrange(8):
            case 0:
                del out[at:]
            case 1 if at < len(out):
                out[at] = chance.randrange(256)
            case 2 if at < len(out):
                out[at] ^= 1 << chance.randrange(8)
            case 3:
                out[at:at] = chance.randbytes(chance.choice((1, 2, 4, 30)))
            case 4:
                del out[at : at + chance.choice((1, 2, 4, 30))]
            case 5:
                size = chance.choice((1, 2, 4))
                out[at : at + size] = (chance.choice(_EXTREMES) & (256**size - 1)).to_bytes(size, "little")
            case 6:
                out += out[at : at + 200] * chance.choice((1, 3, 20))
            case _:
                other = chance.choice(others) if others else bytes(out)
                out[at:] = other[chance.randrange(len(other) + 1) :]
    return bytes(out[:60_000])


def opening(chance: random.Random) -> bytes:
    """What a client that means no good sends first, without TLS."""
    seeds = [
        packets(PacketType.PRELOGIN, PRELOGIN), packets(PacketType.LOGIN7, login7("sa", "x", "master")),
        packets(PacketType.SQL_BATCH, ALL_HEADERS + "SELECT 1".encode("utf-16-le")), b"\x16\x03\x01\x00\x05hello",
        packets(PacketType.PRELOGIN, PRELOGIN) + packets(PacketType.PRELOGIN, b"\x16\x03\x01\x00\x2a\x01" + b"\x00" * 41),
        packets(PacketType.ATTENTION, b""), b"GET / HTTP/1.1\r\n\r\n", b"",
    ]  # fmt: skip
    if chance.random() < 0.2:
        return chance.randbytes(chance.choice((1, 7, 8, 9, 100, 5000)))
    return mutated(chance.choice(seeds), chance, seeds)


def login(chance: random.Random) -> bytes:
    """A PRELOGIN and a LOGIN7, either or both wrong, as packets."""
    prelogin = packets(PacketType.PRELOGIN, PRELOGIN)
    if chance.random() < 0.3:
        prelogin = packets(PacketType.PRELOGIN, mutated(PRELOGIN, chance))
    message = mutated(login7(chance.choice(("sqladmin", "nobody", "a'; --")), "Wrong-Secret-1", "kept"), chance)
    return prelogin + packets(chance.choice((PacketType.LOGIN7,) * 8 + tuple(PacketType)), message)


def request(chance: random.Random) -> tuple[int, bytes, int]:
    """Type, data and status of a message to a session that has logged in."""
    status = chance.choice((0,) * 12 + (0x02, 0x08, 0x10, 0x18, 0xF0))
    what = chance.random()
    if what < 0.45:
        return PacketType.SQL_BATCH, ALL_HEADERS + sql(chance).encode("utf-16-le", "surrogatepass"), status
    kind, data = chance.choice(REQUESTS)
    if what < 0.5:
        return chance.randrange(256), mutated(data, chance), status
    if what < 0.55:
        return (
            PacketType.SQL_BATCH,
            mutated(ALL_HEADERS + sql(chance).encode("utf-16-le", "surrogatepass"), chance),
            status,
        )
    if what < 0.6:
        return kind, data, status
    return kind, mutated(data, chance, [found for _, found in REQUESTS]), status


def framing(chance: random.Random) -> bytes:
    """Packets whose headers are wrong: lengths, types in the middle of a message, ends that do not come."""
    data = bytearray(packets(PacketType.SQL_BATCH, ALL_HEADERS + b"S\x00E\x00" * chance.randrange(1, 2000), packet=512))
    for _ in range(chance.randint(1, 3)):
        start = 512 * chance.randrange(max(len(data) // 512, 1))
        at = start + chance.randrange(HEADER.size)
        if at < len(data):
            data[at] = chance.randrange(256)
    return bytes(data)
