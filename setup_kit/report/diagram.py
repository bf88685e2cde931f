"""The picture of an environment: organization, service, vault and server, what is in them and how they hang together.

Here the boxes get their places and texts; the template draws them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Facts = Mapping[str, Any]

WIDTH, HEIGHT = 1060, 476
# Pixels of a usual letter in a wide font at the size of the texts; titles are set bold and larger.
LETTER, TITLE_LETTER = 7.3, 8.8
RULES_SHOWN = 5
LINE = 19

# Worst first; "absent" is no status of a finding, but how a box without its thing looks.
_WORST = ("failed", "warning", "skipped", "passed")

_KINDS = {
    "organization": {"preflight", "privacy_terms"},
    "service": {"service_principal", "profile", "activation", "profile_validation", "initial_sync", "replication"}
    | {"freshness"},
    "key_vault": {"key_vault", "vault_access", "vault_readers"},
    "secret": {"secret"},
    "sql_server": {"sql_server", "sql_machine"},
    "firewall": {"firewall_rules"},
    "database": {"database", "database_options", "schema"},
    "user": {"login", "user", "grants", "proof"},
}


@dataclass(frozen=True)
class Line:
    """A text that fits; `whole` is the text in full."""

    text: str
    whole: str


@dataclass(frozen=True)
class Box:
    """A rectangle with a title and lines; `holds` others when it is drawn below them."""

    x: int
    y: int
    width: int
    height: int
    what: str
    title: Line
    lines: tuple[Line, ...] = ()
    status: str = "passed"
    there: bool = True
    inner: bool = False

    @property
    def whole(self) -> str:
        """Everything that the box says, uncut."""
        state = "" if self.there else " (not there)"
        return "\n".join([f"{self.what}: {self.title.whole}{state}", *(line.whole for line in self.lines)])


@dataclass(frozen=True)
class Arrow:
    path: str
    text: str
    x: int
    y: int
    status: str = "passed"
    anchor: str = "middle"


@dataclass(frozen=True)
class Diagram:
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    description: str
    width: int = field(default=WIDTH)
    height: int = field(default=HEIGHT)


def draw(facts: Facts, findings: Iterable[Facts]) -> Diagram:
    """The diagram of `provisioned` facts; each box is marked with the worst finding about it."""
    found = list(findings)

    def status(name: str) -> str:
        about = {finding["status"] for finding in found if finding["resource"].partition("/")[0] in _KINDS[name]}
        return next((each for each in _WORST if each in about), "skipped")

    def box(name: str, what: str, place: tuple[int, int, int, int], lines: Iterable[str], inner: bool = False) -> Box:
        x, y, width, height = place
        section = facts["profile" if name == "service" else name]
        room = width - 24
        return Box(
            x,
            y,
            width,
            height,
            what,
            _fitted(section["name"], room - 22, TITLE_LETTER),
            tuple(_fitted(line, room) for line in lines if line),
            status(name),
            section["there"],
            inner,
        )

    profile, user, vault, secret = facts["profile"], facts["user"], facts["key_vault"], facts["secret"]
    server, database = facts["sql_server"], facts["database"]
    organization = box(
        "organization",
        "Dynamics 365 organization",
        (14, 22, 236, 104),
        [f"id {facts['organization']['id']}", f"tenant {facts['organization']['tenant']}"],
    )
    service = box(
        "service",
        "Data Export Service, profile",
        (322, 22, 276, 136),
        [
            profile["state"] or "",
            f"{_count(profile['entities'], 'entity', 'entities')},"
            f" {_count(profile['relationships'], 'relationship', 'relationships')}",
            f"prefix {profile['prefix']}" if profile["prefix"] else "no prefix",
        ],
    )
    boxes = (
        organization,
        service,
        box("key_vault", "Key vault", (322, 268, 276, 190), [_model(vault["authorization"])]),
        box(
            "secret",
            "Secret: the connection string",
            (338, 350, 244, 92),
            [_secret(secret)],
            inner=True,
        ),
        box(
            "sql_server",
            "SQL Server on a virtual machine" if server["machine"] else "Logical server",
            (706, 22, 340, 436),
            [server["address"] or "", _sql_server(server)],
        ),
        *(
            [_firewall(facts["firewall"], (722, 118, 308, 44 + LINE * (RULES_SHOWN + 1)), status("firewall"))]
            if facts["firewall"] is not None
            else []
        ),
        box("database", "Database", (722, 288, 308, 158), [database["evidence"] or ""], inner=True),
        box(
            "user",
            f"Export user ({'contained' if user['authentication'] == 'contained' else 'of a login'})",
            (738, 362, 276, 74),
            [_grants(user)],
            inner=True,
        ),
    )
    access = status("key_vault")
    arrows = (
        Arrow("M250 76 H314", "reads", 282, 67, status("organization")),
        Arrow("M548 158 V342", "gets the secret", 538, 218, access, anchor="end"),
        Arrow("M598 76 H698", "writes rows", 648, 67, status("sql_server" if server["machine"] else "firewall")),
        Arrow("M582 399 H730", "signs in as", 648, 390, status("user")),
    )
    return Diagram(boxes, arrows, _description(facts))


def _firewall(rules: list[Facts], place: tuple[int, int, int, int], status: str) -> Box:
    x, y, width, height = place
    rules = sorted(rules, key=lambda rule: bool(rule["named"]))
    unnamed = sum(not rule["named"] for rule in rules)
    shown = rules if len(rules) <= RULES_SHOWN else rules[: RULES_SHOWN - 1]
    texts = [f"{'' if rule['named'] else '! '}{rule['name']}  {rule['range']}" for rule in shown]
    if len(rules) > len(shown):
        texts.append(f"and {len(rules) - len(shown)} more")
    title = _count(rules, "rule", "rules") + (f", {unnamed} (!) not in the file" if unnamed else "")
    lines = tuple(_fitted(text, width - 24) for text in texts)
    return Box(x, y, width, height, "Firewall", Line(title, title), lines, status, bool(rules), inner=True)


def _sql_server(server: Facts) -> str:
    if server["machine"]:
        return server["version"] or ""
    return f"TLS {server['minimal_tls']} or later" if server["minimal_tls"] else ""


def _secret(secret: Facts) -> str:
    if not secret["there"]:
        return ""
    end = f"expires {secret['expires_on']}" if secret["expires_on"] else "never expires"
    return f"{'enabled' if secret['enabled'] else 'disabled'}, {end}"


def _grants(user: Facts) -> str:
    if user["grants"] is None:
        return f"grants on schema {user['schema']} not known"
    return f"{user['grants']} of {user['wanted']} grants, schema {user['schema']}"


def _model(authorization: str) -> str:
    return "by access policies" if authorization == "access_policy" else "by Azure roles (RBAC)"


def _description(facts: Facts) -> str:
    name = {key: section["name"] for key, section in facts.items() if isinstance(section, Mapping)}
    if facts["sql_server"]["machine"]:
        where = f"SQL Server at {name['sql_server']}"
    else:
        where = f"the logical server {name['sql_server']}, whose firewall has"
        where += f" {_count(facts['firewall'], 'rule', 'rules')}"
    return (
        f"The Data Export Service reads the changes of the organization {name['organization']}. It gets the secret"
        f" {name['secret']} from the key vault {name['key_vault']}, signs in with it as the user {name['user']}, and"
        f" writes rows into the database {name['database']} of {where}. {_grants(facts['user']).capitalize()}."
    )


def _count(things: Iterable[object], one: str, many: str) -> str:
    number = len(list(things))
    return f"{number} {one if number == 1 else many}"


def _fitted(text: str, room: int, letter: float = LETTER) -> Line:
    """Cut in the middle where it is too long: names differ at both ends. Wide letters count twice."""
    whole = "".join(" " if unicodedata.category(each).startswith("C") else each for each in text)
    most = int(room / letter)
    if _columns(whole) <= most:
        return Line(whole, whole)
    head, tail = whole, whole
    while _columns(head) > most // 2:
        head = head[:-1]
    while _columns(tail) > most - most // 2 - 1:
        tail = tail[1:]
    return Line(f"{head}…{tail}", whole)


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)
