from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from setup_kit.service.description import Choice, Description
from setup_kit.service.profile import ExportStatus, MetadataState, Profile, ProfileState, Status, SyncState
from setup_kit.service.store import Store

DESCRIPTION = Description(
    name="Contoso",
    organization_id="o",
    organization_url="https://contoso.example",
    key_vault_uri="https://kv/secrets/S",
    entities=(Choice("account", {"a": 1}),),
    relationships=(Choice("contactleads_association"),),
    id="p",
)
PROFILE = Profile("p", 1, ProfileState.INACTIVE, DESCRIPTION)
STATUS = Status(
    "account", 10, 9, 1, datetime(2026, 1, 2, tzinfo=UTC), ExportStatus.FAILED, MetadataState.CREATED,
    SyncState.IN_PROGRESS, "https://contoso.example/delta",
)  # fmt: skip


def test_what_was_saved_is_there_after_the_process_is_gone(tmp_path: Path) -> None:
    store = Store(tmp_path / "service.db")
    store.save(PROFILE.activated(metadata=True, data=False))
    store.save_status("p", STATUS)
    store.add_table("p", "crm_Account", "account")
    store.accept_privacy_terms("o", "somebody")
    # As after SIGKILL: the file is opened again, the first connection is not closed.
    again = Store(tmp_path / "service.db")
    assert again.profiles("o") == [replace(PROFILE, state=ProfileState.ACTIVE, metadata=True)]
    assert again.statuses("p") == {"account": STATUS}
    assert again.tables("p") == {"crm_account"}
    assert (again.accepted_privacy_terms("o"), again.accepted_privacy_terms("x")) == (True, False)
    store.close()
    again.close()


def test_an_entity_that_leaves_a_profile_leaves_its_table_to_nobody(tmp_path: Path) -> None:
    store = Store(tmp_path / "service.db")
    store.save(PROFILE)
    store.save_status("p", STATUS)
    store.add_table("p", "crm_contactleads", "contactleads_association")
    store.add_table("p", "crm_account", "account")
    store.forget("p", ["contactleads_association"])
    assert store.tables("p") == {"crm_account"}
    assert set(store.statuses("p")) == {"account"}
    store.close()


def test_a_replication_that_ends_late_leaves_nothing_of_a_deleted_profile(tmp_path: Path) -> None:
    store = Store(tmp_path / "service.db")
    store.save(PROFILE)
    store.delete("p")
    store.save_status("p", STATUS)
    assert (store.profile("p"), store.statuses("p")) == (None, {})
    store.close()


def test_a_profile_goes_out_with_names_and_with_status_only_when_asked() -> None:
    plain = PROFILE.to_wire({"account": "Account"})
    assert plain["State"] == "Inactive"
    assert plain["Entities"] == [
        {"Type": "account", "Settings": {"a": 1}, "LogicalName": "account", "DisplayName": "Account", "Status": None}
    ]
    status = PROFILE.to_wire({}, {"account": STATUS})["Entities"][0]["Status"]
    assert status == {
        "Type": "account",
        "ProfileId": "p",
        "TotalNotifications": 10,
        "SuccessNotifications": 9,
        "FailureNotifications": 1,
        "LastExportDate": "2026-01-02T00:00:00.000Z",
        "LastExportStatus": "Failed",
        "EntityMetadataState": "Created",
        "InitialSyncState": "InProgress",
    }
    assert PROFILE.to_wire({}, {})["Relationships"][0]["Status"]["InitialSyncState"] == "NotStarted"
