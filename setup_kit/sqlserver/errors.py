"""SQL Server's errors: which the kit acts upon, and how they are told to the person who provisions."""

from __future__ import annotations

from collections.abc import Iterable

from setup_kit import known_errors
from setup_kit.errors import KitError
from setup_kit.secret import Secret
from setup_kit.sqlserver.connection import DriverMissingError, SqlError

# The same thing was made before: by an earlier attempt whose answer was lost, or by somebody else.
ALREADY_EXISTS = frozenset({1801, 2714, 15023, 15025})

# The thing that is to be dropped is not there, or not to be seen.
ALREADY_GONE = frozenset({15151})

# A login is not dropped while somebody is signed in with it; a service's last connections end soon after its last work.
LOGGED_IN = 15434

# The server was reached and this user is not let in; who asks with another login may be.
REFUSED = frozenset({4060, 916, 18452, 18456, 18470, 18486, 18487, 18488})
# Of these, the ones that come after the password was found right.
PASSWORD_ACCEPTED = frozenset({4060, 916})


# A run of this many characters of a secret in an error's text means that the text quotes the statement.
_TELLTALE = 6


def kit_error(error: SqlError, what: str, *, remedy: str = "") -> KitError:
    """The error for people. `what`: what was tried, on what. `remedy` replaces the one that is known."""
    known = (
        known_errors.find("sql", error.number, text=error.message, operation=what)
        or known_errors.find("odbc", error.state, text=error.message, operation=what)
        or known_errors.meaning("sql", error.number)
    )
    words = known.words
    return KitError(what, why=words["why"], remedy=remedy or words["remedy"], link=words["link"], original=str(error))


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
