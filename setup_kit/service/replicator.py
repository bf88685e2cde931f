"""Runs active profiles: makes the tables, writes the metadata, loads every record, keeps the status of each entity.

A profile's entities run side by side in a small pool. Progress is in the store after each page, so that a restart goes
on: an entity that was half loaded is emptied and loaded again, one that is done is left alone.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from setup_kit.service.dataverse import Organization
from setup_kit.service.entity_export import EntityExport
from setup_kit.service.errors import OutsideError
from setup_kit.service.failure_log import FailureLog
from setup_kit.service.profile import MetadataState, Profile, ProfileState, Status
from setup_kit.service.settings import Settings
from setup_kit.service.store import Store
from setup_kit.service.vault import Vaults
from setup_kit.service.writer import Cancelled

WORKERS = 2

_log = logging.getLogger(__name__)


@dataclass
class _Run:
    """One pass over a profile's unfinished entities. `again`: the profile changed meanwhile, so pass once more."""

    cancelled: threading.Event = field(default_factory=threading.Event)
    left: int = 0
    again: bool = False


class Replicator:
    def __init__(
        self,
        settings: Settings,
        store: Store,
        failure_log: FailureLog,
        vaults: Vaults,
        organization: Callable[[str], Organization],
    ) -> None:
        self._settings = settings
        self._store = store
        self._failure_log = failure_log
        self._vaults = vaults
        self._organization = organization
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="replicator")
        self._lock = threading.Lock()
        self._runs: dict[str, _Run] = {}
        self._stopping = False

    def start(self) -> None:
        """Goes on with what was active when the service last stopped, however it stopped."""
        for profile in self._store.profiles():
            if profile.state is ProfileState.ACTIVE:
                self.schedule(profile.id)

    def stop(self) -> None:
        """Lets pages in flight end, and starts nothing more."""
        with self._lock:
            self._stopping = True
            for run in self._runs.values():
                run.cancelled.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def schedule(self, profile_id: str) -> None:
        """Runs what is left of a profile; returns at once."""
        with self._lock:
            running = self._runs.get(profile_id)
            if running is not None:
                running.again = True
                return
        self._begin(profile_id)

    def cancel(self, profile_id: str) -> None:
        """Asks a profile's run to end after the page that it is writing."""
        with self._lock:
            run = self._runs.get(profile_id)
            if run is not None:
                run.again = False
                run.cancelled.set()

    def _begin(self, profile_id: str) -> None:
        profile = self._store.profile(profile_id)
        if profile is None or profile.state is not ProfileState.ACTIVE:
            return
        statuses = self._store.statuses(profile_id)
        unfinished = [
            name
            for name in (choice.name for choice in profile.choices)
            if _unfinished(profile, statuses.get(name, Status(name)))
        ]
        with self._lock:
            if self._stopping or not unfinished or profile_id in self._runs:
                return
            run = _Run(left=len(unfinished))
            self._runs[profile_id] = run
            export = EntityExport(
                profile=profile,
                organization=self._organization(profile.description.organization_id or ""),
                store=self._store,
                failure_log=self._failure_log,
                vaults=self._vaults,
                certificate=self._settings.sql_certificate,
                cancelled=run.cancelled,
            )
            for name in unfinished:
                self._pool.submit(self._export, profile_id, run, export, name)

    def _export(self, profile_id: str, run: _Run, export: EntityExport, name: str) -> None:
        try:
            if not run.cancelled.is_set():
                export.run(name)
        except Cancelled:
            _log.info("profile %s: %s stopped", profile_id, name)
        except OutsideError as error:
            _log.warning("profile %s: %s failed: %s", profile_id, name, error)
        except Exception:  # noqa: BLE001 (the last one on its thread)
            # A fault of the service's own: the entity stays unfinished, and the next start tries it again.
            _log.exception("profile %s: %s failed", profile_id, name)
        finally:
            self._ended(profile_id, run)

    def _ended(self, profile_id: str, run: _Run) -> None:
        with self._lock:
            run.left -= 1
            if run.left:
                return
            del self._runs[profile_id]
            again = run.again and not self._stopping
        if again:
            self._begin(profile_id)


def _unfinished(profile: Profile, status: Status) -> bool:
    metadata_left = profile.metadata and status.metadata is MetadataState.NOT_CREATED
    return metadata_left or (profile.data and not status.initial.done)
