"""python-tds, with TLS by pyOpenSSL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import pytds  # type: ignore[import-untyped]
from pytds import tds_types

from tests.sandbox.sql.conformance.client import Client, Need, Options, Place, ServerError

_TDS_SOURCE = "https://github.com/denisenkom/pytds/blob/master/src/pytds"


class PythonTds(Client):
    name = "python-tds"
    limits: ClassVar[Mapping[Need, str]] = {
        Need.STRICT: f"python-tds speaks TDS 7.0 to 7.4 ({_TDS_SOURCE}/tds_base.py, TDS74 is the highest)",
        Need.LATER_COUNTS: f"nextset ends before the count of the last statement ({_TDS_SOURCE}/tds_session.py)",
        Need.FAST_EXECUTEMANY: f"executemany is a loop ({_TDS_SOURCE}/cursor.py)",
        Need.CANCEL: f"cancel() reads the answer first, which another thread is reading ({_TDS_SOURCE}/tds_session.py)",
        Need.TIMEOUT: f"the timeout is the socket's, set on connecting ({_TDS_SOURCE}/__init__.py)",
        Need.CATALOG: "python-tds has no catalog methods (https://python-tds.readthedocs.io/en/latest/pytds.html)",
    }

    def connect(self, place: Place, options: Options) -> Any:
        credentials: dict[str, Any] = {"user": options.user, "password": options.password}
        if options.token:
            credentials = {"access_token_callable": lambda: options.token}
        return pytds.connect(
            "localhost", options.database, port=place.port, autocommit=options.autocommit,
            cafile=str(place.authority), validate_host=True, blocksize=options.packet_size or 4096,
            pooling=options.pool, timeout=60, login_timeout=20, disable_connect_retry=True, **credentials,
        )  # fmt: skip

    def errors(self, error: BaseException) -> list[ServerError]:
        return [self._message(error)] if getattr(error, "number", 0) else []

    def messages(self, connection: Any, cursor: Any) -> list[ServerError]:
        return [self._message(error) for _, error in cursor.messages or ()]

    def _message(self, error: Any) -> ServerError:
        return ServerError(error.text, error.number, error.severity, error.state, error.line)

    def execute(self, cursor: Any, text: str, values: Sequence[object]) -> None:
        if values:
            cursor.execute(text.replace("%", "%%").replace("?", "%s"), tuple(map(self._parameter, values)))
        else:
            cursor.execute(text)

    def executemany(self, cursor: Any, text: str, rows: Sequence[Sequence[object]]) -> None:
        cursor.executemany(
            text.replace("%", "%%").replace("?", "%s"), [tuple(map(self._parameter, row)) for row in rows]
        )

    def _parameter(self, value: object) -> object:
        return tds_types.Binary(value) if isinstance(value, bytes) else value

    def execute_typed(self, cursor: Any, text: str, value: object, sql_type: str) -> None:
        if value is not None:
            self.execute(cursor, text, [value])
            return
        # BinaryType has no serializer of its own length (tds_types.py, VarBinarySerializer)
        kind = tds_types.sql_type_by_declaration("var" + sql_type if sql_type.startswith("binary") else sql_type)
        column = pytds.tds_base.Param(type=kind, value=None)
        cursor.execute(text.replace("?", "%s"), (column,))

    def call(self, cursor: Any, procedure: str, values: Sequence[object]) -> None:
        cursor.callproc(procedure, tuple(map(self._parameter, values)))

    def call_for_outputs(
        self, connection: Any, procedure: str, values: Sequence[object], outputs: Sequence[tuple[object, str]]
    ) -> list[object]:
        with connection.cursor() as cursor:
            return list(cursor.callproc(procedure, [*values, *(pytds.output(value, kind) for value, kind in outputs)]))[
                len(values) :
            ]

    def return_code(self, connection: Any, procedure: str, values: Sequence[object]) -> int:
        with connection.cursor() as cursor:
            cursor.callproc(procedure, tuple(values))
            return int(cursor.get_proc_return_status())

    def call_with_table(
        self, cursor: Any, procedure: str, table_type: str, columns: Sequence[tuple[str, str]], rows: Sequence[Any]
    ) -> None:
        described = [pytds.Column(type=tds_types.sql_type_by_declaration(kind)) for _, kind in columns]
        cursor.callproc(procedure, (pytds.TableValuedParam(table_type, described, rows),))

    def bulk(
        self, session: Any, table: str, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[object]]
    ) -> None:
        schema, _, name = table.rpartition(".")
        described = [
            pytds.Column(name=column, type=tds_types.sql_type_by_declaration(kind), flags=pytds.Column.fNullable)
            for column, kind in columns
        ]
        with session.cursor() as cursor:
            cursor.copy_to(table_or_view=name, schema=schema, columns=described, data=rows)
