"""What a resource was seen to be, as plain values and as a table, whatever it is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from rich.console import Console
from rich.markup import escape

from setup_kit.engine.drift import Standing, drift
from setup_kit.engine.planner import Plan
from setup_kit.engine.resource import Node, Resource
from setup_kit.moment import readable
from setup_kit.report.console import show_failures, show_table, shown
from setup_kit.report.documents import Document, failures_document
from setup_kit.secret import Secret

# What `plain` makes of a moment.
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[0-9.]*([+-]\d\d:\d\d)?")


def states_document(environment: str, plan: Plan, nodes: tuple[Node, ...]) -> Document:
    """`resources` with the `state` of each of these nodes as it was read, null when it is not there."""
    standing = {each.resource: each for each in drift(plan)}
    return {
        "environment": environment,
        "resources": [
            {
                "resource": node.address,
                "standing": str(standing[node.address].standing),
                "state": plain(node.observed),
                "reason": standing[node.address].reason,
            }
            for node in nodes
            if isinstance(node, Resource)
        ],
        "failures": failures_document(plan.failures),
    }


def plain(value: Any) -> Any:
    """JSON's own values; a secret is `***`, a set a sorted list."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Secret):
        return str(value)
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, datetime):
        return value.isoformat()
    if is_dataclass(value) and type(value).__str__ is object.__str__:
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Set):
        return sorted((plain(item) for item in value), key=str)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return str(value)


def show_states(console: Console, plan: Plan, document: Document) -> None:
    """Each resource with how far it is from the file, and what it was seen to be."""
    for each in document["resources"]:
        reason = f"  {escape(each['reason'])}" if each["reason"] else ""
        console.print(f"[bold]{escape(each['resource'])}[/]  {each['standing']}{reason}")
        _show(console, each["state"], "  ")
    show_failures(console, plan.failures, {})


def show_state(console: Console, state: Mapping[str, Any]) -> None:
    """One state: what `plain` makes of a dataclass."""
    _show(console, state, "")


def _show(console: Console, state: Any, indent: str) -> None:
    if not isinstance(state, dict):
        return
    if state and all(isinstance(item, dict) for item in state.values()):
        columns = list(dict.fromkeys(key for item in state.values() for key in item))
        show_table(console, "", columns, [[shown(item.get(key)) for key in columns] for item in state.values()])
        return
    for key, value in state.items():
        name = key.replace("_", " ")
        if isinstance(value, dict) and any(isinstance(item, list | dict) for item in value.values()):
            console.print(f"{indent}{escape(name)}:")
            _show(console, value, indent + "  ")
        elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
            console.print(f"{indent}{escape(name)}:")
            for item in value:
                console.print(f"{indent}  - {shown(item)}")
        else:
            console.print(f"{indent}{escape(name)}: {_said(value)}")


def _said(value: Any) -> str:
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        return f"{readable(value)} UTC"
    return shown(value) or "(none)"


def present(document: Document) -> bool:
    """Whether everything was read and is there."""
    absent = {str(Standing.MISSING), str(Standing.UNREADABLE)}
    return not any(each["standing"] in absent for each in document["resources"])
