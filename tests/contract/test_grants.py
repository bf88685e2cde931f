"""The permissions that the Data Export Service's documentation lists, and their codes in sys.database_permissions."""

from __future__ import annotations

from setup_kit.sqlserver.grants import GRANTS, Scope


def test_the_grants_are_the_documented_thirteen() -> None:
    assert {(grant.code, grant.permission) for grant in GRANTS if grant.scope is Scope.DATABASE} == {
        ("CRTB", "CREATE TABLE"),
        ("CRTY", "CREATE TYPE"),
        ("CRVW", "CREATE VIEW"),
        ("CRPR", "CREATE PROCEDURE"),
        ("ALUS", "ALTER ANY USER"),
        ("VWDS", "VIEW DATABASE STATE"),
    }
    assert {(grant.code, grant.permission) for grant in GRANTS if grant.scope is Scope.SCHEMA} == {
        ("AL", "ALTER"),
        ("RF", "REFERENCES"),
        ("IN", "INSERT"),
        ("DL", "DELETE"),
        ("UP", "UPDATE"),
        ("SL", "SELECT"),
        ("EX", "EXECUTE"),
    }
    assert len(GRANTS) == 13
