"""Addresses of SQL Server and the two forms of connection string: ODBC's and ADO.NET's.

ODBC's rules: SQLDriverConnect in the ODBC reference, "Connection String Keywords and DSNs" of Microsoft's driver.
ADO.NET's rules: "Connection string syntax" of Microsoft.Data.SqlClient and `DbConnectionStringBuilder`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from setup_kit.secret import Secret

DEFAULT_PORT = 1433


class ConnectionStringError(ValueError):
    """A connection string or an address that cannot be used. Names keys, never the value of a password."""


@dataclass(frozen=True)
class SqlAddress:
    """Where a server listens: a logical server's `fullyQualifiedDomainName`, a connection string's `Server=`."""

    host: str
    port: int = DEFAULT_PORT

    @classmethod
    def parse(cls, text: str) -> SqlAddress:
        """Reads `host`, `host,port` or `tcp:host,port`; other protocols and named instances are refused."""
        rest = text.strip()
        protocol, colon, after = rest.partition(":")
        if colon and protocol.strip().lower() in {"tcp", "np", "lpc", "admin"}:
            if protocol.strip().lower() != "tcp":
                raise ConnectionStringError(f"server address {text!r}: only TCP is spoken, not {protocol.strip()}")
            rest = after.strip()
        host, comma, port = (part.strip() for part in rest.partition(","))
        if "\\" in host:
            raise ConnectionStringError(f"server address {text!r}: name the port of the instance instead: host,port")
        if not host or re.search(r"[\s;{}\x00]", host):
            raise ConnectionStringError(f"server address {text!r}: a host name is expected")
        if not comma:
            return cls(host)
        if not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65536:
            raise ConnectionStringError(f"server address {text!r}: a port from 1 to 65535 is expected after the comma")
        return cls(host, int(port))

    def __str__(self) -> str:
        return f"tcp:{self.host},{self.port}"


@dataclass(frozen=True)
class ConnectionString:
    """What a connection string says, whichever form it came in. `options` holds the rest by ADO.NET's first names."""

    address: SqlAddress
    database: str
    user: str | None = None
    password: Secret | None = None
    options: Mapping[str, str] = field(default_factory=dict)


# ADO.NET's keywords, each first by its own name and then by its synonyms, compared in lower case and without blanks.
# Source: SqlConnection.ConnectionString, Microsoft.Data.SqlClient.
_KEYWORDS = {
    "Data Source": ("server", "address", "addr", "network address"),
    "Initial Catalog": ("database",),
    "User ID": ("uid", "user"),
    "Password": ("pwd",),
    "Application Intent": (),
    "Application Name": ("app",),
    "AttachDBFilename": ("extended properties", "initial file name"),
    "Attestation Protocol": (),
    "Authentication": (),
    "Column Encryption Setting": (),
    "Command Timeout": (),
    "Connect Retry Count": (),
    "Connect Retry Interval": (),
    "Connect Timeout": ("connection timeout", "timeout"),
    "Connection Lifetime": ("load balance timeout",),
    "Context Connection": (),
    "Current Language": ("language",),
    "Enclave Attestation Url": (),
    "Encrypt": (),
    "Enlist": (),
    "Failover Partner": (),
    "Failover Partner SPN": (),
    "Host Name In Certificate": (),
    "Integrated Security": ("trusted_connection",),
    "IP Address Preference": (),
    "Max Pool Size": (),
    "Min Pool Size": (),
    "MultipleActiveResultSets": (),
    "Multi Subnet Failover": (),
    "Network Library": ("net", "network"),
    "Packet Size": (),
    "Persist Security Info": (),
    "Pool Blocking Period": (),
    "Pooling": (),
    "Replication": (),
    "Server Certificate": (),
    "Server SPN": (),
    "Transaction Binding": (),
    "Transparent Network IP Resolution": (),
    "TrustServerCertificate": (),
    "Type System Version": (),
    "User Instance": (),
    "Workstation ID": ("wsid",),
}
_CANONICAL = {
    spelling.replace(" ", "").lower(): name for name, synonyms in _KEYWORDS.items() for spelling in (name, *synonyms)
}

# The values that `DbConnectionStringBuilder` leaves unquoted.
_BARE = re.compile(r"[^\"'=;\s\x00-\x1f\x7f-\x9f]*")


def odbc_value(text: str) -> str:
    """A value of an ODBC connection string in braces, `}` doubled: the one form that holds every character."""
    if "\x00" in text:
        raise ConnectionStringError("a connection string cannot hold the character NUL")
    return "{" + text.replace("}", "}}") + "}"


def odbc_string(pairs: Iterable[tuple[str, str]]) -> str:
    """`key={value};…` for pyodbc; quotes the values, not the keys."""
    return "".join(f"{key}={odbc_value(value)};" for key, value in pairs)


def ado_net_value(text: str) -> str:
    """A value of an ADO.NET connection string, quoted only where it must be, as `DbConnectionStringBuilder` does."""
    if "\x00" in text:
        raise ConnectionStringError("a connection string cannot hold the character NUL")
    # Quoted when empty too: a bare empty value means "the default", which for a password would be a different thing.
    if text and _BARE.fullmatch(text):
        return text
    if '"' in text and "'" not in text:
        return f"'{text}'"
    return '"' + text.replace('"', '""') + '"'


def to_ado_net(address: SqlAddress, database: str, user: str, password: Secret) -> Secret:
    """The connection string that the export service reads from Key Vault."""
    return Secret(
        f"Server={ado_net_value(str(address))};Initial Catalog={ado_net_value(database)};"
        f"User ID={ado_net_value(user)};Password={ado_net_value(password.reveal())};"
        "Encrypt=True;TrustServerCertificate=False;Connection Timeout=30;"
    )


def parse_ado_net(text: Secret) -> ConnectionString:
    """Reads an ADO.NET connection string with its synonyms and quoting; of a repeated key the last counts.

    Raises ConnectionStringError, which names the key and never a value: a broken string may have its password anywhere.
    """
    values = dict(_pairs(text.reveal()))
    server = values.pop("Data Source", "")
    if not server:
        raise ConnectionStringError("the connection string names no server (key 'Server' or 'Data Source')")
    try:
        address = SqlAddress.parse(server)
    except ConnectionStringError:
        raise ConnectionStringError(
            "the connection string's key 'Server' holds no address of the form host, host,port or tcp:host,port"
        ) from None
    password = values.pop("Password", None)
    return ConnectionString(
        address=address,
        database=values.pop("Initial Catalog", ""),
        user=values.pop("User ID", None),
        password=None if password is None else Secret(password),
        options=values,
    )


def _pairs(text: str) -> Iterable[tuple[str, str]]:
    at = 0
    number = 0
    while True:
        while at < len(text) and (text[at] == ";" or text[at].isspace()):
            at += 1
        if at >= len(text):
            return
        number += 1
        key, at = _key(text, at, number)
        name = _CANONICAL.get(key.replace(" ", "").lower())
        if name is None:
            # A key that is not known may be the tail of an unquoted password: it is not repeated.
            raise ConnectionStringError(f"the connection string's part {number} has a key that ADO.NET does not know")
        value, at = _value(text, at, name)
        yield name, value


def _key(text: str, at: int, number: int) -> tuple[str, int]:
    key: list[str] = []
    while at < len(text):
        character = text[at]
        if character == "=":
            if text[at + 1 : at + 2] != "=":
                return "".join(key).strip(), at + 1
            at += 1
        elif character == ";":
            break
        key.append(character)
        at += 1
    raise ConnectionStringError(f"the connection string's part {number} has no '=' between key and value")


def _value(text: str, at: int, name: str) -> tuple[str, int]:
    while at < len(text) and text[at].isspace():
        at += 1
    if at < len(text) and text[at] in "\"'":
        return _quoted(text, at, name)
    end = text.find(";", at)
    end = len(text) if end < 0 else end
    return text[at:end].strip(), end


def _quoted(text: str, at: int, name: str) -> tuple[str, int]:
    quote = text[at]
    at += 1
    value: list[str] = []
    while True:
        end = text.find(quote, at)
        if end < 0:
            raise ConnectionStringError(f"the connection string's key {name!r} has a quoted value without an end")
        value.append(text[at:end])
        at = end + 1
        if text[at : at + 1] != quote:
            break
        value.append(quote)
        at += 1
    while at < len(text) and text[at].isspace():
        at += 1
    if at < len(text) and text[at] != ";":
        raise ConnectionStringError(f"the connection string's key {name!r} has text after its quoted value")
    return "".join(value), at
