"""All checks, from the modules of `checks/`, one for each subject."""

from __future__ import annotations

from tests.sandbox.sql.conformance.checks import (
    connecting,
    errors,
    procedures,
    results,
    statements,
    transactions,
    values,
)
from tests.sandbox.sql.conformance.registry import CHECKS

SUBJECTS = (connecting, errors, procedures, results, statements, transactions, values)

__all__ = ["CHECKS", "SUBJECTS"]
