"""Messages put together from the packets of a client."""

from __future__ import annotations

import socket

import pytest

from setup_kit.sandbox.sql.tds.packets import HEADER, Message, PacketType, Status
from setup_kit.sandbox.sql.tds.stream import Stream

EOM, IGNORE, RESET = Status.END_OF_MESSAGE, Status.IGNORE, Status.RESET_CONNECTION


def packet(kind: int, status: int, data: bytes = b"") -> bytes:
    return HEADER.pack(kind, status, HEADER.size + len(data), 0, 1, 0) + data


def messages(*sent: bytes) -> list[Message]:
    """All messages that a stream makes of the packets of a client that then goes away."""
    client, server = socket.socketpair()
    with client, server:
        client.sendall(b"".join(sent))
        client.shutdown(socket.SHUT_WR)
        stream = Stream(server)
        found: list[Message] = []
        with pytest.raises(ConnectionError):
            while True:
                found.append(stream.read())
        return found


def test_packets_up_to_the_end_of_a_message_are_one_request_with_the_status_of_the_first() -> None:
    found = messages(
        packet(PacketType.RPC, RESET, b"one "), packet(PacketType.RPC, 0, b"two "), packet(PacketType.RPC, EOM, b"end"),
        packet(PacketType.SQL_BATCH, EOM, b"next"),
    )  # fmt: skip
    assert found == [Message(PacketType.RPC, RESET, b"one two end"), Message(PacketType.SQL_BATCH, EOM, b"next")]


@pytest.mark.parametrize("begun", [[], [b"one "], [b"one ", b"two "]])
def test_a_message_given_up_half_sent_is_told_of_without_its_data(begun: list[bytes]) -> None:
    found = messages(
        *(packet(PacketType.RPC, RESET if at == 0 else 0, data) for at, data in enumerate(begun)),
        packet(PacketType.RPC, EOM | IGNORE, b"end"),
        packet(PacketType.SQL_BATCH, EOM, b"next"),
    )
    assert found == [Message(PacketType.RPC, IGNORE, b""), Message(PacketType.SQL_BATCH, EOM, b"next")]


def test_the_ignore_bit_counts_only_where_the_message_ends() -> None:
    found = messages(packet(PacketType.RPC, IGNORE, b"one "), packet(PacketType.RPC, EOM, b"end"))
    assert found == [Message(PacketType.RPC, 0, b"one end")]


def test_an_attention_takes_the_place_of_the_message_it_interrupts() -> None:
    found = messages(
        packet(PacketType.RPC, 0, b"one "),
        packet(PacketType.ATTENTION, EOM),
        packet(PacketType.SQL_BATCH, EOM, b"next"),
    )
    assert found == [Message(PacketType.ATTENTION, EOM, b""), Message(PacketType.SQL_BATCH, EOM, b"next")]
