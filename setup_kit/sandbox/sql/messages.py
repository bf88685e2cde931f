"""The errors and messages of SQL Server that this server raises, by number, as `sys.messages` has them.

From the pages "Database Engine events and errors" of the SQL Server documentation, and for numbers from 40500 on from
those on errors of Azure SQL Database. A text keeps its placeholders: `%ls`, `%.*ls` and `%d` stand for what
`errors.error` is given, in that order. The state is the one that a client sees most often, 1 where no source shows
another.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

#: printf's, and %S_MSG, which stands for a word that SQL Server translates (table, column, …).
_PLACEHOLDER = re.compile(r"%(?:%|S_MSG|(?P<shape>[-+ 0#]*\d*(?:\.(?:\d+|\*))?)(?:l|h|I64)?(?P<kind>[sdiouxX]))")


@dataclass(frozen=True, slots=True)
class Message:
    """`severity` is the class of the error token. One that ends its batch says so; most end only their statement."""

    severity: int
    text: str
    state: int = 1
    ends_batch: bool = False
    ends_session: bool = False

    def fill(self, *arguments: object) -> str:
        return fill(self.text, arguments)


def fill(text: str, arguments: Sequence[object]) -> str:
    """A text with its placeholders filled in order, as printf does; one that is left over stays as it is."""
    rest = iter(arguments)

    def one(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%"
        value = next(rest, None)
        if value is None:
            return found[0]
        shape = (found["shape"] or "").replace(".*", "")
        kind = found["kind"] if isinstance(value, int) else "s"
        if isinstance(value, int) and value < 0 and kind in "uxXo":
            value += 2**32  # these show the bits of an int
        return f"%{shape}{kind}" % value if shape or kind in "xXo" else str(value)

    return _PLACEHOLDER.sub(one, text)


def _batch(severity: int, text: str, state: int = 1) -> Message:
    """One that ends its batch: mostly what is found before the first row is touched."""
    return Message(severity, text, state, ends_batch=True)


def _session(severity: int, text: str, state: int = 1) -> Message:
    """One that ends the connection."""
    return Message(severity, text, state, ends_session=True)


MESSAGES: dict[int, Message] = {
    102: _batch(15, "Incorrect syntax near '%.*ls'."),
    103: _batch(15, "The %S_MSG that starts with '%.*ls' is too long. Maximum length is %d.", 4),
    104: _batch(
        15,
        "ORDER BY items must appear in the select list if the statement contains a UNION, INTERSECT or EXCEPT "
        "operator.",
    ),
    105: _batch(15, "Unclosed quotation mark after the character string '%.*ls'."),
    107: _batch(15, "The column prefix '%.*ls' does not match with a table name or alias name used in the query."),
    108: _batch(15, "The ORDER BY position number %ld is out of range of the number of items in the select list."),
    109: _batch(
        15,
        "There are more columns in the INSERT statement than values specified in the VALUES clause. The number of "
        "values in the VALUES clause must match the number of columns specified in the INSERT statement.",
    ),
    110: _batch(
        15,
        "There are fewer columns in the INSERT statement than values specified in the VALUES clause. The number of "
        "values in the VALUES clause must match the number of columns specified in the INSERT statement.",
    ),
    116: _batch(
        16, "Only one expression can be specified in the select list when the subquery is not introduced with EXISTS."
    ),
    119: _batch(
        15,
        "Must pass parameter number %d and subsequent parameters as '@name = value'. After the form '@name = "
        "value' has been used, all subsequent parameters must be passed in the form '@name = value'.",
    ),
    127: _batch(15, "A TOP N or FETCH rowcount value may not be negative."),
    130: _batch(15, "Cannot perform an aggregate function on an expression containing an aggregate or a subquery."),
    131: _batch(15, "The size (%d) given to the %S_MSG '%.*ls' exceeds the maximum allowed for any data type (%d).", 3),
    134: _batch(
        15,
        "The variable name '%.*ls' has already been declared. Variable names must be unique within a query batch or "
        "stored procedure.",
        2,
    ),
    137: _batch(15, 'Must declare the scalar variable "%.*ls".', 2),
    141: _batch(
        15, "A SELECT statement that assigns a value to a variable must not be combined with data-retrieval operations."
    ),
    145: _batch(15, "ORDER BY items must appear in the select list if SELECT DISTINCT is specified."),
    147: _batch(
        15,
        "An aggregate may not appear in the WHERE clause unless it is in a subquery contained in a HAVING clause "
        "or a select list, and the column being aggregated is an outer reference.",
    ),
    148: _batch(15, "Incorrect time syntax in time string '%.*ls' used with WAITFOR."),
    155: _batch(15, "'%.*ls' is not a recognized %ls option."),
    156: _batch(15, "Incorrect syntax near the keyword '%.*ls'."),
    168: _batch(15, "The floating point value '%.*ls' is out of the range of computer representation (%d bytes)."),
    174: _batch(15, "The %.*ls function requires %d argument(s)."),
    192: _batch(16, "The scale must be less than or equal to the precision."),
    195: _batch(15, "'%.*ls' is not a recognized %S_MSG.", 10),
    201: Message(16, "Procedure or function '%.*ls' expects parameter '%.*ls', which was not supplied.", 4),
    205: _batch(
        16,
        "All queries combined using a UNION, INTERSECT or EXCEPT operator must have an equal number of expressions "
        "in their target lists.",
    ),
    206: _batch(16, "Operand type clash: %ls is incompatible with %ls", 2),
    207: _batch(16, "Invalid column name '%.*ls'."),
    208: _batch(16, "Invalid object name '%.*ls'."),
    209: _batch(16, "Ambiguous column name '%.*ls'."),
    213: _batch(16, "Column name or number of supplied values does not match table definition."),
    214: _batch(16, "Procedure expects parameter '%ls' of type '%ls'.", 2),
    217: _batch(16, "Maximum stored procedure, function, trigger, or view nesting level exceeded (limit %d)."),
    218: Message(
        16, "Could not find the type '%.*ls'. Either it does not exist or you do not have the necessary permission."
    ),
    219: Message(16, "The type '%.*ls' already exists, or you do not have permission to create it."),
    220: Message(16, "Arithmetic overflow error for data type %ls, value = %ld.", 2),
    226: Message(16, "%ls statement not allowed within multi-statement transaction.", 6),
    229: Message(14, "The %ls permission was denied on the object '%.*ls', database '%.*ls', schema '%.*ls'.", 5),
    235: _batch(16, "Cannot convert a char value to money. The char value has incorrect syntax."),
    232: Message(16, "Arithmetic overflow error for type %ls, value = %s.", 3),
    240: _batch(
        16,
        'Types don\'t match between the anchor and the recursive part in column "%.*ls" of recursive query "%.*ls".',
    ),
    241: _batch(16, "Conversion failed when converting date and/or time from character string."),
    242: Message(16, "The conversion of a %ls data type to a %ls data type resulted in an out-of-range value.", 3),
    244: _batch(16, "The conversion of the %ls value '%.*ls' overflowed an %hs column. Use a larger integer column."),
    245: _batch(16, "Conversion failed when converting the %ls value '%.*ls' to data type %ls."),
    248: _batch(16, "The conversion of the %ls value '%.*ls' overflowed an int column."),
    252: _batch(16, "Recursive common table expression '%.*ls' does not contain a top-level UNION ALL operator."),
    253: _batch(16, "Recursive member of a common table expression '%.*ls' has multiple recursive references."),
    257: _batch(
        16,
        "Implicit conversion from data type %ls to %ls is not allowed. Use the CONVERT function to run this query.",
        3,
    ),
    259: Message(16, "Ad hoc updates to system catalogs are not allowed."),
    262: Message(14, "%ls permission denied in database '%.*ls'."),
    263: _batch(16, "Must specify table to select from."),
    264: _batch(
        16,
        "The column name '%.*ls' is specified more than once in the SET clause or column list of an INSERT. A column "
        "cannot be assigned more than one value in the same clause. Modify the clause to make sure that a column is "
        "updated only once. If this statement updates or inserts columns into a view, column aliasing can conceal "
        "the duplication in your code.",
    ),
    271: _batch(
        16,
        'The column "%.*ls" cannot be modified because it is either a computed column or is the result of a UNION '
        "operator.",
    ),
    281: Message(16, "%d is not a valid style number when converting from %ls to a character string."),
    289: _batch(16, "Cannot construct data type %ls, some of the arguments have values which are not valid."),
    297: Message(16, "The user does not have permission to perform this action."),
    313: _batch(16, "An insufficient number of arguments were supplied for the procedure or function %.*ls.", 3),
    321: _batch(
        15,
        '"%.*ls" is not a recognized table hints option. If it is intended as a parameter to a table-valued '
        "function or to the CHANGETABLE function, ensure that your database compatibility mode is set to 90.",
    ),
    343: _batch(15, "Unknown object type '%.*ls' used in a CREATE, DROP, or ALTER statement."),
    346: _batch(15, 'The parameter "%.*ls" can not be declared READONLY since it is not a table-valued parameter.'),
    350: _batch(
        16, 'The column "%.*ls" does not have a valid data type. A column cannot be of a user-defined table type.'
    ),
    352: _batch(15, 'The table-valued parameter "%.*ls" must be declared with the READONLY option.'),
    408: _batch(15, "A constant expression was encountered in the ORDER BY list, position %i."),
    500: Message(
        16,
        "Trying to pass a table-valued parameter with %d column(s) where the corresponding user-defined table type "
        "requires %d column(s).",
    ),
    512: Message(
        16,
        "Subquery returned more than 1 value. This is not permitted when the subquery follows =, !=, <, <= , >, >= "
        "or when the subquery is used as an expression.",
    ),
    515: Message(
        16,
        "Cannot insert the value NULL into column '%.*ls', table '%.*ls'; column does not allow nulls. %ls fails.",
        2,
    ),
    517: _batch(16, "Adding a value to a '%ls' column caused an overflow."),
    529: _batch(16, "Explicit conversion from data type %ls to %ls is not allowed.", 2),
    530: _batch(
        16, "The statement terminated. The maximum recursion %d has been exhausted before statement completion."
    ),
    535: _batch(
        16,
        "The %.*ls function resulted in an overflow. The number of dateparts separating two date/time instances is "
        "too large. Try to use %.*ls with a less precise datepart.",
    ),
    536: _batch(16, "Invalid length parameter passed to the %ls function."),
    537: _batch(16, "Invalid length parameter passed to the LEFT or SUBSTRING function."),
    544: _batch(
        16, "Cannot insert explicit value for identity column in table '%.*ls' when IDENTITY_INSERT is set to OFF."
    ),
    545: _batch(
        16,
        "Explicit value must be specified for identity column in table '%.*ls' either when IDENTITY_INSERT is set to "
        "ON or when a replication user is inserting into a NOT FOR REPLICATION identity column.",
    ),
    547: Message(
        16,
        'The %ls statement conflicted with the %ls constraint "%.*ls". The conflict occurred in database "%.*ls", '
        'table "%.*ls"%ls%.*ls%ls.',
        0,
    ),
    596: Message(21, "Cannot continue the execution because the session is in the kill state."),
    628: Message(16, "Cannot issue SAVE TRANSACTION when there is no active transaction."),
    701: Message(17, "There is insufficient system memory in resource pool '%ls' to run this query."),
    911: Message(16, "Database '%.*ls' does not exist. Make sure that the name is entered correctly."),
    916: _session(
        14,
        'The server principal "%.*ls" is not able to access the database "%.*ls" under the current security context.',
    ),
    1002: _batch(16, "Line %d: Specified scale %d is invalid."),
    1007: _batch(15, "The %S_MSG '%.*ls' is out of the range for numeric representation (maximum precision 38)."),
    1011: _batch(16, "The correlation name '%.*ls' is specified multiple times in a FROM clause."),
    1013: _batch(
        16,
        'The objects "%.*ls" and "%.*ls" in the FROM clause have the same exposed names. Use correlation names to'
        " distinguish them.",
    ),
    1031: _batch(15, "Percent values must be between 0 and 100."),
    1033: _batch(
        15,
        "The ORDER BY clause is invalid in views, inline functions, derived tables, subqueries, and common table "
        "expressions, unless TOP, OFFSET or FOR XML is also specified.",
    ),
    1038: _batch(
        15,
        "An object or column name is missing or empty. For SELECT INTO statements, verify each column has a name. "
        'For other statements, look for empty alias names. Aliases defined as "" or [] are not allowed. Change the '
        "alias to a valid name.",
        4,
    ),
    1046: _batch(15, "Subqueries are not allowed in this context. Only scalar expressions are allowed."),
    1060: _batch(15, "The number of rows provided for a TOP or FETCH clauses row count parameter must be an integer."),
    1062: _batch(15, "The TOP N WITH TIES clause is not allowed without a corresponding ORDER BY clause."),
    1087: _batch(15, 'Must declare the table variable "%.*ls".', 2),
    1088: Message(16, 'Cannot find the object "%.*ls" because it does not exist or you do not have permissions.', 12),
    1205: _batch(
        13,
        "Transaction (Process ID %d) was deadlocked on %.*ls resources with another process and has been chosen as "
        "the deadlock victim. Rerun the transaction.",
        51,
    ),
    1222: Message(16, "Lock request time out period exceeded.", 51),
    1505: Message(
        16,
        "The CREATE UNIQUE INDEX statement terminated because a duplicate key was found for the object name '%.*ls' "
        "and the index name '%.*ls'. The duplicate key value is %ls.",
    ),
    1702: _batch(16, "CREATE TABLE failed because column '%.*ls' in table '%.*ls' exceeds the maximum of %d columns."),
    1750: Message(16, "Could not create constraint or index. See previous errors.", 0),
    1752: Message(16, "Column '%.*ls' in table '%.*ls' is invalid for creating a default constraint.", 0),
    1767: _batch(16, "Foreign key '%.*ls' references invalid table '%.*ls'.", 0),
    1773: _batch(
        16,
        "Foreign key '%.*ls' has implicit reference to object '%.*ls' which does not have a primary key defined on it.",
        0,
    ),
    1776: _batch(
        16,
        "There are no primary or candidate keys in the referenced table '%.*ls' that match the referencing column "
        "list in the foreign key '%.*ls'.",
        0,
    ),
    1779: Message(16, "Table '%.*ls' already has a primary key defined on it.", 0),
    1781: Message(16, "Column already has a DEFAULT bound to it."),
    924: Message(14, "Database '%.*ls' is already open and can only have one user at a time."),
    1801: Message(16, "Database '%.*ls' already exists. Choose a different database name.", 3),
    1911: Message(16, "Column name '%.*ls' does not exist in the target table or view."),
    1913: Message(
        16, "The operation failed because an index or statistics with name '%.*ls' already exists on %S_MSG '%.*ls'."
    ),
    1919: Message(
        16, "Column '%.*ls' in table '%.*ls' is of a type that is invalid for use as a key column in an index."
    ),
    2601: Message(
        14,
        "Cannot insert duplicate key row in object '%.*ls' with unique index '%.*ls'. The duplicate key value is %ls.",
    ),
    2627: Message(
        14,
        "Violation of %ls constraint '%.*ls'. Cannot insert duplicate key in object '%.*ls'. The duplicate key value "
        "is %ls.",
    ),
    2628: Message(
        16, "String or binary data would be truncated in table '%.*ls', column '%.*ls'. Truncated value: '%.*ls'."
    ),
    2705: _batch(
        16,
        "Column names in each table must be unique. Column name '%.*ls' in table '%.*ls' is specified more than once.",
        3,
    ),
    2714: _batch(16, "There is already an object named '%.*ls' in the database.", 6),
    2715: _batch(16, "Column, parameter, or variable #%d: Cannot find data type %.*ls.", 6),
    2716: _batch(16, "Column, parameter, or variable #%d: Cannot specify a column width on data type %.*ls."),
    2749: _batch(
        16,
        "Identity column '%.*ls' must be of data type int, bigint, smallint, tinyint, or decimal or numeric with a "
        "scale of 0, unencrypted, and constrained to be nonnullable.",
    ),
    2750: _batch(
        16, "Column or parameter #%d: Specified column precision %d is greater than the maximum precision of %d."
    ),
    2754: Message(
        16,
        "Error severity levels greater than %d can only be specified by members of the sysadmin role, using the WITH "
        "LOG option.",
    ),
    2759: Message(16, "CREATE SCHEMA failed due to previous errors.", 0),
    2760: _batch(
        16, 'The specified schema name "%.*ls" either does not exist or you do not have permission to use it.'
    ),
    2812: Message(16, "Could not find stored procedure '%.*ls'.", 62),
    3623: _batch(16, "An invalid floating point operation occurred."),
    3702: Message(16, 'Cannot drop database "%.*ls" because it is currently in use.', 4),
    3701: Message(11, "Cannot %S_MSG the %S_MSG '%.*ls', because it does not exist or you do not have permission.", 5),
    3723: Message(
        16, "An explicit DROP INDEX is not allowed on index '%.*ls'. It is being used for %ls constraint enforcement."
    ),
    3725: Message(
        16, "The constraint '%.*ls' is being referenced by table '%.*ls', foreign key constraint '%.*ls'.", 0
    ),
    3726: Message(16, "Could not drop object '%.*ls' because it is referenced by a FOREIGN KEY constraint."),
    3727: Message(16, "Could not drop constraint. See previous errors.", 0),
    3728: Message(16, "'%.*ls' is not a constraint."),
    3729: Message(16, "Cannot %ls '%.*ls' because it is being referenced by object '%.*ls'."),
    3732: Message(
        16,
        "Cannot drop type '%.*ls' because it is being referenced by object '%.*ls'. There may be other objects that "
        "reference this type.",
    ),
    3902: Message(16, "The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION."),
    3903: Message(16, "The ROLLBACK TRANSACTION request has no corresponding BEGIN TRANSACTION."),
    3930: Message(
        16,
        "The current transaction cannot be committed and cannot support operations that write to the log file. Roll "
        "back the transaction.",
    ),
    3931: Message(
        16,
        "The current transaction cannot be committed and cannot be rolled back to a savepoint. Roll back the entire "
        "transaction.",
    ),
    3960: _batch(
        16,
        "Snapshot isolation transaction aborted due to update conflict. You cannot use snapshot isolation to access "
        "table '%.*ls' directly or indirectly in database '%.*ls' to update, delete, or insert the row that has been "
        "modified or deleted by another transaction. Retry the transaction or change the isolation level for the "
        "update/delete statement.",
        2,
    ),
    3998: Message(16, "Uncommittable transaction is detected at the end of the batch. The transaction is rolled back."),
    4060: _session(11, 'Cannot open database "%.*ls" requested by the login. The login failed.'),
    4064: _session(11, "Cannot open user default database. Login failed."),
    4104: _batch(16, 'The multi-part identifier "%.*ls" could not be bound.'),
    4108: _batch(15, "Windowed functions can only appear in the SELECT or ORDER BY clauses."),
    4112: _batch(15, "The function '%ls' must have an OVER clause with ORDER BY."),
    4121: _batch(
        16,
        'Cannot find either column "%.*ls" or the user-defined function or aggregate "%.*ls", or the name is '
        "ambiguous.",
    ),
    4127: _batch(16, "At least one of the arguments to COALESCE must be an expression that is not the NULL constant."),
    4145: _batch(
        15, "An expression of non-boolean type specified in a context where a condition is expected, near '%.*ls'."
    ),
    4502: _batch(16, "View or function '%.*ls' has more column names specified than columns defined."),
    4511: Message(16, "Create View or Function failed because no column name was specified for column %d."),
    4606: _batch(16, "Granted or revoked privilege %ls is not compatible with object."),
    4611: Message(16, "To revoke or deny grantable privileges, specify the CASCADE option."),
    4613: Message(16, "Grantor does not have GRANT permission."),
    4617: Message(16, "Cannot grant, deny or revoke permissions to or from special roles."),
    4624: Message(
        16, "Cannot grant, deny, or revoke permissions to sa, dbo, entity owner, information_schema, sys, or yourself."
    ),
    4701: Message(16, 'Cannot find the object "%.*ls" because it does not exist or you do not have permissions.'),
    4712: Message(16, "Cannot truncate table '%.*ls' because it is being referenced by a FOREIGN KEY constraint."),
    4816: _batch(16, "Invalid column type from bcp client for colid %d."),
    4901: _batch(
        16,
        "ALTER TABLE only allows columns to be added that can contain nulls, or have a DEFAULT definition specified, "
        "or the column being added is an identity or timestamp column, or alternatively if none of the previous "
        "conditions are satisfied the table must be empty to allow addition of this column. Column '%.*ls' cannot be "
        "added to non-empty table '%.*ls' because it does not satisfy these conditions.",
    ),
    4902: Message(16, 'Cannot find the object "%.*ls" because it does not exist or you do not have permissions.'),
    4923: Message(
        16,
        "ALTER TABLE DROP COLUMN failed because '%.*ls' is the only data column in table '%.*ls'. A table must have "
        "at least one data column.",
    ),
    4924: Message(16, "%ls failed because column '%.*ls' does not exist in table '%.*ls'."),
    4928: Message(16, "Cannot alter column '%.*ls' because it is '%ls'."),
    5001: _batch(16, "User must be in the master database."),
    5011: _batch(
        14,
        "User does not have permission to alter database '%.*ls', the database does not exist, or the database is "
        "not in a state that allows access checks.",
        9,
    ),
    5069: Message(16, "ALTER DATABASE statement failed."),
    5074: Message(16, "The %S_MSG '%.*ls' is dependent on %S_MSG '%.*ls'."),
    5701: Message(10, "Changed database context to '%.*ls'.", 2),
    5703: Message(10, "Changed language setting to %.*ls."),
    6401: Message(16, "Cannot roll back %.*ls. No transaction or savepoint of that name was found."),
    8003: Message(
        16,
        "The incoming request has too many parameters. The server supports a maximum of %d parameters. Reduce the "
        "number of parameters and resend the request.",
    ),
    8023: Message(
        16,
        "The incoming tabular data stream (TDS) remote procedure call (RPC) protocol stream is incorrect. Parameter "
        '%d ("%.*ls"): The supplied value is not a valid instance of data type %.*ls. Check the source data for '
        "invalid values. An example of an invalid value is data of numeric type with scale greater than precision.",
    ),
    8101: _batch(
        16,
        "An explicit value for the identity column in table '%.*ls' can only be specified when a column list is used "
        "and IDENTITY_INSERT is ON.",
    ),
    8102: _batch(16, "Cannot update identity column '%.*ls'."),
    8106: Message(16, "Table '%.*ls' does not have the identity property. Cannot perform SET operation."),
    8107: Message(
        16,
        "IDENTITY_INSERT is already ON for table '%.*ls.%.*ls.%.*ls'. Cannot perform SET operation for table '%.*ls'.",
    ),
    8110: _batch(16, "Cannot add multiple PRIMARY KEY constraints to table '%.*ls'.", 0),
    8111: Message(16, "Cannot define PRIMARY KEY constraint on nullable column in table '%.*ls'."),
    8114: _batch(16, "Error converting data type %ls to %ls.", 5),
    8115: Message(16, "Arithmetic overflow error converting %ls to data type %ls.", 2),
    8117: _batch(16, "Operand data type %ls is invalid for %ls operator."),
    8120: _batch(
        16,
        "Column '%.*ls.%.*ls' is invalid in the select list because it is not contained in either an aggregate "
        "function or the GROUP BY clause.",
    ),
    8133: _batch(
        16,
        "At least one of the result expressions in a CASE specification must be an expression other than the NULL "
        "constant.",
    ),
    8134: Message(16, "Divide by zero error encountered."),
    8143: Message(16, "Parameter '%.*ls' was supplied multiple times."),
    8144: Message(16, "Procedure or function %.*ls has too many arguments specified.", 2),
    8145: Message(16, "%.*ls is not a parameter for procedure %.*ls."),
    8155: _batch(16, "No column name was specified for column %d of '%.*ls'.", 2),
    8156: _batch(16, "The column '%.*ls' was specified multiple times for '%.*ls'."),
    8158: _batch(16, "'%.*ls' has more columns than were specified in the column list."),
    8162: Message(
        16,
        'The formal parameter "%.*ls" was not declared as an OUTPUT parameter, but the actual parameter passed in '
        "requested output.",
        2,
    ),
    8164: Message(16, "An INSERT EXEC statement cannot be nested."),
    8169: _batch(16, "Conversion failed when converting from a character string to uniqueidentifier.", 2),
    8170: Message(16, "Insufficient result space to convert uniqueidentifier value to char.", 2),
    8178: _batch(16, "The parameterized query '%.*ls' expects the parameter '%.*ls', which was not supplied."),
    8179: Message(16, "Could not find prepared statement with handle %d.", 2),
    8623: Message(
        16,
        "The query processor ran out of internal resources and could not produce a query plan. This is a rare event "
        "and only expected for extremely complex queries or queries that reference a very large number of tables or "
        "partitions. Please simplify the query. If you believe you have received this message in error, contact "
        "Customer Support Services for more information.",
    ),
    8630: Message(
        17,
        "Internal Query Processor Error: The query processor encountered an unexpected error during execution "
        "(HRESULT = 0x%x).",
    ),
    8631: _batch(
        17,
        "Internal error: Server stack limit has been reached. Please look for potentially deep nesting in your "
        "query, and try to simplify it.",
    ),
    8672: _batch(
        16,
        "The MERGE statement attempted to UPDATE or DELETE the same row more than once. This happens when a target "
        "row matches more than one source row. A MERGE statement cannot UPDATE/DELETE the same row of the target "
        "table multiple times. Refine the ON clause to ensure a target row matches at most one source row, or use "
        "the GROUP BY clause to group the source rows.",
    ),
    # *Assumed*: no page prints it.
    9810: _batch(16, "The datepart %.*ls is not supported by date function %.*ls for data type %.*ls."),
    9812: _batch(16, "The timezone provided to builtin function %ls is invalid.", 0),
    9828: _batch(
        16,
        "The second and third arguments of the TRANSLATE built-in function must contain an equal number of characters.",
    ),
    10700: _batch(16, 'The table-valued parameter "%.*ls" is READONLY and cannot be modified.'),
    10703: _batch(15, "Subqueries are not allowed in the OUTPUT clause."),
    10704: Message(
        15,
        "To rethrow an error, a THROW statement must be used inside a CATCH block. Insert the THROW statement inside "
        "a CATCH block, or add error parameters to the THROW statement.",
    ),
    10709: _batch(16, "The number of columns for each row in a table value constructor must be the same."),
    10734: _batch(
        15,
        "Variable assignment is not allowed in a statement containing a top-level UNION, INTERSECT or EXCEPT operator.",
    ),
    10738: _batch(
        15,
        "The number of row value expressions in the INSERT statement exceeds the maximum allowed number of %d row "
        "values.",
    ),
    10741: _batch(15, "A TOP can not be used in the same query or sub-query as a OFFSET."),
    10742: _batch(15, "The offset specified in a OFFSET clause may not be negative."),
    10744: _batch(15, "The number of rows provided for a FETCH clause must be greater then zero."),
    10760: _batch(
        16,
        "Scale argument is not valid. Valid expressions for data type %.*ls scale argument are integer constants and "
        "integer constant expressions.",
    ),
    10928: _session(
        20,
        "Resource ID: %d. The %ls limit for the database is %d and has been reached. See "
        "'http://go.microsoft.com/fwlink/?LinkId=267637' for assistance.",
    ),
    15006: Message(16, "'%s' is not a valid name because it contains invalid characters."),
    15007: Message(16, "'%s' is not a valid login or you do not have permission."),
    15009: Message(16, "The object '%s' does not exist in database '%s' or is invalid for this operation."),
    15023: Message(16, "User, group, or role '%s' already exists in the current database."),
    15025: Message(16, "The server principal '%s' already exists."),
    15063: Message(16, "The login already has an account under a different user name."),
    15081: Message(16, "Membership of the public role cannot be changed."),
    15116: Message(
        16,
        "Password validation failed. The password does not meet the operating system policy requirements because it "
        "is too short.",
    ),
    15117: Message(
        16,
        "Password validation failed. The password does not meet the operating system policy requirements because it "
        "is too long.",
    ),
    15118: Message(
        16,
        "Password validation failed. The password does not meet the operating system policy requirements because it "
        "is not complex enough.",
    ),
    15138: Message(16, "The database principal owns a %S_MSG in the database, and cannot be dropped."),
    15144: Message(16, "The role has members. It must be empty before it can be dropped."),
    15150: Message(16, "Cannot %S_MSG the %S_MSG '%.*ls'."),
    15151: Message(16, "Cannot %S_MSG the %S_MSG '%.*ls', because it does not exist or you do not have permission."),
    15183: Message(16, "The database principal owns objects in the database and cannot be dropped."),
    15197: Message(16, "There is no text for object '%s'."),
    15198: Message(16, "The name supplied (%s) is not a user, role, or aliased login."),
    15224: Message(
        11,
        "Error: The value for the @newname parameter contains invalid characters or violates a basic restriction (%s).",
    ),
    15225: Message(
        11,
        "No item by the name of '%s' could be found in the current database '%s', given that @itemtype was input as "
        "'%s'.",
    ),
    15247: Message(16, "User does not have permission to perform this action."),
    15249: Message(11, "Error: Explicit @objtype '%s' is unrecognized."),
    15250: Message(16, "The database name component of the object qualifier must be the name of the current database."),
    15252: Message(16, "The primary or foreign key table name must be given."),
    15284: Message(
        16, "The database principal has granted or denied permissions to objects in the database and cannot be dropped."
    ),
    15335: Message(
        11, "Error: The new name '%s' is already in use as a %s name and would cause a duplicate that is not permitted."
    ),
    15336: Message(16, "Object '%s' cannot be renamed because the object participates in enforced dependencies."),
    15405: Message(11, "Cannot use the special principal '%s'."),
    15409: Message(11, "'%s' is not a role."),
    15413: Message(11, "Cannot make a role a member of itself."),
    12824: _batch(
        16,
        "The sp_configure value '%.*ls' must be set to 1 in order to %S_MSG a contained database. You may need to use "
        "RECONFIGURE to set the value_in_use.",
    ),
    15217: Message(16, "Property cannot be updated or deleted. Property '%.*ls' does not exist for '%.*ls'."),
    15233: Message(16, "Property cannot be added. Property '%.*ls' already exists for '%.*ls'."),
    15421: Message(16, "The database principal owns a database role and cannot be dropped."),
    15434: Message(16, "Could not drop login '%s' as the user is currently logged in."),
    15477: Message(10, "Caution: Changing any part of an object name could break scripts and stored procedures."),
    15530: Message(16, 'The %S_MSG with name "%.*ls" already exists.'),
    15664: Message(
        16, "Cannot set key '%ls' in the session context. The key has been set as read_only for this session."
    ),
    15665: Message(
        16,
        "The value was not set for key '%ls' because the total size of keys and values in the session context would "
        "exceed the 1 MB limit.",
    ),
    18054: Message(
        16,
        "Error %d, severity %d, state %d was raised, but no message with that error number was found in "
        "sys.messages. If error is larger than 50000, make sure the user-defined message is added using "
        "sp_addmessage.",
    ),
    18456: _session(14, "Login failed for user '%.*ls'.%.*ls%.*ls"),
    18470: _session(14, "Login failed for user '%.*ls'. Reason: The account is disabled.%.*ls"),
    33016: Message(
        16,
        "The user cannot be remapped to a login. Remapping can only be done for users that were mapped to Windows or "
        "SQL logins.",
    ),
    33233: _batch(16, "You can only create a user with a password in a contained database."),
    33234: Message(16, "The parameter %s cannot be provided for users that cannot authenticate in a database."),
    35100: Message(
        16,
        "Error number %d in the THROW statement is outside the valid range. Specify an error number in the valid "
        "range of 50000 to 2147483647.",
    ),
    40508: _batch(
        16,
        "USE statement is not supported to switch between databases. Use a new connection to connect to a different "
        "database.",
    ),
    40510: _batch(16, "Statement '%.*ls' is not supported in this version of SQL Server."),
    40511: _batch(16, "Built-in function '%.*ls' is not supported in this version of SQL Server."),
    40513: _batch(16, "Server variable '%.*ls' is not supported in this version of SQL Server."),
    40514: _batch(16, "'%ls' is not supported in this version of SQL Server."),
    40515: _batch(
        16, "Reference to database and/or server name in '%.*ls' is not supported in this version of SQL Server."
    ),
    40517: _batch(16, "Keyword or statement option '%.*ls' is not supported in this version of SQL Server."),
    40520: _batch(16, "Securable class '%S_MSG' not supported in this version of SQL Server."),
    40524: _batch(16, "Data type '%.*ls' is not supported in this version of SQL Server."),
    40530: _batch(16, "The %.*ls statement must be the only statement in the batch."),
    # The page has severity 20, which would close the connection.
    40544: Message(
        17,
        "The database '%.*ls' has reached its size quota. Partition or delete data, drop indexes, or consult the "
        "documentation for possible resolutions.",
    ),
    40607: _session(16, "Windows logins are not supported in this version of SQL Server."),
    40609: Message(16, "'%.*ls' is not a valid IPv4 address."),
    40610: Message(16, "The IP address that starts with '%.*ls' is too long. Maximum length is %d."),
    40611: Message(16, "Azure SQL Database supports a maximum of %d firewall rules."),
    40613: _session(
        17,
        "Database '%.*ls' on server '%.*ls' is not currently available. Please retry the connection later. If the "
        "problem persists, contact customer support, and provide them the session tracing ID of '%.*ls'.",
    ),
    40614: Message(16, "Start IP address of firewall rule cannot exceed End IP address."),
    40615: _session(
        14,
        "Cannot open server '%.*ls' requested by the login. Client with IP address '%.*ls' is not allowed to access "
        "the server. To enable access, use the Azure Management Portal or run sp_set_firewall_rule on the master "
        "database to create a firewall rule for this IP address or address range. It may take up to five minutes for "
        "this change to take effect.",
    ),
    40617: Message(16, "The firewall rule name that starts with '%.*ls' is too long. Maximum length is %d."),
    40618: Message(16, "The firewall rule name cannot be empty."),
    40630: Message(
        16, "Password validation failed. The password does not meet policy requirements because it is too short."
    ),
    40631: Message(
        16, "The password that you specified is too long. The password should have no more than %d characters."
    ),
    40632: Message(
        16,
        "Password validation failed. The password does not meet policy requirements because it is not complex enough.",
    ),
    40634: Message(16, "This stored procedure can only be executed in the master database."),
}
