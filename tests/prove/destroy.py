"""SIGKILL at each boundary of a `destroy`; a second run must leave what an undisturbed one leaves."""

from __future__ import annotations

from typing import Any

from tests.prove.boundaries import boundaries_of, killed
from tests.prove.sandboxes import Sandboxes, sandboxes
from tests.sandbox.job.end_state import remains
from tests.sandbox.job.harness import Kit
from tests.sandbox.job.killing import Boundary, destroy, destroy_trial, prepare

# What stays and what goes differs between these, and with it the order.
WAYS = {"kept": ("--drop-objects",), "whole": ("--include-data",)}


def destroy_killed_at_every_boundary(share: float, seed: int) -> bool:
    with sandboxes(_begin) as among:
        held = [_one_way(among, way, options, share, seed) for way, options in WAYS.items()]
    return all(held)


def _one_way(among: Sandboxes[str], way: str, options: tuple[str, ...], share: float, seed: int) -> bool:
    with among.one() as (kit, _):
        prepare(kit, way)
        kit.apply(way).succeeded()
        boundaries = boundaries_of(kit, way, lambda: destroy(kit, way, *options))
        expected: dict[str, Any] = remains(kit, way)

    def one(kit: Kit, _: str, name: str, at: Boundary) -> str:
        return destroy_trial(kit, f"{way}{name}", at, options, expected)

    return killed(f"destroy {' '.join(options)}", among, boundaries, one, share, seed)


def _begin(kit: Kit) -> str:
    """Has everything been used once, which the first environment of a sandbox pays for."""
    prepare(kit, "first")
    kit.apply("first").succeeded()
    return "first"
