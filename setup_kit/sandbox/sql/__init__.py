"""The SQL endpoint: Azure SQL Database as far as this kit and its service use it, over TDS 7.4 and 8.0.

`server` listens and `connection` speaks the phases of MS-TDS over `stream` and `packets`; `session` runs statements that
`parser` reads, `queries`, `expressions` and `changes` compile for SQLite, and `permissions` allows; `catalog` and `store`
keep the data; `tokens` and `reply` answer.
"""

from __future__ import annotations

from setup_kit.sandbox.sql.authentication import Caller, ServerPolicy
from setup_kit.sandbox.sql.firewall import FirewallRule
from setup_kit.sandbox.sql.server import Latency, RequestLog, SqlEndpoint

__all__ = ["Caller", "FirewallRule", "Latency", "RequestLog", "ServerPolicy", "SqlEndpoint"]
