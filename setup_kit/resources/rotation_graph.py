"""The nodes of one rotation, wired to what they need of the environment's graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from setup_kit.engine.resource import Node, Resource
from setup_kit.environment import export_names
from setup_kit.environment.models import Authentication, Environment
from setup_kit.export_service.client import ExportServiceClient
from setup_kit.resources.grants import Grants
from setup_kit.resources.login import ExportLogin
from setup_kit.resources.proof import LoginProof
from setup_kit.resources.rotation import NextSecret, RotationEnd, RotationStart, Switch
from setup_kit.resources.secret import ConnectionSecret
from setup_kit.resources.service_proof import ServiceProof
from setup_kit.resources.user import ExportUser
from setup_kit.sqlserver.sessions import SqlSessions


def rotation(
    environment: Environment,
    sessions: SqlSessions,
    export_client: ExportServiceClient,
    secret: ConnectionSecret,
    *,
    server: Resource[Any],
    database: Resource[Any],
    schema: Resource[Any] | None,
    operator_rule: Node,
    wait: Callable[[float], bool],
) -> tuple[Node, ...]:
    """From the user that the secret names to the other one. The secret must have been read.

    Login, user and grants are those of `apply`, for an environment that names the other user and a secret that is not
    written yet.
    """
    said = None if secret.observed is None else secret.observed.user
    before = export_names.current(environment.sql.export_user.name, said)
    after = export_names.other(environment.sql.export_user.name, said)
    other = _naming(environment, after)
    start = RotationStart(after, environment, sessions, secret, database, operator_rule)
    following = NextSecret(after, environment.sql.database.name, secret, start)
    contained = environment.sql.export_user.authentication is Authentication.CONTAINED
    login = None if contained else ExportLogin(other, sessions, server, following, operator_rule)
    user = ExportUser(other, sessions, database, login, following, operator_rule)
    grants = Grants(other, sessions, user, schema, following, operator_rule)
    tried = LoginProof(other, sessions, following, (grants, operator_rule))
    switch = Switch(secret, following, (tried,))
    proof = LoginProof(other, sessions, secret, (switch, operator_rule))
    service = ServiceProof(environment, export_client, needs=(proof,), wait=wait)
    end = RotationEnd(environment, sessions, secret, database, (service, operator_rule), wait=wait, retiring=before)
    return (start, following, *([login] if login else []), user, grants, tried, switch, proof, service, end)


def _naming(environment: Environment, user: str) -> Environment:
    """The environment with another export user."""
    named = environment.sql.export_user.model_copy(update={"name": user})
    return environment.model_copy(update={"sql": environment.sql.model_copy(update={"export_user": named})})
