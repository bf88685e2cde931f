"""Remote procedure calls that a client sends (MS-TDS 2.2.6.6), with the values of their parameters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from setup_kit.sandbox.sql.errors import ProtocolError, SqlError, unsupported
from setup_kit.sandbox.sql.tds import packets, type_info
from setup_kit.sandbox.sql.tds.decoding import Decoder, InvalidValueError, decoder
from setup_kit.sandbox.sql.tds.reader import Reader
from setup_kit.sandbox.sql.tds.type_info import TypeInfo
from setup_kit.sandbox.sql.values.types import SqlType, Stored

_BETWEEN_CALLS = frozenset((0xFF, 0x80))  # BatchFlag of TDS 7.2 and later, and before
_NO_EXEC_FLAG = 0xFE
_BY_REFERENCE, _DEFAULT, _ENCRYPTED = 0x01, 0x02, 0x08

#: SQL Server's own bound on the parameters of one call.
MOST_PARAMETERS = 2100


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    type: SqlType
    value: Stored
    output: bool = False
    default: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an RPC message: a procedure by number (`procedure_id`) or by name."""

    procedure_id: int
    procedure: str
    parameters: tuple[Parameter, ...]


def decode_calls(data: bytes) -> list[Call]:
    """Every call of an RPC message; 8023 for a value that is none, 8003 for too many parameters."""
    reader = Reader(data, packets.skip_all_headers(data))
    calls = []
    while not reader.done:
        calls.append(_call(reader))
    if not calls:
        raise ProtocolError("an RPC request without a call")
    return calls


def _call(reader: Reader) -> Call:
    length = reader.u16()
    if length == 0xFFFF:
        number, name = reader.u16(), ""
    else:
        number, name = 0, reader.text(length)
    reader.u16()  # option flags: recompile, no metadata, reuse metadata
    parameters: list[Parameter] = []
    while not reader.done:
        if reader.peek() in _BETWEEN_CALLS:
            reader.u8()
            break
        if reader.peek() == _NO_EXEC_FLAG:
            raise unsupported("RPC with NoExecFlag")
        if len(parameters) == MOST_PARAMETERS:
            raise SqlError(
                8003, "The incoming request has too many parameters. The server supports a maximum of "
                f"{MOST_PARAMETERS} parameters. Reduce the number of parameters and resend the request.",
            )  # fmt: skip
        parameters.append(_parameter(reader, len(parameters) + 1))
    return Call(number, name, tuple(parameters))


def _parameter(reader: Reader, number: int) -> Parameter:
    name = reader.b_varchar()
    flags = reader.u8()
    if flags & _ENCRYPTED:
        raise unsupported("Always Encrypted parameter")
    info = type_info.decode(reader)
    try:
        value, reader.at = _decoder(info)(reader.data, reader.at)
    except IndexError:
        raise ProtocolError("a value lies outside its message") from None
    except InvalidValueError as error:
        raise SqlError(
            8023, "The incoming tabular data stream (TDS) remote procedure call (RPC) protocol stream is incorrect. "
            f'Parameter {number} ("{name}"): The supplied value is not a valid instance of data type {error.kind}. '
            "Check the source data for invalid values. An example of an invalid value is data of numeric type with "
            "scale greater than precision.",
        ) from None  # fmt: skip
    return Parameter(name, info.type, value, bool(flags & _BY_REFERENCE), bool(flags & _DEFAULT))


@lru_cache(maxsize=4096)
def _decoder(info: TypeInfo) -> Decoder:
    return decoder(info)
