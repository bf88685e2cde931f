"""Shared access signatures of a blob container: how Azure Storage signs and checks who may read it.

Source: "Create a service SAS", version 2020-12-06 and later.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

from setup_kit.secret import Secret

VERSION = "2022-11-02"
READ_AND_LIST = "rl"


class SignatureRefused(Exception):  # noqa: N818 (an outcome)
    """`detail` is what Azure says of it; empty where there is no signature at all."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.detail = detail


def account_key(path: Path) -> Secret:
    """The storage account's key, 64 random bytes in Base64; the first call makes it."""
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return Secret(path.read_text(encoding="ascii"))
    key = base64.b64encode(secrets.token_bytes(64))
    with os.fdopen(file, "wb") as writer:
        writer.write(key)
    return Secret(key.decode())


def sign(key: Secret, account: str, container: str, expiry: datetime) -> str:
    """The query that lets its bearer list and read the container until `expiry`."""
    fields = {
        "sv": VERSION,
        "spr": "https",
        "se": f"{expiry.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "sr": "c",
        "sp": READ_AND_LIST,
    }
    return urlencode({**fields, "sig": _signature(key, _string_to_sign(fields, account, container))})


def check(query: Mapping[str, str], key: Secret, account: str, container: str, now: datetime) -> None:
    """Raises SignatureRefused unless the query was signed for this container and has not expired."""
    if "sig" not in query:
        raise SignatureRefused
    signed = _string_to_sign(query, account, container)
    if not hmac.compare_digest(_signature(key, signed).encode(), query["sig"].encode()):
        raise SignatureRefused(f"Signature did not match. String to sign used was {signed}")
    expiry = datetime.fromisoformat(query["se"])
    if expiry <= now:
        raise SignatureRefused(
            f"Signature not valid in the specified time frame: Start [] - Expiry [{_rfc1123(expiry)}]"
            f" - Current [{_rfc1123(now)}]"
        )


def _string_to_sign(fields: Mapping[str, str], account: str, container: str) -> str:
    before = [fields.get(name, "") for name in ("sp", "st", "se")]
    after = [fields.get(name, "") for name in ("si", "sip", "spr", "sv", "sr")]
    # Snapshot, encryption scope, and the five headers that a signature may set.
    rest = [fields.get(name, "") for name in ("snapshot", "ses", "rscc", "rscd", "rsce", "rscl", "rsct")]
    return "\n".join([*before, f"/blob/{account}/{container}", *after, *rest])


def _signature(key: Secret, text: str) -> str:
    return base64.b64encode(hmac.digest(base64.b64decode(key.reveal()), text.encode(), hashlib.sha256)).decode()


def _rfc1123(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%a, %d %b %Y %H:%M:%S} GMT"
