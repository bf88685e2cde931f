"""One fault at one call of a full `apply`, and what came of it."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from setup_kit.sandbox import faults
from setup_kit.sandbox.faults import SQL, Fault
from setup_kit.sandbox.resource_manager.groups import PROVIDERS
from setup_kit.secret import Secret
from setup_kit.sqlserver.connection import parse_ado_net
from tests.sandbox.job.end_state import end_state
from tests.sandbox.job.harness import Finished, Kit
from tests.sandbox.job.owner import Owner

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_OPERATOR = re.compile(r"(?<=/setup-kit-operator-)[^/]+")
_TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}")
#: What no message of a failure that was foreseen says.
_UNFORESEEN = ("Traceback (most recent call last)", "this is a defect of setup-kit", 'File "/')
_WRITTEN_TWICE = [("key-vault", "PUT", "truncate"), ("key-vault", "PUT", "reset-after")]
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

    @property
    def settles(self) -> bool:
        """It makes what may hold only after a while."""
        return self.method == "PUT" and any(
            word in self.path.lower() for word in ("firewallrules/", "roleassignments/")
        )

    def like(self, other: Call) -> bool:
        """Another's fault may change which of the calls like it this one is."""
        if SQL in (self.part, other.part) and self.part == other.part:
            return "LOGIN" in (self.method, other.method) or self.method == other.method
        return (self.part, self.method, self.path) == (other.part, other.method, other.path)

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
            # Who logs in is known only once the log-in is over.
            caller="*" if self.method == "LOGIN" else self.caller.replace("{kit}", kit.document["client_id"]),
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
            profile__retry={"count": 12, "interval_seconds": 0},
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
        path = _OPERATOR.sub("*", line["path"])
        path = _ID.sub("*", path.replace(kit.document["subscription_id"], "*").replace(name, "{name}"))
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
    """How a run that was to meet faults ended. `wrong`: what should not be, in words. `missed`: faults not met."""

    code: int
    wrong: str
    missed: int


def trial(kit: Kit, name: str, met: Sequence[Fault], expected: Mapping[str, Any], *, ridden: bool) -> Outcome:
    """Has an `apply` meet faults; where that ends it, the next one must continue. `ridden`: it must not end it."""
    made = [faults.add(kit.sandbox_folder, fault) for fault in met]
    before = len(kit.requests())
    try:
        first = provision(kit, name)
    except TimeoutError as error:
        return Outcome(-1, str(error), 0)
    finally:
        faults.clear(kit.sandbox_folder)
    seen = {line.get("fault") for line in kit.requests()[before:]}
    wrong = _wrong(first, ridden=ridden)
    second = first if first.code == 0 else kit.apply(name)
    if second.code != 0:
        wrong = wrong or f"the next run ended with {second.code}: {_told(second)}"
    else:
        # A secret that was written again because the answer was lost has two versions that are alike.
        twice = any((fault.part, fault.method, fault.kind) in _WRITTEN_TWICE for fault in met)
        same = {key: value for key, value in expected.items() if not (twice and key == "secret versions")}
        wrong = wrong or _leaked(kit, name, first) or _different(kit, name, same)
    return Outcome(first.code, wrong, sum(fault.id not in seen for fault in made))


def _wrong(run: Finished, *, ridden: bool) -> str:
    """What is wrong with how a run that met a fault ended."""
    if run.code not in (0, 1):
        return f"it ended with {run.code}: {run.text}"
    if found := next((text for text in _UNFORESEEN if text in run.text), ""):
        return f"it says {found!r}: {run.text}"
    if run.code and ridden:
        return f"it was not ridden out: {_told(run)}"
    if run.code:
        told = _told(run)
        if not told or not all(failure["what"] and failure["remedy"] for failure in told):
            return f"it does not say what happened and what to do: {told}"
    return ""


def _told(run: Finished) -> list[dict[str, str]]:
    """The failures in the document that a run ended with."""
    document = run.json
    return list(document["failures"] if "failures" in document else [document["error"]])


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
    different = "; ".join(
        f"{key}: {state.get(key)} instead of {expected[key]}" for key in expected if state.get(key) != expected[key]
    )
    return f"the end state differs: {different}" if different else ""
