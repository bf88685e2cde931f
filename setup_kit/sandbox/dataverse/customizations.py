"""What is changed about tables' definitions: changes wait, seen by nobody, until they are published."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from setup_kit.sandbox.dataverse import errors, metadata
from setup_kit.sandbox.dataverse.database import Database
from setup_kit.sandbox.dataverse.schema import Table

LABELS = ("DisplayName", "DisplayCollectionName", "Description")
ACTIONS = ("PublishXml", "PublishAllXml")

Texts = dict[str, dict[str, str]]  # by property, then by language


@dataclass(frozen=True)
class _Changed:
    change_tracking: bool
    labels: Texts


class Customizations:
    """`put` and `publish` are called in a write transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def entity(self, table: Table) -> dict[str, Any]:
        """The published EntityMetadata."""
        found = metadata.entity(table, self._database.change_tracking(table))
        return found | {name: metadata.labels(texts) for name, texts in self._published_labels(table).items()}

    def put(self, table: Table, body: object, *, merge_labels: bool) -> None:
        """Takes over change tracking and labels from the whole or part of a definition, unpublished.

        With `merge_labels`, labels in languages that the body does not have stay. Raises WebApiError.
        """
        if not isinstance(body, Mapping):
            raise errors.bad_body("A JSON object was expected.")
        current = self._latest(table)
        given = body.get("ChangeTrackingEnabled")
        enabled = current.change_tracking if given is None else given
        if not isinstance(enabled, bool):
            raise errors.bad_body(
                "Cannot convert the value of 'ChangeTrackingEnabled' to the expected type 'Edm.Boolean'."
            )
        if enabled != current.change_tracking and not table.can_track_changes:
            raise errors.cannot_track(table.name)
        labels = dict(current.labels)
        for name in LABELS:
            if name in body:
                kept = current.labels[name] if merge_labels else {}
                labels[name] = kept | _texts(name, body[name])
        if (changed := _Changed(enabled, labels)) != current:
            self._database.connection.execute(
                "INSERT OR REPLACE INTO unpublished VALUES (?, ?, ?)",
                (table.name, changed.change_tracking, json.dumps(changed.labels)),
            )

    def publish(self, action: str, body: object) -> None:
        """Raises WebApiError."""
        waiting = [row[0] for row in self._database.connection.execute("SELECT name FROM unpublished")]
        names = waiting if action == "PublishAllXml" else self._named(body)
        for name in names:
            if name in waiting:
                self._publish(self._database.schema.tables[name])

    def _publish(self, table: Table) -> None:
        changed, connection = self._latest(table), self._database.connection
        if table.kind != "intersect":
            self._database.set_change_tracking(table.name, changed.change_tracking)
        connection.execute("INSERT OR REPLACE INTO labels VALUES (?, ?)", (table.name, json.dumps(changed.labels)))
        connection.execute("DELETE FROM unpublished WHERE name = ?", (table.name,))

    def _named(self, body: object) -> list[str]:
        """The tables that the request of PublishXml names."""
        text = body.get("ParameterXml") if isinstance(body, Mapping) else None
        if not isinstance(text, str):
            raise errors.bad_body("The parameter 'ParameterXml' of PublishXml must be a text.")
        try:
            root = ElementTree.fromstring(text)  # noqa: S314 - a sandbox's own callers
        except ElementTree.ParseError:
            root = None
        if root is None or root.tag != "importexportxml":
            # Assumed: no public source shows how a text that is none is refused.
            raise errors.bad_body("ParameterXml is not a valid importexportxml.")
        names = [(entity.text or "").strip() for entity in root.iterfind("entities/entity")]
        for name in names:
            if name not in self._database.schema.tables:
                raise errors.no_definition(name)
        return names

    def _latest(self, table: Table) -> _Changed:
        statement = "SELECT enabled, labels FROM unpublished WHERE name = ?"
        row = self._database.connection.execute(statement, (table.name,)).fetchone()
        if row is not None:
            return _Changed(bool(row[0]), json.loads(row[1]))
        published = metadata.entity(table, False)
        labels = {name: _texts(name, published[name]) for name in LABELS} | self._published_labels(table)
        return _Changed(self._database.change_tracking(table), labels)

    def _published_labels(self, table: Table) -> Texts:
        """Of a table whose labels were ever changed."""
        statement = "SELECT labels FROM labels WHERE name = ?"
        row = self._database.connection.execute(statement, (table.name,)).fetchone()
        found: Texts = json.loads(row[0]) if row is not None else {}
        return found


def _texts(name: str, label: object) -> dict[str, str]:
    """The texts of a Label by language."""
    localized = label.get("LocalizedLabels") if isinstance(label, Mapping) else None
    try:
        return {str(int(each["LanguageCode"])): str(each["Label"]) for each in localized or ()}
    except (TypeError, KeyError, ValueError):
        raise errors.bad_body(f"The value of '{name}' is no Label.") from None
