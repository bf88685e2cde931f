"""Tells how far a long step of a resource is."""

from __future__ import annotations

from setup_kit.azure.errors import AzureRefusal
from setup_kit.azure.patience import Report
from setup_kit.azure.polling import Elapsed
from setup_kit.engine.resource import Node, Progress


def elapsed(node: Node, item: str) -> Elapsed:
    """Reports the seconds that an operation has taken so far."""

    def report(seconds: float) -> None:
        node.report(Progress(node.address, item, int(seconds), None, unit="seconds"))

    return report


def patience(node: Node, item: str) -> Report:
    """Reports the seconds waited for something to hold, and why it does not yet."""

    def report(waited: float, refusal: AzureRefusal) -> None:
        node.report(Progress(node.address, item, int(waited), None, text=refusal.why, unit="seconds"))

    return report
