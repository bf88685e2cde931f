"""All checks, from the modules of `checks/`, one for each subject."""

from __future__ import annotations

from tests.sandbox.sql.conformance.checks import (
    bulk,
    cancelling,
    catalog,
    connecting,
    descriptions,
    errors,
    procedures,
    results,
    statements,
    tables,
    transactions,
    values,
)
from tests.sandbox.sql.conformance.registry import CHECKS

SUBJECTS = (
    bulk, cancelling, catalog, connecting, descriptions, errors, procedures, results, statements, tables, transactions,
    values,
)  # fmt: skip

__all__ = ["CHECKS", "SUBJECTS"]
