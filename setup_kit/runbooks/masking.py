"""Takes secrets out of what commands print, before anybody sees it or it is written down."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus

from setup_kit.secret import Secret

MASK = "***"
# A shorter text would be found in the middle of innocent words.
SHORTEST = 6
# Variables of such names hold secrets, whether they were there before or a step sets them.
SECRET_NAME = re.compile(r"(PASSWORD|SECRET|TOKEN|CONNECTION_STRING|PRIVATE_KEY|API_KEY)(_|$)", re.IGNORECASE)


def is_secret_name(name: str) -> bool:
    return bool(SECRET_NAME.search(name)) and not name.upper().endswith(("_FILE", "_PATH", "_NAME", "_URL", "_URI"))


class Mask:
    """Knows secrets and puts `***` in their place, also where they are written for JSON, a URL or a shell."""

    def __init__(self) -> None:
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def learn(self, secrets: Iterable[str]) -> None:
        for secret in secrets:
            for line in secret.splitlines():
                if len(line) >= SHORTEST:
                    self._forms |= _forms(line)
        # The longest first: a secret that begins another must not leave the other's end behind.
        ordered = sorted(self._forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def learn_variables(self, variables: Mapping[str, str]) -> None:
        self.learn(value for name, value in variables.items() if is_secret_name(name))

    def __call__(self, text: str) -> str:
        return self._pattern.sub(MASK, text) if self._pattern else text


def _forms(secret: str) -> set[str]:
    return {
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        shlex.quote(secret),
        secret.replace("'", "''"),
    }


def shown(value: str | Secret) -> str:
    return MASK if isinstance(value, Secret) else value
