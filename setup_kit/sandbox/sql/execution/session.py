"""One client's session in one database: who it is, its settings, variables and transaction."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from setup_kit.sandbox.sql import errors, permissions, unsupported
from setup_kit.sandbox.sql.compiler import aggregates
from setup_kit.sandbox.sql.compiler.server_facts import FirewallRule, OpenSession
from setup_kit.sandbox.sql.errors import Cancelled, EndOfBatch, SqlError
from setup_kit.sandbox.sql.execution import procedures, repeated, table_values
from setup_kit.sandbox.sql.execution.executor import Executor
from setup_kit.sandbox.sql.execution.interpreter import Interpreter
from setup_kit.sandbox.sql.execution.local_tables import LocalTables
from setup_kit.sandbox.sql.execution.prepared import PreparedStatements
from setup_kit.sandbox.sql.execution.table_values import TableArgument
from setup_kit.sandbox.sql.faults import Fault, Faults, error_of, killed
from setup_kit.sandbox.sql.language import statements as s
from setup_kit.sandbox.sql.storage import catalog
from setup_kit.sandbox.sql.storage.catalog import Catalog, DatabaseObject
from setup_kit.sandbox.sql.storage.store import Database, ServerStore
from setup_kit.sandbox.sql.storage.transactions import READ_COMMITTED, Transactions
from setup_kit.sandbox.sql.tds import tokens
from setup_kit.sandbox.sql.tds.parameters import Calls
from setup_kit.sandbox.sql.tds.reply import Reply
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import SqlType, Stored

_DEEPEST_CALL = 32
_GLANCE = 50_000  # SQLite's own instructions after which it is asked whether to go on: a millisecond or more


class Firewall(Protocol):
    """The server's own rules, which Resource Manager holds."""

    def firewall_rules(self) -> Sequence[FirewallRule]: ...
    def set_firewall_rule(self, name: str, start: str, end: str) -> None: ...
    def delete_firewall_rule(self, name: str) -> None: ...


class Interruption(Protocol):
    """Whether the request that runs is to end; `wait` takes so many seconds unless that comes first."""

    def is_set(self) -> bool: ...
    def wait(self, seconds: float) -> bool: ...


class Instance(Protocol):
    """What a session asks of the server it is on."""

    store: ServerStore
    virtual_machine: bool
    faults: Faults

    @property
    def policy(self) -> Firewall: ...
    def sessions(self) -> Sequence[OpenSession]: ...
    def is_logged_in(self, sid: bytes) -> bool: ...
    def drop_database(self, name: str) -> None: ...
    @property
    def contained_authentication(self) -> bool: ...
    def is_taken(self, database: Database) -> bool: ...
    def take_alone(self, database: Database, session: OpenSession, *, alone: bool) -> None: ...


@dataclass(frozen=True)
class Identity:
    """Who has logged in. `administrator` is dbo everywhere on the server; `groups` are users of Entra groups."""

    login_name: str
    login_sid: bytes
    principal_id: int
    administrator: bool
    groups: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Client:
    """What a client says of itself, and the number its session gets."""

    spid: int
    application: str
    host: str


@dataclass(frozen=True, slots=True)
class Module:
    """A procedure that is running; without schema and owner a text that stands in no ownership chain."""

    schema: str | None = None
    owner: int | None = None


class Session:
    """Runs requests one at a time, on its client's thread.

    `record` takes the class of a statement, an error number (0 for none), milliseconds, and the id of the fault that
    the statement met ("" for none). `broken` says that the connection is to be broken off before its next answer.
    """

    def __init__(
        self,
        instance: Instance,
        database: Database,
        who: Identity,
        client: Client,
        cancelled: Interruption,
        record: Callable[[str, int, float, str], None],
    ) -> None:
        self.instance = instance
        self.server = instance.store
        self.login_name, self.login_sid = who.login_name, who.login_sid
        self.is_server_administrator = who.administrator
        self.spid, self.application, self.client_host = client.spid, client.application, client.host
        self.record = record
        self.cancelled = cancelled
        self.broken = False
        self.reply = Reply(lambda _: None, self.server.name)
        self.local_tables = LocalTables()
        self._open(database)
        self._home = database, who.principal_id  # where a reset leads back to
        self.interpreter = Interpreter(self)
        self.variables: dict[str, Stored] = {}
        self.variable_types: dict[str, SqlType] = {}
        self.prepared = PreparedStatements()
        self.suggestions: dict[
            tuple[int, str, str], tuple[int, bytes]
        ] = {}  # rows of sp_describe_undeclared_parameters
        self.set_options: dict[str, str] = {}
        self.session_context: dict[str, tuple[Stored, bool]] = {}  # values, and whether they are read-only
        self.bulk: s.InsertBulk | None = None  # whose rows come in the next message
        self.caught: list[tuple[int, int, int, str, int, str]] = []
        self.identity: Stored = None
        self.identity_insert = 0  # the table for which it is ON
        self.row_count = self.last_error = self.statement_time = 0
        self.logged_in_at = self.request_began = t.now_utc()
        self.request_ended: int | None = self.logged_in_at  # None while a request runs
        self.chain: list[Module] = []  # what is running, the innermost last
        self._principal_id, self._groups = who.principal_id, who.groups
        self._catalog = catalog.load(self.connection)
        self._permissions: permissions.Permissions | None = None
        self._transaction_number = 0
        self.reset()

    def _open(self, database: Database) -> None:
        """What a session has of its database: the connection, the transaction, compiled statements."""
        self.database = database
        self.connection = self.server.connect(database)
        self.connection.set_progress_handler(self.cancelled.is_set, _GLANCE)
        aggregates.register(self.connection)
        self.transactions = Transactions(
            self.connection, self.server.writer_lock(database.id), self.cancelled.is_set, self._transaction_changed,
            self.spid, database.name,
        )  # fmt: skip
        self.executor = Executor(self)
        self.local_tables.connect(self.connection)
        self.transactions.rolling_back = self.local_tables.before_rollback
        self.transactions.rolled_back = self._rolled_back

    # What expressions ask (bound.Runtime)

    @property
    def catalog(self) -> Catalog:
        """The catalog as this statement sees it."""
        return self._catalog

    def catalog_now(self) -> Catalog:
        """The catalog as it is, the session's own changes with it; read again only when its version is another."""
        if catalog.version(self.connection) != self._catalog.version:
            self._catalog = catalog.load(self.connection)
            self._permissions = None
        return self._catalog

    @property
    def permissions(self) -> permissions.Permissions:
        """What the user may do; 916 for one that has been dropped meanwhile."""
        if self._permissions is None or self._permissions.catalog is not self._catalog:
            if self._principal_id not in self._catalog.principals:
                raise errors.error(916, self.login_name, self.database.name)
            self._permissions = permissions.Permissions(
                self._catalog, self._principal_id, self.database.name, self._groups
            )
        return self._permissions

    @property
    def options(self) -> Mapping[str, str]:
        return self.set_options

    def count_rows(self, table: DatabaseObject) -> int:
        """How many rows a table has."""
        return int(self.connection.execute(f"SELECT count(*) FROM {table.stored}").fetchone()[0])  # noqa: S608

    def last_identity(self, table: DatabaseObject) -> int | None:
        """The last identity value that a table was given by any session; None when none was."""
        row = self.connection.execute("SELECT value FROM meta WHERE key = ?", (f"identity.{table.id}",)).fetchone()
        return None if row is None else int(row[0])

    @property
    def nest_level(self) -> int:
        """How deep inside procedures and texts."""
        return len(self.chain)

    def context(self, key: str) -> Stored:
        """What sp_set_session_context has put under a key."""
        value, _ = self.session_context.get(catalog.fold(key), (None, False))
        return value

    def sessions(self) -> Sequence[OpenSession]:
        """The sessions that are open on the server."""
        return self.instance.sessions()

    def firewall_rules(self) -> Sequence[FirewallRule]:
        """The server's own."""
        return self.instance.policy.firewall_rules()

    @property
    def transaction_depth(self) -> int:
        return self.transactions.depth

    @property
    def transaction_state(self) -> int:
        return self.transactions.state

    @property
    def default_schema(self) -> str:
        """Where a name without a schema is looked for first: inside a procedure in its own schema."""
        if self.chain and self.chain[-1].schema is not None:
            return self.chain[-1].schema
        return self.catalog.principals[self.permissions.principal_id].default_schema or "dbo"

    @property
    def server_roles(self) -> frozenset[str]:
        """The server roles that the login is in: of a server on a virtual machine."""
        return self.server.server_roles(self.login_sid)

    @property
    def chain_owner(self) -> int | None:
        """Whose procedure is running: it may use what is the same principal's ("Ownership Chains")."""
        return self.chain[-1].owner if self.chain else None

    @property
    def virtual_machine(self) -> bool:
        """Whether the server is a SQL Server on a virtual machine and not one of Azure SQL Database."""
        return self.instance.virtual_machine

    # Life

    def use(self, name: str) -> None:
        """Go on in another database: 911, 916, 924. Neither a transaction nor temporary tables can be taken along."""
        before = self.database.name
        self._go(name)
        self._tell_database(before)

    @contextlib.contextmanager
    def elsewhere(self, name: str) -> Iterator[None]:
        """While it is entered, in another database, as `use` is; its client is told nothing of it."""
        before, principal_id = self.database, self._principal_id
        self._go(name)
        try:
            yield
        finally:
            if self.database.id != before.id:
                self._move(before, principal_id)

    def _go(self, name: str) -> None:
        found = self.server.database(name)
        if found is None:
            raise errors.unknown_database(name)
        if found.id == self.database.id:
            return
        if self.transactions.depth:
            raise unsupported.refused("USE within a transaction")
        if self.local_tables.in_use:  # they lie in the connection that is left
            raise unsupported.refused("USE beside temporary tables")
        if self.instance.is_taken(found):
            raise errors.error(924, found.name)
        self._move(found, None)

    @property
    def contained_authentication(self) -> bool:
        """The server's setting: whether users may have passwords of their own."""
        return self.instance.contained_authentication

    def _tell_database(self, before: str) -> None:
        self.reply.add(tokens.environment_text(1, self.database.name, before))
        self.reply.message(5701, 2, 0, f"Changed database context to '{self.database.name}'.")

    def _move(self, database: Database, principal_id: int | None) -> None:
        """Take up another database, as the user that the login has there unless it is given."""
        with contextlib.closing(self.server.connect(database)) as connection:
            found = catalog.load(connection)
        if principal_id is None:
            user = found.user_of(self.login_sid, or_guest=catalog.fold(database.name) == "master")
            is_dbo = self.is_server_administrator or database.owner == self.login_sid
            principal_id = catalog.DBO_ID if is_dbo else user
        if principal_id is None:
            raise errors.no_access(self.login_name, database.name)
        self.connection.close()
        before = self.transactions
        self._open(database)
        self.transactions.lock_timeout, self.transactions.isolation = before.lock_timeout, before.isolation
        self._catalog, self._permissions, self._principal_id = found, None, principal_id
        self.suggestions.clear()

    def reset(self, *, keep_transaction: bool = False) -> None:
        """Back to the state of a new session: a client takes up a pooled connection."""
        if not keep_transaction:
            self.transactions.abandon()
        self.local_tables.clear()
        if self.database.id != self._home[0].id and not self.transactions.depth:
            before = self.database.name
            self._move(*self._home)
            self._tell_database(before)
        self.transactions.lock_timeout, self.transactions.isolation = None, READ_COMMITTED
        self.prepared.clear()
        self.session_context.clear()
        self.set_options = {"IMPLICIT_TRANSACTIONS": "OFF", "NOCOUNT": "OFF", "XACT_ABORT": "OFF"}
        self.row_count = self.last_error = self.identity_insert = 0
        self.identity = None

    def close(self) -> None:
        try:
            self.transactions.abandon()
        finally:
            self.connection.close()

    def meet_fault(self, label: str) -> Fault | None:
        """The fault that a statement of this class is to meet."""
        return self.instance.faults.meet("sql", label, f"/{self.server.name}/{self.database.name}", self.login_name)

    def suffer(self, fault: Fault) -> None:
        """What a fault does before its statement: nothing, a delay, or an error."""
        if fault.kind == "sql-error":
            raise error_of(fault, self.server.name, self.database.name, self.spid)
        if fault.kind == "drip":
            self.pause(fault.seconds)
        else:
            self.broken = True
            if fault.kind == "reset-before":
                raise killed()

    def pause(self, seconds: float) -> None:
        """Raises Cancelled when it is cut short."""
        if self.cancelled.wait(seconds):
            raise Cancelled

    def check_cancelled(self) -> None:
        if self.cancelled.is_set():
            raise Cancelled

    def _transaction_changed(self, how: str) -> None:
        """Tell the client: ENVCHANGE 8, 9 or 10 with the transaction's descriptor."""
        if how == "begin":
            self._transaction_number += 1
        descriptor = struct.pack("<II", self._transaction_number, self.spid)
        kind = {"begin": 8, "commit": 9, "rollback": 10}[how]
        new, old = (descriptor, b"") if how == "begin" else (b"", descriptor)
        self.reply.add(tokens.environment_bytes(kind, new, old))

    # Requests: errors go into the reply; one that ends the session is raised after that

    def run_batch(self, text: str, reply: Reply) -> None:
        with self._request(reply):
            self._clear_variables()
            self.interpreter.run_text(text)

    def run_calls(self, calls: Calls, reply: Reply) -> None:
        """The remote procedure calls of one message; one that cannot be read ends it."""
        with self._request(reply):
            try:
                for call in calls:
                    self._clear_variables()
                    procedures.run_call(self, call)
                    repeated.run(self, call, calls)
            except SqlError as error:
                if not error.ends_session:
                    reply.error(error)
                    reply.done(failed=True)
                raise

    def run_bulk(self, source: Callable[[], bytes], reply: Reply) -> None:
        """The rows of a bulk load; `source` gives their message piece by piece."""
        announced = self.bulk
        with self._request(reply):
            self.bulk = announced
            self.interpreter.run_statement(s.BulkRows(source=source))

    def run_transaction(
        self, action: str, name: str, reply: Reply, *, begins: bool = False, isolation: str = ""
    ) -> None:
        """A transaction manager request; `begins` starts another at once, with `isolation` unless that is empty."""
        with self._request(reply):
            if isolation:
                self.transactions.isolation = self.set_options["TRANSACTION ISOLATION LEVEL"] = isolation
            self.interpreter.run_statement(s.Transaction(action=action, name=name))
            if begins:
                self.interpreter.run_statement(s.Transaction(action="BEGIN"))

    @contextlib.contextmanager
    def _request(self, reply: Reply) -> Iterator[None]:
        self.reply = reply
        reply.in_transaction = lambda: self.transactions.depth > 0
        self.caught.clear()
        self.chain.clear()
        self.bulk = None
        self.request_began, self.request_ended = t.now_utc(), None
        try:
            with contextlib.suppress(EndOfBatch):
                yield
            if self.transactions.doomed:
                self.transactions.rollback()
                reply.error(errors.error(3998))
                reply.done(failed=True)
        finally:
            self.request_ended = t.now_utc()

    def _clear_variables(self) -> None:
        self.variables, self.variable_types = {}, {}
        self.local_tables.end_batch()

    def _rolled_back(self) -> None:
        self.executor.forget()
        self.local_tables.after_rollback()

    # Procedures and prepared statements

    @contextlib.contextmanager
    def with_variables(
        self, values: Mapping[str, tuple[SqlType, Stored]], tables: Mapping[str, TableArgument] = MappingProxyType({})
    ) -> Iterator[None]:
        """Other variables for a while: those of a procedure or of a text with parameters, and table-valued ones."""
        outer = self.variables, self.variable_types
        self.variables = {catalog.fold(key): value for key, (_, value) in values.items()}
        self.variable_types = {catalog.fold(key): kind for key, (kind, _) in values.items()}
        try:
            with self.local_tables.scope():
                for name, (kind_of_table, value) in tables.items():
                    table_values.bind(self, name, kind_of_table, value)
                yield
        finally:
            self.variables, self.variable_types = outer

    @contextlib.contextmanager
    def inside_procedure(self, name: str, schema: str, owner: int | None) -> Iterator[None]:
        """Names are looked for in its schema first; what has the same owner is open to it. None for a system procedure,
        which has its caller's rights.
        """
        outer, self.reply.procedure = self.reply.procedure, name
        self.reply.calls += 1
        try:
            with self._nested(Module(schema, owner)):
                yield
        finally:
            self.reply.calls -= 1
            self.reply.procedure = outer

    def inside_text(self) -> contextlib.AbstractContextManager[None]:
        """A text that EXEC or sp_executesql runs: as the user's own, whatever procedure it is run by."""
        return self._nested(Module())

    @contextlib.contextmanager
    def _nested(self, module: Module) -> Iterator[None]:
        if len(self.chain) >= _DEEPEST_CALL:
            raise errors.error(217, 32)
        self.chain.append(module)
        database, principal_id = self.database, self._principal_id
        options = dict(self.set_options)
        lock_timeout, isolation = self.transactions.lock_timeout, self.transactions.isolation
        try:
            yield
        finally:
            self.chain.pop()
            self.set_options = options  # what SET has changed holds as long as its module runs
            self.transactions.lock_timeout, self.transactions.isolation = lock_timeout, isolation
            if self.database.id != database.id and not self.transactions.depth:  # USE holds as long as its module runs
                before = self.database.name
                self._move(database, principal_id)
                self._tell_database(before)
