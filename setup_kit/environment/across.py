"""What is wrong between values of the file: told too where another of them is wrong by itself.

The models refuse the same, but look at a section as a whole only once each of its values is right.
"""

from __future__ import annotations

from collections.abc import Iterator

from setup_kit.environment import names
from setup_kit.environment.document import Listing, Node, Path_, Scalar, dotted, find, given, problem_at
from setup_kit.environment.problems import Problem

TWO_ADMINISTRATORS = (
    "names two administrators: give either entra_group or sql_login "
    "(one that comes from the extended file is taken back by leaving its value empty)"
)
RULES: Path_ = ("sql", "firewall", "rules")
LISTS: tuple[Path_, ...] = (("profile", "entities"), ("profile", "relationships"))
DEFAULT_SCHEMA = "dbo"


def problems(root: Node, *, whole: bool) -> Iterator[Problem]:
    """Two administrators, names that are there twice, two schemas. Where it is not `whole`, no default is assumed."""
    administrator: Path_ = ("sql", "administrator")
    if given(root, (*administrator, "entra_group")) and given(root, (*administrator, "sql_login")):
        yield problem_at(root, administrator, TWO_ADMINISTRATORS)
    for scalar, name in _repeated(root, RULES, "name"):
        yield Problem(scalar.place.file, scalar.place.line, dotted(RULES), two_rules(name))
    for key in LISTS:
        for scalar, name in _repeated(root, key):
            yield Problem(scalar.place.file, scalar.place.line, dotted(key), f"{names.shown(name)} is there twice")
    default = DEFAULT_SCHEMA if whole else None
    granted = _schema(root, ("sql", "export_user", "schema"), default)
    wanted = _schema(root, ("profile", "schema"), default)
    if granted is not None and wanted is not None and granted != wanted:
        yield problem_at(root, ("profile", "schema"), two_schemas(wanted, granted))


def two_rules(name: str) -> str:
    return f"two rules are named {names.shown(name)}"


def two_schemas(tables: str, grants: str) -> str:
    return (
        f"the tables go to schema {tables}, but the export user holds its grants on schema "
        f"{grants} (sql.export_user.schema): they must be the same"
    )


def _repeated(root: Node, key: Path_, below: str = "") -> Iterator[tuple[Scalar, str]]:
    """Each text of a list, or of its items' key `below`, that repeats an earlier one but for case."""
    listing = find(root, key)[0]
    seen: set[str] = set()
    for item in listing.items if isinstance(listing, Listing) else ():
        node = find(item, (below,))[0] if below else item
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            continue
        if node.value.lower() in seen:
            yield node, node.value
        seen.add(node.value.lower())


def _schema(root: Node, key: Path_, default: str | None) -> str | None:
    """None where it is not known, or no schema's name."""
    node = find(root, key)[0]
    if node is None:
        return default
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        return None
    try:
        return names.schema(node.value)
    except ValueError:
        return None
