"""Errors of SQL Server, by number, with its own texts (`sys.messages`)."""

from __future__ import annotations


class SqlError(Exception):
    """One error message as it goes to the client: number, severity class, state, text.

    `ends_batch` says whether the rest of the batch is skipped; most errors end only their statement.
    `ends_session` closes the connection after the message has been sent.
    """

    def __init__(
        self,
        number: int,
        message: str,
        severity: int = 16,
        state: int = 1,
        *,
        ends_batch: bool = False,
        ends_session: bool = False,
    ) -> None:
        super().__init__(message)
        self.number = number
        self.message = message
        self.severity = severity
        self.state = state
        self.ends_batch = ends_batch
        self.ends_session = ends_session
        self.also: list[SqlError] = []
        self.line = 0


class ProtocolError(Exception):
    """The client broke the protocol; the connection is closed without an answer."""


class Cancelled(Exception):  # noqa: N818 - a signal of the client, no error
    """The client sent an attention signal."""


class EndOfBatch(Exception):  # noqa: N818 - the error has been reported
    """An error ends the batch."""


# Syntax and names


def incorrect_syntax(near: str) -> SqlError:
    return SqlError(102, f"Incorrect syntax near '{near}'.", 15, ends_batch=True)


def undeclared_variable(name: str) -> SqlError:
    return SqlError(137, f'Must declare the scalar variable "{name}".', 15, 2, ends_batch=True)


def invalid_column(name: str) -> SqlError:
    return SqlError(207, f"Invalid column name '{name}'.", ends_batch=True)


def invalid_object(name: str) -> SqlError:
    return SqlError(208, f"Invalid object name '{name}'.", ends_batch=True)


def ambiguous_column(name: str) -> SqlError:
    return SqlError(209, f"Ambiguous column name '{name}'.", ends_batch=True)


def unbound_identifier(name: str) -> SqlError:
    return SqlError(4104, f'The multi-part identifier "{name}" could not be bound.', ends_batch=True)


def column_count_mismatch() -> SqlError:
    return SqlError(213, "Column name or number of supplied values does not match table definition.", ends_batch=True)


def unknown_type(ordinal: int, name: str) -> SqlError:
    return SqlError(
        2715, f"Column, parameter, or variable #{ordinal}: Cannot find data type {name}.", 16, 6, ends_batch=True
    )


def unknown_function(name: str) -> SqlError:
    return SqlError(195, f"'{name}' is not a recognized built-in function name.", 15, 10, ends_batch=True)


def unknown_procedure(name: str) -> SqlError:
    return SqlError(2812, f"Could not find stored procedure '{name}'.", 16, 62)


def too_long_identifier(name: str) -> SqlError:
    return SqlError(
        103, f"The identifier that starts with '{name[:128]}' is too long. Maximum length is 128.", 15, 4,
        ends_batch=True,
    )  # fmt: skip


def number_out_of_range(text: str) -> SqlError:
    return SqlError(
        1007, f"The number '{text}' is out of the range for numeric representation (maximum precision 38).", 15,
        ends_batch=True,
    )  # fmt: skip


def too_deep() -> SqlError:
    return SqlError(
        8631, "Internal error: Server stack limit has been reached. Please look for potentially deep nesting in your "
        "query, and try to simplify it.", 17, ends_batch=True,
    )  # fmt: skip


# What this version does not carry out


def unsupported_statement(name: str) -> SqlError:
    return SqlError(40510, f"Statement '{name}' is not supported in this version of SQL Server.", 16, ends_batch=True)


def unsupported(what: str) -> SqlError:
    return SqlError(40514, f"'{what}' is not supported in this version of SQL Server.", 16, ends_batch=True)


def unsupported_option(what: str) -> SqlError:
    return SqlError(
        40517,
        f"Keyword or statement option '{what}' is not supported in this version of SQL Server.",
        16,
        ends_batch=True,
    )


def unsupported_type(name: str) -> SqlError:
    return SqlError(40524, f"Data type '{name}' is not supported in this version of SQL Server.", 16, ends_batch=True)


def unsupported_function(name: str) -> SqlError:
    return SqlError(
        40511, f"Built-in function '{name}' is not supported in this version of SQL Server.", 16, ends_batch=True
    )


def use_refused() -> SqlError:
    return SqlError(
        40508,
        "USE statement is not supported to switch between databases. "
        "Use a new connection to connect to a different database.",
        16,
        ends_batch=True,
    )


def other_database(name: str) -> SqlError:
    return SqlError(
        40515,
        f"Reference to database and/or server name in '{name}' is not supported in this version of SQL Server.",
        ends_batch=True,
    )


def must_be_alone(statement: str) -> SqlError:
    return SqlError(40530, f"The {statement} statement must be the only statement in the batch.", ends_batch=True)


def must_be_in_master() -> SqlError:
    return SqlError(5001, "User must be in the master database.", ends_batch=True)


def ending_session(error: SqlError) -> SqlError:
    """The same error, after which the connection is closed."""
    error.ends_session = True
    return error


# Values


def null_refused(column: str, table: str, verb: str) -> SqlError:
    return SqlError(
        515,
        f"Cannot insert the value NULL into column '{column}', table '{table}'; "
        f"column does not allow nulls. {verb} fails.",
        16,
        2,
    )


def would_truncate(table: str, column: str, value: str) -> SqlError:
    return SqlError(
        2628,
        f"String or binary data would be truncated in table '{table}', column '{column}'. Truncated value: '{value}'.",
    )


def conversion_failed(kind: str, value: str, target: str) -> SqlError:
    return SqlError(
        245, f"Conversion failed when converting the {kind} value '{value}' to data type {target}.", ends_batch=True
    )


def date_conversion_failed() -> SqlError:
    return SqlError(241, "Conversion failed when converting date and/or time from character string.", ends_batch=True)


def date_out_of_range(source: str, target: str) -> SqlError:
    return SqlError(
        242,
        f"The conversion of a {source} data type to a {target} data type resulted in an out-of-range value.",
        16,
        3,
    )


def guid_conversion_failed() -> SqlError:
    return SqlError(
        8169, "Conversion failed when converting from a character string to uniqueidentifier.", 16, 2, ends_batch=True
    )


def type_conversion_failed(source: str, target: str) -> SqlError:
    return SqlError(8114, f"Error converting data type {source} to {target}.", 16, 5, ends_batch=True)


def arithmetic_overflow(source: str, target: str) -> SqlError:
    return SqlError(8115, f"Arithmetic overflow error converting {source} to data type {target}.", 16, 2)


def divide_by_zero() -> SqlError:
    return SqlError(8134, "Divide by zero error encountered.")


def type_clash(left: str, right: str) -> SqlError:
    return SqlError(206, f"Operand type clash: {left} is incompatible with {right}", 16, 2, ends_batch=True)


def implicit_conversion_refused(source: str, target: str) -> SqlError:
    return SqlError(
        257,
        f"Implicit conversion from data type {source} to {target} is not allowed. "
        "Use the CONVERT function to run this query.",
        16,
        3,
        ends_batch=True,
    )


def explicit_conversion_refused(source: str, target: str) -> SqlError:
    return SqlError(
        529, f"Explicit conversion from data type {source} to {target} is not allowed.", 16, 2, ends_batch=True
    )


def operator_refused(operator: str, kind: str) -> SqlError:
    return SqlError(8117, f"Operand data type {kind} is invalid for {operator} operator.", 16, ends_batch=True)


def duplicate_key(kind: str, constraint: str, table: str, values: str) -> SqlError:
    """`kind` is PRIMARY KEY or UNIQUE KEY; `values` as SQL Server lists them, without parentheses."""
    return SqlError(
        2627,
        f"Violation of {kind} constraint '{constraint}'. Cannot insert duplicate key in object '{table}'. "
        f"The duplicate key value is ({values}).",
        14,
    )


def duplicate_index_key(table: str, index: str, values: str) -> SqlError:
    return SqlError(
        2601,
        f"Cannot insert duplicate key row in object '{table}' with unique index '{index}'. "
        f"The duplicate key value is ({values}).",
        14,
    )


# Objects and principals


def object_exists(name: str) -> SqlError:
    return SqlError(2714, f"There is already an object named '{name}' in the database.", 16, 6, ends_batch=True)


def principal_exists(name: str) -> SqlError:
    return SqlError(15023, f"User, group, or role '{name}' already exists in the current database.")


def login_exists(name: str) -> SqlError:
    return SqlError(15025, f"The server principal '{name}' already exists.")


def not_found(verb: str, kind: str, name: str) -> SqlError:
    """15151: the one text for "not there" and "not yours to see"; `verb` is find, drop or alter."""
    return SqlError(
        15151, f"Cannot {verb} the {kind} '{name}', because it does not exist or you do not have permission."
    )


def cannot_drop(kind: str, name: str) -> SqlError:
    return SqlError(
        3701,
        f"Cannot drop the {kind} '{name}', because it does not exist or you do not have permission.",
        11,
        5,
    )


def may_not(verb: str, kind: str, name: str) -> SqlError:
    """3701 for an object that is there but not the caller's to change: `name` without its schema."""
    text = f"Cannot {verb} the {kind} '{name}', because it does not exist or you do not have permission."
    return SqlError(3701, text, 14, 20)


def cannot_find_object(name: str) -> SqlError:
    return SqlError(4902, f'Cannot find the object "{name}" because it does not exist or you do not have permissions.')


def cannot_find_index_object(name: str, state: int = 12) -> SqlError:
    """`state`: 7 TRUNCATE TABLE, 9 DROP INDEX, 12 CREATE INDEX, 13 ALTER TABLE."""
    return SqlError(
        1088, f'Cannot find the object "{name}" because it does not exist or you do not have permissions.', 16, state
    )


# Permissions


def permission_denied_on_object(permission: str, name: str, database: str, schema: str) -> SqlError:
    return SqlError(
        229,
        f"The {permission} permission was denied on the object '{name}', database '{database}', schema '{schema}'.",
        14,
        5,
    )


def permission_denied_in_database(permission: str, database: str) -> SqlError:
    state = 18 if permission in ("CREATE VIEW", "CREATE PROCEDURE") else 1
    return SqlError(262, f"{permission} permission denied in database '{database}'.", 14, state)


def schema_refused(name: str) -> SqlError:
    return SqlError(
        2760,
        f'The specified schema name "{name}" either does not exist or you do not have permission to use it.',
        ends_batch=True,
    )


def not_permitted() -> SqlError:
    return SqlError(15247, "User does not have permission to perform this action.")


# Logging in


def server_firewall(server: str, address: str) -> SqlError:
    return SqlError(
        40615,
        f"Cannot open server '{server}' requested by the login. Client with IP address '{address}' is not allowed to "
        "access the server. To enable access, use the Azure Management Portal or run sp_set_firewall_rule on the "
        "master database to create a firewall rule for this IP address or address range. "
        "It may take up to five minutes for this change to take effect.",
        14,
        ends_session=True,
    )


def login_failed(login: str, reason: str = "") -> SqlError:
    text = f"Login failed for user '{login}'."
    return SqlError(18456, f"{text} Reason: {reason}" if reason else text, 14, ends_session=True)


def cannot_open_database(name: str, login: str) -> SqlError:
    error = SqlError(
        4060, f'Cannot open database "{name}" requested by the login. The login failed.', 11, ends_session=True
    )
    error.also.append(login_failed(login))
    return error


def database_unavailable(name: str, server: str, tracing_id: str) -> SqlError:
    return SqlError(
        40613,
        f"Database '{name}' on server '{server}' is not currently available. Please retry the connection later. "
        "If the problem persists, contact customer support, and provide them the session tracing ID of "
        f"'{tracing_id}'.",
        17,
        ends_session=True,
    )
