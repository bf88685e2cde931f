"""The SQL endpoint: Azure SQL Database as far as this kit and its service use it, over TDS 7.4 and 8.0.

**What happens to a request.** `server` listens, a port for each logical server, and makes a `connection` of every
client, on a thread of its own. `handshake` takes it through PRELOGIN, TLS and LOGIN7; `firewall` and `authentication`
say whether it comes in, and make an `execution.session`. From then on a message is read by `tds`, its text turned into
statements by `language`, those on data compiled to SQLite's SQL by `compiler`, and each is carried out by `execution`,
which asks `permissions` before, `storage` for what is kept, and `attention` whether the client still wants it. The
answer goes out as tokens through `tds.reply`.

**Where something is.**

==========================================  ==========================================================================
A byte, packet, message or token            `tds`, whose docstring has a line for each, with MS-TDS's own names
A data type                                 `values.types`: which there are and how each is stored; `values.conversions`
                                            from one to another, with `to_numbers` and its neighbours;
                                            `tds.type_info`, `decoding` and `encoding` on the wire
A statement                                 `language.statements`: its value; the parser that makes it and the module of
                                            `execution` that carries it out have its subject for a name
A function, an operator                     `compiler.functions`, `compiler.operators` and their neighbours
A catalog view, a system procedure          `compiler.system_views`; `execution.system_procedures`
A permission                                `builtin_permissions`: what there is and what implies what, as tables;
                                            `permissions`: the one place that decides
An error or message                         `messages`, by number; `errors` raises them
A fault on purpose                          `faults`: what a login or statement meets, and the errors of it
What is refused, and with which number      `unsupported`: the one table of it; `setup-kit sandbox sql` prints it
A file, a lock, a transaction               `storage`
==========================================  ==========================================================================

**What may import what.** In this order, each only what comes after it, with no circles, as import-linter checks:
`server`, `connection`, `handshake` with `attention`, `authentication` and `firewall`, `execution`, `compiler`,
`language`, `permissions`, `builtin_permissions`, `storage`, `tds`, `values`, `unsupported`, `faults`, `errors`,
`messages`.

**How it keeps.** A database is one SQLite file, catalog and rows together, so that one transaction covers both; what
was committed stays across a kill at any moment. Readers see what was committed when their statement began, and block
nobody; one session writes at a time. Every session has a thread of its own and bounds on what it may hold.

**What it is not.** It is a rehearsal: plans, locks on rows, statistics and most of T-SQL are not here. What is not here
is refused by name with SQL Server's own number, and never done by halves.
"""

from __future__ import annotations

from setup_kit.sandbox.sql.authentication import Caller, ServerPolicy
from setup_kit.sandbox.sql.compiler.server_facts import FirewallRule
from setup_kit.sandbox.sql.server import Latency, RequestLog, SqlEndpoint

__all__ = ["Caller", "FirewallRule", "Latency", "RequestLog", "ServerPolicy", "SqlEndpoint"]
