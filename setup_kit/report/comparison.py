"""How two environments differ, for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.markup import escape

from setup_kit.environment.comparison import Comparison, Difference
from setup_kit.environment.document import Place
from setup_kit.environment.problems import displayed

Document = dict[str, Any]


def comparison_document(comparison: Comparison) -> Document:
    """`differences`, each `own` by its nature or not; `shared`: what must not be the same and is."""
    return {
        "from": comparison.before.name,
        "to": comparison.after.name,
        "summary": {
            "forgotten": len(comparison.forgotten),
            "own": len(comparison.differences) - len(comparison.forgotten),
            "shared": len(comparison.shared),
        },
        "differences": [
            {
                "key": each.key,
                "own": each.own,
                "from": each.before,
                "to": each.after,
                "from_place": _place(each.before_place),
                "to_place": _place(each.after_place),
            }
            for each in comparison.differences
        ],
        "shared": [{"key": key, "value": value} for key, value in comparison.shared],
    }


def show_comparison(console: Console, comparison: Comparison) -> None:
    before, after = comparison.before.name, comparison.after.name
    own = [each for each in comparison.differences if each.own]
    if comparison.forgotten:
        console.print(f"[bold]Differs, and looks forgotten[/] ({escape(before)} → {escape(after)})")
        for each in comparison.forgotten:
            _show(console, each, before, after, places=True)
        console.print()
    if comparison.shared:
        console.print("[bold]The same in both, and must not be[/]")
        for key, value in comparison.shared:
            console.print(f"  [red]=[/] {escape(key)}  {_said(value)}")
        console.print()
    if own:
        console.print(f"[bold]Differs by nature[/] ({escape(before)} → {escape(after)})")
        for each in own:
            _show(console, each, before, after, places=False)
        console.print()
    words = f"{len(comparison.forgotten)} to look at, {len(own)} by nature, {len(comparison.shared)} shared by mistake."
    console.print(f"[green]Nothing to look at.[/] {words}" if comparison.alike else words)
    if not comparison.alike:
        target = str(displayed(comparison.after.path))
        console.print(f"Next: change {escape(target)} where it is to be alike, then setup-kit plan -e {escape(after)}")


def _show(console: Console, difference: Difference, before: str, after: str, *, places: bool) -> None:
    mark = "[bright_black]~[/]" if difference.own else "[yellow]~[/]"
    one, other = difference.before, difference.after
    if _plain_list(one) and _plain_list(other):
        console.print(f"  {mark} {escape(difference.key)}")
        for name, only in ((before, _without(one, other)), (after, _without(other, one))):
            if only:
                console.print(f"      only {escape(name)}: {escape(', '.join(only))}")
    else:
        console.print(f"  {mark} {escape(difference.key)}  {_said(one)} → {_said(other)}")
    if places:
        said = [_where(difference.before_place), _where(difference.after_place)]
        console.print(f"      [bright_black]{escape(' → '.join(said))}[/]")


def _plain_list(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _without(one: Iterable[str], other: Iterable[str]) -> list[str]:
    return sorted(set(one) - set(other))


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value in (None, "", [], {}):
        return "(none)"
    if isinstance(value, list):
        return ", ".join(_said(each) for each in value)
    if isinstance(value, dict):
        return escape(" ".join(f"{key}={each}" for key, each in value.items()))
    return escape(str(value))


def _where(place: Place | None) -> str:
    return f"{displayed(place.file)}:{place.line}" if place is not None else "by default"


def _place(place: Place | None) -> Document | None:
    return {"file": displayed(place.file).as_posix(), "line": place.line} if place is not None else None
