"""All checks, from the modules of `checks/`, one for each subject."""

from __future__ import annotations

from tests.sandbox.sql.conformance.checks import values
from tests.sandbox.sql.conformance.registry import CHECKS

__all__ = ["CHECKS", "values"]
