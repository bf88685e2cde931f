"""Statements that a client has prepared."""

from __future__ import annotations

from dataclasses import dataclass

from setup_kit.sandbox.sql.language.statements import DeclaredType


@dataclass(frozen=True)
class Prepared:
    """What a client prepared: a text with the parameters it declares, or the name of a procedure."""

    text: str
    parameters: tuple[tuple[str, DeclaredType, bool], ...] = ()
    is_procedure: bool = False
