"""Renders the T-SQL batches of `sql_templates/`, whose names and texts must go through a quoting filter.

The statements that create and change logins, users and permissions take no parameters, so their text is put together
here. A template that writes a value without a filter is refused when it is rendered: only `Quoted` text passes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import jinja2

from setup_kit.secret import Secret
from setup_kit.sqlserver.grants import PERMISSIONS
from setup_kit.sqlserver.quoting import QuotingError, quote_identifier, quote_literal

SUFFIX = ".sql.j2"


class Quoted(str):
    """T-SQL that a quoting filter made. Any operation on it gives a plain `str`, which a template cannot write."""

    __slots__ = ()


class UnquotedError(QuotingError):
    """A template that writes a value which no quoting filter made."""


@dataclass(frozen=True)
class Batch:
    """One batch to send. `text` holds the secrets in clear and is not part of the representation."""

    name: str
    text: str = field(repr=False)
    secrets: tuple[Secret, ...] = ()


def _given(value: object) -> object:
    """StrictUndefined names the missing value when it is looked at."""
    if isinstance(value, jinja2.Undefined):
        str(value)
    return value


def _identifier(value: object) -> Quoted:
    if not isinstance(value, str):
        raise QuotingError(f"a name is a text, not {type(value).__name__}")
    return Quoted(quote_identifier(value))


def _literal(value: object) -> Quoted:
    if isinstance(value, Secret):
        return Quoted(quote_literal(value.reveal()))
    if not isinstance(value, str):
        raise QuotingError(f"a literal is made of a text, not of {type(value).__name__}")
    return Quoted(quote_literal(value))


def _permission(value: object) -> Quoted:
    if not isinstance(value, str) or value not in PERMISSIONS:
        raise QuotingError(f"{value!r} is none of the export user's permissions")
    return Quoted(value)


def _integer(value: object) -> Quoted:
    if not isinstance(value, int) or isinstance(value, bool):
        raise QuotingError(f"an integer is expected, not {type(value).__name__}")
    return Quoted(value)


def _of_given(quote: Callable[[object], Quoted]) -> Callable[[object], Quoted]:
    return lambda value: quote(_given(value))


def _quoted_only(value: object) -> Quoted:
    _given(value)
    if type(value) is not Quoted:
        raise UnquotedError("a value is written without one of the filters identifier, literal, permission, integer")
    return value


def template_environment(loader: jinja2.BaseLoader) -> jinja2.Environment:
    """Jinja2 with the quoting filters and no others of its own rules; what HTML would escape is quoted for T-SQL."""
    environment = jinja2.Environment(
        loader=loader,
        undefined=jinja2.StrictUndefined,
        finalize=_quoted_only,
        autoescape=False,  # noqa: S701 - T-SQL, not HTML
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[[object], Quoted]] = {
        "identifier": _identifier,
        "literal": _literal,
        "permission": _permission,
        "integer": _integer,
    }
    environment.filters.update({name: _of_given(quote) for name, quote in filters.items()})
    return environment


def template_folder() -> Traversable:
    """`sql_templates/`: inside the package where the wheel is installed, beside it in a checkout."""
    package = files("setup_kit")
    inside = package / "sql_templates"
    if inside.is_dir():
        return inside
    return Path(str(package)).parent / "sql_templates"


def template_names() -> list[str]:
    return sorted(file.name.removesuffix(SUFFIX) for file in template_folder().iterdir() if file.name.endswith(SUFFIX))


@cache
def _environment() -> jinja2.Environment:
    folder = template_folder()

    def load(name: str) -> str | None:
        file = folder / (name + SUFFIX)
        return file.read_text(encoding="utf-8") if file.is_file() else None

    return template_environment(jinja2.FunctionLoader(load))


def render(name: str, /, **values: str | int | bool | Secret) -> Batch:
    """The batch of the template `name` (without suffix).

    Raises QuotingError when a value cannot be quoted or a template does not quote, jinja2.UndefinedError when a value
    is missing, jinja2.TemplateNotFound.
    """
    text = _environment().get_template(name).render(values).strip()
    return Batch(name, text, tuple(value for value in values.values() if isinstance(value, Secret)))
