"""An environment with something else in its firewall than its file says, and the lines to put into the file."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import yaml

from setup_kit.environment.checking import check
from setup_kit.environment.document import Place, tree
from setup_kit.environment.loading import Loaded
from setup_kit.environment.problems import EnvironmentFileError


def with_rule(loaded: Loaded, name: str, start: str, end: str) -> Loaded:
    """With a firewall rule in addition. The same rule again changes nothing."""
    rules = _firewall(loaded)["rules"]
    added = {"name": name, "start": start, "end": end}
    return loaded if added in rules else amended(loaded, rules=[*rules, added])


def amended(loaded: Loaded, **firewall: Any) -> Loaded:
    """With these keys of `sql.firewall`. Raises EnvironmentFileError with all that is wrong with them."""
    document = _document(loaded)
    document["sql"]["firewall"] |= firewall
    # Line 0: they are of no file.
    environment, problems = check(tree(document, Place(loaded.path, 0)))
    if environment is None:
        # A rule's start and end are given as one where they are the same address.
        told = {problem.message: problem for problem in reversed(problems)}
        raise EnvironmentFileError(loaded.path, told.values(), written=False)
    return replace(loaded, environment=environment)


def lines(before: Loaded, after: Loaded) -> str:
    """What `sql.firewall` of the file must say for it to be as `after`; empty when it says so already."""
    old, new = _firewall(before), _firewall(after)
    differing = {key: value for key, value in new.items() if value != old.get(key)}
    if not differing:
        return ""
    return yaml.safe_dump({"sql": {"firewall": differing}}, sort_keys=False, allow_unicode=True).rstrip()


def _document(loaded: Loaded) -> dict[str, Any]:
    return loaded.environment.model_dump(mode="json", by_alias=True, exclude_none=True)


def _firewall(loaded: Loaded) -> dict[str, Any]:
    firewall: dict[str, Any] = _document(loaded)["sql"]["firewall"]
    return firewall
