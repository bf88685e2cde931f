"""The SQL endpoint: Azure SQL Database as far as this kit and its service use it, over TDS 7.4 and 8.0.

`server` listens and `connection` speaks the phases of MS-TDS over `stream` and `packets`. In a `session`, `parser`
reads a batch into `statements`, `interpreter` runs them one by one, `queries`, `expressions` and `changes` compile
those on data for SQLite, `executor` asks `permissions` and runs them; `catalog` and `store` keep everything; `tokens`
and `reply` answer.
"""

from __future__ import annotations

from setup_kit.sandbox.sql.authentication import Caller, ServerPolicy
from setup_kit.sandbox.sql.compiler.server_facts import FirewallRule
from setup_kit.sandbox.sql.server import Latency, RequestLog, SqlEndpoint

__all__ = ["Caller", "FirewallRule", "Latency", "RequestLog", "ServerPolicy", "SqlEndpoint"]
