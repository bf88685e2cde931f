"""When a command or a question applies: `cloud == sandbox`, `cloud != sandbox`, `environment_cloud == public`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_FORM = re.compile(r"([a-z][a-z0-9_]*)\s*(==|!=)\s*([A-Za-z0-9_-]+)")


@dataclass(frozen=True)
class Condition:
    """Compares an input, or what an environment that is one says, with a word."""

    name: str
    equal: bool
    word: str

    def __str__(self) -> str:
        return f"{self.name} {'==' if self.equal else '!='} {self.word}"

    def holds(self, values: Mapping[str, str]) -> bool:
        return (values.get(self.name, "") == self.word) is self.equal


def parse_condition(text: str) -> Condition:
    """Raises ValueError with a sentence for a person."""
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise ValueError(
            f"{text.strip()!r} is no condition such as `cloud == sandbox` or `environment_cloud != public`"
        )
    name, comparison, word = found.groups()
    return Condition(name, comparison == "==", word)
