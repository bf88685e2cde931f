"""Any set of grants and denials, of a user and of its roles, decides as the documented algorithm says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.sandbox.sql import permission_model as model
from tests.sandbox.sql.conftest import Server
from tests.sandbox.sql.permission_ground import Ground
from tests.sandbox.sql.permission_table import ROWS, Row

_NAMES = {"DATABASE": "", "SCHEMA": "dbo", "OBJECT": "dbo.t", "TYPE": "dbo.tt", "USER": "mate", "ROLE": "crew"}
#: Every right that the model knows, on one securable of each class; EXECUTE on the procedure.
RIGHTS = [
    model.joined(permission, kind, "dbo.p" if (kind, permission) == ("OBJECT", "EXECUTE") else _NAMES[kind])
    for kind, permissions in model.IMPLIED.items()
    for permission in permissions
]
_HELD = st.dictionaries(st.sampled_from(RIGHTS), st.sampled_from(["GRANT", "DENY"]), max_size=8)
_MEMBERSHIPS = st.dictionaries(
    st.sampled_from([*model.ROLE_GRANTS, *model.ROLE_DENIALS]), st.just("MEMBER"), max_size=2
)


@pytest.fixture(scope="module")
def ground(server: Server) -> Iterator[Ground]:
    ground = Ground(server)
    ground.admin.execute("CREATE ROLE near")
    ground.admin.execute("CREATE ROLE upper")
    ground.admin.execute(f"ALTER ROLE near ADD MEMBER {ground.name}")
    ground.admin.execute("ALTER ROLE upper ADD MEMBER near")
    yield ground
    ground.close()


def asked(right: str) -> str:
    permission, kind, name = model.split(right)
    shown = f"N'{name}'" if name else "NULL"
    return f"HAS_PERMS_BY_NAME({shown}, N'{kind}', N'{permission}')"


_EVERYTHING = "SELECT OBJECT_ID(N'dbo.t'), " + ", ".join(asked(right) for right in RIGHTS)
_ON_THE_TABLE = [right for right in RIGHTS if right.endswith(" ON dbo.t")]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    own=_HELD, of_near=_HELD, of_upper=_HELD, of_public=_HELD, memberships=_MEMBERSHIPS,
    rows=st.lists(st.sampled_from([row for row in ROWS if row.needs]), max_size=4),
)  # fmt: skip
@example(
    own={"SELECT ON dbo.t": "GRANT"}, of_near={"SELECT ON SCHEMA::dbo": "DENY"}, of_upper={}, of_public={},
    memberships={}, rows=[ROWS[0]],
)  # fmt: skip
@example(
    own={"CONTROL": "GRANT"}, of_near={}, of_upper={"ALTER ANY SCHEMA": "DENY"}, of_public={}, memberships={}, rows=[],
)  # fmt: skip
@example(own={}, of_near={}, of_upper={}, of_public={"CONTROL": "DENY"}, memberships={"db_owner": "MEMBER"}, rows=[])
def test_grants_and_denials_decide_as_the_documented_algorithm_says(
    ground: Ground, own: dict[str, str], of_near: dict[str, str], of_upper: dict[str, str], of_public: dict[str, str],
    memberships: dict[str, str], rows: list[Row],
) -> None:  # fmt: skip
    ground.hold(ground.name, own | memberships)
    for principal, held in (("near", of_near), ("upper", of_upper), ("public", of_public)):
        ground.hold(principal, held)
    found = ground.user.execute(_EVERYTHING).fetchone()
    ground.user.rollback()
    holders = (own | memberships, of_near, of_upper, of_public)
    expected = {right: int(model.holds(right, *holders)) for right in RIGHTS}
    assert dict(zip(RIGHTS, found[1:], strict=True)) == expected
    assert (found[0] is not None) == any(expected[right] for right in _ON_THE_TABLE)  # any permission shows it
    for row in rows:
        ground.check(row)
