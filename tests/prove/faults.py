"""Every kind of fault at every call of a full `apply`: ridden out, or told of, and continued by the next run.

Faults that are to be ridden out share runs, as many as are at calls that are not alike; a run that does not end as an
undisturbed one is taken apart, and each of its faults tried alone.
"""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from setup_kit.sandbox.faults import KINDS
from tests.prove.sandboxes import Sandboxes, sandboxes
from tests.sandbox.job.faulting import Call, Outcome, calls, provision, settled, trial
from tests.sandbox.job.harness import Kit

WORKERS = 4
TOGETHER = 6  # faults in one run
LASTING = 25  # times: more than any call is sent again, and in the end over for what is waited for
AGAIN = 2  # tries more for a case whose call did not come
SOON = {"retry-after-ms": "5"}  # azure-core heeds it as it does Retry-After, which knows whole seconds only


def always(call: Call) -> bool:
    return True


def never(call: Call) -> bool:
    return False


def repeatable(call: Call) -> bool:
    """Whether what has no answer is sent again: not a POST to the service, which may have been taken."""
    return (call.part, call.method) != ("export-service", "POST")


@dataclass(frozen=True)
class Kind:
    """A fault with its values, of which calls take theirs in turn. `ridden`: whether a call must ride it out.

    Where `values` do not say otherwise, one call meets it.
    """

    name: str
    kind: str
    values: Sequence[Mapping[str, Any]] = ({},)
    ridden: Callable[[Call], bool] = always
    concerns: Callable[[Call], bool] = always


FAULTS = (
    Kind("a passing status", "status", [{"status": status, "headers": SOON} for status in (429, 503)]),
    Kind("a lasting status", "status", [{"status": 503, "headers": SOON, "times": LASTING}, {"status": 403}], never),
    Kind("a reset before the effect", "reset-before", ridden=repeatable),
    Kind("a reset after the effect", "reset-after", ridden=repeatable),
    Kind("a slow drip", "drip", [{"seconds": 0.2}]),
    Kind("half a body", "truncate", ridden=repeatable),
    Kind("an expired token", "expired-token", ridden=never, concerns=lambda call: call.caller != ""),
    Kind("a failed operation", "failed-operation", ridden=never, concerns=lambda call: call.asynchronous),
    Kind("a rule or role that holds late", "late", [{"seconds": 1.0}], concerns=lambda call: call.settles),
    Kind("a passing SQL error", "sql-error", [{"number": number} for number in (40501, 40197, 40613)]),
    Kind("a lasting SQL error", "sql-error", [{"number": 229}], never),
)


@dataclass(frozen=True)
class Case:
    fault: Kind
    call: Call
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ridden(self) -> bool:
        return self.fault.ridden(self.call)

    def __str__(self) -> str:
        return f"{self.fault.name} at {self.call}"


def faults_at_every_call(share: float, seed: int) -> bool:
    begun = time.perf_counter()
    with sandboxes(_begin) as among:
        with among.one() as (kit, expected):
            before = len(kit.requests())
            provision(kit, "counted").succeeded()
            found = calls(kit, "counted", kit.requests()[before:])
        cases = _cases(found)
        picked = random.Random(seed).sample(cases, max(1, round(len(cases) * share)))
        laboratory = Laboratory(among, expected)
        with ThreadPoolExecutor(WORKERS) as pool:
            failures = [text for texts in pool.map(laboratory.run, _runs(picked)) for text in texts]
    absent = laboratory.absent
    for text in failures:
        print(text, flush=True)
    ridden = sum(case.ridden for case in picked)
    met = len(picked) - absent
    print(
        f"faults at the {len(found)} calls of an apply: {met - len(failures)} of {met},"
        f" {ridden} to be ridden out and {len(picked) - ridden} to be told of and continued"
        f" ({absent} at looks that were not needed again), {time.perf_counter() - begun:.0f} s",
        flush=True,
    )
    return not failures


def _begin(kit: Kit) -> dict[str, Any]:
    """Has everything been used once, which the first environment of a sandbox pays for; its end state."""
    provision(kit, "undisturbed").succeeded()
    return settled(kit, "undisturbed")


def _cases(found: Sequence[Call]) -> list[Case]:
    return [
        Case(kind, call, values)
        for kind in FAULTS
        for call, values in zip(
            [call for call in found if call.part in KINDS[kind.kind][0] and kind.concerns(call)],
            itertools.cycle(kind.values),
        )
    ]


def _runs(cases: Sequence[Case]) -> list[list[Case]]:
    """Each case in one run: those that end it alone, the others beside such as are at other calls."""
    runs = [[case] for case in cases if not case.ridden]
    shared: list[list[Case]] = []
    for case in cases:
        if case.ridden:
            free = (
                run for run in shared if len(run) < TOGETHER and not any(case.call.like(other.call) for other in run)
            )
            run = next(free, None)
            if run is None:
                shared.append(run := [])
            run.append(case)
    return [*shared, *runs]


class Laboratory:
    """Has environments meet faults, and says with which of them something went wrong."""

    def __init__(self, among: Sandboxes[dict[str, Any]], expected: Mapping[str, Any]) -> None:
        self._among = among
        self._expected = expected
        self._numbers = itertools.count()
        self.absent = 0  # cases whose call did not come

    def run(self, cases: Sequence[Case]) -> list[str]:
        """What went wrong, in words, for each case with which something did."""
        outcome = self._try(cases)
        if len(cases) > 1 and (outcome.wrong or outcome.missed):
            return [text for case in cases for text in self.run([case])]
        for _ in range(AGAIN):
            if outcome.wrong or not outcome.missed:
                break
            outcome = self._try(cases)  # calls of threads side by side do not always come in the same order
        wrong = outcome.wrong
        if outcome.missed and not wrong:
            # How often something is looked at while it goes on is a matter of time.
            if cases[0].call.number and cases[0].call.method == "GET":
                self.absent += 1
            else:
                wrong = "the call did not come"
        return [f"{cases[0]}: {wrong}"] if wrong else []

    def _try(self, cases: Sequence[Case]) -> Outcome:
        name = f"case{next(self._numbers):05}"
        with self._among.one() as (kit, _):
            met = [case.call.meets(kit, name, case.fault.kind, **case.values) for case in cases]
            return trial(kit, name, met, self._expected, ridden=all(case.ridden for case in cases))
