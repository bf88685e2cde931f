"""How far this machine's clock is from the cloud's: tokens and signatures hold for a span of time only."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

from setup_kit.engine.resource import Finding, Status

# Seconds. Microsoft Entra's libraries and Azure's services allow five minutes ("clock skew", five minutes by default,
# in Microsoft.IdentityModel's TokenValidationParameters).
TOO_MUCH = 300.0
MUCH = 60.0


@dataclass(frozen=True)
class Skew:
    """`seconds` that this machine is ahead of `host`, negative when behind; true to within `uncertainty` seconds."""

    host: str
    seconds: float
    uncertainty: float

    @property
    def certain(self) -> float:
        """Seconds that the clocks are apart at the least."""
        return max(abs(self.seconds) - self.uncertainty, 0.0)

    def __str__(self) -> str:
        return f"{self.host}: {self.seconds:+.1f} s ± {self.uncertainty:.1f} s"


def measured(host: str, asked: float, answered: float, date: str) -> Skew | None:
    """From the `Date` header of an answer; None when it is none.

    `asked` and `answered` are this machine's clock, in seconds since 1970, before and after. The header was written
    somewhere between the two, and counts whole seconds.
    """
    try:
        moment: datetime = parsedate_to_datetime(date)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    ahead = (asked + answered) / 2 - (moment.timestamp() + 0.5)
    return Skew(host, ahead, max(answered - asked, 0.0) / 2 + 0.5)


def judged(skews: Iterable[Skew], address: str) -> Finding:
    """One finding from what several hosts said. That of the nearest counts: one that is wrong itself is the other."""
    found = list(skews)
    check = "clock"
    if not found:
        message = "this machine's clock was compared with nothing: no host answered with its time"
        return Finding(check, Status.SKIPPED, address, message)
    nearest = min(found, key=lambda skew: skew.certain)
    evidence = "; ".join(map(str, found))
    if nearest.certain <= MUCH:
        message = f"this machine's clock is right to {max(abs(nearest.seconds), nearest.uncertainty):.1f} s or so"
        return Finding(check, Status.PASSED, address, message, evidence=evidence)
    minutes, seconds = divmod(round(abs(nearest.seconds)), 60)
    direction = "ahead" if nearest.seconds > 0 else "behind"
    message = f"this machine's clock is {minutes} min {seconds:02} s {direction}"
    if nearest.certain > TOO_MUCH:
        message += ": tokens are refused beyond five minutes"
        return Finding(check, Status.FAILED, address, message, _remedy(), evidence)
    message += "; beyond five minutes tokens are refused"
    return Finding(check, Status.WARNING, address, message, _remedy(), evidence)


def _remedy() -> str:
    if sys.platform == "win32":
        return "set it by the network: w32tm /resync"
    if sys.platform == "darwin":
        return "set it by the network: sudo sntp -sS time.apple.com"
    return "set it by the network: sudo timedatectl set-ntp true; see timedatectl timesync-status, or chronyc tracking"
