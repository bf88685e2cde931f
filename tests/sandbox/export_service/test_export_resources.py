"""Profile, activation, validation and first synchronization against a service that answers what a test wants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from setup_kit.engine.resource import Action, Change, Progress, Resource, Status
from setup_kit.environment.models import Environment
from setup_kit.errors import KitError
from setup_kit.export_service.models import Description
from setup_kit.export_service.organization import OrganizationClient
from setup_kit.resources.activation import Activation, ActivationState
from setup_kit.resources.initial_sync import InitialSync
from setup_kit.resources.privacy_terms import PrivacyTerms
from setup_kit.resources.profile import ExportProfile, wanted_description
from setup_kit.resources.validation import ProfileValidation
from tests.sandbox.export_service.stand_in import ORGANIZATION, TENANT, Asked, Reply, StandIn

URI = "https://kv.vault.azure.net/secrets/export"
PROFILES = "/crm/exporter/profiles"
ONE = f"{PROFILES}/p-1"


@dataclass
class Known:
    uri_without_version: str = URI


@dataclass
class SecretResource:
    observed: Known | None = field(default_factory=Known)


@dataclass
class Time:
    """A clock that waiting moves."""

    now: float = 0.0
    pauses: list[float] = field(default_factory=list)
    ends: bool = False

    def wait(self, seconds: float) -> bool:
        self.pauses.append(seconds)
        self.now += seconds
        return self.ends

    def clock(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


def environment_of(stand_in: StandIn, **profile: Any) -> Environment:
    return Environment.model_validate(
        {
            "tenant": TENANT,
            "subscription": "33333333-3333-3333-3333-333333333333",
            "location": "westeurope",
            "resource_group": "rg-contoso",
            "sql": {
                "server": "sql-contoso",
                "administrator": {"sql_login": "sqladministrator"},
                "database": {"name": "crm"},
            },
            "key_vault": {"name": "kv-contoso"},
            "dynamics": {"organization_url": stand_in.address, "organization_id": ORGANIZATION},
            "profile": {"name": "Contoso", "prefix": "crm", "entities": ["account", "contact"], **profile},
        }
    )


Statuses = dict[str, dict[str, Any]]


def wire(description: Description, statuses: Statuses | None = None, state: str = "Active") -> dict[str, Any]:
    """The profile as the service answers it; `statuses` by entity."""
    document = description.to_wire("p-1") | {"Version": 1, "State": state}
    for entry in document["Entities"] + document["Relationships"]:
        entry["Status"] = (statuses or {}).get(entry["Type"])
    return document


def status(state: str, total: int = 0, failed: int = 0, metadata: str = "Created") -> dict[str, Any]:
    return {
        "TotalNotifications": total,
        "SuccessNotifications": total - failed,
        "FailureNotifications": failed,
        "EntityMetadataState": metadata,
        "InitialSyncState": state,
    }


def rows(stand_in: StandIn, **counts: int) -> None:
    """The stand-in is the organization, too, with so many rows in each table."""
    for name, count in counts.items():
        stand_in.replies[f"GET /api/data/v9.2/EntityDefinitions(LogicalName='{name}')"] = Reply(
            body={"LogicalName": name, "EntitySetName": f"{name}s", "PrimaryIdAttribute": f"{name}id"}
        )
        found = [{f"{name}id": str(number)} for number in range(count)]
        stand_in.replies[f"GET /api/data/v9.2/{name}s"] = Reply(body={"value": found})


def organization(stand_in: StandIn) -> OrganizationClient:
    return OrganizationClient(stand_in.identity(), stand_in.cloud(), stand_in.address)


class World:
    """All resources of one profile, wired to the stand-in."""

    def __init__(self, stand_in: StandIn, time: Time, **profile: Any) -> None:
        self.environment = environment_of(stand_in, **profile)
        self.description = wanted_description(self.environment, URI)
        client = stand_in.client()
        self.profile = ExportProfile(self.environment, client, SecretResource())
        self.activation = Activation(self.environment, client, self.profile, organization(stand_in))
        self.sync = InitialSync(
            self.environment,
            client,
            self.profile,
            organization(stand_in),
            needs=(self.activation,),
            wait=time.wait,
            clock=time.clock,
        )
        self.told: list[Progress] = []
        self.sync.report = self.told.append

    def exists(self, stand_in: StandIn, **statuses: dict[str, Any]) -> None:
        stand_in.replies[f"GET {PROFILES}"] = Reply(body=[wire(self.description)])
        stand_in.replies[f"GET {ONE}"] = Reply(body=wire(self.description, statuses))
        self.profile.observed = self.profile.read()


def test_terms_are_accepted_once(stand_in: StandIn) -> None:
    terms = PrivacyTerms(environment_of(stand_in), stand_in.client())
    stand_in.replies["GET /crm/exporter/metadata/hasorgacceptedprivacyterms"] = [Reply(body=False), Reply(body=True)]
    stand_in.replies["POST /crm/exporter/metadata/acceptprivacyterms"] = Reply()
    (change,) = terms.diff(terms.read())
    assert terms.apply(change) is True
    assert terms.diff(terms.read()) == []
    (asked,) = stand_in.of("/crm/exporter/metadata/acceptprivacyterms")
    assert asked.query["organizationId"] == ORGANIZATION


def test_a_profile_is_made_with_what_the_file_says(stand_in: StandIn, time: Time) -> None:
    world = World(stand_in, time, retry={"count": 3})
    stand_in.replies[f"GET {PROFILES}"] = Reply(body=[])
    stand_in.replies[f"POST {PROFILES}"] = Reply(body=wire(world.description, state="Inactive"))
    profile = world.profile
    profile.observed = profile.read()
    (change,) = profile.diff(profile.observed)
    assert profile.apply(change).id == "p-1"
    (sent,) = [request for request in stand_in.of(PROFILES) if request.method == "POST"]
    assert sent.body["DestinationKeyVaultUri"] == URI
    assert sent.body["RetryPolicy"] == {"MaxRetryCount": 3, "IntervalInSeconds": 5, "Backoff": "Simple"}


def test_one_change_of_a_profile_leaves_the_rest_as_the_service_has_it(stand_in: StandIn, time: Time) -> None:
    world = World(stand_in, time, entities=["account", "lead"], delete_log=False)
    there = wanted_description(environment_of(stand_in), URI)
    stand_in.replies[f"GET {PROFILES}"] = Reply(body=[wire(there)])
    stand_in.replies[f"PUT {ONE}"] = lambda asked: Reply(body=asked.body)
    profile = world.profile
    profile.observed = profile.read()
    entities, delete_log = profile.diff(profile.observed)
    profile.observed = profile.apply(entities)
    profile.observed = profile.apply(delete_log)
    first, second = stand_in.of(ONE)
    assert [entry["Type"] for entry in first.body["Entities"]] == ["account", "lead"]
    assert first.body["WriteDeleteLog"] is True
    assert second.body["WriteDeleteLog"] is False
    assert profile.diff(profile.observed) == []


@pytest.mark.parametrize(
    ("wanted", "there", "calls"),
    [
        ("all", ActivationState(active=False, data=False), ["activate"]),
        ("data", ActivationState(active=True, data=False), ["activatedata"]),
        ("metadata", ActivationState(active=False, data=False), ["activatemetadata"]),
        ("metadata", ActivationState(active=True, data=True), ["deactivate", "activatemetadata"]),
        ("none", ActivationState(active=True, data=True), ["deactivate"]),
        ("all", ActivationState(active=True, data=True, lost=("lead",)), ["activate"]),
    ],
)
def test_activation_is_what_the_file_says(
    stand_in: StandIn, time: Time, wanted: str, there: ActivationState, calls: list[str]
) -> None:
    world = World(stand_in, time, activate=wanted)
    world.exists(stand_in)
    for name in ("activate", "activatemetadata", "activatedata", "deactivate"):
        stand_in.replies[f"POST {ONE}/{name}"] = Reply(body=wire(world.description))
    activation = world.activation
    activation.observed = there
    (change,) = activation.diff(there)
    activation.observed = activation.apply(change)
    assert [r.path.rpartition("/")[2] for r in stand_in.asked if r.method == "POST" and PROFILES in r.path] == calls
    assert activation.diff(activation.observed) == []


def test_a_profile_that_moves_rows_needs_no_activation(stand_in: StandIn, time: Time) -> None:
    world = World(stand_in, time)
    world.exists(stand_in, account=status("InProgress", 10), contact=status("NotStarted"))
    assert world.activation.diff(world.activation.read()) == []


def test_an_active_profile_that_moves_no_rows_is_active_for_metadata(stand_in: StandIn, time: Time) -> None:
    world = World(stand_in, time)
    world.exists(stand_in, account=status("NotStarted"), contact=status("NotStarted"))
    rows(stand_in, account=0, contact=2)
    (change,) = world.activation.diff(world.activation.read())
    assert (change.before, change.after) == ("active for metadata only", "active")


def test_an_active_profile_without_any_row_to_move_is_as_it_should_be(stand_in: StandIn, time: Time) -> None:
    world = World(stand_in, time)
    world.exists(stand_in, account=status("NotStarted"), contact=status("NotStarted"))
    rows(stand_in, account=0, contact=0)
    assert world.activation.diff(world.activation.read()) == []


def test_a_table_that_could_not_be_made_is_tried_again(stand_in: StandIn, time: Time) -> None:
    world = World(stand_in, time)
    world.exists(stand_in, account=status("Completed", 3), contact=status("NotStarted", metadata="Failure"))
    (change,) = world.activation.diff(world.activation.read())
    assert change.before == "active, without contact"


def follow(stand_in: StandIn, world: World, *looks: Statuses) -> None:
    """The service's answers, one after the other; the last one stays."""
    stand_in.replies[f"GET {PROFILES}"] = Reply(body=[wire(world.description)])
    world.profile.observed = world.profile.read()
    stand_in.replies[f"GET {ONE}"] = [Reply(body=wire(world.description, look)) for look in looks]


def test_the_first_synchronization_is_followed_to_its_end(stand_in: StandIn, time: Time) -> None:
    world = World(stand_in, time)
    follow(
        stand_in,
        world,
        {"account": status("NotStarted", metadata="NotCreated"), "contact": status("NotStarted")},
        {"account": status("InProgress", 100), "contact": status("InProgress", 20)},
        {"account": status("Completed", 250), "contact": status("InProgress", 90)},
        {"account": status("Completed", 250), "contact": status("Completed", 90)},
    )
    findings = world.sync.run()
    assert [(finding.status, finding.message) for finding in findings] == [
        (Status.PASSED, "account: 250 records"),
        (Status.PASSED, "contact: 90 records"),
    ]
    assert [(p.item, p.done, p.total) for p in world.told if p.item == "account"] == [
        ("account", 0, None),
        ("account", 100, None),
        ("account", 250, 250),
        ("account", 250, 250),
    ]
    assert {request.query["status"] for request in stand_in.of(ONE)} == {"true"}


def test_looks_begin_close_together_and_end_five_seconds_apart(stand_in: StandIn, time: Time) -> None:
    world = World(stand_in, time)
    running = {"account": status("InProgress", 1), "contact": status("InProgress", 1)}
    done = {"account": status("Completed", 1), "contact": status("Completed", 1)}
    follow(stand_in, world, *[running] * 40, done)
    world.sync.run()
    assert time.pauses[0] == pytest.approx(0.2)
    assert time.pauses == sorted(time.pauses)
    # The end is noticed soon after it came, measured by what has passed.
    assert all(pause <= max(0.2, 0.151 * sum(time.pauses[:number])) for number, pause in enumerate(time.pauses))
    assert time.pauses[-1] == pytest.approx(5.0)


def test_records_that_failed_are_a_warning(stand_in: StandIn, time: Time) -> None:
    world = World(stand_in, time)
    follow(stand_in, world, {"account": status("CompletedWithFailures", 250, 3), "contact": status("Completed", 1)})
    warning, _ = world.sync.run()
    assert warning.status is Status.WARNING
    assert "account: 3 of 250 records" in warning.message


def test_an_entity_without_rows_is_done_when_all_others_are(stand_in: StandIn, time: Time) -> None:
    world = World(stand_in, time)
    follow(
        stand_in,
        world,
        {"account": status("InProgress", 5), "contact": status("NotStarted")},
        {"account": status("Completed", 5), "contact": status("NotStarted")},
    )
    rows(stand_in, contact=0)
    findings = world.sync.run()
    assert [finding.message for finding in findings] == ["account: 5 records", "contact: no records"]
    assert len(time.pauses) == 1


def test_an_entity_with_rows_that_has_not_begun_is_waited_for(stand_in: StandIn, time: Time) -> None:
    world = World(stand_in, time)
    waiting = {"account": status("Completed", 5), "contact": status("NotStarted")}
    follow(stand_in, world, waiting, waiting, {**waiting, "contact": status("Completed", 7)})
    rows(stand_in, contact=7)
    assert [finding.message for finding in world.sync.run()] == ["account: 5 records", "contact: 7 records"]


def test_an_empty_relationship_is_done_too(stand_in: StandIn, time: Time) -> None:
    world = World(stand_in, time, relationships=["contactleads_association"])
    follow(
        stand_in,
        world,
        {
            "account": status("Completed", 5),
            "contact": status("Completed", 5),
            "contactleads_association": status("NotStarted"),
        },
    )
    stand_in.replies["GET /crm/exporter/metadata/relationships"] = Reply(
        body=[{"SchemaName": "contactleads_association", "IntersectEntityName": "contactleads"}]
    )
    rows(stand_in, contactleads=0)
    assert len(world.sync.run()) == 3


def test_a_synchronization_that_stands_still_is_named(stand_in: StandIn, time: Time) -> None:
    world = World(stand_in, time)
    follow(stand_in, world, {"account": status("Completed", 5), "contact": status("InProgress", 17)})
    with pytest.raises(KitError, match="stood still for 30 minutes: contact") as error:
        world.sync.run()
    assert "17 of 17 records" in error.value.why
    assert 1800 <= time.now < 1810


def test_a_table_that_cannot_be_made_fails_without_a_wait(stand_in: StandIn, time: Time) -> None:
    world = World(stand_in, time)
    follow(
        stand_in,
        world,
        {"account": status("Completed", 5), "contact": status("CompletedWithFailures", 0, 1, metadata="Failure")},
    )
    passed, failed = world.sync.run()
    assert (passed.status, failed.status) == (Status.PASSED, Status.FAILED)
    assert "could not make its table" in failed.message
    assert time.pauses == []
    assert world.sync.due()


def test_an_entity_of_which_nothing_arrived_has_failed(stand_in: StandIn, time: Time) -> None:
    world = World(stand_in, time)
    follow(
        stand_in,
        world,
        {"account": status("Completed", 5), "contact": status("CompletedWithFailures") | {"FailureNotifications": 1}},
    )
    _, failed = world.sync.run()
    assert failed.message == "contact: the service could not export any of it"
    (change,) = world.activation.diff(world.activation.read())
    assert change.before == "active, without contact"


def test_a_broken_profile_ends_the_wait(stand_in: StandIn, time: Time) -> None:
    world = World(stand_in, time)
    follow(stand_in, world, {})
    stand_in.replies[f"GET {ONE}"] = Reply(body=wire(world.description, {"account": status("InProgress", 3)}, "2"))
    with pytest.raises(KitError, match="in state Error"):
        world.sync.run()


def test_a_run_that_is_ended_stops_waiting(stand_in: StandIn, time: Time) -> None:
    world = World(stand_in, time)
    time.ends = True
    follow(stand_in, world, {"account": status("InProgress", 5), "contact": status("InProgress", 5)})
    with pytest.raises(KitError, match="goes on by itself"):
        world.sync.run()


def test_without_patience_it_looks_once(stand_in: StandIn, time: Time) -> None:
    world = World(stand_in, time)
    world.sync.patience = 0.0
    follow(stand_in, world, {"account": status("Completed", 5), "contact": status("InProgress", 17)})
    passed, unfinished = world.sync.run()
    assert (passed.status, unfinished.status) == (Status.PASSED, Status.FAILED)
    assert "contact is not synchronized yet" in unfinished.message
    assert time.pauses == []


def test_it_is_due_until_everything_is_done(stand_in: StandIn, time: Time) -> None:
    world = World(stand_in, time)
    assert not world.sync.due()
    running = {"account": status("Completed", 5), "contact": status("InProgress", 17)}
    follow(stand_in, world, running, {**running, "contact": status("Completed", 17)})
    assert world.sync.due()
    assert not world.sync.due()


@pytest.mark.parametrize("activate", ["metadata", "none"])
def test_a_profile_that_exports_no_data_has_no_first_synchronization(
    stand_in: StandIn, time: Time, activate: str
) -> None:
    world = World(stand_in, time, activate=activate)
    (finding,) = world.sync.run()
    assert finding.status is Status.SKIPPED
    assert not world.sync.due()
    assert stand_in.asked == []


class Opened(Resource[str]):
    """A resource that is as wanted, or not."""

    kind = "service_access"

    def __init__(self, changes: list[Change]) -> None:
        super().__init__("vault")
        self.changes = changes
        self.observed = "there"

    def read(self) -> str | None:
        return self.observed

    def diff(self, observed: str | None) -> list[Change]:
        return self.changes

    def apply(self, change: Change) -> str:
        return "there"

    def delete(self, observed: str) -> None:
        return


def refused(*problems: tuple[str, str, str]) -> Reply:
    details = [{"Code": code, "Target": target, "Message": message} for code, target, message in problems]
    return Reply(400, {"CorrelationId": "c", "Message": "It cannot be used.", "Details": details})


def validation(stand_in: StandIn, time: Time, *changes: Change) -> ProfileValidation:
    stand_in.replies[f"GET {PROFILES}"] = Reply(body=[])
    return ProfileValidation(
        environment_of(stand_in),
        stand_in.client(),
        SecretResource(),
        needs=(Opened(list(changes)),),
        wait=time.wait,
        clock=time.clock,
    )


UNREADABLE = ("SecretUnreadable", URI, f"The service may not read the secret {URI}.")


def test_each_thing_that_the_service_finds_missing_is_a_finding(stand_in: StandIn, time: Time) -> None:
    check = validation(stand_in, time)
    stand_in.replies[f"POST {PROFILES}/validate"] = refused(
        ("SchemaPermission", "INSERT", "The database user 'x' lacks INSERT on schema dbo."),
        ("SecretTag", ORGANIZATION, "The secret does not carry the tag."),
    )
    grant, tag = check.run()
    assert grant.check == "profile_validation.schema_permission"
    assert grant.message == "The database user 'x' lacks INSERT on schema dbo."
    assert tag.message == f"{ORGANIZATION}: The secret does not carry the tag."
    assert "setup-kit apply" in grant.remedy
    assert time.pauses == []


def test_a_permission_that_was_just_given_is_waited_for(stand_in: StandIn, time: Time) -> None:
    check = validation(stand_in, time)
    stand_in.replies[f"POST {PROFILES}/validate"] = [refused(UNREADABLE), refused(UNREADABLE), Reply()]
    (finding,) = check.run()
    assert finding.status is Status.PASSED
    assert len(time.pauses) == 2


def test_a_permission_that_never_holds_is_reported_after_ten_minutes(stand_in: StandIn, time: Time) -> None:
    check = validation(stand_in, time)
    stand_in.replies[f"POST {PROFILES}/validate"] = refused(UNREADABLE)
    (finding,) = check.run()
    assert finding.status is Status.FAILED
    assert 580 <= time.now <= 600


def test_a_permission_that_is_not_given_is_reported_at_once(stand_in: StandIn, time: Time) -> None:
    check = validation(stand_in, time, Change("service_access/vault", Action.CREATE))
    stand_in.replies[f"POST {PROFILES}/validate"] = refused(UNREADABLE)
    (finding,) = check.run()
    assert finding.status is Status.FAILED
    assert time.pauses == []


def test_a_refusal_without_details_keeps_the_services_words(stand_in: StandIn, time: Time) -> None:
    check = validation(stand_in, time)
    stand_in.replies[f"POST {PROFILES}/validate"] = Reply(400, {"Message": "The vault is in another tenant."})
    (finding,) = check.run()
    assert finding.message == "The vault is in another tenant."


def test_an_existing_profile_is_validated_as_itself(stand_in: StandIn, time: Time) -> None:
    check = validation(stand_in, time)
    description = wanted_description(environment_of(stand_in), URI)
    stand_in.replies[f"GET {PROFILES}"] = Reply(body=[wire(description)])
    answer: Callable[[Asked], Reply] = lambda asked: Reply(200 if asked.body["Id"] == "p-1" else 400)  # noqa: E731
    stand_in.replies[f"POST {PROFILES}/validate"] = answer
    (finding,) = check.run()
    assert finding.status is Status.PASSED
