"""A plan with every kind of change in it, and the environment it is for."""

from __future__ import annotations

from pathlib import Path

import pytest

from setup_kit.engine.planner import CheckFailed, Known, Plan, Planned
from setup_kit.engine.resource import Action, Change, Check, Finding, Resource, Status, Value
from setup_kit.environment.loading import Loaded, load
from setup_kit.errors import KitError
from setup_kit.secret import Secret

README = Path(__file__).parents[3] / "README.md"


class Thing(Resource[str]):
    kind = "thing"

    def read(self) -> str | None:
        return None

    def diff(self, observed: str | None) -> list[Change]:
        return []

    def apply(self, change: Change) -> str:
        return ""

    def delete(self, observed: str) -> None:
        return None


class Look(Check):
    kind = "look"

    def run(self) -> list[Finding]:
        return []


@pytest.fixture
def full_plan() -> Plan:
    """A resource each: as wanted, missing, differing, not readable from here, failed and blocked; a failed check."""
    right, missing, differing, hidden, failed, blocked = map(
        Thing, ("right", "missing", "differing", "hidden", "failed", "blocked")
    )
    check = Look("first")
    differing.observed = "there"
    detail: dict[str, Value] = {
        "password": Secret("hunter2!"),
        "size": 7,
        "tags": {"a": "b"},
        "entities": ["account"],
        "none": None,
    }
    creation = Change("thing/missing", Action.CREATE, why="it is needed", detail=detail)
    changes = (
        Change("thing/differing", Action.UPDATE, "value", Secret("hunter2!"), Secret("hunter3!"), "it leads elsewhere"),
        Change("thing/differing", Action.UPDATE, "enabled", False, True),
        Change("thing/differing", Action.UPDATE, "maxdop", 1.5, None),
        Change("thing/differing", Action.DELETE, "rule", "192.0.2.1", why="nobody named it", destructive=True),
    )
    finding = Finding("look", Status.FAILED, check.address, "it is not so", "mend it", "seen")
    return Plan(
        nodes=(check, right, missing, differing, hidden, failed, blocked),
        planned={
            right: Planned(right, Known.READ),
            missing: Planned(missing, Known.READ, (creation,)),
            differing: Planned(differing, Known.READ, changes),
            hidden: Planned(hidden, Known.DEFERRED, reason="the firewall is closed", remedy="open it"),
        },
        findings=(Finding("look", Status.WARNING, check.address, "it is nearly so"),),
        failures={check: CheckFailed(check, [finding]), failed: KitError("it failed", why="why", original="[x]")},
        blocked={blocked: failed},
    )


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    """The environment file that the README shows, as `readme`."""
    block = README.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    (tmp_path / "readme.yaml").write_text(block, encoding="utf-8")
    return load("readme.yaml", tmp_path)
