"""Passwords of SQL logins and contained users: rules, hashes; and who a login is in a database."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.storage.catalog import fold

# A modest cost: this guards the passwords of a rehearsal, and every connection pays it.
_COST = 2**12

#: Names that Azure SQL refuses for logins ("Authorize database access", reserved names of administrators).
RESERVED_LOGINS = frozenset(
    {"sa", "admin", "administrator", "root", "guest", "public", "dbmanager", "loginmanager", "dbo", "sys",
     "information_schema", "azure_superuser"}
)  # fmt: skip


def check_password(name: str, password: str, *, azure: bool = True) -> None:
    """SQL Server's rules: 8 to 128 characters, three of four classes, not containing the login's name. A server on a
    virtual machine has other numbers for what Azure SQL Database says.
    """
    if len(password) > 128:
        raise errors.error(40631, 128) if azure else errors.error(15117)
    if len(password) < 8:
        raise errors.error(40630 if azure else 15116)
    classes = (
        any(char.isupper() for char in password),
        any(char.islower() for char in password),
        any(char.isdigit() for char in password),
        any(not char.isalnum() for char in password),
    )
    contains_name = len(name) > 2 and fold(name) in password.lower()
    if sum(classes) < 3 or contains_name:
        raise errors.error(40632 if azure else 15118)


def hash_password(password: str) -> str:
    """The scrypt hash, as `scrypt$cost$salt$hash`."""
    salt = secrets.token_bytes(16)
    digest = _digest(password, salt, _COST)
    return "$".join(("scrypt", str(_COST), base64.b64encode(salt).decode(), base64.b64encode(digest).decode()))


def password_matches(password: str, stored: str) -> bool:
    """Passwords compare with case. The time taken does not tell how much of it was right."""
    _, cost, salt, digest = stored.split("$")
    return hmac.compare_digest(_digest(password, base64.b64decode(salt), int(cost)), base64.b64decode(digest))


def _digest(password: str, salt: bytes, cost: int) -> bytes:
    data = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(data, salt=salt, n=cost, r=8, p=1, dklen=32)


def check_name(name: str, *, azure: bool = True) -> None:
    """15006 for a backslash, which is the mark of Windows accounts; in Azure 15405 for a reserved name *(assumed)*."""
    if "\\" in name:
        raise errors.error(15006, name)
    if azure and fold(name) in RESERVED_LOGINS:
        raise errors.error(15405, name)
