"""Whatever happens to rows, and however small the pages: one who follows delta links has what the organization has."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yarl import URL

from setup_kit.sandbox.dataverse import Database, Organization
from setup_kit.sandbox.dataverse.application import open_database
from setup_kit.sandbox.dataverse.options import preferences, read
from setup_kit.sandbox.dataverse.service import Answer, Request, Service
from setup_kit.sandbox.dataverse.tokens import segments
from setup_kit.sandbox.entra import Caller

ME = "0b4f7a7c-8f0b-4d0e-b6ab-3e6f0a5d7711"
CALLER = Caller(ME, ME, ME, "administrator")
ORGANIZATION = Organization("Contoso", "https://organization", ME, ME, frozenset({ME}))
ROOT = f"{ORGANIZATION.url}/api/data/v9.2"

# What is done between two pages or two rounds: to a row by its place among those that are there.
DEEDS = st.lists(st.tuples(st.sampled_from(["create", "change", "delete"]), st.integers(0, 40)), max_size=6)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("organization") / "organization.sqlite"
    open_database(ORGANIZATION, path).close()
    return path


class Follower:
    """Keeps names of competitors by id, as delta links tell."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.names: dict[str, str] = {}

    def call(self, method: str, address: str, body: object = None, prefer: str = "") -> Answer:
        url = URL(address)
        path = segments(url.path.removeprefix("/api/data/v9.2/"))
        request = Request(method, ROOT, path, read(url.query.items()), preferences([prefer]), body, {}, {})
        return self._service.answer(request, CALLER)

    def follow(self, address: str, size: int) -> Iterator[dict[str, Any]]:
        """Take over page after page; each is given once it is taken over."""
        following: str | None = address
        while following is not None:
            prefer = f"odata.track-changes,odata.maxpagesize={size}"
            page = json.loads(self.call("GET", following, prefer=prefer).body)
            assert len(page["value"]) <= size
            for item in page["value"]:
                if item.get("reason") == "deleted":
                    self.names.pop(item["id"], None)
                else:
                    self.names[item["competitorid"]] = item["name"]
            yield page
            following = page.get("@odata.nextLink")

    def do(self, deeds: list[tuple[str, int]], present: list[str]) -> None:
        for deed, number in deeds:
            if deed == "create":
                self.call("POST", f"{ROOT}/competitors", {"name": f"made {number}"})
            elif present:
                key = present[number % len(present)]
                if deed == "change":
                    self.call("PATCH", f"{ROOT}/competitors({key})", {"name": f"changed {number}"})
                else:
                    self.call("DELETE", f"{ROOT}/competitors({key})")
                    present.remove(key)


@contextmanager
def organization(filled: Path) -> Iterator[tuple[Database, Service]]:
    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(shutil.copy(filled, folder)))
        try:
            database.set_change_tracking("competitor", True)
            yield database, Service(ORGANIZATION, database)
        finally:
            database.close()


def ids(database: Database) -> list[str]:
    return [row[0] for row in database.connection.execute("SELECT competitorid FROM competitor ORDER BY 1")]


@settings(max_examples=40)
@given(size=st.integers(1, 20), rounds=st.lists(st.lists(DEEDS, max_size=4), min_size=1, max_size=4))
def test_one_who_follows_delta_links_has_what_the_organization_has(
    filled: Path, size: int, rounds: list[list[list[tuple[str, int]]]]
) -> None:
    with organization(filled) as (database, service):
        follower = Follower(service)
        address = f"{ROOT}/competitors?$select=name"
        for deeds_between_pages in [*rounds, []]:
            waiting = list(deeds_between_pages)
            for page in follower.follow(address, size):
                address = page.get("@odata.deltaLink", address)
                if waiting:
                    follower.do(waiting.pop(), ids(database))
        # A round without deeds has caught up with the last one that had some.
        held = dict(database.connection.execute("SELECT competitorid, name FROM competitor"))
        assert follower.names == held
