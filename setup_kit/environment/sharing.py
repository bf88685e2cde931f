"""What several environments share: what no two may both change, and what keeps them from going side by side."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from setup_kit.environment.choosing import Selected
from setup_kit.environment.models import Authentication, Environment
from setup_kit.errors import UsageError


def refuse_shared(chosen: Sequence[Selected]) -> None:
    """Raises UsageError, with all there are, where two environments say what one and the same thing is to be."""
    own = {each.name: _own(each.loaded.environment) for each in chosen}
    clashes = [
        f"{first} and {second}: {own[first][key]}"
        for first, second in combinations(own, 2)
        for key in own[first]
        if key in own[second]
    ]
    if clashes:
        raise UsageError(
            "two environments name the same thing, which each would change for itself; nothing was sent",
            why="\n".join(clashes),
            remedy="give it a name of its own in one of the files, or leave one of the environments out",
        )


def lanes(chosen: Sequence[Selected]) -> list[list[Selected]]:
    """Those in one lane share a server or a vault: they go one after the other, lanes side by side.

    A run makes what is missing of these, and opens the server's firewall for itself and closes it again. A resource
    group may be made by two at once.
    """
    found: list[tuple[set[str], list[Selected]]] = []
    for each in chosen:
        shared, lane = _shared(each.loaded.environment), [each]
        joined = [other for other in found if other[0] & shared]
        for other in reversed(joined):
            found.remove(other)
            shared, lane = shared | other[0], [*other[1], *lane]
        found.append((shared, lane))
    return [lane for _, lane in found]


def _own(environment: Environment) -> dict[str, str]:
    """What an environment has for itself alone, as a person reads it, by what no two may have alike."""
    sql, vault, profile = environment.sql, environment.key_vault, environment.profile
    login = sql.export_user.authentication is Authentication.LOGIN
    place = f"on {sql.server}" if login else f"in {sql.database.name} on {sql.server}"
    things = (
        f"export user {sql.export_user.name} {place}",
        f"secret {vault.secret} in vault {vault.name}",
        f"profile {profile.name} of {environment.dynamics.organization_url.rstrip('/')}",
    )
    return {thing.casefold(): thing for thing in things}


def _shared(environment: Environment) -> set[str]:
    return {
        f"server {environment.sql.server}".casefold(),
        f"vault {environment.key_vault.name}".casefold(),
    }
