"""Passwords of SQL administrators: Azure's rules for them, and the one-way form in which they are kept."""

from __future__ import annotations

import hashlib
import hmac
import secrets

# scrypt's usual cost for interactive log-in (RFC 7914): some 50 ms and 16 MiB.
COST, BLOCK, LANES = 2**14, 8, 1


def is_complex(password: str, login: str) -> bool:
    """Whether Azure SQL takes it: 8 to 128 characters, three of four classes, the login's name not in it."""
    classes = (
        any(each.isascii() and each.islower() for each in password),
        any(each.isascii() and each.isupper() for each in password),
        any(each.isascii() and each.isdigit() for each in password),
        any(not each.isalnum() for each in password),
    )
    return 8 <= len(password) <= 128 and sum(classes) >= 3 and login.lower() not in password.lower()


def hashed(password: str) -> dict[str, str]:
    """Salt and scrypt hash, in hexadecimal. Takes a while: call it in a thread."""
    salt = secrets.token_bytes(16)
    return {"salt": salt.hex(), "hash": _scrypt(password, salt).hex()}


def matches(password: str, kept: dict[str, str]) -> bool:
    """Whether `kept` is the hash of this password, compared in constant time. Takes a while, as `hashed` does."""
    return hmac.compare_digest(_scrypt(password, bytes.fromhex(kept["salt"])), bytes.fromhex(kept["hash"]))


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=COST, r=BLOCK, p=LANES)
