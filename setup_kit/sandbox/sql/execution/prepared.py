"""Statements that a client has prepared."""

from __future__ import annotations

from dataclasses import dataclass

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.language.statements import DeclaredType

_MOST_CHARACTERS, _MOST_STATEMENTS = 16 * 1024 * 1024, 100_000


@dataclass(frozen=True)
class Prepared:
    """What a client prepared: a text with the parameters it declares, or the name of a procedure."""

    text: str
    parameters: tuple[tuple[str, DeclaredType, bool], ...] = ()
    is_procedure: bool = False


class PreparedStatements:
    """Those of a session, by handle. Texts are kept up to a bound, together: 701 beyond it."""

    def __init__(self) -> None:
        self._held: dict[int, Prepared] = {}
        self._handles = 0
        self._size = 0

    def add(self, prepared: Prepared) -> int:
        """The new handle."""
        if self._size + len(prepared.text) > _MOST_CHARACTERS or len(self._held) >= _MOST_STATEMENTS:
            raise errors.error(701, "default")
        self._handles += 1
        self._held[self._handles] = prepared
        self._size += len(prepared.text)
        return self._handles

    def get(self, handle: object) -> Prepared | None:
        return self._held.get(handle) if isinstance(handle, int) else None

    def remove(self, handle: object) -> bool:
        """False when there is none."""
        found = self.get(handle)
        if found is None or not isinstance(handle, int):
            return False
        del self._held[handle]
        self._size -= len(found.text)
        return True

    def clear(self) -> None:
        self._held.clear()
        self._size = 0
