"""A document against the models: every problem with its file, its line and a sentence for a person."""

from __future__ import annotations

import difflib
import json
import re
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from setup_kit.environment import across, shape, targets
from setup_kit.environment.document import Listing, Mapping, Node, Path_, Scalar, dotted, find, plain, scalars
from setup_kit.environment.inheritance import EXTENDS
from setup_kit.environment.models import Environment, Section
from setup_kit.environment.names import shown
from setup_kit.environment.problems import Problem

# Words that make a key a secret's, in whatever spelling (`clientSecret`, `client-secret`).
_SECRET_KEY = re.compile(
    r"passw(or)?d|passphrase|pwd|secret|credential|connectionstring|token|apikey|accesskey|accountkey|privatekey|sastoken",
)
# What a connection string, a shared access signature or a private key looks like, wherever it stands.
_SECRET_VALUE = re.compile(
    r"(password|pwd|accountkey|sharedaccesskey|client_?secret)\s*=|[?&]sig=|-----BEGIN [A-Z ]*PRIVATE KEY",
    re.IGNORECASE,
)
_NO_SECRET = "no secret has a place in the environment file"  # noqa: S105 -- a sentence


def check(root: Node, *, whole: bool = True) -> tuple[Environment | None, list[Problem]]:
    """The environment, or None and all that is wrong.

    Where the document is not `whole`, a key that is missing is no problem.
    """
    refused, problems = _keys(root)
    problems += _secret_values(root, refused)
    problems += targets.problems(root, whole=whole)
    root = targets.taken_back(root)
    problems += across.problems(root, whole=whole)
    refused_keys = {problem.key for problem in problems}
    try:
        # JSON, because there text may stand for a GUID and a list for a tuple while all else is strict.
        environment = Environment.model_validate_json(
            json.dumps(plain(root)), strict=True, by_alias=True, by_name=False
        )
    except ValidationError as error:
        for details in error.errors(include_url=False, include_input=False):
            if details["type"] == "extra_forbidden" or (details["type"] == "missing" and not whole):
                continue
            problem = _problem(root, details)
            if problem.key not in refused_keys:
                problems.append(problem)
        return None, problems
    return (environment if not problems else None), problems


def _keys(root: Node) -> tuple[set[Path_], list[Problem]]:
    """Problems with keys that no section has; the places of those that look like a secret's."""
    secret: set[Path_] = set()
    problems: list[Problem] = []

    def section(node: Node, model: type[Section], above: Path_) -> None:
        if isinstance(node, Listing):
            for position, item in enumerate(node.items):
                section(item, model, (*above, position))
        if not isinstance(node, Mapping):
            return
        known = shape.keys(model)
        for name, entry in node.entries.items():
            key = (*above, name)
            field = known.get(name)
            if field is None:
                message = _unknown(name, list(known), above)
                if _is_secret(name):
                    secret.add(key)
                    message = f"{_NO_SECRET}: {_belongs(name, above)}"
                problems.append(Problem(entry.place.file, entry.place.line, dotted(key), message))
                continue
            below = shape.section_below(field.annotation)
            if below is not None:
                section(entry.node, below, key)
            elif isinstance(entry.node, Mapping):  # tags
                for tag, value in entry.node.entries.items():
                    if _is_secret(tag):
                        secret.add((*key, tag))
                        message = f"{_NO_SECRET}, and anyone who may read the resources reads their tags"
                        place = value.place
                        problems.append(Problem(place.file, place.line, dotted((*key, tag)), message))

    section(root, Environment, ())
    return secret, problems


def _secret_values(root: Node, refused: set[Path_]) -> list[Problem]:
    found = []
    for key, scalar in scalars(root):
        hidden = any(key[: len(each)] == each for each in refused)
        if not hidden and isinstance(scalar.value, str) and _SECRET_VALUE.search(scalar.value):
            message = f"{_NO_SECRET}, and this value looks like one: the kit makes the connection string itself"
            found.append(Problem(scalar.place.file, scalar.place.line, dotted(key), message))
    return found


def _squeezed(name: str) -> str:
    """The key's letters alone, so that organizationUrl and organization-url are one."""
    return re.sub(r"[^a-z]", "", name.lower())


def _is_secret(name: str) -> bool:
    return _SECRET_KEY.search(_squeezed(name)) is not None


def _belongs(name: str, above: Path_) -> str:
    """Where the secret belongs that somebody wrote under this key."""
    squeezed = _squeezed(name)
    if "administrator" in above or "admin" in squeezed:
        return "the SQL administrator's password comes from SETUP_KIT_SQL_ADMIN_PASSWORD, or is asked for"
    if "client" in squeezed or "token" in squeezed or "credential" in squeezed:
        return "the kit signs in with `az login`, or with AZURE_CLIENT_ID and AZURE_CLIENT_SECRET from the environment"
    if "export_user" in above or "connection" in squeezed or not above:
        return "the kit makes the export user's password and connection string itself, and keeps them in the key vault"
    return "passwords and keys come from the process's environment or live in the key vault"


def _unknown(name: str, known: list[str], above: Path_) -> str:
    candidates = known if above else [*known, EXTENDS]
    squeezed = {_squeezed(each): each for each in candidates}
    same = squeezed.get(_squeezed(name))
    homes = shape.homes().get(name, ())
    if same is None and len(homes) == 1 and len(homes[0]) > 1:
        return f"is no key here: it belongs under {dotted(homes[0][:-1])}"
    near = [same] if same else difflib.get_close_matches(name.lower(), candidates, n=1)
    if near:
        return f"is no key here: did you mean {near[0]}?"
    return f"is no key here: known are {', '.join(candidates)}"


def _problem(root: Node, details: ErrorDetails) -> Problem:
    context: dict[str, Any] = details.get("ctx", {})
    # <endpoints> tells which kind of cloud was tried, [key] that a tag's name is at fault: no keys of the file.
    key: Path_ = tuple(step for step in details["loc"] if step not in {"<endpoints>", "<cloud>", "[key]"})
    if "key" in context:
        below = (*key, context["key"])
        place = find(root, below)[1]
        return Problem(place.file, place.line, dotted(below), context["message"])
    node, place = find(root, key)
    given = "" if any(_is_secret(str(step)) for step in key) else _given(node)
    return Problem(place.file, place.line, dotted(key), _sentence(details, context, node, given))


def _sentence(details: ErrorDetails, context: dict[str, Any], node: Node | None, given: str) -> str:
    kind = details["type"]
    if kind == "missing":
        return f"is missing{_described(details['loc'])}"
    if kind == "value_error":
        return str(context["error"])
    if kind in {"too_short", "string_too_short"}:
        return "names none: at least one is needed"
    if isinstance(node, Scalar) and node.value is None:
        return "has no value"
    if kind in {"greater_than_equal", "less_than_equal"}:
        bound = f"at least {context['ge']}" if "ge" in context else f"at most {context['le']}"
        return f"must be {bound}{given.replace(' the number', '')}"
    if kind in {"enum", "literal_error"}:
        options = re.findall(r"'([^']*)'", context["expected"]) or [context["expected"]]
        near = difflib.get_close_matches(str(node.value).lower(), options, n=1) if isinstance(node, Scalar) else []
        hint = f": did you mean {near[0]}?" if near else ""
        return f"must be {_either(options)}{given}{hint}"
    if kind.startswith("uuid"):
        return f"must be a GUID such as 11111111-2222-3333-4444-555555555555{given}"
    expected = next((words for start, words in _EXPECTED.items() if kind.startswith(start)), None)
    if expected is None:
        return details["msg"]
    quotes = ""
    if given and kind.startswith("string") and isinstance(node, Scalar):
        quotes = f'; to mean the text, put it in quotes: "{node.text}"'
    return f"must be {expected}{given}{quotes}"


_EXPECTED = {
    "string": "text",
    "int": "a whole number",
    "bool": "true or false",
    "tuple": "a list",
    "dict": "a mapping, keys with values",
    "model": "a mapping, keys with values",
}


def _given(node: Node | None) -> str:
    match node:
        case Listing():
            return ", not a list"
        case Mapping():
            return ", not a mapping"
        case Scalar(bool() as value):
            return f", not {node.text} (which YAML reads as {str(value).lower()})"
        case Scalar(int() | float()):
            return f", not the number {node.text}"
        case Scalar(str() as value):
            return f", not {shown(value)}"
    return ""


def _either(options: list[str]) -> str:
    return options[0] if len(options) == 1 else f"{', '.join(options[:-1])} or {options[-1]}"


def _described(location: tuple[int | str, ...]) -> str:
    """What the missing key is for, in the words of its description."""
    section: type[Section] | None = Environment
    text = ""
    for step in (each for each in location if isinstance(each, str) and each != "<endpoints>"):
        field = shape.keys(section).get(step) if section is not None else None
        if field is None:
            return ""
        text, section = field.description or "", shape.section_below(field.annotation)
    return f" ({text.rstrip('.')})" if text else ""
