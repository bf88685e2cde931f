"""CREATE, ALTER and DROP of logins, users and roles; owners; GRANT, DENY and REVOKE."""

from __future__ import annotations

from collections.abc import Callable

from setup_kit.sandbox.sql import errors, unsupported
from setup_kit.sandbox.sql.language import statements as s
from setup_kit.sandbox.sql.language import statements_security as ss
from setup_kit.sandbox.sql.language.cursor import Cursor


def _options(cursor: Cursor) -> list[str]:
    """Words of an option's name up to '='."""
    words = []
    while cursor.word() not in ("=", ";", ",", ""):
        words.append(cursor.word())
        cursor.at += 1
    return words


def _create_login(cursor: Cursor, line: int) -> s.Statement:
    login = cursor.identifier()
    if cursor.accept("FROM"):
        raise unsupported.refused("CREATE LOGIN FROM", cursor.word())
    cursor.expect("WITH")
    cursor.expect("PASSWORD", "=")
    password = cursor.string()
    while cursor.accept(","):
        raise unsupported.refused("CREATE LOGIN", " ".join(_options(cursor)))
    if cursor.word() in ("HASHED", "MUST_CHANGE"):
        raise unsupported.refused("CREATE LOGIN", cursor.word())
    return ss.CreateLogin(login=login, password=password, line=line)


def _alter_login(cursor: Cursor, line: int) -> s.Statement:
    login = cursor.identifier()
    word = cursor.accept_any("ENABLE", "DISABLE")
    if word:
        return ss.AlterLogin(login=login, disabled=word == "DISABLE", line=line)
    cursor.expect("WITH")
    if cursor.accept("NAME", "="):
        return ss.AlterLogin(login=login, new_name=cursor.identifier(), line=line)
    if not cursor.accept("PASSWORD", "="):
        raise unsupported.refused("ALTER LOGIN", " ".join(_options(cursor)))
    password, old = cursor.string(), None
    if cursor.accept("OLD_PASSWORD", "="):
        old = cursor.string()
    if cursor.word() in ("UNLOCK", "HASHED", "MUST_CHANGE", ","):
        raise unsupported.refused("ALTER LOGIN", cursor.word())
    return ss.AlterLogin(login=login, password=password, old_password=old, line=line)


def _drop_login(cursor: Cursor, line: int) -> s.Statement:
    return ss.DropLogin(login=cursor.identifier(), line=line)


def _alter_server(cursor: Cursor, line: int) -> s.Statement:
    if not cursor.accept("ROLE"):
        raise unsupported.refused("ALTER SERVER", cursor.word())
    role = cursor.identifier()
    add = cursor.accept("ADD", "MEMBER")
    if not add:
        cursor.expect("DROP", "MEMBER")
    return ss.AlterServerRole(role=role, member=cursor.identifier(), add=add, line=line)


def _create_user(cursor: Cursor, line: int) -> s.Statement:
    user = cursor.identifier()
    login, password, schema, object_id = None, None, None, None
    without_login = external = False
    if cursor.accept_any("FOR", "FROM"):
        if cursor.accept("EXTERNAL", "PROVIDER"):
            external = True
        elif cursor.accept("LOGIN"):
            login = cursor.identifier()
        else:
            raise unsupported.refused("CREATE USER FOR", cursor.word())
    elif cursor.accept("WITHOUT", "LOGIN"):
        without_login = True
    if cursor.accept("WITH"):
        while True:
            if cursor.accept("PASSWORD", "="):
                password = cursor.string()
            elif cursor.accept("DEFAULT_SCHEMA", "="):
                schema = cursor.identifier()
            elif cursor.accept("OBJECT_ID", "="):
                object_id = cursor.string()
            else:
                raise unsupported.refused("CREATE USER", " ".join(_options(cursor)))
            if not cursor.accept(","):
                break
    if login is None and password is None and not without_login and not external:
        login = user  # "If FOR LOGIN is omitted, the user is mapped to the login of the same name."
    return ss.CreateUser(
        user=user, login=login, password=password, default_schema=schema, without_login=without_login,
        external=external, object_id=object_id, line=line,
    )  # fmt: skip


def _alter_user(cursor: Cursor, line: int) -> s.Statement:
    user = cursor.identifier()
    cursor.expect("WITH")
    values: dict[str, str] = {}
    while True:
        if cursor.accept("NAME", "="):
            values["new_name"] = cursor.identifier()
        elif cursor.accept("DEFAULT_SCHEMA", "="):
            values["default_schema"] = cursor.identifier()
        elif cursor.accept("LOGIN", "="):
            values["login"] = cursor.identifier()
        elif cursor.accept("PASSWORD", "="):
            values["password"] = cursor.string()
            if cursor.accept("OLD_PASSWORD", "="):
                values["old_password"] = cursor.string()
        else:
            raise unsupported.refused("ALTER USER", " ".join(_options(cursor)))
        if not cursor.accept(","):
            return ss.AlterUser(user=user, line=line, **values)


def _drop_user(cursor: Cursor, line: int) -> s.Statement:
    if_exists = cursor.accept("IF", "EXISTS")
    return ss.DropUser(user=cursor.identifier(), if_exists=if_exists, line=line)


def _create_role(cursor: Cursor, line: int) -> s.Statement:
    role = cursor.identifier()
    return ss.CreateRole(role=role, owner=cursor.identifier() if cursor.accept("AUTHORIZATION") else None, line=line)


def _alter_role(cursor: Cursor, line: int) -> s.Statement:
    role = cursor.identifier()
    if cursor.accept("ADD", "MEMBER"):
        return ss.AlterRole(role=role, add=cursor.identifier(), line=line)
    if cursor.accept("DROP", "MEMBER"):
        return ss.AlterRole(role=role, drop=cursor.identifier(), line=line)
    cursor.expect("WITH", "NAME", "=")
    return ss.AlterRole(role=role, new_name=cursor.identifier(), line=line)


def _drop_role(cursor: Cursor, line: int) -> s.Statement:
    if_exists = cursor.accept("IF", "EXISTS")
    return ss.DropRole(role=cursor.identifier(), if_exists=if_exists, line=line)


def read_permissions(verb: str) -> Callable[[Cursor, int], s.Statement]:
    def read(cursor: Cursor, line: int) -> s.Statement:
        option_only = verb == "REVOKE" and cursor.accept("GRANT", "OPTION", "FOR")
        names = [_permission(cursor)]
        while cursor.accept(","):
            names.append(_permission(cursor))
        securable_class, securable = _securable(cursor) if cursor.accept("ON") else ("DATABASE", None)
        if securable is None and names[0] in SERVER_PERMISSIONS:
            raise _class_unsupported("server")
        if not (cursor.accept("TO") or (verb == "REVOKE" and cursor.accept("FROM"))):
            raise cursor.error()
        principals = [cursor.identifier()]
        while cursor.accept(","):
            principals.append(cursor.identifier())
        grant_option = verb == "GRANT" and cursor.accept("WITH", "GRANT", "OPTION")
        cascade = verb != "GRANT" and cursor.accept("CASCADE")
        grantor = cursor.identifier() if cursor.accept("AS") else None
        return ss.ChangePermissions(
            label=verb, permissions=tuple(names), securable_class=securable_class, securable=securable,
            principals=tuple(principals), grant_option=grant_option, option_only=option_only, cascade=cascade,
            grantor=grantor, line=line,
        )  # fmt: skip

    return read


#: Permissions of the server ("GRANT Server Permissions"), which Azure SQL Database does not have.
SERVER_PERMISSIONS = frozenset(
    {"ADMINISTER BULK OPERATIONS", "ALTER ANY CONNECTION", "ALTER ANY DATABASE", "ALTER ANY LOGIN",
     "ALTER ANY SERVER ROLE", "ALTER SERVER STATE", "CONNECT ANY DATABASE", "CONNECT SQL", "CONTROL SERVER",
     "CREATE ANY DATABASE", "VIEW ANY DATABASE", "VIEW ANY DEFINITION", "VIEW SERVER STATE"}
)  # fmt: skip


def _class_unsupported(kind: str) -> errors.SqlError:
    return errors.error(40520, kind)


def _permission(cursor: Cursor) -> str:
    words = []
    while cursor.word() and cursor.word() not in (",", "ON", "TO", "FROM", ";"):
        if cursor.word() == "(":
            raise unsupported.refused("column permission")
        words.append(cursor.word())
        cursor.at += 1
    if not words:
        raise cursor.error()
    return "EXECUTE" if words == ["EXEC"] else " ".join(words)


def _securable(cursor: Cursor) -> tuple[str, s.Name]:
    if cursor.word(1) != "::":
        return "OBJECT", cursor.name()
    kind = cursor.any_text().upper()
    cursor.expect("::")
    if kind in ("OBJECT", "TYPE"):
        return kind, cursor.name()
    if kind in ("DATABASE", "SCHEMA", "USER", "ROLE"):
        return kind, s.Name(cursor.identifier())
    raise _class_unsupported(kind.lower())


def _alter_authorization(cursor: Cursor, line: int) -> s.Statement:
    cursor.expect("ON")
    securable_class, securable = _securable(cursor)
    if securable_class in ("DATABASE", "USER"):
        raise unsupported.refused("ALTER AUTHORIZATION ON", securable_class)
    cursor.expect("TO")
    owner = None if cursor.accept("SCHEMA", "OWNER") else cursor.identifier()
    return ss.AlterAuthorization(securable_class=securable_class, securable=securable, owner=owner, line=line)


def _alter_schema(cursor: Cursor, line: int) -> s.Statement:
    schema = cursor.identifier()
    cursor.expect("TRANSFER")
    securable_class, securable = _securable(cursor)
    if securable_class not in ("OBJECT", "TYPE"):
        raise _class_unsupported(securable_class.lower())
    return ss.AlterSchema(schema=schema, securable_class=securable_class, securable=securable, line=line)


def _create_database(cursor: Cursor, line: int) -> s.Statement:
    name = cursor.identifier()
    contained = cursor.accept("CONTAINMENT", "=") and _containment(cursor) == "PARTIAL"
    if not cursor.done and cursor.word() not in (";",):
        raise unsupported.refused("CREATE DATABASE", cursor.any_text())
    return ss.CreateDatabase(database=name, contained=contained, line=line)


def _containment(cursor: Cursor) -> str:
    value = cursor.accept_any("NONE", "PARTIAL")
    if not value:
        raise cursor.error()
    return value


def _drop_database(cursor: Cursor, line: int) -> s.Statement:
    if_exists = cursor.accept("IF", "EXISTS")
    return ss.DropDatabase(database=cursor.identifier(), if_exists=if_exists, line=line)


def _alter_database(cursor: Cursor, line: int) -> s.Statement:
    if cursor.accept("SCOPED", "CONFIGURATION"):
        cursor.expect("SET")
        option = cursor.any_text().upper()
        cursor.expect("=")
        value = "-" + cursor.any_text() if cursor.accept("-") else cursor.any_text()
        return ss.AlterScopedConfiguration(option=option, value=value.upper(), line=line)
    name = None if cursor.accept("CURRENT") else cursor.identifier()
    if not cursor.accept("SET"):
        raise unsupported.refused("ALTER DATABASE", cursor.word())
    option = cursor.any_text().upper()
    if option in ("SINGLE_USER", "MULTI_USER"):
        option, value = "USER", option
    elif option == "CONTAINMENT":
        cursor.expect("=")
        value = _containment(cursor)
    else:
        value = cursor.accept_any("ON", "OFF")
        if option != "READ_COMMITTED_SNAPSHOT" or not value:
            raise unsupported.refused("ALTER DATABASE", f"SET {option}")
    if cursor.accept("WITH") and not cursor.accept("NO_WAIT"):
        cursor.expect("ROLLBACK")
        if not cursor.accept("IMMEDIATE"):
            cursor.expect("AFTER")
            cursor.number()
            cursor.accept("SECONDS")
    return ss.AlterDatabase(database=name, option=option, value=value, line=line)


READERS: dict[tuple[str, str], Callable[[Cursor, int], s.Statement]] = {
    ("CREATE", "LOGIN"): _create_login,
    ("ALTER", "LOGIN"): _alter_login,
    ("DROP", "LOGIN"): _drop_login,
    ("ALTER", "SERVER"): _alter_server,
    ("CREATE", "USER"): _create_user,
    ("ALTER", "USER"): _alter_user,
    ("DROP", "USER"): _drop_user,
    ("CREATE", "ROLE"): _create_role,
    ("ALTER", "ROLE"): _alter_role,
    ("DROP", "ROLE"): _drop_role,
    ("ALTER", "AUTHORIZATION"): _alter_authorization,
    ("ALTER", "SCHEMA"): _alter_schema,
    ("CREATE", "DATABASE"): _create_database,
    ("ALTER", "DATABASE"): _alter_database,
    ("DROP", "DATABASE"): _drop_database,
}
