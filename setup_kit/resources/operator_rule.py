"""The operator's own address, admitted by the server's firewall for the time of a run."""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from setup_kit.azure.clients import AzureClients
from setup_kit.azure.firewall_rules import Rule
from setup_kit.engine.resource import Node, Progress, Temporary
from setup_kit.environment.models import Environment
from setup_kit.errors import KitError
from setup_kit.resources.firewall import OPERATOR_PREFIX, FirewallRules
from setup_kit.resources.sql_server import SqlServer
from setup_kit.sqlserver.sessions import SqlSessions

logger = logging.getLogger(__name__)

# Seconds: "Changes to firewall rules can take up to five minutes to take effect" (Azure SQL Database's documentation).
RULE_PATIENCE = 300.0
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 10.0

# No run takes longer; what another machine left behind before that is a killed run's.
LONGEST_RUN = timedelta(days=1)
_MOMENT = "%Y%m%d%H%M%S"


@dataclass(frozen=True)
class RunName:
    """A rule's name says when, where and in which process its run began: what a killed run left is known by it."""

    moment: datetime
    machine: str
    process: int
    number: int = 1

    @classmethod
    def now(cls) -> RunName:
        # A digest, because names of machines are nobody's business in the cloud.
        machine = hashlib.sha256(platform.node().encode()).hexdigest()[:8]
        return cls(datetime.now(UTC).replace(microsecond=0), machine, os.getpid())

    @classmethod
    def parse(cls, name: str) -> RunName | None:
        parts = name.removeprefix(OPERATOR_PREFIX).split("-")
        try:
            moment, machine, process, number = parts
            when = datetime.strptime(moment, _MOMENT).replace(tzinfo=UTC)
            return cls(when, machine, int(process), int(number))
        except ValueError:
            return None

    def __str__(self) -> str:
        return f"{OPERATOR_PREFIX}{self.moment:{_MOMENT}}-{self.machine}-{self.process}-{self.number}"

    def left_behind(self, run: RunName) -> bool:
        """Whether this rule's run has ended, as far as `run` can tell."""
        if self.machine == run.machine:
            return self.process == run.process or not _alive(self.process)
        return run.moment - self.moment > LONGEST_RUN


def _alive(process: int) -> bool:
    if os.name == "nt":
        # Signal 0 would end the process there; its rule goes when it is a day old.
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


class OperatorRule(Temporary):
    """Learns this machine's public address from the server's refusal (40615), which no other means tells surely."""

    kind = "operator_rule"

    def __init__(
        self,
        environment: Environment,
        azure: AzureClients,
        server: SqlServer,
        firewall: FirewallRules,
        sessions: SqlSessions,
        *,
        needs: Iterable[Node] = (),
    ) -> None:
        super().__init__(environment.sql.address, within=server, needs=(firewall, *needs))
        self._group = environment.resource_group
        self._azure = azure
        self._firewall = firewall
        self._sessions = sessions
        self._run = RunName.now()
        self._made: list[str] = []

    def open(self) -> bool:
        address = self._sessions.refused_address()
        if address is None:
            return False
        begun = time.monotonic()
        pause = _FIRST_PAUSE
        admitted: set[str] = set()
        while address is not None:
            if address not in admitted:
                # Behind some networks each connection comes from another address: each that is refused gets a rule.
                self._admit(address)
                admitted.add(address)
            waited = time.monotonic() - begun
            if waited > RULE_PATIENCE:
                raise KitError(
                    f"The firewall of {self.name} still refuses {address} after {waited:.0f} seconds",
                    why=f"the rules for {', '.join(sorted(admitted))} do not hold, or this machine's address changes",
                    remedy="add the range of this network's public addresses to 'sql.firewall.rules'",
                )
            self.report(Progress(self.address, address, int(waited), None, "waiting for the rule to hold", "seconds"))
            if self._azure.patience.wait(pause):
                raise KitError(
                    f"The run was ended before the firewall of {self.name} admitted {address}",
                    remedy="run the same command again, which goes on from here",
                )
            pause = min(pause * 1.5, _LONGEST_PAUSE)
            address = self._sessions.refused_address()
        self._sessions.rule_added()
        return True

    def _admit(self, address: str) -> None:
        name = str(RunName(self._run.moment, self._run.machine, self._run.process, len(self._made) + 1))
        # Remembered before it is made: should the answer get lost, it is removed all the same.
        self._made.append(name)
        self._azure.firewall_rules.put(self._group, self.name, Rule(name, address, address))

    def close(self) -> bool:
        leftover = [name for name in self._there() if (run := RunName.parse(name)) and run.left_behind(self._run)]
        names = list(dict.fromkeys([*self._made, *leftover]))
        for name in names:
            self._azure.firewall_rules.delete(self._group, self.name, name)
            logger.info("removed the firewall rule %s of %s", name, self.name)
        self._made.clear()
        return bool(names)

    def _there(self) -> Iterable[str]:
        observed = self._firewall.observed
        if observed is not None:
            return [name for name in observed if name.startswith(OPERATOR_PREFIX)]
        return [rule.name for rule in self._azure.firewall_rules.list(self._group, self.name)]
