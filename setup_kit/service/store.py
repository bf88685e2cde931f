"""What the service remembers, in one SQLite file: profiles, statuses, delta links, privacy terms.

Never a secret: the connection string is read from Key Vault each time it is needed.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from setup_kit.service.profile import ExportStatus, MetadataState, Profile, Status, SyncState

_SCHEMA = """
CREATE TABLE IF NOT EXISTS profiles (id TEXT PRIMARY KEY, organization TEXT NOT NULL, document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS statuses (
  profile TEXT NOT NULL, type TEXT NOT NULL, total INTEGER, success INTEGER, failure INTEGER,
  last_export TEXT, last_status TEXT, metadata TEXT, initial TEXT, delta_link TEXT, PRIMARY KEY (profile, type));
CREATE TABLE IF NOT EXISTS tables (
  profile TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL, PRIMARY KEY (profile, name));
CREATE TABLE IF NOT EXISTS privacy_terms (organization TEXT PRIMARY KEY, accepted_on TEXT, accepted_by TEXT);
"""


class Store:
    """Thread-safe; every call is one transaction, on disk before it returns as far as a killed process goes."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + _SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def profiles(self, organization: str | None = None) -> list[Profile]:
        with self._transaction() as db:
            rows = db.execute(
                "SELECT document FROM profiles WHERE ?1 IS NULL OR organization = ?1 ORDER BY rowid", (organization,)
            ).fetchall()
        return [Profile.from_document(json.loads(row[0])) for row in rows]

    def profile(self, profile_id: str) -> Profile | None:
        with self._transaction() as db:
            row = db.execute("SELECT document FROM profiles WHERE id = ?", (profile_id.lower(),)).fetchone()
        return Profile.from_document(json.loads(row[0])) if row else None

    def save(self, profile: Profile) -> None:
        with self._transaction() as db:
            db.execute(
                "INSERT INTO profiles VALUES (?, ?, ?)"
                " ON CONFLICT (id) DO UPDATE SET organization = excluded.organization, document = excluded.document",
                (profile.id, profile.description.organization_id, json.dumps(profile.to_document())),
            )

    def delete(self, profile_id: str) -> None:
        with self._transaction() as db:
            db.execute("DELETE FROM profiles WHERE id = ?", (profile_id,))
            for table in ("statuses", "tables"):
                db.execute(f"DELETE FROM {table} WHERE profile = ?", (profile_id,))  # noqa: S608 (names above)

    def statuses(self, profile_id: str) -> dict[str, Status]:
        with self._transaction() as db:
            rows = db.execute(
                "SELECT type, total, success, failure, last_export, last_status, metadata, initial, delta_link"
                " FROM statuses WHERE profile = ?",
                (profile_id,),
            ).fetchall()
        return {
            row[0]: Status(
                type=row[0],
                total=row[1],
                success=row[2],
                failure=row[3],
                last_export=datetime.fromisoformat(row[4]) if row[4] else None,
                last_status=ExportStatus(row[5]) if row[5] else None,
                metadata=MetadataState(row[6]),
                initial=SyncState(row[7]),
                delta_link=row[8],
            )
            for row in rows
        }

    def save_status(self, profile_id: str, status: Status) -> None:
        """Does nothing when the profile is gone, so that a replication that ends late leaves nothing behind."""
        with self._transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO statuses SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?"
                " WHERE EXISTS (SELECT 1 FROM profiles WHERE id = ?1)",
                (
                    profile_id,
                    status.type,
                    status.total,
                    status.success,
                    status.failure,
                    status.last_export.isoformat() if status.last_export else None,
                    status.last_status,
                    status.metadata,
                    status.initial,
                    status.delta_link,
                ),
            )

    def forget(self, profile_id: str, types: Iterable[str]) -> None:
        """The entities that a profile no longer exports: its tables stay in the destination, but are not its own."""
        which = [(profile_id, name) for name in types]
        with self._transaction() as db:
            db.executemany("DELETE FROM statuses WHERE profile = ? AND type = ?", which)
            db.executemany("DELETE FROM tables WHERE profile = ? AND type = ?", which)

    def tables(self, profile_id: str) -> frozenset[str]:
        """Names, in lower case, of the destination tables that this profile made."""
        with self._transaction() as db:
            return frozenset(row[0] for row in db.execute("SELECT name FROM tables WHERE profile = ?", (profile_id,)))

    def add_table(self, profile_id: str, name: str, type_: str) -> None:
        """Notes the table that a profile makes for the entity or relationship `type_`."""
        with self._transaction() as db:
            db.execute("INSERT OR IGNORE INTO tables VALUES (?, ?, ?)", (profile_id, name.lower(), type_))

    def remove_table(self, profile_id: str, name: str) -> None:
        with self._transaction() as db:
            db.execute("DELETE FROM tables WHERE profile = ? AND name = ?", (profile_id, name.lower()))

    def accepted_privacy_terms(self, organization: str) -> bool:
        with self._transaction() as db:
            query = "SELECT 1 FROM privacy_terms WHERE organization = ?"
            return db.execute(query, (organization,)).fetchone() is not None

    def accept_privacy_terms(self, organization: str, caller: str) -> None:
        with self._transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO privacy_terms VALUES (?, ?, ?)",
                (organization, datetime.now(UTC).isoformat(), caller),
            )
