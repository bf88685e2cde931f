"""The destination is emptied behind the service's back, which goes on saying that all was exported."""

from __future__ import annotations

import threading
import time
from typing import Any

from tests.sandbox.job.harness import Finished, Kit
from tests.sandbox.job.owner import Owner

ENTITIES = ["team", "businessunit"]


def provisioned(kit: Kit, name: str, **changes: Any) -> Owner:
    names = {"profile__prefix": name, "profile__entities": ENTITIES, "profile__relationships": []}
    environment = kit.init(name, **(names | changes))
    kit.apply(name).succeeded()
    return Owner(kit, environment)


def failed(finished: Finished) -> list[dict[str, str]]:
    return [finding for finding in finished.json["findings"] if finding["status"] == "failed"]


def verified(kit: Kit, name: str) -> list[dict[str, str]]:
    """What `verify` finds failed; it must have ended with the code for that."""
    finished = kit.run("verify", "-e", name, "--output", "json")
    assert finished.code == 4, finished.text
    return failed(finished)


def delete_database(owner: Owner) -> None:
    path = f"{owner.server}/databases/{owner.environment['sql']['database']['name']}"
    owner.manage("DELETE", path)
    url = owner.box["resource_manager"] + path
    parameters = {"api-version": "2023-08-01"}
    deadline, pause = time.monotonic() + 30, threading.Event()
    while owner.call("GET", url, owner.box["resource_manager_audience"], **parameters).status_code != 404:
        assert time.monotonic() < deadline
        pause.wait(0.1)


def test_rows_that_arrived_are_counted_at_both_ends(kit: Kit, dev: str) -> None:
    before = len(kit.writes())
    finished = kit.run("verify", "-e", dev, "--output", "json").succeeded()
    messages = [found["message"] for found in finished.json["findings"] if found["check"] == "replication"]
    assert [message.split(": ")[0] for message in messages] == ["account", "contact"]
    assert all(message.endswith(" rows at the source and at the destination") for message in messages)
    assert kit.writes()[before:] == []


def test_a_database_made_anew_under_an_active_profile_is_no_success(kit: Kit) -> None:
    owner = provisioned(kit, "anew")
    delete_database(owner)

    applied = kit.apply("anew")
    assert applied.code == 1, applied.text
    assert "the table dbo.anew_team is missing in the destination" in applied.text

    again = kit.apply("anew")
    assert again.code == 1, again.text
    assert again.json["changes"] == []

    (first, second) = verified(kit, "anew")
    assert {first["check"], second["check"]} == {"replication.missing"}
    assert "dbo.anew_team" in first["message"]
    assert f"DELETE profiles/{owner.profile()['Id']}" in first["remedy"]

    # The remedy holds what it promises.
    assert owner.service("DELETE", f"profiles/{owner.profile()['Id']}").ok
    kit.apply("anew").succeeded()
    kit.run("verify", "-e", "anew").succeeded()


def test_another_database_under_an_active_profile_is_no_success(kit: Kit) -> None:
    provisioned(kit, "moved", profile__entities=["team"])
    kit.edit("moved", sql__database__name="elsewhere")

    applied = kit.apply("moved")
    assert applied.code == 1, applied.text
    assert "the table dbo.moved_team is missing in the destination" in applied.text


def test_a_table_dropped_and_rows_deleted_are_named(kit: Kit) -> None:
    owner = provisioned(kit, "emptied")
    count = owner.sql("SELECT COUNT_BIG(*) FROM [dbo].[emptied_team]")[0][0]
    assert count > 0
    owner.sql("DELETE FROM [dbo].[emptied_team]")

    (fewer,) = verified(kit, "emptied")
    assert fewer["check"] == "replication.fewer"
    assert f"team: 0 rows in dbo.emptied_team although the service says that it wrote {count}" in fewer["message"]

    owner.sql("DROP TABLE [dbo].[emptied_businessunit]")
    (_, missing) = verified(kit, "emptied")
    assert missing["check"] == "replication.missing"
    assert "dbo.emptied_businessunit" in missing["message"]


def test_more_rows_at_the_destination_are_a_warning(kit: Kit) -> None:
    owner = provisioned(kit, "more", profile__entities=["team"])
    (count,) = owner.sql("SELECT COUNT_BIG(*) FROM [dbo].[more_team]")[0]
    owner.sql("INSERT INTO [dbo].[more_team] ([Id]) VALUES ('00000000-0000-0000-0000-000000000001')")

    finished = kit.run("verify", "-e", "more", "--output", "json").succeeded()
    (warning,) = [found for found in finished.json["findings"] if found["check"] == "replication.differs"]
    assert warning["status"] == "warning"
    assert warning["message"] == f"team: {count} rows at the source, {count + 1} at the destination"


def test_a_profile_for_metadata_has_its_tables_looked_for(kit: Kit) -> None:
    owner = provisioned(kit, "bare", profile__entities=["team"], profile__activate="metadata")
    kit.run("verify", "-e", "bare").succeeded()
    owner.sql("DROP TABLE [dbo].[bare_team]")
    (missing,) = verified(kit, "bare")
    assert "dbo.bare_team" in missing["message"]


def test_a_profile_that_is_not_to_be_active_has_nothing_to_look_for(kit: Kit) -> None:
    provisioned(kit, "idle", profile__entities=["team"], profile__activate="none")
    finished = kit.run("verify", "-e", "idle", "--output", "json").succeeded()
    (found,) = [found for found in finished.json["findings"] if found["check"] == "replication"]
    assert found["status"] == "skipped"
