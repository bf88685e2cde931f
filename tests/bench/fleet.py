"""How long a hundred environments take against one, on this machine's cores, and how much memory each of them adds.

One sandbox serves all, on the same cores, with the cloud's delays scaled: so many environments wait at once as they do
in the cloud, while the sandbox's own work, which is the cloud's there, is measured along to the kit's disadvantage.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.bench.figures import Figure
from tests.sandbox.job.harness import COMMAND, Kit

HUNDRED = 100
TEN = 10
# At once: a hundred are then done in four rounds.
PARALLEL = 25
# A fifth of the cloud's pace, as in the bench of one environment: a server takes 15 seconds, a database 9.
FACTOR = 0.2
KIB, MIB = 1024, 1024 * 1024
# Units of ru_maxrss: kibibytes on Linux, bytes on macOS (getrusage's manual pages).
RSS_UNIT = 1 if sys.platform == "darwin" else KIB


@dataclass(frozen=True)
class Run:
    """Seconds by the clock, seconds of this process's own work, and the most memory it held, in bytes."""

    seconds: float
    busy: float
    memory: int


def a_hundred_over_one(many: int = HUNDRED, some: int = TEN) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="setup-kit-bench-") as folder:
        kit = Kit(Path(folder), latency=FACTOR)
        try:
            base(kit)
            one = apply(kit, "one", 1)
            ten = apply(kit, "ten", some)
            hundred = apply(kit, "hundred", many)
            plans = [run(kit, "plan", "-e", f"{name}-*", "--parallel", str(PARALLEL)) for name in ("one", "hundred")]
        finally:
            kit.close()
    at_once = min(PARALLEL, many)
    basis = (
        f"apply: {hundred.seconds:.0f} s for {many} environments, {at_once} at once, over {one.seconds:.1f} s for one"
        f" (the cloud's delays times {FACTOR:g}); the kit worked {hundred.busy:.0f} s and {one.busy:.1f} s"
    )
    looks = f"plan with nothing to do: {plans[1].seconds:.0f} s for {many} over {plans[0].seconds:.1f} s for one"
    each, of_ten = ((run.memory - one.memory) / (count - 1) for run, count in ((hundred, many), (ten, some)))
    memory = (
        f"{each / MIB:.1f} MiB each of {many} over {of_ten / MIB:.1f} MiB each of {some}, beyond the first's"
        f" {one.memory / MIB:.0f} MiB; at most {hundred.memory / MIB:.0f} MiB"
    )
    return [
        Figure(f"{many} environments over one", hundred.seconds / one.seconds, 12.0, "x", basis),
        Figure(f"{many} plans over one", plans[1].seconds / plans[0].seconds, None, "x", looks),
        Figure("memory of an environment", each / of_ten, 1.0, "x", memory),
    ]


def base(kit: Kit) -> None:
    """What all environments have alike, beside the folder of environments."""
    document = kit.init("alike", profile__entities=["team"], profile__relationships=[])
    kit.path("alike").unlink()
    (kit.folder / "base.yaml").write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def apply(kit: Kit, name: str, count: int) -> Run:
    """Of so many environments that are not there yet, NAME-001 and so on."""
    for number in range(1, count + 1):
        own = f"{name}-{number:03}"
        document = {
            "extends": "../base.yaml",
            "resource_group": f"rg-{own}",
            "sql": {"server": f"sql-{own}-bench", "database": {"name": own}},
            "key_vault": {"name": f"kv-{own}"},
            "profile": {"name": own, "prefix": own.replace("-", "")},
        }
        kit.path(own).write_text(yaml.safe_dump(document), encoding="utf-8")
    return run(kit, "apply", "-e", f"{name}-*", "--parallel", str(PARALLEL), "--yes")


def run(kit: Kit, *words: str) -> Run:
    return measured([COMMAND, *words], kit)


def measured(command: Sequence[str], kit: Kit) -> Run:
    """Runs a command that must succeed."""
    begun = time.perf_counter()
    with (kit.folder / "said").open("wb") as said:
        process = subprocess.Popen(
            command, cwd=kit.folder, env=kit.variables, stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - begun
    if process.returncode:
        raise RuntimeError((kit.folder / "said").read_text(encoding="utf-8")[-4000:])
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * RSS_UNIT)
