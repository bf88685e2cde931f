"""Passwords for logins that machines use."""

from __future__ import annotations

import secrets
import string

from setup_kit.secret import Secret

LENGTH = 40
# Without quotes, braces, blanks and separators: neither a connection string nor T-SQL has to quote any of these.
_OTHERS = "-_.!*+~"
_CLASSES = (string.ascii_lowercase, string.ascii_uppercase, string.digits, _OTHERS)


def make_password(login: str) -> Secret:
    """A random password with all four classes of characters, as Azure's rules want three, without the login's name."""
    alphabet = "".join(_CLASSES)
    while True:
        made = "".join(secrets.choice(alphabet) for _ in range(LENGTH))
        complete = all(any(character in kind for character in made) for kind in _CLASSES)
        if complete and made[0].isalpha() and (not login or login.lower() not in made.lower()):
            return Secret(made)
