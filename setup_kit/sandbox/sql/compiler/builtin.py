"""How a built-in function that asks the session is entered in a table of functions."""

from __future__ import annotations

from collections.abc import Callable

from setup_kit.sandbox.sql.compiler.bound import Bound, Program
from setup_kit.sandbox.sql.values.types import SqlType, Stored

#: The least and the greatest number of arguments, and what compiles a call.
Entry = tuple[int, int, Callable[[Program, list[Bound]], Bound]]


def entry(least: int, most: int, label: str, kind: SqlType, function: Callable[..., Stored], *inputs: SqlType) -> Entry:
    """A function whose arguments are converted to `inputs` and whose answer depends on the session."""

    def compile_(program: Program, values: list[Bound]) -> Bound:
        converted = [program.convert(value, target) for value, target in zip(values, inputs, strict=False)]
        return program.apply(label, function, kind, *converted)

    return least, most, compile_
