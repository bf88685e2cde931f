"""One fault at one call of a full `apply`, and what came of it."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from setup_kit.sandbox import faults
from setup_kit.sandbox.faults import Fault
from setup_kit.sandbox.resource_manager.groups import PROVIDERS
from setup_kit.secret import Secret
from setup_kit.sqlserver.connection import parse_ado_net
from tests.sandbox.job.end_state import end_state
from tests.sandbox.job.harness import Finished, Kit
from tests.sandbox.job.owner import Owner

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}")
#: What no message of a failure that was foreseen says.
_UNFORESEEN = ("Traceback (most recent call last)", "this is a defect of setup-kit", 'File "/')
SERVICE = "b861dbcc-a7ef-4219-a005-0e4de4ea7dcf"


@dataclass(frozen=True)
class Call:
    """The `number`-th (from 0) of those calls of an `apply` that are alike.

    `path` is a glob with {name} for the environment's name, `caller` says {kit} for the kit's own application.
    """

    part: str
    method: str
    path: str
    caller: str
    number: int = 0
    asynchronous: bool = False  # answered with 202

    @property
    def by_service(self) -> bool:
        return self.caller == SERVICE

    def __str__(self) -> str:
        again = f" ({self.number + 1})" if self.number else ""
        return f"{self.method} {self.part}{self.path}{again}" + (" of the service's" if self.by_service else "")

    def meets(self, kit: Kit, name: str, kind: str, *, times: int = 1, **values: Any) -> Fault:
        """The rule that has this call of an environment's `apply` meet a fault."""
        return Fault(
            kind,
            part=self.part,
            method=self.method,
            path=self.path.replace("{name}", name),
            caller=self.caller.replace("{kit}", kit.document["client_id"]),
            after=self.number,
            times=times,
            **values,
        )


def provision(kit: Kit, name: str) -> Finished:
    """`apply` of a small environment, as if nobody had used the subscription or the organization before."""
    if not kit.path(name).exists():
        kit.init(
            name,
            sql__server=f"sql-{name}",
            sql__firewall__rules=[],  # so that the operator's rule is opened and closed
            key_vault__name=f"kv-{name}",
            profile__prefix=name,
            profile__entities=["team"],
            profile__relationships=[],
        )
    state = kit.state()
    for namespace in ("microsoft.sql", "microsoft.keyvault"):
        state.put(PROVIDERS, namespace, {"state": "NotRegistered"})
    state.close()
    with closing(sqlite3.connect(kit.sandbox_folder / "service" / "service.db", timeout=30)) as store, store:
        store.execute("DELETE FROM privacy_terms")
    return kit.apply(name)


def calls(kit: Kit, name: str, sent: Sequence[Mapping[str, Any]]) -> list[Call]:
    """The calls of an undisturbed `apply` of an environment, by its lines of the request log."""
    found: list[Call] = []
    for line in sent:
        path = _ID.sub("*", line["path"].replace(kit.document["subscription_id"], "*").replace(name, "{name}"))
        caller = line["caller"].replace(kit.document["client_id"], "{kit}")
        call = Call(line["part"], line["method"], path, caller)
        rule = call.meets(kit, name, "reset-before")
        earlier = [
            each
            for each in sent[: len(found)]
            if rule.matches(each["part"], each["method"], each["path"], each["caller"])
        ]
        found.append(replace(call, number=len(earlier), asynchronous=line["status"] == 202))
    return found


@dataclass(frozen=True)
class Outcome:
    """`wrong` says in words what should not be; it is empty when all is well. `met`: the call came and met the fault."""

    met: bool
    code: int
    seconds: float
    wrong: str = ""
    said: str = ""


def trial(kit: Kit, name: str, fault: Fault, expected: Mapping[str, Any], *, ridden: bool) -> Outcome:
    """Has an `apply` meet a fault; where that ends it, the next one must continue. `ridden`: it must not end it."""
    begun = time.perf_counter()
    made = faults.add(kit.sandbox_folder, fault)
    before = len(kit.requests())
    try:
        first = provision(kit, name)
    finally:
        faults.clear(kit.sandbox_folder)
    met = any(line.get("fault") == made.id for line in kit.requests()[before:])
    wrong = _wrong(kit, name, first, ridden=ridden)
    second = first if first.code == 0 else kit.apply(name)
    if not wrong and second.code != 0:
        wrong = f"the next run ended with {second.code}: {second.text}"
    if not wrong:
        wrong = _leaked(kit, name, first) or _different(kit, name, expected)
    said = first.out if first.code else ""
    return Outcome(met, first.code, time.perf_counter() - begun, wrong, said)


def _wrong(kit: Kit, name: str, run: Finished, *, ridden: bool) -> str:
    """What is wrong with how a run that met a fault ended."""
    if run.code not in (0, 1):
        return f"it ended with {run.code}: {run.text}"
    if found := next((text for text in _UNFORESEEN if text in run.text), ""):
        return f"it says {found!r}: {run.text}"
    if run.code and ridden:
        return f"it was not ridden out: {run.text}"
    if run.code:
        document = run.json
        failures = document.get("failures", [document.get("error", {})])
        if not failures:
            return f"it names no failure: {run.text}"
        for failure in failures:
            if not (failure["what"] and failure["remedy"]):
                return f"it does not say what to do: {run.text}"
    return ""


def _leaked(kit: Kit, name: str, run: Finished) -> str:
    """Which secret a run has told of, on its streams or in its journal."""
    journal = kit.folder / ".setup-kit" / name / "journal.jsonl"
    told = run.text + (journal.read_text(encoding="utf-8") if journal.exists() else "")
    connection = Owner(kit, kit.edit(name)).secret()["value"]
    password = parse_ado_net(Secret(connection)).password
    assert password is not None
    hidden = {"the connection string": connection, "the password": password.reveal()}
    hidden |= {"the client secret": kit.document["client_secret"]}
    if found := next((what for what, value in hidden.items() if value in told), ""):
        return f"{found} was told"
    return "a token was told" if _TOKEN.search(told) else ""


def settled(kit: Kit, name: str) -> dict[str, Any]:
    """What an environment came to; its firewall admits nobody, so this machine is let in meanwhile."""
    with Owner(kit, kit.edit(name)).admitted():
        return end_state(kit, name)


def _different(kit: Kit, name: str, expected: Mapping[str, Any]) -> str:
    state = settled(kit, name)
    different = "; ".join(f"{key}: {state.get(key)} instead of {expected[key]}" for key in expected
                          if state.get(key) != expected[key])
    return f"the end state differs: {different}" if different else ""
