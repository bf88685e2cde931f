"""What the sandbox holds, as documents in one SQLite file."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from pathlib import Path
from typing import Any

Document = dict[str, Any]


class State:
    """Durable JSON documents by kind and key; every call is one transaction, safe from any thread and process.

    The file is readable by its owner only: it holds client secrets and the values of vault secrets. Two processes
    may have it open at once, which is how a test changes the world behind the kit's back.
    """

    def __init__(self, path: Path) -> None:
        # SQLite gives its -wal and -shm files the mode of the main file, so this one decides.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        self._connection.execute("PRAGMA journal_mode = WAL")
        # A killed process loses nothing; a power cut may lose the last documents, which a rehearsal can bear.
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS documents (kind TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL,"
            " PRIMARY KEY (kind, key)) WITHOUT ROWID"
        )

    def get(self, kind: str, key: str) -> Document | None:
        with self._lock:
            row = self._connection.execute(
                "SELECT body FROM documents WHERE kind = ? AND key = ?", (kind, key)
            ).fetchone()
        return None if row is None else json.loads(row[0])

    def put(self, kind: str, key: str, doc: Document) -> None:
        with self._lock:
            self._connection.execute(
                "INSERT INTO documents VALUES (?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body",
                (kind, key, json.dumps(doc, ensure_ascii=False)),
            )

    def delete(self, kind: str, key: str) -> None:
        """Remove a document; one that is not there is no error."""
        with self._lock:
            self._connection.execute("DELETE FROM documents WHERE kind = ? AND key = ?", (kind, key))

    def list(self, kind: str, prefix: str = "") -> list[tuple[str, Document]]:
        """The (key, document) pairs of a kind whose key starts with `prefix`, ordered by key."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT key, body FROM documents WHERE kind = ? AND substr(key, 1, length(?)) = ? ORDER BY key",
                (kind, prefix, prefix),
            ).fetchall()
        return [(key, json.loads(body)) for key, body in rows]

    def close(self) -> None:
        with self._lock:
            self._connection.close()
