"""A measured figure beside its bound."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """`value` must not exceed `bound`, or with `at_least` not fall below it; both in `unit`. None: only reported.

    `basis` says what was measured against what.
    """

    name: str
    value: float
    bound: float | None
    unit: str
    basis: str
    at_least: bool = False

    @property
    def holds(self) -> bool:
        if self.bound is None:
            return True
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def __str__(self) -> str:
        if self.bound is None:
            return f"{self.name:<34} {self.value:>8.2f} {self.unit:<4} reported   {self.basis}"
        verdict = "within" if self.holds else "UNDER" if self.at_least else "OVER"
        bound = f"{'at least ' if self.at_least else ''}{self.bound:g} {self.unit}"
        return f"{self.name:<34} {self.value:>8.2f} {self.unit:<4} {verdict} {bound}   {self.basis}"
