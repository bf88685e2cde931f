"""What SQL Server's error numbers mean to the person who provisions, and what to do next: one table.

Sources: "Database Engine events and errors" and "Troubleshoot common connection issues to Azure SQL Database".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from setup_kit.errors import KitError
from setup_kit.secret import Secret
from setup_kit.sqlserver.connection import FIREWALL, DriverMissingError, SqlError

# The same thing was made before: by an earlier attempt whose answer was lost, or by somebody else.
ALREADY_EXISTS = frozenset({2714, 15023, 15025})

# The thing that is to be dropped is not there, or not to be seen.
ALREADY_GONE = frozenset({15151})

# A login is not dropped while somebody is signed in with it; a service's last connections end soon after its last work.
LOGGED_IN = 15434

# The server was reached and this user is not let in; who asks with another login may be.
REFUSED = frozenset({4060, 916, 18452, 18456, 18470, 18486, 18487, 18488})
# Of these, the ones that come after the password was found right.
PASSWORD_ACCEPTED = frozenset({4060, 916})


@dataclass(frozen=True)
class Explanation:
    why: str
    remedy: str = ""


_AGAIN = "run the same command again in a few minutes"
_OVERLOAD = Explanation("the server or the database has no capacity left at the moment", _AGAIN)
_AWAY = Explanation(
    "the database is not available at the moment: it is being moved, scaled, or is waking from a pause", _AGAIN
)
_BROKEN = Explanation(
    "the connection broke on its way to the server", "run the same command again; see that port 1433 is open"
)
_UNREACHABLE = Explanation(
    "the server was not reached",
    "see that its name is right, that it resolves, and that the network lets you out to it",
)
_NOT_ALLOWED = Explanation(
    "the login that was used may not do this", "use the server's administrator named in the environment file"
)
_PASSWORD = Explanation(
    "the password does not satisfy the server's policy: 8 to 128 characters of three of the four classes, "
    "not containing the login's name"
)

EXPLANATIONS: dict[int, Explanation] = {
    229: _NOT_ALLOWED,
    230: _NOT_ALLOWED,
    262: _NOT_ALLOWED,
    297: _NOT_ALLOWED,
    300: _NOT_ALLOWED,
    15247: _NOT_ALLOWED,
    15151: Explanation(
        "the object does not exist, or the login that was used may not see it",
        "run `setup-kit plan` to see what is there",
    ),
    15007: Explanation("the login does not exist on this server", "run `setup-kit apply`, which creates it"),
    208: Explanation("the object does not exist in this database"),
    916: Explanation(
        "the login is right but has no user in this database, or its user may not connect",
        "run `setup-kit apply`, which creates the user",
    ),
    1205: Explanation("the server ended the statement to resolve a deadlock", _AGAIN),
    2714: Explanation("an object of that name exists already", "drop it, or choose another name"),
    2759: Explanation("the schema could not be created"),
    2760: Explanation("the schema does not exist, or the login that was used may not use it"),
    4060: Explanation(
        "the login is right, but it may not open this database, or the database does not exist",
        "run `setup-kit apply`, which creates the database and the user",
    ),
    5061: Explanation("other connections hold a lock on the database", _AGAIN),
    5070: Explanation("others use the database at the moment", _AGAIN),
    10053: _BROKEN,
    10054: _BROKEN,
    10060: _UNREACHABLE,
    10061: _UNREACHABLE,
    10928: _OVERLOAD,
    10929: _OVERLOAD,
    15023: Explanation("a user or role of that name exists in the database already"),
    15025: Explanation("a login of that name exists on the server already"),
    15063: Explanation(
        "the login has a user of another name in this database already",
        "drop that user, or name it in the environment file (sql.export_user.name)",
    ),
    15116: _PASSWORD,
    15117: _PASSWORD,
    15118: _PASSWORD,
    15138: Explanation("the user owns a schema in the database", "give the schema to dbo first: ALTER AUTHORIZATION"),
    15434: Explanation("the login is in use", "deactivate the export profile, then try again"),
    18452: Explanation("the server takes no Windows log-ins", "use a SQL login or a Microsoft Entra group"),
    18456: Explanation(
        "the server does not know this login, or its password is another",
        "for the export user run `setup-kit apply`, which sets it; for the administrator see sql.administrator",
    ),
    18470: Explanation("the login is disabled", "enable it: ALTER LOGIN … ENABLE, in master"),
    18486: Explanation("the login is locked out", "set its password again, in master"),
    18487: Explanation("the login's password has expired", "set it again, in master"),
    18488: Explanation("the login's password must be changed first", "set it again, in master"),
    33134: Explanation("the principal is a special one that cannot be changed", "choose another name"),
    33233: Explanation(
        "the database is not a contained one, and only those have users with a password of their own",
        "set sql.export_user.authentication to login",
    ),
    40197: _AWAY,
    40501: _OVERLOAD,
    40508: Explanation("Azure SQL Database cannot switch databases within a connection"),
    40532: Explanation("the server does not know itself by this name", "see sql.server in the environment file"),
    40544: Explanation("the database has reached its size quota", "raise sql.database.max_size_gb, or free space"),
    40613: _AWAY,
    40615: Explanation(
        "the server's firewall has no rule for your address", "add a rule for it, or let `setup-kit apply` open one"
    ),
    40631: _PASSWORD,
    40632: _PASSWORD,
    40914: Explanation(
        "the server admits certain virtual networks, and yours is none of them", "run from one that is admitted"
    ),
    47073: Explanation(
        "the server's public network access is switched off", "switch it on, or run from behind its private endpoint"
    ),
    49918: _OVERLOAD,
    49919: _OVERLOAD,
    49920: _OVERLOAD,
    233: _BROKEN,
}

# By SQLSTATE, where the driver itself found the trouble and there is no number of SQL Server's.
_STATES: dict[str, Explanation] = {
    "08001": _UNREACHABLE,
    "08S01": _BROKEN,
    "HYT00": Explanation("the server did not answer in time", _AGAIN),
    "HYT01": Explanation("the server did not answer in time", _AGAIN),
    "28000": EXPLANATIONS[18456],
    "IM002": Explanation("the ODBC driver is not installed", "pip install mssql-python-odbc"),
    "01000": Explanation("the ODBC driver could not be loaded", "run `setup-kit doctor`"),
}
_CERTIFICATE = Explanation(
    "the server's certificate could not be verified",
    "see that nothing intercepts TLS between you and the server; verification is never switched off",
)

# A run of this many characters of a secret in an error's text means that the text quotes the statement.
_TELLTALE = 6


def explanation(error: SqlError) -> Explanation:
    """What the error means; an unknown one explains itself by its text."""
    known = EXPLANATIONS.get(error.number)
    if known is not None:
        return known
    text = error.message.lower()
    if "certificate" in text or "ssl provider" in text:
        return _CERTIFICATE
    if "login timeout" in text:
        return _UNREACHABLE
    return _STATES.get(error.state) or Explanation("SQL Server refused it")


def kit_error(error: SqlError, what: str, *, remedy: str = "") -> KitError:
    """The error for people. `what`: what was tried, on what. `remedy` replaces the table's."""
    known = explanation(error)
    why = known.why
    if error.number == FIREWALL and error.client_address is not None:
        why = f"the server's firewall has no rule for your address {error.client_address}"
    return KitError(what, why=why, remedy=remedy or known.remedy, original=str(error))


def driver_error(error: DriverMissingError) -> KitError:
    return KitError(
        "SQL Server cannot be spoken to from this machine",
        why="the ODBC driver or its manager is missing",
        remedy=error.command,
        original=str(error),
    )


def without_secrets(error: SqlError, secrets: Iterable[Secret]) -> SqlError:
    """The error, its text left out where it quotes a part of the statement that may be a secret.

    SQL Server quotes the neighbourhood of a syntax error, cut at any length: replacing the whole secret is not enough.
    """
    texts = [text for _, text in error.messages]
    for value in filter(None, (secret.reveal() for secret in secrets)):
        for form in (value, value.replace("'", "''")):
            size = min(_TELLTALE, len(form))
            if any(form[at : at + size] in text for text in texts for at in range(len(form) - size + 1)):
                return SqlError(error.number, error.state, "the server's text is left out: it quotes the statement")
    return error
