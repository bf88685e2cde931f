"""Finds what would stop a run at a SQL Server on a virtual machine, before anything is changed."""

from __future__ import annotations

from collections.abc import Iterator

from setup_kit.clouds import Cloud
from setup_kit.engine.resource import Finding, Severity, Status
from setup_kit.environment.models import Authentication, Environment, Machine
from setup_kit.errors import KitError, UsageError
from setup_kit.resources.sql_machine import looked_at, version_of
from setup_kit.sqlserver.sessions import MASTER, SignInRefused, SqlSessions

CHECK = "preflight.machine"

_FACTS = """
SELECT CAST(SERVERPROPERTY('EngineEdition') AS int),
  IS_SRVROLEMEMBER(N'sysadmin'), HAS_PERMS_BY_NAME(NULL, NULL, N'ALTER ANY LOGIN'),
  HAS_PERMS_BY_NAME(NULL, NULL, N'CREATE ANY DATABASE'), DB_ID(?),
  (SELECT CAST(value_in_use AS int) FROM sys.configurations WHERE name = N'contained database authentication')
"""
# SERVERPROPERTY('EngineEdition'): Azure SQL Database.
_LOGICAL = 5

MIXED_MODE = (
    "if that is the right one, see that SQL Server takes SQL logins (SQL Server Management Studio: the server's"
    " properties, Security, SQL Server and Windows Authentication mode; then restart it), and that the login is enabled"
)


def examine_machine(
    address: str, environment: Environment, machine: Machine, cloud: Cloud, sessions: SqlSessions | None
) -> list[Finding]:
    """Reach, version, encryption and certificate; then, signed in as the administrator, rights and settings.

    `address` is what the findings are about. Without `sessions`, or where the password is not known, it does not sign
    in.
    """
    try:
        seen = looked_at(machine, cloud)
    except KitError as error:
        evidence = error.original or error.why
        return [Finding(CHECK, Status.FAILED, address, f"{error.what}: {error.why}", error.remedy, evidence)]
    evidence = f"certificate trusted until {seen.expires:%Y-%m-%d}"
    found = Finding(
        CHECK, Status.PASSED, address, f"{version_of(seen)} answers at {machine}, encrypted", evidence=evidence
    )
    if sessions is None:
        return [found]
    return [found, *_signed_in(address, environment, sessions)]


def _signed_in(address: str, environment: Environment, sessions: SqlSessions) -> Iterator[Finding]:
    login = environment.sql.administrator.sql_login
    try:
        session = sessions.admin(MASTER)
    except UsageError as unknown:
        # Only a run that makes something signs in as the administrator, and says the same then.
        message = f"not signed in as the administrator: {unknown.what}"
        yield Finding(CHECK, Status.SKIPPED, address, message, unknown.remedy, grade=Severity.INFO)
        return
    except SignInRefused as refusal:
        message = f"{refusal.what}: {refusal.why}"
        remedy = f"{refusal.remedy}; {MIXED_MODE}"
        yield Finding(CHECK, Status.FAILED, address, message, remedy, refusal.original)
        return
    doing = f"read what {login!r} may do"
    database = environment.sql.database.name
    ((edition, sysadmin, logins, databases, there, contained),) = session.rows(_FACTS, database, doing=doing)
    wants_contained = environment.sql.export_user.authentication is Authentication.CONTAINED
    if edition == _LOGICAL:
        message = "what answers is Azure SQL Database, not a SQL Server of one's own"
        remedy = "name its logical server in sql.server instead"
        yield Finding(CHECK, Status.FAILED, address, message, remedy, f"SERVERPROPERTY('EngineEdition') is {edition}")
        return
    lacking = []
    if not sysadmin:
        if not there and not databases:
            lacking.append("CREATE ANY DATABASE")
        if not wants_contained and not logins:
            lacking.append("ALTER ANY LOGIN")
    if lacking:
        message = f"the administrator {login!r} lacks {' and '.join(lacking)} on the server"
        remedy = f"give it to it: GRANT {', '.join(lacking)} TO the login, in master; or name another administrator"
        evidence = "no member of sysadmin; HAS_PERMS_BY_NAME answers 0"
        yield Finding(CHECK, Status.FAILED, address, message, remedy, evidence)
    if wants_contained and not contained:
        message = "the server admits no contained users, and sql.export_user.authentication is contained"
        remedy = (
            "in master: EXEC sp_configure 'contained database authentication', 1; RECONFIGURE; (the setting is the"
            " whole server's, so setup-kit leaves it to you), or set sql.export_user.authentication to login"
        )
        evidence = "contained database authentication: value_in_use is 0"
        yield Finding(CHECK, Status.FAILED, address, message, remedy, evidence)
    if not lacking and (contained or not wants_contained):
        evidence = "a member of sysadmin" if sysadmin else "by permissions of its own"
        yield Finding(
            CHECK,
            Status.PASSED,
            address,
            f"the administrator {login!r} signs in and may do what is needed",
            evidence=evidence,
        )
