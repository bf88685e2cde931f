"""What the engine works on: resources with four verbs, checks, the changes between two states, findings."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar

from setup_kit.errors import KitError, unforeseen
from setup_kit.secret import Secret

Value = str | int | float | bool | None | Secret | list[str] | dict[str, str]

State = TypeVar("State")


class Action(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True)
class Change:
    """One difference between what is wanted and what is there, and what closes it.

    `resource` is the address of the resource ("grants/dataexport"), `target` the part of it that changes
    ("INSERT on schema dbo", "read_committed_snapshot"; empty when it is the whole). `before` and `after` hold values
    a person may read; a secret is a `Secret` and prints as `***`. `detail` lists further attributes of a thing created.
    """

    resource: str
    action: Action
    target: str = ""
    before: Value = None
    after: Value = None
    why: str = ""
    destructive: bool = False
    detail: dict[str, Value] = field(default_factory=dict)


class Status(StrEnum):
    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


class Severity(StrEnum):
    """How much a finding matters while nothing is done about it."""

    HIGH = "high"  # the export fails, or somebody may do what nobody allowed
    MEDIUM = "medium"  # it will fail, or more is open than is needed
    LOW = "low"  # untidy, or slower than it could be
    INFO = "info"


_USUAL = {Status.FAILED: Severity.HIGH, Status.WARNING: Severity.MEDIUM, Status.SKIPPED: Severity.LOW}


@dataclass(frozen=True)
class Finding:
    """The outcome of one check. `check` is a stable dotted name ("grants.missing"), `resource` an address.

    `evidence` is what was seen, in short, so that an auditor need not look again; `remedy` a command or a setting;
    `link` a page to read on.
    `grade` is given where the severity is another than that of the finding's status.
    """

    check: str
    status: Status
    resource: str
    message: str
    remedy: str = ""
    evidence: str = ""
    grade: Severity | None = None
    link: str = ""

    @property
    def severity(self) -> Severity:
        if self.status is Status.PASSED:
            return Severity.INFO
        return self.grade or _USUAL[self.status]


@dataclass(frozen=True)
class Progress:
    """How far a long step is. `total` is None while it is not known; `unit` is what is counted."""

    resource: str
    item: str
    done: int
    total: int | None
    text: str = ""
    unit: str = "rows"


@dataclass(frozen=True)
class Removal:
    """What goes of a resource that is there, as deletions, and why it, or the rest of it, stays."""

    changes: tuple[Change, ...] = ()
    kept: str = ""


class NotReadable(Exception):  # noqa: N818 - a state of affairs, not an error
    """The resource is there or not, but cannot be read from here yet.

    `reason` says why in one sentence; `remedy` what opens the way. Applying what the resource needs (an access policy,
    a firewall rule) may make it readable; the planner shows it as "decided during apply".
    """

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


def told(error: Exception) -> KitError:
    """What a person is told of anything that a resource or a check met."""
    if isinstance(error, KitError):
        return error
    if isinstance(error, NotReadable):
        return KitError(error.reason, remedy=error.remedy or "run the same command again")
    return unforeseen(error)


def _quiet(progress: Progress) -> None:
    return None


class Node(ABC):
    """A node of the graph: a resource or a check.

    `needs` are the nodes that must be done first. `within` is the resource this one lives in: where that is absent,
    this one is absent too and is not read. `reads_after` are those of its needs, `within` among them, whose state
    reading this one and comparing it looks at; all of them when it is None. A plan waits for no others.
    """

    kind: str
    reads_after: tuple[Node, ...] | None = None

    def __init__(self, name: str, *, within: Resource[Any] | None = None, needs: Iterable[Node] = ()) -> None:
        self.name = name
        self.within = within
        self.needs: tuple[Node, ...] = (*needs, within) if within is not None else tuple(needs)
        # Set by the engine before it runs a node; long steps call it.
        self.report: Callable[[Progress], None] = _quiet

    @property
    def address(self) -> str:
        return f"{self.kind}/{self.name}"


class Resource(Node, Generic[State]):
    """A thing that is provisioned. `observed` is its state as last read, None when it is not there.

    The engine sets `observed` from what `read` and `apply` return; other resources read it. Reading never writes;
    `diff` never calls out. `holds_data`: what it is for is lost with it. `outlives`: it is taken away by itself even
    where what it lives in goes. `rests_on`: tells whose it is, where it cannot by itself. `together`: one call makes
    all its changes.
    """

    holds_data = False
    outlives = False
    together = False
    rests_on: Resource[Any] | None = None

    def __init__(self, name: str, *, within: Resource[Any] | None = None, needs: Iterable[Node] = ()) -> None:
        super().__init__(name, within=within, needs=needs)
        self.observed: State | None = None

    @abstractmethod
    def read(self) -> State | None:
        """The state now; None when it is not there. Raises NotReadable when the way is not open yet."""

    @abstractmethod
    def diff(self, observed: State | None) -> list[Change]:
        """What must change for `observed` to become what the environment file wants; empty when nothing."""

    @abstractmethod
    def apply(self, change: Change) -> State | None:
        """Makes one change and waits until it holds. Returns the state after it, None where nothing is left."""

    def apply_all(self, changes: Sequence[Change]) -> State | None:
        """As `apply`, of changes that are made `together`."""
        for change in changes:
            self.observed = self.apply(change)
        return self.observed

    @abstractmethod
    def delete(self, observed: State) -> None:
        """Takes the resource away."""

    def severity(self, change: Change) -> Severity:
        """How much it matters that this difference is there."""
        return Severity.HIGH

    def evidence(self, observed: State) -> str:
        """What was seen of a resource that is as wanted, in short, for whoever reads a report."""
        return ""

    def unseen(self, observed: State) -> Finding | None:
        """What could not be looked at of a resource that was read, as a skipped finding; None where all was seen."""
        return None

    def beyond(self, observed: State) -> str:
        """What is there that the environment file does not speak of, for a comparison; empty for nothing."""
        return ""

    @property
    def own(self) -> bool:
        """Whether it is known to have been made for this environment."""
        return False

    @property
    def made_for_another(self) -> str:
        """That it was made for another environment; empty where that is not known."""
        return ""

    def find(self) -> State | None:
        """As `read`, for a removal, which need not know all."""
        return self.read()

    def lives(self, observed: State) -> bool:
        """Whether there can be something in it: not so where it was deleted and can still be recovered."""
        return True

    def removal(self, observed: State) -> Removal:
        """What a removal takes away: all by `delete`, or parts, each a deletion with a `target` that `apply` makes.

        Changes nothing. Only what the kit made goes.
        """
        return Removal((self.deletion(),))

    def deletion(self, why: str = "", target: str = "", *, called: str = "") -> Change:
        """`called`: what it is called now, where that is another name than that of its address."""
        return Change(self.address, Action.DELETE, target, called or self.name, why=why, destructive=True)

    def audit(self, observed: State) -> list[Finding]:
        """What `verify` should say beyond the differences: more than was asked for, about to expire, …"""
        return []


class Temporary(Node):
    """Something opened while a node that needs it has work, and closed at the end of the run whatever happens."""

    @abstractmethod
    def open(self) -> bool:
        """Opens the way and waits until it holds. False when it was open already."""

    @abstractmethod
    def close(self) -> bool:
        """Removes what `open` made, in this run or in one that was killed. False when there was nothing to remove."""


class Check(Node):
    """Proves something; changes nothing.

    A check runs in `plan` and at the start of `apply` when `first` is true; else it runs during `apply` when something
    it needs has changed in this run or `due()` says so, and in `verify` always.
    """

    first: bool = False
    # Whether a plan reads what needs this check while it runs. Nothing is changed before it has passed.
    beside: bool = False
    # Whether it runs before a removal as well, which needs little of what making things needs.
    before_removal: bool = False

    @abstractmethod
    def run(self) -> list[Finding]:
        """The findings, passed ones too. A failed one stops what depends on this check. Waits, reports progress."""

    def due(self) -> bool:
        """True when the check must run although nothing it needs has changed (a synchronization that has not ended)."""
        return False
