"""A measured figure beside its bound."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """`value` must not exceed `bound`; both in `unit`. `basis` says what was measured against what."""

    name: str
    value: float
    bound: float
    unit: str
    basis: str

    @property
    def holds(self) -> bool:
        return self.value <= self.bound

    def __str__(self) -> str:
        verdict = "within" if self.holds else "OVER"
        return f"{self.name:<34} {self.value:>8.2f} {self.unit:<4} {verdict} {self.bound:g} {self.unit}   {self.basis}"
