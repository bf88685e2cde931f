"""A value that must not be seen."""

from __future__ import annotations


class Secret:
    """Holds a secret; everything that prints, formats or serializes it gives `***`.

    Only the rooms that put secrets on a wire (`azure`, `export_service`, `identity`, `sqlserver`, `service`) call
    `reveal`, and `runbooks` with its command, which hands them to commands as variables.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format("***", spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(("Secret", self._value))

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a secret is not serialized")
