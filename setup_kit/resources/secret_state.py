"""What the secret with the connection string says, and the kit's own tags on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from setup_kit.azure.secrets import MAXIMUM_TAGS, KeptOut, StoredSecret
from setup_kit.errors import KitError
from setup_kit.secret import Secret
from setup_kit.sqlserver.connection import ConnectionStringError, SqlAddress, parse_ado_net

# The tag that says how far a rotation is: the other user is being made, or has been replaced and is left over.
# Whoever comes after a killed run knows by it that the user of the other name is the kit's, and may go.
ROTATION = "setup-kit-rotation"
PREPARING, RETIRING = "preparing", "retiring"

# The tag that names the user of the version's connection string, for whom the vault keeps from reading the string.
NAMED = "setup-kit-user"


@dataclass(frozen=True)
class SecretState:
    """What the secret says. `value` is None where it is disabled or deleted, `password` also where it holds none.

    `created`: when this version was written, None where the vault does not tell.
    `server`, `database` and `user` are the connection string's; None and empty where it is none, as `problem` says.
    With `recoverable` it is a deleted one that can be recovered. With `kept_out` the vault's network rules keep this
    machine from it: value and all that follows from it are those that this run wrote, or not known, but for `user`,
    which a tag names.
    """

    uri_without_version: str
    value: Secret | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    enabled: bool = True
    not_before: datetime | None = None
    expires_on: datetime | None = None
    created: datetime | None = None
    password: Secret | None = None
    user: str = ""
    database: str = ""
    server: SqlAddress | None = None
    problem: str = ""
    recoverable: bool = False
    version: str = ""
    kept_out: KeptOut | None = None

    @property
    def unreadable(self) -> KeptOut | None:
        """What keeps its value from being known here; None where it is known, or where there is none to know."""
        return None if self.value is not None or self.recoverable else self.kept_out


def state_of(stored: StoredSecret) -> SecretState:
    state = SecretState(
        uri_without_version=stored.uri,
        value=stored.value,
        tags=stored.tags,
        enabled=stored.enabled,
        not_before=stored.not_before,
        expires_on=stored.expires_on,
        created=stored.created,
        version=stored.version,
        kept_out=stored.kept_out,
    )
    if stored.value is None:
        return replace(state, user=stored.tags.get(NAMED, ""))
    try:
        given = parse_ado_net(stored.value)
    except ConnectionStringError as error:
        return replace(state, problem=str(error))
    return replace(state, password=given.password, user=given.user or "", database=given.database, server=given.address)


def as_written(state: SecretState, written: SecretState | None) -> SecretState:
    """A state with the value that this run wrote, where the newest version is still the one that it wrote."""
    if state.unreadable is None or written is None or not state.version or state.version != written.version:
        return state
    return replace(
        state,
        value=written.value,
        password=written.password,
        user=written.user,
        database=written.database,
        server=written.server,
    )


def naming(tags: Mapping[str, str], user: str) -> dict[str, str]:
    """The tags of a version whose connection string names a user, which one of them says as long as there is room."""
    kept = {name: value for name, value in tags.items() if name != NAMED}
    return {**kept, NAMED: user} if len(kept) < MAXIMUM_TAGS else kept


def marked(secret: str, tags: Mapping[str, str], phase: str | None) -> dict[str, str]:
    """The tags with the mark of a rotation, or without any. Raises KitError where the kit's own find no room."""
    kept = {name: value for name, value in tags.items() if name != ROTATION}
    wanted = kept if phase is None else {**kept, ROTATION: phase}
    check_room(secret, tags, {**wanted, NAMED: ""} if phase is not None else wanted, "that marks a rotation")
    return wanted


def check_room(secret: str, tags: Mapping[str, str], wanted: Mapping[str, str], which: str) -> None:
    """Raises KitError when there are more wanted tags than a secret may have. `tags` are those that it has."""
    if len(wanted) > MAXIMUM_TAGS:
        raise KitError(
            f"The secret {secret} cannot get the tag {which}",
            why=f"it has {len(tags)} tags already, and {MAXIMUM_TAGS} are the most",
            remedy="remove the tags of organizations that are gone, or name another secret in 'key_vault.secret'",
        )
